package io.bareloop.rig;

import io.bareloop.generated.linux_h;
import java.lang.foreign.MemorySegment;

/**
 * Memory that ends where nobody may read: one byte too far ends the JVM, not only the test.
 *
 * <p>There are guard pages behind {@link #segment} and ahead of it. What reads by address ({@code
 * Memory}) is not stopped by the segment's bounds but by them; within the segment, bytes that are
 * not part of the input may be read.
 */
public final class GuardedSegment implements AutoCloseable {
    /** A multiple of every page size of Linux. */
    private static final int GUARD_BYTES = 64 << 10;

    private static final int READABLE_BYTES = 64 << 10;

    /** Not what any head contains where it would be right. */
    private static final byte POISON = '#';

    private final MemorySegment mapping;
    private final MemorySegment segment;

    public GuardedSegment() {
        mapping = map(GUARD_BYTES + READABLE_BYTES + GUARD_BYTES);
        segment = mapping.asSlice(GUARD_BYTES, READABLE_BYTES);
        int refused =
                linux_h.mprotect(
                        segment, READABLE_BYTES, linux_h.PROT_READ() | linux_h.PROT_WRITE());
        if (refused != 0) {
            throw new IllegalStateException("mprotect");
        }
        segment.fill(POISON);
    }

    @SuppressWarnings("restricted")
    private static MemorySegment map(long bytes) {
        MemorySegment start =
                linux_h.mmap(
                        MemorySegment.NULL,
                        bytes,
                        linux_h.PROT_NONE(),
                        linux_h.MAP_PRIVATE() | linux_h.MAP_ANONYMOUS(),
                        -1,
                        0);
        if (start.address() == -1) {
            throw new IllegalStateException("mmap");
        }
        return start.reinterpret(bytes);
    }

    /** The readable bytes, from index 0 to {@link #end}. */
    public MemorySegment segment() {
        return segment;
    }

    /** The index of the first byte that cannot be read. */
    public int end() {
        return READABLE_BYTES;
    }

    /** Copies {@code length} bytes to right before {@link #end}; returns the index of the first. */
    public int put(byte[] bytes, int length) {
        int from = READABLE_BYTES - length;
        MemorySegment.copy(MemorySegment.ofArray(bytes), 0, segment, from, length);
        // What an earlier call left ahead of them would be a head, and prove nothing.
        segment.asSlice(Math.max(0, from - Long.BYTES), Math.min(from, Long.BYTES)).fill(POISON);
        return from;
    }

    @Override
    public void close() {
        if (linux_h.munmap(mapping, mapping.byteSize()) != 0) {
            throw new IllegalStateException("munmap");
        }
    }
}
