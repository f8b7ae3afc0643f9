package io.bareloop.http;

/**
 * A copy of bytes that may come again, to be compared with those that come.
 *
 * <p>The comparison takes equally long wherever two differ: how long a request takes does not tell
 * one client about the cookies of another.
 */
final class LastBytes {
    /** Longer ones are not worth remembering, nor shorter ones than a pair of words. */
    static final int BYTES_MAX = 2048;

    private static final int PAIR_BYTES = 2 * Long.BYTES;

    /** After so many in a row that were new, only one of as many is remembered. */
    private static final int PATIENCE = 16;

    private final long[] words = new long[BYTES_MAX / Long.BYTES];
    private int length;

    /** Where in words the last pair is, which ends with the bytes and overlaps the pair before. */
    private int lastPair;

    private int misses;

    /** How many they are; 0 where there are none. */
    int length() {
        return length;
    }

    /** Whether they are those from {@code from} on, where at least {@link #length} are. */
    boolean match(long from) {
        int last = lastPair;
        long difference = pairDifference(from + length - PAIR_BYTES, last);
        // Not "i < last": a counted loop gets a prologue, vectors and an epilogue, which take
        // longer than the three or thirty rounds.
        for (int i = 0; i != last; i += 2) {
            difference |= pairDifference(from + (long) i * Long.BYTES, i);
        }
        if (difference != 0) {
            return false;
        }
        misses = 0;
        return true;
    }

    private long pairDifference(long at, int index) {
        return (Memory.getLong(at) ^ words[index])
                | (Memory.getLong(at + Long.BYTES) ^ words[index + 1]);
    }

    /** Remembers [from, to), unless that is not worth it; returns whether it does. */
    boolean remember(long from, long to) {
        misses++;
        if (misses > PATIENCE && misses % PATIENCE != 0) {
            return false;
        }
        length = 0;
        if (to - from >= BYTES_MAX || to - from < PAIR_BYTES) {
            return false;
        }
        length = (int) (to - from);
        int last = length / PAIR_BYTES * 2;
        lastPair = last;
        for (int i = 0; i < last; i++) {
            words[i] = Memory.getLong(from + (long) i * Long.BYTES);
        }
        words[last] = Memory.getLong(to - PAIR_BYTES);
        words[last + 1] = Memory.getLong(to - Long.BYTES);
        return true;
    }
}
