package io.bareloop.rig;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Bytes as strings, one character each, and as something a person can read. */
public final class Bytes {
    private Bytes() {}

    public static byte[] of(String latin1) {
        return latin1.getBytes(ISO_8859_1);
    }

    public static String toString(byte[] bytes) {
        return new String(bytes, ISO_8859_1);
    }

    /** As it would stand in a Java string. */
    public static String escape(String latin1) {
        StringBuilder escaped = new StringBuilder();
        for (int i = 0; i < latin1.length(); i++) {
            char c = latin1.charAt(i);
            if (c == '\r') {
                escaped.append("\\r");
            } else if (c == '\n') {
                escaped.append("\\n");
            } else if (c == '\t') {
                escaped.append("\\t");
            } else if (c == '\\' || c == '"') {
                escaped.append('\\').append(c);
            } else if (c < ' ' || c > '~') {
                escaped.append(String.format("\\u%04x", (int) c));
            } else {
                escaped.append(c);
            }
        }
        return escaped.toString();
    }

    /** Returns a native copy of {@code bytes}, of exactly their length. */
    public static MemorySegment nativeSegment(byte[] bytes) {
        MemorySegment copy = Arena.global().allocate(bytes.length);
        MemorySegment.copy(bytes, 0, copy, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return copy;
    }
}
