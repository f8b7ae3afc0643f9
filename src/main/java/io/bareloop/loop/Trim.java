package io.bareloop.loop;

import io.bareloop.wire.Slab;

/** Gives memory of a slab back to the system, a while after the burst that needed it. */
final class Trim {
    /** For so long memory that was needed and is free stays with the process. */
    private static final long AFTER_NANOS = 2_000_000_000L;

    private static final int NOT_DUE = 0;

    private final Slab slab;

    /** When free memory goes back; {@link #NOT_DUE} for never. */
    private long nanos = NOT_DUE;

    Trim(Slab slab) {
        this.slab = slab;
    }

    /** Whether it will be time to give something back, at {@link #nanos}. */
    boolean isDue() {
        return nanos != NOT_DUE;
    }

    long nanos() {
        return nanos;
    }

    /** A turn of the loop ends. */
    void endTurn(long now) {
        if (!slab.isLoose()) {
            nanos = NOT_DUE;
        } else if (nanos == NOT_DUE) {
            nanos = now + AFTER_NANOS;
        } else if (now - nanos >= 0) {
            slab.trim();
            nanos = NOT_DUE;
        }
    }
}
