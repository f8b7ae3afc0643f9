package io.bareloop.http;

/**
 * The fields of the last request, and what was found in them. Clients send the same fields again
 * and again on one connection, and many clients of one kind send the same ones: then comparing the
 * bytes tells all that parsing them would.
 *
 * <p>What is found in fields depends on nothing but their bytes and the version, so that a match is
 * as strict as the parser. The comparison takes equally long wherever two blocks differ: how long a
 * request takes does not tell one client about the cookies of another.
 */
final class LastFields {
    /** Longer blocks are not worth remembering, nor shorter ones than one word. */
    private static final int BYTES_MAX = 2048;

    /** After so many blocks in a row that were new, only one of as many is remembered. */
    private static final int PATIENCE = 16;

    private static final int END = (int) Swar.ascii("\r\n\r\n");

    private final long[] words = new long[BYTES_MAX / Long.BYTES];

    /** Bytes of the block with its empty line; 0 where there is none. */
    private int length;

    private int misses;

    // What was found, for Request alone.
    long[] fields = {};
    long start;
    int fieldCount;
    int framing;
    long contentLength;

    /**
     * Whether the fields from {@code from} on, of a request in HTTP/1.1, are the last ones; then
     * {@code request} has them.
     *
     * @return the index behind the empty line, or 0
     */
    long match(long from, long end, Request request) {
        int bytes = length;
        if (bytes > end - from || bytes == 0 || Memory.getInt(from + bytes - 4) != END) {
            return 0;
        }
        int whole = bytes >>> 3;
        long difference = Memory.getLong(from + bytes - 8) ^ words[whole];
        for (int i = 0; i < whole; i++) {
            difference |= Memory.getLong(from + (long) i * Long.BYTES) ^ words[i];
        }
        if (difference != 0) {
            return 0;
        }
        misses = 0;
        return request.takeFields(this, from) ? from + bytes : 0;
    }

    /** Remembers what was found in [from, to), of a request in HTTP/1.1. */
    void remember(long from, long to, Request request) {
        misses++;
        if (misses > PATIENCE && misses % PATIENCE != 0) {
            return;
        }
        int bytes = (int) Math.min(to - from, BYTES_MAX);
        length = 0;
        if (bytes < BYTES_MAX && bytes >= Long.BYTES) {
            int whole = bytes >>> 3;
            for (int i = 0; i < whole; i++) {
                words[i] = Memory.getLong(from + (long) i * Long.BYTES);
            }
            // The last word overlaps the one before.
            words[whole] = Memory.getLong(from + bytes - 8);
            length = bytes;
            request.leaveFields(this, from);
        }
    }
}
