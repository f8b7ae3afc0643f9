package io.bareloop.wire;

import java.lang.foreign.MemorySegment;

/**
 * Bytes that wait in a slice of the slab: input that a protocol has not consumed, or output that
 * the kernel has not taken. Holds no memory while there are none. Belongs to the slab's thread.
 */
public final class Pending {
    private final Slab slab;

    /** Where the bytes are, from {@code from} to {@code to}; null while there are none. */
    private Slab.Slice slice;

    private int from;
    private int to;

    public Pending(Slab slab) {
        this.slab = slab;
    }

    public boolean isEmpty() {
        return slice == null;
    }

    /** The number of bytes. */
    public int bytes() {
        return to - from;
    }

    /** The memory that they are in. Not to be asked for while there are none, as the next two. */
    public MemorySegment segment() {
        return slice.segment();
    }

    /** Where in {@link #segment} the first one is. */
    public int from() {
        return from;
    }

    /** Where in {@link #segment} the next one goes. */
    public int to() {
        return to;
    }

    /**
     * Copies [offset, end) of {@code in}, 1 byte or more, behind what is pending already.
     *
     * @param bytesMax so many bytes may be pending, but for what comes while there are none
     * @return false, and nothing has changed, where that bound or the slab's is reached
     */
    public boolean append(MemorySegment in, int offset, int end, int bytesMax) {
        int length = end - offset;
        if (!makeRoom(length, bytesMax)) {
            return false;
        }
        MemorySegment.copy(in, offset, slice.segment(), to, length);
        to += length;
        return true;
    }

    private boolean makeRoom(int length, int bytesMax) {
        if (slice == null) {
            slice = slab.take(length);
            return slice != null;
        }
        int pending = bytes();
        if (pending + length > bytesMax) {
            return false;
        }
        if (length > slice.length() - pending) {
            return grow(pending + length);
        }
        moveTo(slice);
        return true;
    }

    /**
     * Sees to it that there is room for a byte more, in a slice of twice the length if need be.
     *
     * @param bytesMax a slice of this length is not replaced by a longer one
     * @return false, and nothing has changed, where that bound or the slab's is reached
     */
    public boolean ensureRoom(int bytesMax) {
        if (to < slice.length()) {
            return true;
        }
        return slice.length() < bytesMax && grow(2 * slice.length());
    }

    private boolean grow(int length) {
        Slab.Slice larger = slab.take(length);
        if (larger == null) {
            return false;
        }
        moveTo(larger);
        return true;
    }

    /** Moves what is pending to the front of {@code other}, which may be the slice it is in. */
    private void moveTo(Slab.Slice other) {
        int pending = bytes();
        // Takes care of an overlap.
        MemorySegment.copy(slice.segment(), from, other.segment(), 0, pending);
        if (other != slice) {
            slab.give(slice);
            slice = other;
        }
        from = 0;
        to = pending;
    }

    /** So many {@code bytes} have been written behind the last one. */
    public void extend(int bytes) {
        to += bytes;
    }

    /** The first {@code bytes} are done with. */
    public void consume(int bytes) {
        from += bytes;
        if (from == to) {
            release();
        }
    }

    /** Moves what is pending to the front, so that all the room is behind it. */
    public void compact() {
        if (from > 0) {
            moveTo(slice);
        }
    }

    /** Forgets what is pending, and gives its memory back. */
    public void release() {
        if (slice != null) {
            slab.give(slice);
            slice = null;
        }
        from = 0;
        to = 0;
    }
}
