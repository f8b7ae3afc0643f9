package io.bareloop.http;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/** Percent-escapes of RFC 3986, section 2.1, both ways. */
final class PercentEncoding {
    private static final HexFormat UPPER_CASE = HexFormat.of().withUpperCase();

    private PercentEncoding() {}

    /** Whether [from, to) has an escape. */
    static boolean isEncoded(MemorySegment in, int from, int to) {
        for (int i = from; i < to; i++) {
            if (in.get(JAVA_BYTE, i) == '%') {
                return true;
            }
        }
        return false;
    }

    /**
     * Decodes [from, to) of {@code in} to {@code out} from {@code at} on; a plus is a plus.
     *
     * @return the number of bytes written, at most as many as were read
     * @throws HttpException with 400 where a percent sign is not followed by two hexadecimal digits
     */
    static int decode(MemorySegment in, int from, int to, MemorySegment out, int at) {
        return decode(in, from, to, out, at, (byte) '+');
    }

    /**
     * As above, with a plus as a space, as forms have it. {@code out} may be {@code in}, and the
     * same bytes: it reads ahead of what it writes.
     */
    static int decodeForm(MemorySegment in, int from, int to, MemorySegment out, int at) {
        return decode(in, from, to, out, at, (byte) ' ');
    }

    private static int decode(
            MemorySegment in, int from, int to, MemorySegment out, int at, byte plus) {
        int written = at;
        int read = from;
        while (read < to) {
            byte b = in.get(JAVA_BYTE, read);
            if (b == '%') {
                b = escape(in, read, to);
                read += 2;
            } else if (b == '+') {
                b = plus;
            }
            out.set(JAVA_BYTE, written, b);
            written++;
            read++;
        }
        return written - at;
    }

    private static byte escape(MemorySegment in, int at, int end) {
        int high = end - at > 2 ? Character.digit(in.get(JAVA_BYTE, at + 1), 16) : -1;
        int low = end - at > 2 ? Character.digit(in.get(JAVA_BYTE, at + 2), 16) : -1;
        if (high < 0 || low < 0) {
            throw new HttpException(Status.BAD_REQUEST, "malformed percent-escape");
        }
        return (byte) (high << 4 | low);
    }

    /**
     * Escapes all of {@code text}, in UTF-8, but the ASCII characters of {@code kept}.
     *
     * @return {@code text} itself where it needs no escape
     * @throws IllegalArgumentException where it has half of a surrogate pair
     */
    static String encode(String text, boolean[] kept) {
        if (isKept(text, kept)) {
            return text;
        }
        ByteBuffer bytes;
        try {
            bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("half of a surrogate pair in a text", e);
        }
        StringBuilder encoded = new StringBuilder(3 * bytes.remaining());
        while (bytes.hasRemaining()) {
            byte b = bytes.get();
            if (b >= 0 && kept[b]) {
                encoded.append((char) b);
            } else {
                encoded.append('%').append(UPPER_CASE.toHexDigits(b));
            }
        }
        return encoded.toString();
    }

    private static boolean isKept(String text, boolean[] kept) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= kept.length || !kept[c]) {
                return false;
            }
        }
        return true;
    }

    /** The letters and digits of ASCII, and {@code more}: what {@link #encode} keeps. */
    static boolean[] alphanumericAnd(String more) {
        boolean[] kept = new boolean[128];
        for (char c = '0'; c <= 'z'; c++) {
            kept[c] = Character.isLetterOrDigit(c);
        }
        for (int i = 0; i < more.length(); i++) {
            kept[more.charAt(i)] = true;
        }
        return kept;
    }
}
