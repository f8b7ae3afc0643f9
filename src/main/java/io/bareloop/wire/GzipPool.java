package io.bareloop.wire;

/**
 * The deflaters that a loop has for streams: a bounded number, made when first needed, and kept.
 * Belongs to the loop's thread.
 */
final class GzipPool {
    private final int level;
    private final Gzip[] made;
    private final Gzip[] free;
    private int madeCount;
    private int freeCount;
    private boolean closed;

    GzipPool(int level, int max) {
        this.level = level;
        made = new Gzip[max];
        free = new Gzip[max];
    }

    /** Whether {@link #take} would return one, memory provided. */
    boolean hasFree() {
        return freeCount > 0 || madeCount < made.length;
    }

    /** A deflater for a stream; null where all are at work, or there is no memory for one more. */
    Gzip take() {
        if (freeCount > 0) {
            return free[--freeCount];
        }
        Gzip another = madeCount < made.length ? Gzip.make(level) : null;
        if (another != null) {
            made[madeCount++] = another;
        }
        return another;
    }

    /** The stream is over, one way or the other. */
    void giveBack(Gzip used) {
        if (!closed) {
            used.reset();
            free[freeCount++] = used;
        }
    }

    /** Gives all memory back, that of streams too which have not ended. */
    void close() {
        closed = true;
        for (int i = 0; i < madeCount; i++) {
            made[i].close();
        }
    }
}
