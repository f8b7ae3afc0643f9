package io.bareloop.wire;

import java.lang.foreign.MemorySegment;

/**
 * Bytes that stand somewhere in the loop's memory, or in a user's: what {@code ByteView} is a view
 * of. Set anew for each use; belongs to the loop's thread.
 */
public final class Span {
    private MemorySegment segment = MemorySegment.NULL;
    private int offset;
    private int length;

    public void set(MemorySegment newSegment, int newOffset, int newLength) {
        segment = newSegment;
        offset = newOffset;
        length = newLength;
    }

    /** Ends the view: in checked mode, every further use throws. */
    public void expire() {
        segment = null;
    }

    public MemorySegment segment() {
        if (Checks.ENABLED && segment == null) {
            throw new IllegalStateException(
                    "stale view: a view is valid until the handler returns; copy what is kept");
        }
        return segment;
    }

    public int offset() {
        return offset;
    }

    public int length() {
        return length;
    }
}
