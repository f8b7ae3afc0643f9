package io.bareloop.http;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The parameters of a body of application/x-www-form-urlencoded, decoded where they stand: a form
 * needs no memory beside the request's, but where its parameters begin and end. Used for one
 * request after another.
 */
final class Form {
    private static final int PARAMETERS_AT_START = 16;

    /** What is kept of a form with more is for the next request to have room, not for ever. */
    private static final int PARAMETERS_KEPT = 64;

    // Offsets from the beginning of the body and lengths: one in the upper half, one in the lower.
    private long[] names = new long[PARAMETERS_AT_START];
    private long[] values = new long[PARAMETERS_AT_START];
    private int count;

    /**
     * Decodes the body, [from, to) of {@code in}.
     *
     * @throws HttpException with 400 where an escape is malformed, with 413 where there are more
     *     than {@code parametersMax}; then some of the body has been decoded
     */
    void decode(MemorySegment in, int from, int to, int parametersMax) {
        count = 0;
        int at = from;
        while (at < to) {
            int end = end(in, at, to, (byte) '&');
            if (end > at) {
                if (count == parametersMax) {
                    throw new HttpException(
                            Status.CONTENT_TOO_LARGE,
                            "a form of more than " + parametersMax + " parameters");
                }
                int nameEnd = end(in, at, end, (byte) '=');
                int value = Math.min(nameEnd + 1, end);
                add(
                        at - from,
                        PercentEncoding.decodeForm(in, at, nameEnd, in, at),
                        value - from,
                        PercentEncoding.decodeForm(in, value, end, in, value));
            }
            at = end + 1;
        }
    }

    /**
     * The index of the first parameter {@code name}, of a body that begins at {@code from}; or -1.
     */
    int find(MemorySegment in, int from, String name) {
        for (int i = 0; i < count; i++) {
            if (isAt(in, from + offset(names[i]), length(names[i]), name)) {
                return i;
            }
        }
        return -1;
    }

    /** Where the value of parameter {@code index} begins, from the beginning of the body. */
    int valueOffset(int index) {
        return offset(values[index]);
    }

    int valueLength(int index) {
        return length(values[index]);
    }

    /** The request is over. */
    void release() {
        count = 0;
        if (names.length > PARAMETERS_KEPT) {
            names = new long[PARAMETERS_AT_START];
            values = new long[PARAMETERS_AT_START];
        }
    }

    private void add(int name, int nameLength, int value, int valueLength) {
        if (count == names.length) {
            long[] moreNames = Arrays.copyOf(names, 2 * count);
            values = Arrays.copyOf(values, 2 * count);
            names = moreNames;
        }
        names[count] = (long) name << 32 | nameLength;
        values[count] = (long) value << 32 | valueLength;
        count++;
    }

    private static int offset(long range) {
        return (int) (range >>> 32);
    }

    private static int length(long range) {
        return (int) range;
    }

    private static int end(MemorySegment in, int from, int to, byte delimiter) {
        int at = from;
        while (at < to && in.get(JAVA_BYTE, at) != delimiter) {
            at++;
        }
        return at;
    }

    private static boolean isAt(MemorySegment in, int from, int length, String name) {
        if (name.length() != length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (in.get(JAVA_BYTE, from + i) != name.charAt(i)) {
                return false;
            }
        }
        return true;
    }
}
