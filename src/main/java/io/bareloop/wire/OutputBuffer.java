package io.bareloop.wire;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;

/**
 * The send buffer of a loop: what the responses of one batch are written into, front to back.
 *
 * <p>A put writes at the position and moves it. It does not grow: callers see to it that there is
 * {@link #room} first; a put beyond the end is an IndexOutOfBoundsException and writes nothing
 * outside the buffer.
 *
 * <p>What one connection is to send may stay in it while the next is answered, for both to be sent
 * together: {@link #hold}. So its memory is twice its capacity.
 */
public final class OutputBuffer {
    private final MemorySegment segment;
    private final int capacity;

    /** Where position 0 is: in the segment, and as an address. */
    private int start;

    private long base;
    private int position;

    /**
     * Creates a buffer of {@code capacity} bytes in {@code arena}, which has to spare twice that.
     *
     * @param arena where the memory comes from, and whose end is the buffer's
     * @param capacity in bytes
     */
    public OutputBuffer(Arena arena, int capacity) {
        this.segment = arena.allocate(2L * capacity, 4096);
        this.base = segment.address();
        this.capacity = capacity;
    }

    /**
     * The memory; {@link #position} bytes from {@link #start} are to be sent.
     *
     * @return the whole memory, twice {@link #capacity} bytes
     */
    public MemorySegment segment() {
        return segment;
    }

    /** {@return where in the memory the buffer begins} */
    public int start() {
        return start;
    }

    /** {@return the number of bytes written} */
    public int position() {
        return position;
    }

    /** {@return the number of bytes that can still be put} */
    public int room() {
        return capacity - position;
    }

    /** {@return the number of bytes that fit into the empty buffer} */
    public int capacity() {
        return capacity;
    }

    /** Empties the buffer. */
    public void clear() {
        position = 0;
    }

    /** {@return whether there is memory for {@link #hold}} */
    public boolean canHold() {
        return start + position <= capacity;
    }

    /** Leaves what has been put where it is; the buffer, empty and as large, begins behind it. */
    public void hold() {
        start += position;
        base += position;
        position = 0;
    }

    /** Forgets what was held. The buffer is empty. */
    public void release() {
        start = 0;
        base = segment.address();
        position = 0;
    }

    /** Takes back what was put after {@code earlier}. */
    public void rewind(int earlier) {
        if (earlier > position) {
            throw new AssertionError("nothing stands there to be taken back");
        }
        position = earlier;
    }

    public void put(byte b) {
        Memory.putByte(reserve(1), b);
    }

    /** Puts two bytes, the low one first. */
    public void putShort(short two) {
        Memory.putShort(reserve(Short.BYTES), two);
    }

    public void put(Encoded bytes) {
        put(bytes, bytes.length());
    }

    /** Puts the first {@code length} of {@code bytes}. */
    public void put(Encoded bytes, int length) {
        try {
            Memory.copy(bytes.address(), reserve(length), length);
        } finally {
            Reference.reachabilityFence(bytes);
        }
    }

    /** The address behind what was put last. */
    public long end() {
        return base + position;
    }

    /** The address at which {@code bytes} more are written; the position moves behind them. */
    public long reserve(int bytes) {
        checkRoom(bytes);
        int at = position;
        position = at + bytes;
        return base + at;
    }

    private void checkRoom(int bytes) {
        if (bytes > capacity - position) {
            throw new IndexOutOfBoundsException(bytes + " bytes, room for " + room());
        }
    }

    public void put(MemorySegment from, long offset, int length) {
        checkRoom(length);
        MemorySegment.copy(from, offset, segment, (long) start + position, length);
        position += length;
    }

    public void put(byte[] from, int offset, int length) {
        checkRoom(length);
        MemorySegment.copy(from, offset, segment, JAVA_BYTE, (long) start + position, length);
        position += length;
    }

    /** Puts the characters of {@code text}; others than ASCII become '?'. */
    public void putAscii(String text) {
        long to = reserve(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            Memory.putByte(to + i, c < 0x80 ? (byte) c : (byte) '?');
        }
    }

    /** Puts {@code number}, zero or more, in decimal. */
    public void putDecimal(long number) {
        if (number < 10) {
            put((byte) ('0' + number));
            return;
        }
        int digits = 2;
        for (long rest = number / 100; rest > 0; rest /= 10) {
            digits++;
        }
        long start = reserve(digits);
        long rest = number;
        for (long at = start + digits - 1; at >= start; at--) {
            Memory.putByte(at, (byte) ('0' + rest % 10));
            rest /= 10;
        }
    }

    /** Puts {@code number}, zero or more, in hexadecimal. */
    public void putHexadecimal(int number) {
        int digits = Math.max(1, (Integer.SIZE - Integer.numberOfLeadingZeros(number) + 3) / 4);
        for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) {
            put((byte) Character.forDigit(number >>> shift & 15, 16));
        }
    }
}
