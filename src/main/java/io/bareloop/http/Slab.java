package io.bareloop.http;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Memory for what is pending on a loop: incomplete requests and unsent responses.
 *
 * <p>Slices come in powers of two and are cut from chunks that are allocated as needed, up to a
 * bound. A slice goes back as soon as it is done with, so memory in use grows with work in flight
 * and not with open connections. Belongs to one thread. Chunks are kept until the arena closes.
 */
public final class Slab {
    /** The smallest slice. */
    public static final int SLICE_BYTES_MIN = 1 << Slab.SHIFT_MIN;

    private static final int SHIFT_MIN = 9;
    private static final int CHUNK_BYTES = 256 << 10;

    private final Arena arena;
    private final long bytesMax;
    private final Slice[] free = new Slice[Integer.SIZE - 1 - SHIFT_MIN];
    private long bytesAllocated;
    private int slicesInUse;

    /** Creates a slab that allocates from {@code arena}, {@code bytesMax} bytes at the most. */
    public Slab(Arena arena, long bytesMax) {
        this.arena = arena;
        this.bytesMax = bytesMax;
    }

    /**
     * Takes a slice of at least {@code bytes}.
     *
     * @return the slice; or null where the bound is reached, which only the caller's connection
     *     should have to suffer for
     */
    public Slice take(int bytes) {
        int sizeClass = sizeClass(bytes);
        if (sizeClass >= free.length) {
            return null;
        }
        Slice slice = free[sizeClass];
        if (slice == null) {
            slice = cut(sizeClass);
            // All memory may be in larger slices, from a time when many were needed.
            while (slice == null) {
                sizeClass++;
                if (sizeClass == free.length) {
                    return null;
                }
                slice = free[sizeClass];
            }
        }
        free[sizeClass] = slice.next;
        slice.next = null;
        slicesInUse++;
        return slice;
    }

    /** Gives {@code slice} back; the caller must not touch it again. */
    public void give(Slice slice) {
        int sizeClass = sizeClass(slice.length());
        slice.next = free[sizeClass];
        free[sizeClass] = slice;
        slicesInUse--;
    }

    /** The number of slices taken and not yet given back. */
    public int slicesInUse() {
        return slicesInUse;
    }

    /** The number of bytes allocated so far, in use or free. */
    public long bytesAllocated() {
        return bytesAllocated;
    }

    private static int sizeClass(int bytes) {
        int shift = Integer.SIZE - Integer.numberOfLeadingZeros(Math.max(bytes, 1) - 1);
        return Math.max(shift - SHIFT_MIN, 0);
    }

    /** Cuts a new chunk into slices of one class; returns their list. */
    private Slice cut(int sizeClass) {
        int sliceBytes = 1 << (sizeClass + SHIFT_MIN);
        int chunkBytes = Math.max(CHUNK_BYTES, sliceBytes);
        if (bytesAllocated + chunkBytes > bytesMax) {
            chunkBytes = sliceBytes;
            if (bytesAllocated + chunkBytes > bytesMax) {
                return null;
            }
        }
        MemorySegment chunk = arena.allocate(chunkBytes, Long.BYTES);
        bytesAllocated += chunkBytes;
        Slice list = null;
        for (int offset = chunkBytes - sliceBytes; offset >= 0; offset -= sliceBytes) {
            list = new Slice(chunk.asSlice(offset, sliceBytes), list);
        }
        return list;
    }

    /** A piece of memory that one owner has at a time. */
    public static final class Slice {
        private final MemorySegment segment;
        private Slice next;

        private Slice(MemorySegment segment, Slice next) {
            this.segment = segment;
            this.next = next;
        }

        /** The memory; {@link #length} bytes. */
        public MemorySegment segment() {
            return segment;
        }

        /** The number of bytes: a power of two. */
        public int length() {
            return (int) segment.byteSize();
        }
    }
}
