package io.bareloop.wire;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What the deflaters of a loop take from and put into: for the time of one call, so that it is
 * empty between two. Belongs to the loop's thread.
 */
final class GzipBuffer {
    /** The deflater takes arrays only this much at a time, for they must not move meanwhile. */
    static final int PIECE_BYTES = 16 << 10;

    /** What has been compressed and not been put yet; as a segment and as a buffer. */
    private final MemorySegment memory;

    private final ByteBuffer out;

    /** The deflater takes arrays: what stands elsewhere is copied here. */
    private final byte[] copied = new byte[PIECE_BYTES];

    GzipBuffer(Arena arena, int bytes) {
        memory = arena.allocate(bytes);
        out = memory.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Where it is. */
    MemorySegment memory() {
        return memory;
    }

    /** To be put into, from where its position is. */
    ByteBuffer out() {
        return out;
    }

    /** Empties it; returns how many bytes of the memory it had. */
    int takeOut() {
        int bytes = out.position();
        out.clear();
        return bytes;
    }

    /** Copies the beginning of memory to {@link #copied}; returns how much. */
    int copy(MemorySegment from, long offset, int length) {
        int bytes = Math.min(PIECE_BYTES, length);
        MemorySegment.copy(from, ValueLayout.JAVA_BYTE, offset, copied, 0, bytes);
        return bytes;
    }

    byte[] copied() {
        return copied;
    }
}
