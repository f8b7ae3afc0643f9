package io.bareloop.net;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Queue;

/**
 * The memory of a ring: a page for the submission entries and one for both rings, for the kernel
 * takes memory of ours only where it lies in one piece.
 *
 * <p>It is never given back to the C library. The kernel takes a ring down when it finds time to,
 * after the call that ended it has returned, and writes to these pages once more on the way: into
 * memory that would be another's by then. They rest for a while, and serve the next ring.
 *
 * @param restedNanos when they will have rested, as System.nanoTime gives it
 */
record RingPages(MemorySegment sqes, MemorySegment rings, long restedNanos) {
    private static final int PAGE = 4096;
    private static final long REST_NANOS = 30_000_000_000L;

    /** Guarded by itself. The one that has rested longest comes first. */
    private static final Queue<RingPages> SPARE = new ArrayDeque<>();

    /** Takes pages that have rested, or new ones; all zero. For any thread. */
    static RingPages take() {
        RingPages pages = rested();
        if (pages == null) {
            return new RingPages(
                    Arena.global().allocate(PAGE, PAGE), Arena.global().allocate(PAGE, PAGE), 0);
        }
        pages.sqes.fill((byte) 0);
        pages.rings.fill((byte) 0);
        return pages;
    }

    private static RingPages rested() {
        synchronized (SPARE) {
            RingPages oldest = SPARE.peek();
            return oldest != null && System.nanoTime() - oldest.restedNanos >= 0
                    ? SPARE.poll()
                    : null;
        }
    }

    /** Gives back the pages of a ring that has ended. For any thread. */
    static void give(RingPages pages) {
        synchronized (SPARE) {
            SPARE.add(new RingPages(pages.sqes, pages.rings, System.nanoTime() + REST_NANOS));
        }
    }

    /** How many are waiting for the next ring. For tests. */
    static int spare() {
        synchronized (SPARE) {
            return SPARE.size();
        }
    }
}
