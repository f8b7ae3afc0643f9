package io.bareloop.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.wire.Head;
import io.bareloop.wire.Networks;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.URLDecoder;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Forms that are decoded where they stand. */
class FormTest {
    private static final int AT = 100;

    private static Request request(Limits limits, String body) {
        byte[] bytes = body.getBytes(ISO_8859_1);
        MemorySegment in = Arena.ofAuto().allocate(AT + bytes.length + 50L);
        MemorySegment.copy(bytes, 0, in, java.lang.foreign.ValueLayout.JAVA_BYTE, AT, bytes.length);
        Head head = new Head(limits.fieldsMax());
        head.start(in, 20);
        head.body(AT, AT + bytes.length);
        return new Request(head, limits, Networks.NONE);
    }

    private static Request request(String body) {
        return request(Limits.defaults(), body);
    }

    private static String value(Request request, String name) {
        ByteView value = request.formValue(name);
        return value == null ? null : new String(value.toByteArray(), ISO_8859_1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "null",
            value = {
                "a=1&b=2      | a     | 1",
                "a=1&b=2      | b     | 2",
                "a=1&b=2      | c     | null",
                "a=1&a=2      | a     | 1",
                "&&a=1&&      | a     | 1",
                "a&b=2        | a     | ''",
                "a=&b=2       | a     | ''",
                "=1&b=2       | ''    | 1",
                "a=b=c        | a     | b=c",
                "a+b=c+d      | 'a b' | 'c d'",
                "%61=%41      | a     | A",
                "a=%26%3D%25  | a     | '&=%'",
                "a=1%&b=2     | !     | 400",
                "a=1&b=%2     | !     | 400",
                "a=1&b=%zz    | !     | 400",
                "a%2=1        | !     | 400",
            })
    void findsWhatIsThere(String body, String name, String value) {
        Request request = request(body.strip());
        if (name.equals("!")) {
            for (String any : List.of("a", "b")) {
                assertThatThrownBy(() -> request.formValue(any))
                        .isInstanceOfSatisfying(
                                HttpException.class,
                                e -> assertThat(e.status()).isEqualTo(Status.BAD_REQUEST));
            }
            return;
        }
        // As often as it is asked for, whatever else is asked for between.
        for (int i = 0; i < 3; i++) {
            assertThat(value(request, name)).isEqualTo(value);
            request.formValue("b");
            request.formValue("none");
        }
    }

    /** No memory beside the request's: not a byte is copied, whatever the size. */
    @ParameterizedTest
    @ValueSource(ints = {1, 1000, 1 << 20})
    void isDecodedInPlace(int length) {
        Request request = request("a=%41&b=" + "+x%2b".repeat(length / 5 + 1) + "&c=1");
        ByteView value = request.formValue("b");
        assertThat(value.segment()).isSameAs(request.head().segment());
        assertThat(value.length()).isEqualTo(3 * (length / 5 + 1));
        assertThat(value(request, "b")).isEqualTo(" x+".repeat(length / 5 + 1));
        assertThat(value(request, "c")).isEqualTo("1");
    }

    /** The copy of a request that goes on elsewhere has the same parameters. */
    @Test
    void movesWithItsRequest() {
        Request request = request("a=%41&b=2");
        assertThat(value(request, "a")).isEqualTo("A");
        MemorySegment elsewhere = Arena.ofAuto().allocate(request.head().segment().byteSize());
        MemorySegment.copy(
                request.head().segment(),
                20,
                elsewhere,
                0,
                request.head().segment().byteSize() - 20);
        request.head().segment().fill((byte) 'z');
        request.head().move(elsewhere, 0);
        assertThat(value(request, "a")).isEqualTo("A");
        assertThat(value(request, "b")).isEqualTo("2");
    }

    @Test
    void hasABoundOfParameters() {
        String body = "a=1&".repeat(999) + "b=2";
        assertThat(value(request(body), "b")).isEqualTo("2");
        Request more = request(body + "&c=3");
        assertThatThrownBy(() -> more.formValue("a"))
                .isInstanceOf(HttpException.class)
                .hasMessageContaining("1000");
        Request few = request(Limits.builder().formParametersMax(1).build(), "a=1&b=2");
        assertThatThrownBy(() -> few.formValue("a")).isInstanceOf(HttpException.class);
    }

    @Test
    void isAsTheJdkDecodesIt() {
        SplittableRandom random = new SplittableRandom(7);
        String letters = "ab=&+%41%2b%3D%26";
        for (int round = 0; round < 20_000; round++) {
            StringBuilder body = new StringBuilder();
            int length = random.nextInt(30);
            while (body.length() < length) {
                int at = random.nextInt(letters.length());
                body.append(
                        letters.charAt(at) == '%' || letters.charAt(at) > '9' || at > 5
                                ? letters.charAt(random.nextInt(5))
                                : letters.charAt(at));
                if (random.nextInt(4) == 0) {
                    body.append(List.of("%41", "%2b", "%3D", "%26").get(random.nextInt(4)));
                }
            }
            Request request = request(body.toString());
            List<String> seen = new ArrayList<>();
            for (String parameter : body.toString().split("&", -1)) {
                if (parameter.isEmpty()) {
                    continue;
                }
                int equals = parameter.indexOf('=');
                String name =
                        URLDecoder.decode(
                                equals < 0 ? parameter : parameter.substring(0, equals),
                                ISO_8859_1);
                if (!seen.contains(name)) {
                    seen.add(name);
                    assertThat(value(request, name))
                            .as("%s of %s", name, body)
                            .isEqualTo(
                                    equals < 0
                                            ? ""
                                            : URLDecoder.decode(
                                                    parameter.substring(equals + 1), ISO_8859_1));
                }
            }
        }
    }
}
