package io.bareloop.http;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** Constant bytes off-heap, padded with zeros to whole words, so that they are copied by words. */
final class Encoded {
    private final MemorySegment segment;
    private final int length;
    private final long address;

    private Encoded(byte[] bytes) {
        length = bytes.length;
        int padded = (length + Long.BYTES - 1) & -Long.BYTES;
        // Automatic: constants of classes live as long as their class, those of users as long as
        // they are used.
        segment = Arena.ofAuto().allocate(Math.max(padded, Long.BYTES), Long.BYTES);
        MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 0, length);
        address = segment.address();
    }

    static Encoded ascii(String text) {
        return new Encoded(text.getBytes(StandardCharsets.US_ASCII));
    }

    static Encoded of(byte[] bytes) {
        return new Encoded(bytes);
    }

    MemorySegment segment() {
        return segment;
    }

    /** Where the bytes are; they stay there as long as this object is in use. */
    long address() {
        return address;
    }

    int length() {
        return length;
    }
}
