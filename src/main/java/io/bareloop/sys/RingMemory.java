package io.bareloop.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * What a program and the kernel tell each other through the memory of an io_uring(7): {@code struct
 * io_uring_params}, {@code io_uring_sqe} and {@code io_uring_cqe}.
 *
 * <p>The offsets are written down here, and a test compares them with the kernel's header: jextract
 * makes 4,000 lines of these structs, and to ask those at start takes 38 ms (JDK 25, one host).
 */
public final class RingMemory {
    /** {@code sizeof(struct io_uring_params)}. */
    public static final int PARAMS_BYTES = 120;

    /** {@code sizeof(struct io_uring_sqe)}. */
    public static final int SQE_BYTES = 64;

    /** {@code sizeof(struct io_uring_cqe)}. */
    public static final int CQE_BYTES = 16;

    static final int PARAMS_FLAGS = 8;
    static final int PARAMS_SQ_OFF = 40;
    static final int PARAMS_CQ_OFF = 80;

    /** The same place in {@code struct io_sqring_offsets} and {@code io_cqring_offsets}. */
    static final int OFF_TAIL = 4;

    static final int CQ_OFF_CQES = 20;

    static final int SQE_OPCODE = 0;
    static final int SQE_FD = 4;
    static final int SQE_ADDR = 16;
    static final int SQE_LEN = 24;
    static final int SQE_MSG_FLAGS = 28;
    static final int SQE_USER_DATA = 32;

    static final int CQE_USER_DATA = 0;
    static final int CQE_RES = 8;

    private static final VarHandle INDEX = JAVA_INT.varHandle();

    private RingMemory() {}

    /**
     * Writes parameters that give the kernel the memory to use (IORING_SETUP_NO_MMAP).
     *
     * @param flags IORING_SETUP_*
     * @param sqes a page for the submission entries
     * @param rings a page for both rings
     */
    public static void params(
            MemorySegment params, int flags, MemorySegment sqes, MemorySegment rings) {
        params.fill((byte) 0);
        params.set(JAVA_INT, PARAMS_FLAGS, flags);
        params.set(
                JAVA_LONG,
                PARAMS_SQ_OFF + (long) RecentLinux.IO_RING_OFFSETS_USER_ADDR,
                sqes.address());
        params.set(
                JAVA_LONG,
                PARAMS_CQ_OFF + (long) RecentLinux.IO_RING_OFFSETS_USER_ADDR,
                rings.address());
    }

    /** Where in the rings the kernel has put the tail of the submission ring: params, filled in. */
    public static int sqTailOffset(MemorySegment params) {
        return params.get(JAVA_INT, PARAMS_SQ_OFF + OFF_TAIL);
    }

    /** As {@link #sqTailOffset}: the head of the completion ring. */
    public static int cqHeadOffset(MemorySegment params) {
        return params.get(JAVA_INT, PARAMS_CQ_OFF);
    }

    /** As {@link #sqTailOffset}: the tail of the completion ring. */
    public static int cqTailOffset(MemorySegment params) {
        return params.get(JAVA_INT, PARAMS_CQ_OFF + OFF_TAIL);
    }

    /** As {@link #sqTailOffset}: the first completion entry. */
    public static int cqesOffset(MemorySegment params) {
        return params.get(JAVA_INT, PARAMS_CQ_OFF + CQ_OFF_CQES);
    }

    /**
     * Writes submission entry {@code index}: a receive or a send. Its other fields are zero.
     *
     * @param userData what its completion is to be known by
     */
    public static void transfer(
            MemorySegment sqes,
            int index,
            int opcode,
            int fd,
            long address,
            int length,
            int messageFlags,
            long userData) {
        long at = (long) index * SQE_BYTES;
        sqes.set(JAVA_BYTE, at + SQE_OPCODE, (byte) opcode);
        sqes.set(JAVA_INT, at + SQE_FD, fd);
        sqes.set(JAVA_LONG, at + SQE_ADDR, address);
        sqes.set(JAVA_INT, at + SQE_LEN, length);
        sqes.set(JAVA_INT, at + SQE_MSG_FLAGS, messageFlags);
        sqes.set(JAVA_LONG, at + SQE_USER_DATA, userData);
    }

    /** What the entry completed at {@code offset} is known by. */
    public static long userData(MemorySegment rings, long offset) {
        return rings.get(JAVA_LONG, offset + CQE_USER_DATA);
    }

    /**
     * What the entry completed at {@code offset} came to: as its system call returns, or -errno.
     */
    public static int result(MemorySegment rings, long offset) {
        return rings.get(JAVA_INT, offset + CQE_RES);
    }

    /** Reads a head or a tail that the kernel writes. */
    public static int index(MemorySegment rings, long offset) {
        return (int) INDEX.getAcquire(rings, offset);
    }

    /** Writes a head or a tail for the kernel to read: what was written before is seen with it. */
    public static void setIndex(MemorySegment rings, long offset, int index) {
        INDEX.setRelease(rings, offset, index);
    }
}
