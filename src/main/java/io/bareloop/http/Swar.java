package io.bareloop.http;

/**
 * Eight bytes at a time in a long ("SIMD within a register"), lowest address in the lowest byte.
 *
 * <p>A mask has bit 7 of a byte set where the byte matches, and no other bit. None of these lets a
 * carry cross from one byte into the next, so every bit of a mask is exact.
 */
final class Swar {
    static final long ONES = 0x0101_0101_0101_0101L;
    static final long HIGHS = 0x8080_8080_8080_8080L;
    static final long LOWS = 0x7F7F_7F7F_7F7F_7F7FL;
    static final long CASE_BITS = 0x2020_2020_2020_2020L;

    private Swar() {}

    /** Bytes that may not stand in a field value: below 0x20, or DEL. HTAB is among them. */
    static long controls(long word) {
        long low = word & LOWS;
        return (~(low + (0x80 - 0x20) * ONES) | (low + ONES)) & ~word & HIGHS;
    }

    /** Bytes that are not visible ASCII: 0x20 and below, DEL, and 0x80 and above. */
    static long notVisible(long word) {
        long low = word & LOWS;
        return (~(low + (0x80 - 0x21) * ONES) | (low + ONES) | word) & HIGHS;
    }

    /** Bytes equal to {@code repeated / ONES}. */
    static long equal(long word, long repeated) {
        long difference = word ^ repeated;
        return ~(((difference & LOWS) + LOWS) | difference) & HIGHS;
    }

    /** Bytes other than letters, digits and the hyphen: what ends a usual field name. */
    static long notWord(long word) {
        long low = word & LOWS;
        long lower = low | CASE_BITS;
        long letters = (lower + (0x80 - 'a') * ONES) & ~(lower + (0x80 - 'z' - 1) * ONES);
        long digits = (low + (0x80 - '0') * ONES) & ~(low + (0x80 - '9' - 1) * ONES);
        long hyphens = equal(word, '-' * ONES);
        return (~(letters | digits | hyphens) | word) & HIGHS;
    }

    /** The index, 0 to 7, of the first byte that {@code mask} marks; 8 where it marks none. */
    static int first(long mask) {
        return Long.numberOfTrailingZeros(mask) >>> 3;
    }

    /**
     * The index in [from, to) of the first byte equal to {@code repeated / ONES}, or {@code to}.
     */
    static long indexOf(long repeated, long from, long to) {
        for (long at = from; at < to; at += Long.BYTES) {
            long found = equal(word(at, to), repeated);
            if (found != 0) {
                return at + first(found);
            }
        }
        return to;
    }

    /**
     * The eight bytes from {@code at}; those from {@code end} on read as 0, and are not touched.
     */
    static long word(long at, long end) {
        return end - at >= Long.BYTES ? Memory.getLong(at) : lastWord(at, end);
    }

    private static long lastWord(long at, long end) {
        long word = 0;
        for (long last = end - 1; last >= at; last--) {
            word = word << 8 | (Memory.getByte(last) & 0xFF);
        }
        return word;
    }

    /** {@code text}, of at most eight ASCII characters, as a word: for comparisons. */
    static long ascii(String text) {
        long word = 0;
        for (int i = text.length() - 1; i >= 0; i--) {
            word = word << 8 | text.charAt(i);
        }
        return word;
    }
}
