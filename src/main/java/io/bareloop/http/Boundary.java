package io.bareloop.http;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.bareloop.wire.Swar;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * The delimiter between the parts of one multipart body: CRLF, two hyphens, and the boundary that
 * its Content-Type names (RFC 2046, section 5.1.1). Finds it, word by word.
 *
 * <p>CR is its first byte, and no other: whatever begins like a delimiter and goes on differently
 * contains no other beginning of one, up to where it differs.
 */
final class Boundary {
    private static final int CHARACTERS_MAX = 70;
    private static final String TYPE = "multipart/form-data";
    private static final String START = "\r\n--";

    /** The bytes of {@link #START} that are its line break. */
    static final int LINE_BREAK_BYTES = 2;

    private static final int START_BYTES = START.length();
    private static final int START_WORD = (int) Swar.ascii(START);

    private static final long CRS = '\r' * Swar.ONES;
    private static final long LFS = '\n' * Swar.ONES;

    /** The mark of the last byte of a word. */
    private static final long LAST = 1L << 63;

    private static final ValueLayout.OfLong WORD =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt HALF_WORD =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final byte[] delimiter;
    private final MemorySegment segment;

    private Boundary(String boundary) {
        delimiter = (START + boundary).getBytes(StandardCharsets.ISO_8859_1);
        segment = MemorySegment.ofArray(delimiter);
    }

    /**
     * The boundary of the body of {@code request}.
     *
     * @throws HttpException as the other one; with 400 where there are two fields Content-Type
     */
    static Boundary of(Request request) {
        ByteView type = null;
        for (int i = 0; i < request.headerCount(); i++) {
            if (request.headerName(i).contentEqualsIgnoreCase("content-type")) {
                if (type != null) {
                    throw new HttpException(Status.BAD_REQUEST, "two fields Content-Type");
                }
                type = request.headerValue(i);
            }
        }
        return of(type == null ? new byte[0] : type.toByteArray());
    }

    /**
     * The boundary that a Content-Type names.
     *
     * @throws HttpException with 415 where that is not multipart/form-data, with 400 where it is
     *     malformed, or names no boundary, or one that is not allowed
     */
    static Boundary of(byte[] contentType) {
        FieldParameters parameters =
                new FieldParameters("Content-Type", contentType, 0, contentType.length);
        if (!parameters.type().equals(TYPE)) {
            throw new HttpException(Status.UNSUPPORTED_MEDIA_TYPE, TYPE + " is wanted");
        }
        String boundary = null;
        while (parameters.next()) {
            if (parameters.name().equals("boundary")) {
                if (boundary != null) {
                    throw new HttpException(
                            Status.BAD_REQUEST, "Content-Type has two boundaries; give one");
                }
                boundary = new String(parameters.value(), StandardCharsets.ISO_8859_1);
            }
        }
        if (boundary == null) {
            throw new HttpException(
                    Status.BAD_REQUEST, "Content-Type has no boundary; add boundary=...");
        }
        if (!isAllowed(boundary)) {
            throw new HttpException(
                    Status.BAD_REQUEST,
                    "a boundary has 1 to 70 letters, digits, '()+_,-./:=? and inner spaces");
        }
        return new Boundary(boundary);
    }

    private static boolean isAllowed(String boundary) {
        return !boundary.isEmpty()
                && boundary.length() <= CHARACTERS_MAX
                && !boundary.endsWith(" ")
                && boundary.chars().allMatch(Boundary::isCharacter);
    }

    /** bchars of RFC 2046, section 5.1.1. */
    private static boolean isCharacter(int c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || "'()+_,-./:=? ".indexOf(c) >= 0;
    }

    /** The number of bytes of the delimiter, without what follows it in its line. */
    int length() {
        return delimiter.length;
    }

    byte at(int index) {
        return delimiter[index];
    }

    /** The bytes of the delimiter. */
    MemorySegment segment() {
        return segment;
    }

    /** How many bytes of [from, to) are those of the delimiter, up to all of it. */
    int match(MemorySegment in, int from, int to) {
        int most = Math.min(to - from, delimiter.length);
        int same = 0;
        while (same < most && in.get(JAVA_BYTE, from + same) == delimiter[same]) {
            same++;
        }
        return same;
    }

    /**
     * The first index in [from, to) from which on the bytes are those of any delimiter, CRLF and
     * two hyphens, as far as they go; or {@code to}.
     */
    static int find(MemorySegment in, int from, int to) {
        int at = from;
        for (; at <= to - Long.BYTES; at += Long.BYTES) {
            long word = in.get(WORD, at);
            long found = Swar.equal(word, CRS);
            if (found != 0) {
                // Only what LF follows, as far as the word shows: a body of nothing but CR is to
                // cost little, too.
                found &= (Swar.equal(word, LFS) >>> 8) | LAST;
            }
            while (found != 0) {
                int cr = at + Swar.first(found);
                if (begins(in, cr, to)) {
                    return cr;
                }
                found &= found - 1;
            }
        }
        while (at < to && !begins(in, at, to)) {
            at++;
        }
        return at;
    }

    private static boolean begins(MemorySegment in, int at, int to) {
        int length = Math.min(to - at, START_BYTES);
        if (length == START_BYTES) {
            return in.get(HALF_WORD, at) == START_WORD;
        }
        return in.get(JAVA_BYTE, at) == '\r'
                && (length < 2 || in.get(JAVA_BYTE, at + 1) == '\n')
                && (length < 3 || in.get(JAVA_BYTE, at + 2) == '-');
    }
}
