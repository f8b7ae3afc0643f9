package io.bareloop.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Bytes;
import io.bareloop.rig.GuardedSegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import java.util.function.IntPredicate;
import java.util.function.LongConsumer;
import java.util.function.LongUnaryOperator;
import org.junit.jupiter.api.Test;

/** Every mask against its definition, byte by byte; a carry would show in a neighbour. */
class SwarTest {
    private static final int[] EDGES = {
        0x00, 0x01, 0x08, 0x09, 0x0A, 0x0D, 0x1F, 0x20, 0x21, 0x23, 0x2C, 0x2D, 0x2E, 0x2F, 0x30,
        0x39, 0x3A, 0x40, 0x41, 0x5A, 0x5B, 0x5F, 0x60, 0x61, 0x7A, 0x7B, 0x7E, 0x7F, 0x80, 0x81,
        0x8D, 0xA0, 0xAD, 0xC1, 0xDF, 0xE1, 0xFA, 0xFE, 0xFF
    };

    @Test
    void nameStops() {
        checkFirst(Swar::nameStops, b -> !(isLetter(b) || b == '-'));
    }

    @Test
    void domainNameStops() {
        checkFirst(
                Swar::domainNameStops,
                b -> !(isLetter(b) || (b >= '0' && b <= '9') || b == '-' || b == '.'));
    }

    @Test
    void valueStops() {
        checkFirst(Swar::valueStops, b -> b < 0x20 || b >= 0x7F);
    }

    @Test
    void targetStops() {
        checkFirst(Swar::targetStops, b -> b <= 0x20 || b >= 0x7F || b == '#');
    }

    @Test
    void digitStops() {
        checkFirst(Swar::digitStops, b -> b < '0' || b > '9');
    }

    @Test
    void firstByte() {
        long word = 0x8877_6655_4433_2211L;
        for (int place = 0; place < Long.BYTES; place++) {
            long mask = with(0, place, 0x80) | (place < 7 ? with(0, 7, 0x80) : 0);
            assertThat(Swar.firstByte(mask, word)).isEqualTo((byte) ((place + 1) * 0x11));
        }
    }

    private static boolean isLetter(int b) {
        return (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z');
    }

    /** As {@link #check}, of the lowest mark alone. */
    private static void checkFirst(LongUnaryOperator mask, IntPredicate matches) {
        boolean[] matched = new boolean[256];
        for (int b = 0; b < 256; b++) {
            matched[b] = matches.test(b);
        }
        forEachWord(
                word -> {
                    long marks = mask.applyAsLong(word);
                    int first = 0;
                    while (first < Long.BYTES && !matched[(int) (word >>> (first * 8)) & 0xFF]) {
                        first++;
                    }
                    if (Swar.first(marks) != first || (marks & ~Swar.HIGHS) != 0) {
                        assertThat(Long.toHexString(marks))
                                .as("the mask of %016x, first %d", word, first)
                                .isNull();
                    }
                });
    }

    @Test
    void equal() {
        for (int wanted : EDGES) {
            check(word -> Swar.equal(word, wanted * Swar.ONES), b -> b == wanted);
        }
    }

    private static void check(LongUnaryOperator mask, IntPredicate matches) {
        forEachWord(word -> check(mask, matches, word));
    }

    private static void forEachWord(LongConsumer check) {
        // Each byte value in each place, among equal bytes of each kind.
        for (int place = 0; place < Long.BYTES; place++) {
            for (int value = 0; value < 256; value++) {
                for (int others : EDGES) {
                    long word = others * Swar.ONES;
                    check.accept(with(word, place, value));
                }
            }
        }
        // Each pair of neighbours in each place, where a carry or a borrow would go.
        for (int place = 0; place < Long.BYTES - 1; place++) {
            for (int pair = 0; pair < 1 << 16; pair++) {
                long word = with(0x4141_4141_4141_4141L, place, pair & 0xFF);
                check.accept(with(word, place + 1, pair >>> 8));
            }
        }
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 200_000; i++) {
            check.accept(random.nextLong());
            long edges = 0;
            for (int place = 0; place < Long.BYTES; place++) {
                edges = with(edges, place, EDGES[random.nextInt(EDGES.length)]);
            }
            check.accept(edges);
        }
    }

    private static void check(LongUnaryOperator mask, IntPredicate matches, long word) {
        long expected = 0;
        int first = Long.BYTES;
        for (int place = Long.BYTES - 1; place >= 0; place--) {
            if (matches.test((int) (word >>> (place * 8)) & 0xFF)) {
                expected |= 0x80L << (place * 8);
                first = place;
            }
        }
        long actual = mask.applyAsLong(word);
        if (actual != expected || Swar.first(actual) != first) {
            assertThat(Long.toHexString(actual))
                    .as("the mask of %016x, first %d", word, first)
                    .isEqualTo(Long.toHexString(expected));
            assertThat(Swar.first(actual)).as("%016x", word).isEqualTo(first);
        }
    }

    private static long with(long word, int place, int value) {
        int shift = place * 8;
        return (word & ~(0xFFL << shift)) | ((long) value << shift);
    }

    @Test
    void wordReadsZerosFromTheEndOn() {
        byte[] bytes = new byte[32];
        new SplittableRandom(2).nextBytes(bytes);
        try (GuardedSegment guarded = new GuardedSegment()) {
            for (int end = 0; end <= bytes.length; end++) {
                int from = guarded.put(bytes, end);
                long words = guarded.segment().address() + guarded.end() - 7;
                for (int at = 0; at <= end + Long.BYTES; at++) {
                    long expected = 0;
                    for (int i = 0; i < Long.BYTES; i++) {
                        expected |= at + i < end ? (bytes[at + i] & 0xFFL) << (i * 8) : 0;
                    }
                    long start = guarded.segment().address();
                    assertThat(Swar.word(start + from + at, start + guarded.end()))
                            .isEqualTo(expected);
                    assertThat(Swar.word(start + from + at, start + guarded.end(), words))
                            .isEqualTo(expected);
                }
            }
        }
    }

    @Test
    void wordReachesBeyondTheEndWhereItMay() {
        byte[] bytes = new byte[16];
        new SplittableRandom(3).nextBytes(bytes);
        try (GuardedSegment guarded = new GuardedSegment()) {
            long start = guarded.segment().address() + guarded.put(bytes, bytes.length);
            long expected = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(3);
            assertThat(Swar.word(start + 3, start + 5, start + 5)).isEqualTo(expected);
            assertThat(Swar.word(start + 5, start + 5, start + 5)).isZero();
        }
    }

    @Test
    void asciiIsTheWordAsItIsRead() {
        for (String text : new String[] {"", "G", "GET ", "\r\n", "HTTP/1.1"}) {
            ByteBuffer buffer = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            buffer.put(0, Bytes.of(text));
            assertThat(Swar.ascii(text)).isEqualTo(buffer.getLong(0));
        }
    }
}
