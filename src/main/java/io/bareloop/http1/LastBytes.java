package io.bareloop.http1;

import io.bareloop.wire.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;

/**
 * A copy of bytes that may come again, to be compared with those that come.
 *
 * <p>The comparison takes equally long wherever two differ: how long a request takes does not tell
 * one client about the cookies of another.
 */
final class LastBytes {
    /** Longer ones are not worth remembering, nor shorter ones than a pair of words. */
    static final int BYTES_MAX = 8 << 10;

    /** After so many in a row that were new, {@link #REST} are not looked at. */
    static final int PATIENCE = 16;

    static final int REST = 100;

    private static final int PAIR_BYTES = 2 * Long.BYTES;

    /** From here on vectors are worth what the JIT puts around a loop of them. */
    private static final int VECTORS_FROM_BYTES = 128;

    private final MemorySegment copy = Arena.ofAuto().allocate(BYTES_MAX, Long.BYTES);
    private final long copyAddress = copy.address();
    private int length;

    /** New ones in a row. */
    private int misses;

    /** How many more are not looked at. */
    private int rest;

    /**
     * Whether the bytes at hand are neither to be compared nor remembered: all were new lately.
     * Called once for each.
     */
    boolean rests() {
        if (rest == 0) {
            return false;
        }
        rest--;
        return true;
    }

    /** How many they are; 0 where there are none. */
    int length() {
        return length;
    }

    /** Whether they are those from {@code from} on, where at least {@link #length} are. */
    boolean match(long from) {
        long theirs = Memory.within(from);
        long ours = Memory.within(copyAddress);
        // The last pair ends with the bytes, and may overlap the one before.
        int last = length - PAIR_BYTES;
        long difference;
        try {
            difference = pairDifference(theirs + last, ours + last);
            if (last < VECTORS_FROM_BYTES) {
                for (int i = 0; i < last; i += PAIR_BYTES) {
                    difference |= pairDifference(theirs + i, ours + i);
                }
            } else {
                difference |= longDifference(theirs, ours, last);
            }
        } finally {
            Reference.reachabilityFence(copy);
        }
        if (difference != 0) {
            return false;
        }
        misses = 0;
        return true;
    }

    private static long pairDifference(long theirs, long ours) {
        return (Memory.getLong(theirs) ^ Memory.getLong(ours))
                | (Memory.getLong(theirs + Long.BYTES) ^ Memory.getLong(ours + Long.BYTES));
    }

    /** A loop that the JIT makes one of vectors. */
    private static long longDifference(long theirs, long ours, int last) {
        long difference = 0;
        for (int i = 0; i < last; i += Long.BYTES) {
            difference |= Memory.getLong(theirs + i) ^ Memory.getLong(ours + i);
        }
        return difference;
    }

    /** Remembers [from, to), unless that is not worth it; returns whether it does. */
    boolean remember(long from, long to) {
        boolean compared = length > 0;
        length = 0;
        misses++;
        if (misses > PATIENCE && compared) {
            rest = REST;
            return false;
        }
        if (to - from > BYTES_MAX || to - from < PAIR_BYTES) {
            return false;
        }
        length = (int) (to - from);
        try {
            Memory.copy(from, copyAddress, length);
        } finally {
            Reference.reachabilityFence(copy);
        }
        return true;
    }
}
