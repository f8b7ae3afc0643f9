package io.bareloop.files;

import io.bareloop.http.ByteView;

/**
 * The ranges that a Range field asks for (RFC 9110, section 14). Used for one request after
 * another; belongs to one thread.
 */
final class ByteRanges {
    /** Ranges that one request can have: more are taken for an attempt to make work. */
    static final int RANGES_MAX = 16;

    private static final String UNIT = "bytes=";

    /** More than any file has, and small enough to be added to. */
    private static final long HUGE = Long.MAX_VALUE / 4;

    private final long[] first = new long[RANGES_MAX];
    private final long[] last = new long[RANGES_MAX];
    private int count;

    /** The field is to be ignored: all of the file is the answer. */
    static final int ALL = -1;

    /** No byte of the file is asked for: 416. */
    static final int NOTHING = 0;

    /**
     * Reads the field against a file of {@code size} bytes.
     *
     * <p>Ignored, as section 14.2 allows, are another unit, what is no set of ranges, more than
     * {@value #RANGES_MAX} of them, and ranges that together are more than the file: they overlap,
     * and no reader needs bytes twice.
     *
     * @return the number of ranges that the file can satisfy, {@link #NOTHING} or {@link #ALL}
     */
    int parse(ByteView field, long size) {
        count = 0;
        if (!beginsWithUnit(field)) {
            return ALL;
        }
        long total = 0;
        int specs = 0;
        int length = field.length();
        int at = UNIT.length();
        while (at < length) {
            if (isBlank(field.at(at)) || field.at(at) == ',') {
                at++;
                continue;
            }
            if (++specs > RANGES_MAX) {
                return ALL;
            }
            int digits = endOfDigits(field, at);
            if (digits == length || field.at(digits) != '-') {
                return ALL;
            }
            int end = endOfDigits(field, digits + 1);
            boolean hasFirst = digits > at;
            boolean hasLast = end > digits + 1;
            long a = number(field, at, digits);
            long b = number(field, digits + 1, end);
            if (!hasFirst && !hasLast) {
                return ALL;
            }
            if (hasFirst
                    && hasLast
                    && (b < a || (a == HUGE && isLess(field, digits + 1, end, at, digits)))) {
                return ALL;
            }
            at = end;
            while (at < length && isBlank(field.at(at))) {
                at++;
            }
            if (at < length && field.at(at) != ',') {
                return ALL;
            }
            if (!hasFirst) {
                // The last b bytes; of an empty file that is all there is.
                if (b > 0 && size == 0) {
                    return ALL;
                }
                a = Math.max(0, size - b);
                b = size - 1;
            } else {
                b = hasLast ? Math.min(b, size - 1) : size - 1;
            }
            if (a < size && a <= b) {
                first[count] = a;
                last[count] = b;
                count++;
                total += b - a + 1;
            }
        }
        if (specs == 0 || total > size) {
            return ALL;
        }
        return count;
    }

    long first(int index) {
        return first[index];
    }

    /** The last byte, inclusive. */
    long last(int index) {
        return last[index];
    }

    int count() {
        return count;
    }

    /** Units compare without regard to case. */
    private static boolean beginsWithUnit(ByteView field) {
        if (field.length() < UNIT.length()) {
            return false;
        }
        for (int i = 0; i < UNIT.length(); i++) {
            byte b = field.at(i);
            if ((b >= 'A' && b <= 'Z' ? b | 0x20 : b) != UNIT.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private static boolean isBlank(byte b) {
        return b == ' ' || b == '\t';
    }

    private static int endOfDigits(ByteView field, int from) {
        int at = from;
        while (at < field.length() && field.at(at) >= '0' && field.at(at) <= '9') {
            at++;
        }
        return at;
    }

    /** The number in [from, to), or {@link #HUGE} where it is that or more. */
    private static long number(ByteView field, int from, int to) {
        long number = 0;
        for (int i = from; i < to; i++) {
            // Compared before it grows: ten times as much need not fit.
            if (number >= HUGE / 10) {
                return HUGE;
            }
            number = number * 10 + field.at(i) - '0';
        }
        return number;
    }

    /** Whether the number in [from, to) is less than that in [otherFrom, otherTo). */
    private static boolean isLess(ByteView field, int from, int to, int otherFrom, int otherTo) {
        int at = skipZeros(field, from, to);
        int other = skipZeros(field, otherFrom, otherTo);
        if (to - at != otherTo - other) {
            return to - at < otherTo - other;
        }
        for (; at < to; at++, other++) {
            if (field.at(at) != field.at(other)) {
                return field.at(at) < field.at(other);
            }
        }
        return false;
    }

    private static int skipZeros(ByteView field, int from, int to) {
        int at = from;
        while (at < to && field.at(at) == '0') {
            at++;
        }
        return at;
    }
}
