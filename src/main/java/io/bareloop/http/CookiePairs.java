package io.bareloop.http;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.bareloop.wire.Ascii;
import java.lang.foreign.MemorySegment;

/**
 * The value of a field {@code Cookie}: {@code name=value; name=value} (RFC 6265bis, section 4.2).
 * What is malformed is passed over, pair by pair.
 */
final class CookiePairs {
    private CookiePairs() {}

    /**
     * Sets {@code value} to that of the first well-formed pair {@code name} in [from, to).
     *
     * @return false where there is none; then {@code value} stays as it is
     */
    static boolean find(MemorySegment in, int from, int to, String name, ByteView value) {
        int at = from;
        while (at < to) {
            int end = indexOf(in, (byte) ';', at, to);
            if (isPair(in, at, end, name, value)) {
                return true;
            }
            at = end + 1;
        }
        return false;
    }

    private static boolean isPair(MemorySegment in, int from, int to, String name, ByteView value) {
        int start = from;
        while (start < to && isBlank(in.get(JAVA_BYTE, start))) {
            start++;
        }
        int equals = indexOf(in, (byte) '=', start, to);
        return equals < to
                && isName(in, start, equals, name)
                && setValue(in, equals + 1, to, value);
    }

    /** Exactly that, and thus a token if that is one; blanks before the equals sign are wrong. */
    private static boolean isName(MemorySegment in, int from, int to, String name) {
        if (to - from != name.length() || from == to) {
            return false;
        }
        for (int i = from; i < to; i++) {
            byte b = in.get(JAVA_BYTE, i);
            if (b != name.charAt(i - from) || !Ascii.isToken(b)) {
                return false;
            }
        }
        return true;
    }

    /** False where the value is malformed. */
    private static boolean setValue(MemorySegment in, int from, int to, ByteView value) {
        int start = from;
        int end = to;
        while (end > start && isBlank(in.get(JAVA_BYTE, end - 1))) {
            end--;
        }
        if (end - start > 1
                && in.get(JAVA_BYTE, start) == '"'
                && in.get(JAVA_BYTE, end - 1) == '"') {
            start++;
            end--;
        }
        for (int i = start; i < end; i++) {
            byte b = in.get(JAVA_BYTE, i);
            if (b == '"' || b == '\t') {
                return false;
            }
        }
        value.set(in, start, end - start);
        return true;
    }

    private static boolean isBlank(byte b) {
        return b == ' ' || b == '\t';
    }

    private static int indexOf(MemorySegment in, byte wanted, int from, int to) {
        int at = from;
        while (at < to && in.get(JAVA_BYTE, at) != wanted) {
            at++;
        }
        return at;
    }
}
