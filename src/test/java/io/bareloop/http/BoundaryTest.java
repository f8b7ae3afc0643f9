package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.rig.Bytes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Boundaries that a Content-Type names, and how they are found. */
class BoundaryTest {
    private static String boundary(String contentType) {
        Boundary boundary = Boundary.of(Bytes.of(contentType));
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < boundary.length(); i++) {
            text.append((char) boundary.at(i));
        }
        assertThat(text.substring(0, 4)).isEqualTo("\r\n--");
        return text.substring(4);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "multipart/form-data; boundary=B | B",
                "Multipart/Form-Data;BOUNDARY=B | B",
                "multipart/form-data ; charset=utf-8 ;; boundary=B ; | B",
                "multipart/form-data; x=\";boundary=C\"; boundary=B | B",
                "multipart/form-data; boundary=\"a b\" | a b",
                "multipart/form-data; boundary=\"'()+_,-./:=?0aZ\" | '()+_,-./:=?0aZ",
                "multipart/form-data; boundary=----=_Part/1:2? | ----=_Part/1:2?",
            })
    void allowed(String contentType, String expected) {
        assertThat(boundary(contentType)).isEqualTo(expected);
    }

    @Test
    void upTo70Characters() {
        String most = "0123456789".repeat(7);
        assertThat(boundary("multipart/form-data; boundary=" + most)).isEqualTo(most);
        refused(Status.BAD_REQUEST, "multipart/form-data; boundary=x" + most);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "multipart/form-data",
                "multipart/form-data;",
                "multipart/form-data; boundary",
                "multipart/form-data; boundary=",
                "multipart/form-data; boundary=\"\"",
                "multipart/form-data; boundary=\"B",
                "multipart/form-data; boundary=\"B \"",
                "multipart/form-data; boundary=\"B\"x",
                "multipart/form-data; boundary=a b",
                "multipart/form-data; boundary=B; boundary=B",
                "multipart/form-data; boundary=B, multipart/form-data; boundary=C",
                "multipart/form-data; boundary=a*b",
                "multipart/form-data; boundary=\"a\\\\b\"",
                "multipart/form-data; boundary=\"a\\\"b\"",
                "multipart/form-data; boundary=\u00e9",
                "multipart/form-data; boundary=\"\u00e9\"",
                "multipart/form-data; boundary=\"\r\n\"",
                "multipart/form-data; boundary =B",
            })
    void malformed(String contentType) {
        refused(Status.BAD_REQUEST, contentType);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "text/plain",
                "multipart/mixed; boundary=B",
                "multipart/form-data2; boundary=B",
                "multipart/form-data, multipart/form-data; boundary=B",
                "application/x-www-form-urlencoded",
            })
    void ofAnotherType(String contentType) {
        refused(Status.UNSUPPORTED_MEDIA_TYPE, contentType);
    }

    private static void refused(Status status, String contentType) {
        assertThatThrownBy(() -> boundary(contentType))
                .isInstanceOfSatisfying(
                        HttpException.class, e -> assertThat(e.status()).isEqualTo(status));
    }

    /** In memory that ends with it: a byte too far throws. */
    @Test
    void findsWhereADelimiterMayBegin() {
        SplittableRandom random = new SplittableRandom(13);
        String near = "\r\r\n\n---\u008d\0\u00ffx\f\u000e";
        for (int round = 0; round < 200_000; round++) {
            StringBuilder bytes = new StringBuilder();
            int length = random.nextInt(40);
            while (bytes.length() < length) {
                bytes.append(
                        random.nextInt(9) == 0
                                ? "\r\n--".substring(0, 1 + random.nextInt(4))
                                : near.charAt(random.nextInt(near.length())));
            }
            bytes.setLength(length);
            String latin1 = bytes.toString();
            int from = random.nextInt(length + 1);
            int expected = from;
            while (!"\r\n--".startsWith(upTo4(latin1, expected))) {
                expected++;
            }
            assertThat(Boundary.find(in(latin1, round), from, length))
                    .as("from %d of \"%s\"", from, Bytes.escape(latin1))
                    .isEqualTo(expected);
        }
    }

    private static String upTo4(String all, int from) {
        return all.substring(from, Math.min(from + 4, all.length()));
    }

    private static MemorySegment in(String latin1, int round) {
        MemorySegment heap = MemorySegment.ofArray(Bytes.of(latin1));
        return round % 2 == 0 ? heap : Arena.ofAuto().allocate(latin1.length()).copyFrom(heap);
    }
}
