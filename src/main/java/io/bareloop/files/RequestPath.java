package io.bareloop.files;

import io.bareloop.http.ByteView;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The path of a request as bytes of a file name, decoded once (RFC 3986, section 2.1); or nothing,
 * where no file can be meant.
 *
 * <p>This is the first of two walls. The second is the kernel, which opens a name only beneath the
 * root, whatever the bytes are: see {@link Root}.
 */
final class RequestPath {
    /** PATH_MAX of Linux, with its zero byte. */
    static final int BYTES_MAX = 4096;

    /** An escape is cut off, or is none. */
    static final int MALFORMED = -1;

    /** Well-formed, and the name of no file that is to be served. */
    static final int NOWHERE = -2;

    private static final byte[] WELL_KNOWN = "/.well-known".getBytes(StandardCharsets.US_ASCII);

    private RequestPath() {}

    /**
     * Decodes {@code path} from {@code from} on into {@code to}.
     *
     * <p>Refused are an encoded slash (no file name has one), and what {@link #isServed} refuses.
     *
     * @param from 0, or the length of what the files are mounted at
     * @return the number of bytes, 1 or more; {@link #MALFORMED}; or {@link #NOWHERE}
     */
    static int decode(ByteView path, int from, byte[] to, boolean dotFiles) {
        int length = 0;
        int at = from;
        int end = path.length();
        while (at < end) {
            int b = path.at(at++);
            boolean escaped = b == '%';
            if (escaped) {
                int high = at + 1 < end ? hexadecimal(path.at(at)) : -1;
                int low = high >= 0 ? hexadecimal(path.at(at + 1)) : -1;
                if (low < 0) {
                    return MALFORMED;
                }
                b = high << 4 | low;
                at += 2;
            }
            if (escaped && b == '/') {
                return NOWHERE;
            }
            // One byte stays free for the zero at the end.
            if (length == BYTES_MAX - 1) {
                return NOWHERE;
            }
            to[length++] = (byte) b;
        }
        return isServed(to, length, dotFiles, from == 0) ? length : NOWHERE;
    }

    /**
     * Whether {@code path}, decoded and with a slash in front, can be the path of a file.
     *
     * <p>None are control characters (NUL would end the name early), backslashes, empty segments,
     * "." and "..", segments that begin with a dot unless {@code dotFiles}, and bytes that are no
     * UTF-8: among them the over-long forms by which a dot or a slash could be smuggled past a
     * reader that is less strict.
     *
     * @param wellKnown whether the first segment may be ".well-known", whatever {@code dotFiles}
     *     says: at the root of the origin, and nowhere else, it has a meaning (RFC 8615)
     */
    static boolean isServed(byte[] path, int length, boolean dotFiles, boolean wellKnown) {
        if (length == 0 || length >= BYTES_MAX || path[0] != '/') {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if ((path[i] >= 0 && path[i] < 0x20) || path[i] == 0x7F || path[i] == '\\') {
                return false;
            }
        }
        return segmentsAreGood(path, length, dotFiles, wellKnown) && isUtf8(path, length);
    }

    private static boolean segmentsAreGood(
            byte[] path, int length, boolean dotFiles, boolean wellKnown) {
        for (int i = 1; i < length; i++) {
            if (path[i - 1] != '/') {
                continue;
            }
            if (path[i] == '/') {
                return false;
            }
            boolean dot =
                    path[i] == '.'
                            && !(i == 1 && wellKnown && beginsWith(path, length, WELL_KNOWN));
            if (dot && (!dotFiles || isDots(path, i, length))) {
                return false;
            }
        }
        return true;
    }

    /** Whether the first segment of {@code path} is all that {@code segment} names. */
    private static boolean beginsWith(byte[] path, int length, byte[] segment) {
        return length >= segment.length
                && Arrays.equals(path, 0, segment.length, segment, 0, segment.length)
                && (length == segment.length || path[segment.length] == '/');
    }

    /** Whether the segment at {@code from}, which begins with a dot, is "." or "..". */
    private static boolean isDots(byte[] path, int from, int length) {
        int end = from;
        while (end < length && path[end] != '/') {
            end++;
        }
        return end - from == 1 || (end - from == 2 && path[from + 1] == '.');
    }

    /** Well-formed UTF-8 as the table in section 4 of RFC 3629 has it: shortest forms only. */
    private static boolean isUtf8(byte[] bytes, int length) {
        int i = 0;
        while (i < length) {
            int first = bytes[i++] & 0xFF;
            if (first < 0x80) {
                continue;
            }
            int more =
                    first < 0xC2 ? -1 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : first < 0xF5 ? 3 : -1;
            if (more < 0 || i + more > length) {
                return false;
            }
            int second = bytes[i] & 0xFF;
            int least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
            int most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
            if (second < least || second > most) {
                return false;
            }
            for (int j = 1; j < more; j++) {
                if ((bytes[i + j] & 0xC0) != 0x80) {
                    return false;
                }
            }
            i += more;
        }
        return true;
    }

    private static int hexadecimal(int c) {
        if (c >= '0' && c <= '9') {
            return c - '0';
        }
        int letter = c | 0x20;
        return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
    }

    /** {@code path}, whose characters are bytes, percent-encoded for a URL (RFC 3986). */
    static String encode(String path) {
        StringBuilder encoded = new StringBuilder();
        for (int i = 0; i < path.length(); i++) {
            char c = path.charAt(i);
            boolean plain =
                    (c >= '0' && c <= '9')
                            || (c >= 'A' && c <= 'Z')
                            || (c >= 'a' && c <= 'z')
                            || "-._~/!$&'()*+,=@".indexOf(c) >= 0;
            if (plain) {
                encoded.append(c);
            } else {
                encoded.append('%')
                        .append(Character.toUpperCase(Character.forDigit(c >> 4 & 15, 16)))
                        .append(Character.toUpperCase(Character.forDigit(c & 15, 16)));
            }
        }
        return encoded.toString();
    }
}
