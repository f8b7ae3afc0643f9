package io.bareloop.loop;

import io.bareloop.wire.Transport;
import java.util.Arrays;

/**
 * The deadlines of a loop's connections: a wheel of lists, one list per tick of about 67 ms.
 *
 * <p>Moving a deadline to a later time, which every request does, writes one long: the connection
 * stays in its list, and is moved on when that list comes up. Nothing is allocated per deadline.
 * Deadlines come up to one tick late, never early.
 */
final class Deadlines {
    private static final int TICK_SHIFT = 26;
    private static final int WHEEL = 512;
    private static final int NONE = -1;
    private static final long UNSET = Long.MIN_VALUE;

    private final int[] heads = new int[WHEEL];
    private final long[] occupied = new long[WHEEL / Long.SIZE];

    // Per slot: the deadline, the tick of the list it stands in, and its neighbours there.
    private long[] deadlines = new long[0];
    private long[] ticks = new long[0];
    private int[] next = new int[0];
    private int[] previous = new int[0];

    private long currentTick;
    private int count;

    /** What is called for a slot whose time has come; it may set or cancel that slot's deadline. */
    interface Expired {
        void expired(int slot);
    }

    Deadlines(long nowNanos) {
        Arrays.fill(heads, NONE);
        currentTick = nowNanos >> TICK_SHIFT;
    }

    /** Makes room for slots 0 to {@code slots} - 1. */
    void ensureSlots(int slots) {
        int had = ticks.length;
        if (slots > had) {
            long[] moreDeadlines = Arrays.copyOf(deadlines, slots);
            long[] moreTicks = Arrays.copyOf(ticks, slots);
            int[] moreNext = Arrays.copyOf(next, slots);
            previous = Arrays.copyOf(previous, slots);
            Arrays.fill(moreTicks, had, slots, UNSET);
            // All of them, or, where the heap ends before, none: ticks tells how many there are.
            deadlines = moreDeadlines;
            next = moreNext;
            ticks = moreTicks;
        }
    }

    /** Sets or replaces the deadline of {@code slot}; with {@link Transport#NEVER} as cancel. */
    void set(int slot, long nanos) {
        if (nanos == Transport.NEVER) {
            cancel(slot);
            return;
        }
        deadlines[slot] = nanos;
        long tick = ticks[slot];
        if (tick != UNSET && nanos >> TICK_SHIFT >= tick) {
            return;
        }
        if (tick != UNSET) {
            unlink(slot);
        }
        link(slot);
    }

    /** Forgets the deadline of {@code slot}. */
    void cancel(int slot) {
        if (ticks[slot] != UNSET) {
            unlink(slot);
        }
    }

    /** Calls {@code visitor} for each slot whose deadline has passed. */
    void expire(long nowNanos, Expired visitor) {
        // A tick is over when the next has begun: only then have all its deadlines passed.
        long lastTick = (nowNanos >> TICK_SHIFT) - 1;
        if (lastTick < currentTick) {
            return;
        }
        long firstTick = Math.max(currentTick, lastTick - WHEEL + 1);
        // Before the visits: what they set goes into the lists that are still to come.
        currentTick = lastTick + 1;
        for (long tick = firstTick; tick <= lastTick && count > 0; tick++) {
            int slot = heads[(int) (tick & (WHEEL - 1))];
            while (slot != NONE) {
                int following = next[slot];
                // A later tick: one that was moved on from a list before this one in this call.
                if (ticks[slot] <= tick) {
                    unlink(slot);
                    if (deadlines[slot] - nowNanos <= 0) {
                        visitor.expired(slot);
                    } else {
                        link(slot);
                    }
                }
                slot = following;
            }
        }
    }

    /** Nanoseconds until {@link #expire} has something to look at; -1 where nothing is set. */
    long nanosToNext(long nowNanos) {
        if (count == 0) {
            return -1;
        }
        int from = (int) (currentTick & (WHEEL - 1));
        int distance = 0;
        while (distance < WHEEL) {
            int bucket = (from + distance) & (WHEEL - 1);
            long word = occupied[bucket >>> 6] >>> (bucket & 63);
            if (word != 0) {
                distance += Long.numberOfTrailingZeros(word);
                break;
            }
            distance += Long.SIZE - (bucket & 63);
        }
        long due = (currentTick + distance + 1) << TICK_SHIFT;
        return Math.max(0, due - nowNanos);
    }

    /** The number of slots with a deadline. */
    int count() {
        return count;
    }

    private void link(int slot) {
        // Beyond the horizon of 34 s: the last list, from which it is moved on.
        long tick = deadlines[slot] >> TICK_SHIFT;
        tick = Math.max(currentTick, Math.min(tick, currentTick + WHEEL - 1));
        int bucket = (int) (tick & (WHEEL - 1));
        int head = heads[bucket];
        ticks[slot] = tick;
        next[slot] = head;
        previous[slot] = NONE;
        if (head != NONE) {
            previous[head] = slot;
        }
        heads[bucket] = slot;
        occupied[bucket >>> 6] |= 1L << (bucket & 63);
        count++;
    }

    private void unlink(int slot) {
        int bucket = (int) (ticks[slot] & (WHEEL - 1));
        int before = previous[slot];
        int after = next[slot];
        if (before != NONE) {
            next[before] = after;
        } else {
            heads[bucket] = after;
            if (after == NONE) {
                occupied[bucket >>> 6] &= ~(1L << (bucket & 63));
            }
        }
        if (after != NONE) {
            previous[after] = before;
        }
        ticks[slot] = UNSET;
        count--;
    }
}
