package io.bareloop.wire;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** Constant bytes off-heap, ready to be copied into responses. */
public final class Encoded {
    private final MemorySegment segment;
    private final int length;

    private Encoded(byte[] bytes) {
        length = bytes.length;
        // Automatic: constants of classes live as long as their class, those of users as long as
        // they are used.
        segment = Arena.ofAuto().allocate(length, Long.BYTES);
        MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 0, length);
    }

    public static Encoded ascii(String text) {
        return new Encoded(text.getBytes(StandardCharsets.US_ASCII));
    }

    public static Encoded of(byte[] bytes) {
        return new Encoded(bytes);
    }

    public MemorySegment segment() {
        return segment;
    }

    /** Where the bytes are, for as long as this object is reachable. */
    long address() {
        return segment.address();
    }

    public int length() {
        return length;
    }
}
