package io.bareloop.wire;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Field lines that wait for a response to begin, in an array that is used again for the next one.
 * Belongs to its writer.
 */
final class Lines {
    /** A quarter of the longest head that a response may have. */
    static final int BYTES_MAX = 4096;

    private static final byte[] NONE = {};

    private byte[] bytes = NONE;
    private int length;

    boolean isEmpty() {
        return length == 0;
    }

    /** Where they are, from 0 to {@link #length}. */
    byte[] bytes() {
        return bytes;
    }

    int length() {
        return length;
    }

    void clear() {
        length = 0;
    }

    void add(Encoded lines) {
        reserve(lines.length());
        put(lines);
    }

    void add(Encoded name, String value) {
        reserve(name.length() + value.length() + 2);
        put(name);
        for (int i = 0; i < value.length(); i++) {
            bytes[length++] = (byte) value.charAt(i);
        }
        bytes[length++] = '\r';
        bytes[length++] = '\n';
    }

    private void put(Encoded encoded) {
        MemorySegment.copy(
                encoded.segment(), ValueLayout.JAVA_BYTE, 0, bytes, length, encoded.length());
        length += encoded.length();
    }

    private void reserve(int more) {
        if (length + more > BYTES_MAX) {
            throw new IllegalStateException(
                    "the fields of always() exceed " + BYTES_MAX + " bytes");
        }
        if (length + more > bytes.length) {
            int room = Math.max(256, Integer.highestOneBit(length + more) * 2);
            bytes = Arrays.copyOf(bytes, Math.min(room, BYTES_MAX));
        }
    }
}
