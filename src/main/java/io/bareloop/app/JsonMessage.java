package io.bareloop.app;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** Serialises {@code {"message": ...}} (RFC 8259). */
final class JsonMessage {
    private static final byte[] BEGIN = "{\"message\":\"".getBytes(StandardCharsets.US_ASCII);
    private static final String HEX = "0123456789abcdef";

    private JsonMessage() {}

    /**
     * Writes the object into {@code to}.
     *
     * @param message ASCII; quotes, backslashes and control characters are escaped
     * @return its length in bytes
     * @throws IndexOutOfBoundsException where it does not fit
     */
    static int write(String message, MemorySegment to) {
        MemorySegment.copy(BEGIN, 0, to, ValueLayout.JAVA_BYTE, 0, BEGIN.length);
        int at = BEGIN.length;
        for (int i = 0; i < message.length(); i++) {
            char c = message.charAt(i);
            if (c < ' ') {
                at = putUnicodeEscape(c, to, at);
                continue;
            }
            if (c == '"' || c == '\\') {
                to.set(JAVA_BYTE, at++, (byte) '\\');
            }
            to.set(JAVA_BYTE, at++, (byte) c);
        }
        to.set(JAVA_BYTE, at, (byte) '"');
        to.set(JAVA_BYTE, at + 1, (byte) '}');
        return at + 2;
    }

    private static int putUnicodeEscape(char c, MemorySegment to, int from) {
        String prefix = "\\u00";
        int at = from;
        for (int i = 0; i < prefix.length(); i++) {
            to.set(JAVA_BYTE, at++, (byte) prefix.charAt(i));
        }
        to.set(JAVA_BYTE, at++, (byte) HEX.charAt(c >> 4));
        to.set(JAVA_BYTE, at++, (byte) HEX.charAt(c & 15));
        return at;
    }
}
