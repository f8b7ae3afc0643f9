package io.bareloop.wire;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Native memory by address, little-endian, unaligned, unchecked.
 *
 * <p>For the two hot loops alone, parsing a head and putting a response together. A MemorySegment
 * checks bounds and liveness at each access, and the code of those checks fills the JIT's inlining
 * budget long before the parser ends: a 207-byte head took 121 ns that way and takes 92 ns this way
 * (best of 600 windows, JDK 25, one host, one run). What keeps this safe: the entry of each loop
 * checks its region against the segment once, the loops read below an {@code end} and write below a
 * capacity that they compare with, and the parser's tests run flush against unreadable pages.
 */
public final class Memory {
    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** A constant segment of all memory: its checks are constants too, and fold away. */
    @SuppressWarnings("restricted")
    static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private Memory() {}

    /**
     * The address of byte {@code from} of {@code segment}, when [from, to) has been found to be
     * there.
     *
     * @throws IndexOutOfBoundsException where it is not within the segment
     * @throws IllegalArgumentException where the segment is not native
     * @throws IllegalStateException where the segment's arena is closed
     */
    public static long address(MemorySegment segment, int from, int to) {
        if (!segment.isNative()) {
            throw new IllegalArgumentException("native memory is needed, not an array");
        }
        if (from < to) {
            // Accesses to both ends check bounds, liveness and thread, as any access would.
            segment.get(ValueLayout.JAVA_BYTE, from);
            segment.get(ValueLayout.JAVA_BYTE, to - 1L);
        }
        return segment.address() + from;
    }

    /**
     * {@code address}, as one that the JIT knows to lie within {@link #ALL}: it then leaves out the
     * bounds check of every access at a small distance from it, three instructions each. Changes
     * nothing, for addresses of user space have 56 bits at most.
     */
    public static long within(long address) {
        return address & (Long.MAX_VALUE >>> 1);
    }

    public static byte getByte(long address) {
        return ALL.get(ValueLayout.JAVA_BYTE, address);
    }

    public static short getShort(long address) {
        return ALL.get(SHORT, address);
    }

    public static int getInt(long address) {
        return ALL.get(INT, address);
    }

    public static long getLong(long address) {
        return ALL.get(LONG, address);
    }

    static void putByte(long address, byte value) {
        ALL.set(ValueLayout.JAVA_BYTE, address, value);
    }

    static void putShort(long address, short value) {
        ALL.set(SHORT, address, value);
    }

    /** Copies {@code length} bytes; the two ranges do not overlap. */
    public static void copy(long from, long to, int length) {
        MemorySegment.copy(ALL, from, ALL, to, length);
    }
}
