package io.bareloop.exchange;

import io.bareloop.wire.Head;
import io.bareloop.wire.Slab;
import java.lang.foreign.MemorySegment;

/**
 * The copy of a request that has to outlast the call in which it was received: its head, and of its
 * body what has arrived, in a slice of the loop's slab. Belongs to its exchange.
 */
final class RequestCopy {
    private final Head head;
    private final Slab slab;

    /** Null where there is no copy: the request is where it was received. */
    private Slab.Slice slice;

    private int bytes;

    RequestCopy(Head head, Slab slab) {
        this.head = head;
        this.slab = slab;
    }

    boolean exists() {
        return slice != null;
    }

    /** Makes the copy, which the head is of from now on; false where there is no memory. */
    boolean make() {
        int length = head.bodyEnd() - head.base();
        bytes = 0;
        if (!reserve(length)) {
            return false;
        }
        MemorySegment.copy(head.segment(), head.base(), slice.segment(), 0, length);
        bytes = length;
        head.move(slice.segment(), 0);
        return true;
    }

    /**
     * Puts the next bytes of the body behind what there is of it: in the copy, or in place.
     *
     * @return false where there is no memory
     */
    boolean append(MemorySegment in, int start, int length) {
        if (slice == null) {
            // Still where it was received. Chunks close ranks: what is between has been decoded.
            int end = head.bodyEnd();
            if (end != start) {
                MemorySegment.copy(in, start, in, end, length);
            }
            head.body(head.bodyStart(), end + length);
            return true;
        }
        if (!reserve(bytes + length)) {
            return false;
        }
        MemorySegment.copy(in, start, slice.segment(), bytes, length);
        bytes += length;
        head.body(head.bodyStart(), bytes);
        return true;
    }

    /** Sees to it that there is room for {@code needed} bytes; false where there is no memory. */
    private boolean reserve(int needed) {
        Slab.Slice old = slice;
        if (old != null && old.length() >= needed) {
            return true;
        }
        Slab.Slice larger = slab.take(needed);
        if (larger == null) {
            return false;
        }
        if (old != null) {
            MemorySegment.copy(old.segment(), 0, larger.segment(), 0, bytes);
            slab.give(old);
            head.move(larger.segment(), 0);
        }
        slice = larger;
        return true;
    }

    void giveBack() {
        if (slice != null) {
            slab.give(slice);
            slice = null;
        }
    }
}
