package io.bareloop.wire;

/**
 * Eight bytes at a time in a long ("SIMD within a register"), lowest address in the lowest byte.
 *
 * <p>A mask has bit 7 of a byte set where the byte matches, and no other bit. What looks for the
 * first match only, named {@code ...Stops}, may mark other bytes above that one too, for it lets
 * carries cross from a byte that matches; all others are exact.
 *
 * <p>Vectors of 64 bytes, in place of words and line by line, made next to no difference.
 */
public final class Swar {
    public static final long ONES = 0x0101_0101_0101_0101L;
    static final long HIGHS = 0x8080_8080_8080_8080L;
    static final long LOWS = 0x7F7F_7F7F_7F7F_7F7FL;
    public static final long CASE_BITS = 0x2020_2020_2020_2020L;

    private Swar() {}

    /** Bytes equal to {@code repeated / ONES}. */
    public static long equal(long word, long repeated) {
        long difference = word ^ repeated;
        return ~(((difference & LOWS) + LOWS) | difference) & HIGHS;
    }

    /** Bytes other than letters and the hyphen: what ends a usual field name. */
    public static long nameStops(long word) {
        long lower = word | CASE_BITS;
        long letters = (lower + (0x80 - 'a') * ONES) & ~(lower + (0x7F - 'z') * ONES);
        long noHyphens = (word ^ '-' * ONES) + LOWS;
        return ((noHyphens & ~letters) | word) & HIGHS;
    }

    /** Bytes other than visible ASCII and SP: what ends a usual field value. */
    public static long valueStops(long word) {
        return ((word - ' ' * ONES) | (word + ONES)) & HIGHS;
    }

    /** Bytes other than visible ASCII without the number sign: what ends a request target. */
    public static long targetStops(long word) {
        return ((word - '!' * ONES) | (word + ONES) | ((word ^ '#' * ONES) - ONES)) & HIGHS;
    }

    /** Bytes other than letters, digits, the hyphen and the dot: what ends a usual host. */
    public static long domainNameStops(long word) {
        // Two ranges, but for the slash. Each sum has bit 7 from its character on, so that an odd
        // number of them has it within the ranges.
        long lower = word | CASE_BITS;
        long ranges =
                (word + (0x80 - '-') * ONES)
                        ^ (word + (0x7F - '9') * ONES)
                        ^ (lower + (0x80 - 'a') * ONES)
                        ^ (lower + (0x7F - 'z') * ONES);
        long slashes = (word ^ '/' * ONES) - ONES;
        return (~ranges | slashes | word) & HIGHS;
    }

    /** Bytes other than digits. */
    public static long digitStops(long word) {
        return ((word - '0' * ONES) | (word + (0x7F - '9') * ONES)) & HIGHS;
    }

    /** The first byte of {@code word} that {@code mask} marks. */
    public static byte firstByte(long mask, long word) {
        return (byte) (word >>> (Long.numberOfTrailingZeros(mask) & 56));
    }

    /** The index, 0 to 7, of the first byte that {@code mask} marks; 8 where it marks none. */
    public static int first(long mask) {
        return Long.numberOfTrailingZeros(mask) >>> 3;
    }

    /**
     * The address in [from, to) of the first byte equal to {@code repeated / ONES}, or {@code to}.
     * Reads up to seven bytes from {@code to} on: for parts of a request line, which does not end
     * with them.
     */
    public static long indexOf(long repeated, long from, long to) {
        for (long at = from; at < to; at += Long.BYTES) {
            long found = equal(Memory.getLong(at), repeated);
            if (found != 0) {
                return Math.min(at + first(found), to);
            }
        }
        return to;
    }

    /**
     * The eight bytes from {@code at}; those from {@code end} on read as 0, and are not touched.
     */
    public static long word(long at, long end) {
        return end - at >= Long.BYTES ? Memory.getLong(at) : lastWord(at, end);
    }

    /**
     * The eight bytes from {@code at}, where that is below {@code words}: then they may reach
     * beyond {@code end}, and into what is left there of something else. Otherwise those from
     * {@code end} on read as 0, and are not touched.
     */
    public static long word(long at, long end, long words) {
        return at < words ? Memory.getLong(at) : lastWord(at, end);
    }

    private static long lastWord(long at, long end) {
        long word = 0;
        for (long last = end - 1; last >= at; last--) {
            word = word << 8 | (Memory.getByte(last) & 0xFF);
        }
        return word;
    }

    /** {@code text}, of at most eight ASCII characters, as a word: for comparisons. */
    public static long ascii(String text) {
        long word = 0;
        for (int i = text.length() - 1; i >= 0; i--) {
            word = word << 8 | text.charAt(i);
        }
        return word;
    }
}
