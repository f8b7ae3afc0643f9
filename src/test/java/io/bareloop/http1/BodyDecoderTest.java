package io.bareloop.http1;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http1.ChunkedBodies.Chunked;
import io.bareloop.http1.DecodedBody.End;
import io.bareloop.rig.Bytes;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The framing of bodies: Content-Length, and the chunked coding by tables. */
class BodyDecoderTest {
    /** Inputs longer than this are cut everywhere near their ends, and at every so many bytes. */
    private static final int SHORT = 600;

    @ParameterizedTest
    @MethodSource("io.bareloop.http1.ChunkedBodies#valid")
    void decodesAndLeavesWhatFollows(Chunked chunked) {
        String input = chunked.input() + ChunkedBodies.NEXT;
        DecodedBody expected = new DecodedBody(End.DONE, chunked.input().length(), chunked.body());
        assertThat(DecodedBody.chunked(input, input.length())).isEqualTo(expected);
        assertThat(ReferenceBodyDecoder.decode(input)).isEqualTo(expected);
        sameForEverySplit(input, expected);
    }

    @ParameterizedTest
    @MethodSource("io.bareloop.http1.ChunkedBodies#valid")
    void everyPrefixNeedsMore(Chunked chunked) {
        for (int length : cuts(chunked.input().length())) {
            String prefix = chunked.input().substring(0, length);
            DecodedBody decoded = DecodedBody.chunked(prefix, length);
            assertThat(decoded.end()).as("%s, %s bytes", chunked, length).isEqualTo(End.NEED_MORE);
            assertThat(decoded.at()).isEqualTo(length);
            assertThat(chunked.body()).startsWith(decoded.body());
            assertThat(ReferenceBodyDecoder.decode(prefix)).isEqualTo(decoded);
        }
    }

    @ParameterizedTest
    @MethodSource("io.bareloop.http1.ChunkedBodies#malformed")
    void refusesTheFirstWrongByte(Chunked chunked) {
        int length = chunked.input().length();
        String input = chunked.input() + ChunkedBodies.NEXT;
        DecodedBody expected = new DecodedBody(End.MALFORMED, length, chunked.body());
        assertThat(DecodedBody.chunked(input, input.length())).isEqualTo(expected);
        assertThat(ReferenceBodyDecoder.decode(input)).isEqualTo(expected);
        sameForEverySplit(input, expected);

        String before = chunked.input().substring(0, length - 1);
        assertThat(DecodedBody.chunked(before, length - 1).end()).isEqualTo(End.NEED_MORE);
    }

    @Test
    void staysMalformed() {
        BodyDecoder decoder = new BodyDecoder();
        decoder.startChunked();
        DecodedBody.decode(decoder, "x", 1);
        assertThat(decoder.isMalformed()).isTrue();
        MemorySegment in = MemorySegment.ofArray(Bytes.of("0\r\n\r\n"));
        assertThat(decoder.decode(in, 0, 5)).isZero();
        assertThat(decoder.isMalformed()).isTrue();
        assertThat(decoder.isDone()).isFalse();
        assertThat(decoder.pieceEnd()).isEqualTo(decoder.pieceStart());
    }

    @Test
    void forgetsTheBodyBefore() {
        BodyDecoder decoder = new BodyDecoder();
        String extension = ";" + "a".repeat(BodyDecoder.EXTENSION_BYTES_MAX - 1);
        String trailer = "A:" + "b".repeat(BodyDecoder.TRAILER_BYTES_MAX - 2) + "\r\n";
        String input = "1" + extension + "\r\nx\r\n0\r\n" + trailer + "\r\n";
        for (String before : List.of(input, "12", "12;a=\"", "2\r\nx", "0\r\nab", "x", "")) {
            decoder.startChunked();
            DecodedBody.decode(decoder, before, before.length());
            decoder.startChunked();
            assertThat(DecodedBody.decode(decoder, input, input.length()))
                    .as("after %s", before)
                    .isEqualTo(new DecodedBody(End.DONE, input.length(), "x"));
        }
    }

    @Test
    void tellsWhatIsLeftOfAChunk() {
        BodyDecoder decoder = new BodyDecoder();
        decoder.startChunked();
        assertThat(decoder.left()).isZero();
        assertThat(DecodedBody.decode(decoder, "fffffffffffffff\r\nabc", 20).body())
                .isEqualTo("abc");
        assertThat(decoder.left()).isEqualTo((1L << 60) - 1 - 3);
        assertThat(decoder.isDone() || decoder.isMalformed()).isFalse();
    }

    @Test
    void decodesPieceByPiece() {
        BodyDecoder decoder = new BodyDecoder();
        decoder.startChunked();
        MemorySegment in = MemorySegment.ofArray(Bytes.of("2\r\nab\r\n1\r\nc\r\n0\r\n\r\nrest"));
        assertThat(decoder.decode(in, 0, 24)).isEqualTo(5);
        assertThat(decoder.pieceStart()).isEqualTo(3);
        assertThat(decoder.pieceEnd()).isEqualTo(5);
        assertThat(decoder.decode(in, 5, 24)).isEqualTo(11);
        assertThat(decoder.pieceStart()).isEqualTo(10);
        assertThat(decoder.pieceEnd()).isEqualTo(11);
        assertThat(decoder.decode(in, 11, 24)).isEqualTo(18);
        assertThat(decoder.pieceEnd()).isEqualTo(decoder.pieceStart());
        assertThat(decoder.isDone()).isTrue();
        assertThat(decoder.decode(in, 18, 24)).isEqualTo(18);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 9, 255, 4097})
    void takesContentLength(int length) {
        String body = "\r\n0\u00ff".repeat(length).substring(0, length);
        String input = body + ChunkedBodies.NEXT;
        for (int cut : cuts(input.length())) {
            BodyDecoder decoder = new BodyDecoder();
            decoder.startLength(length);
            assertThat(decoder.left()).isEqualTo(length);
            assertThat(decoder.isDone()).isFalse();
            assertThat(DecodedBody.decode(decoder, input, cut, input.length()))
                    .isEqualTo(new DecodedBody(End.DONE, length, body));
            assertThat(decoder.left()).isZero();
        }
        for (int cut : cuts(length)) {
            BodyDecoder decoder = new BodyDecoder();
            decoder.startLength(length);
            String prefix = body.substring(0, cut);
            assertThat(DecodedBody.decode(decoder, prefix, cut))
                    .isEqualTo(new DecodedBody(End.NEED_MORE, cut, prefix));
            assertThat(decoder.left()).isEqualTo(length - cut);
        }
    }

    @Test
    void takesNoneAndAllThatCanBeAnnounced() {
        BodyDecoder decoder = new BodyDecoder();
        decoder.startLength(0);
        assertThat(decoder.isDone()).isTrue();
        assertThat(decoder.decode(MemorySegment.ofArray(new byte[4]), 1, 4)).isEqualTo(1);

        decoder.startLength(999_999_999_999_999_999L);
        assertThat(DecodedBody.decode(decoder, "abc", 3).body()).isEqualTo("abc");
        assertThat(decoder.left()).isEqualTo(999_999_999_999_999_996L);
    }

    private static void sameForEverySplit(String input, DecodedBody expected) {
        int length = input.length();
        for (int cut : cuts(length)) {
            DecodedBody actual = DecodedBody.chunked(input, cut, length);
            if (!actual.equals(expected)) {
                assertThat(actual).as("split at %s", cut).isEqualTo(expected);
            }
        }
        int[] bytewise = IntStream.rangeClosed(1, length).toArray();
        assertThat(DecodedBody.chunked(input, bytewise)).as("byte by byte").isEqualTo(expected);
    }

    private static int[] cuts(int length) {
        return IntStream.range(0, length)
                .filter(at -> length <= SHORT || at < 50 || at > length - 50 || at % 613 == 0)
                .toArray();
    }
}
