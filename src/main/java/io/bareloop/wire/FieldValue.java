package io.bareloop.wire;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Locale;

/** What the value of a field may be (RFC 9110, section 5.5): the one place that says so. */
public final class FieldValue {
    private FieldValue() {}

    /**
     * Checks a value that a program has written: visible ASCII, spaces and tabs. A line break would
     * let it write fields of its own.
     *
     * @param name of the field, for the message
     * @throws IllegalArgumentException where there is anything else
     */
    public static void check(Object name, String value) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if ((c < ' ' && c != '\t') || c >= 0x7F) {
                throw refusal(name, c, i);
            }
        }
    }

    /** Without the value: a log that shows it could be written into by whoever has sent it. */
    private static IllegalArgumentException refusal(Object name, char c, int index) {
        return new IllegalArgumentException(
                String.format(
                        Locale.ROOT,
                        "%s: character U+%04X at index %d cannot be sent: a field value has visible"
                                + " ASCII, spaces and tabs only. %s",
                        name,
                        (int) c,
                        index,
                        c < 0x80
                                ? "Remove it: a line break would begin another field"
                                : "Encode it as the RFC of the field says: attachment() does so for"
                                        + " file names, redirect() for Location; many others take"
                                        + " percent-escapes in UTF-8"));
    }

    /**
     * Checks a value that was received, which may have bytes above ASCII (obs-text).
     *
     * @param name of the field, for the message
     * @throws IllegalArgumentException where there are control characters other than tabs
     */
    public static void check(Object name, MemorySegment in, int offset, int length) {
        for (int i = 0; i < length; i++) {
            byte b = in.get(ValueLayout.JAVA_BYTE, offset + i);
            if ((b >= 0 && b < ' ' && b != '\t') || b == 0x7F) {
                throw new IllegalArgumentException(
                        name + ": control characters are not allowed in a field value");
            }
        }
    }
}
