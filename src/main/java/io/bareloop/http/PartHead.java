package io.bareloop.http;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.bareloop.wire.Ascii;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Collects the head of a part: lines that end in CRLF, up to an empty one. Stricter than RFC 2046,
 * as no client of forms needs more: lines are not continued, and have no control characters.
 */
final class PartHead {
    private static final int BYTES_AT_START = 256;
    private static final int LINES_MAX = 32;

    private final int bytesMax;
    private byte[] bytes = {};
    private int count;

    /** Where the line at hand begins. */
    private int line;

    private byte last;
    private boolean complete;

    // As far as it has been read: names and values in turn, and what is known of them.
    private List<String> fields = List.of();
    private Disposition disposition;
    private String contentType;

    PartHead(int bytesMax) {
        this.bytesMax = bytesMax;
    }

    void begin() {
        count = 0;
        line = 0;
        last = 0;
        complete = false;
    }

    /**
     * Takes bytes of [from, to), up to the end of the head.
     *
     * @return the index behind what it took
     * @throws HttpException with 400 for what no head has, with 413 where it is too long
     */
    int take(MemorySegment in, int from, int to) {
        int at = from;
        while (at < to && !complete) {
            add(in.get(JAVA_BYTE, at));
            at++;
        }
        return at;
    }

    /** Whether the empty line has come. */
    boolean isComplete() {
        return complete;
    }

    private void add(byte b) {
        if (b == Ascii.LF) {
            if (last != Ascii.CR) {
                throw malformed("a line ends in LF alone; send CRLF");
            }
        } else if (last == Ascii.CR) {
            throw malformed("CR without LF");
        } else if (b != Ascii.CR && ((b >= 0 && b < ' ' && b != Ascii.HTAB) || b == 0x7F)) {
            throw malformed("a control character");
        }
        if (count == bytesMax) {
            throw new HttpException(
                    Status.CONTENT_TOO_LARGE,
                    "a part with a head of more than " + bytesMax + " bytes");
        }
        if (count == bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.min(Math.max(BYTES_AT_START, 2 * count), bytesMax));
        }
        bytes[count] = b;
        count++;
        last = b;
        if (b == Ascii.LF) {
            complete = count - line == 2;
            line = count;
        }
    }

    /**
     * Reads what was collected.
     *
     * @throws HttpException with 400 where it is not the head of a part of a form
     */
    Part part() {
        fields = new ArrayList<>();
        disposition = null;
        contentType = null;
        int from = 0;
        int end = lineEnd(from);
        while (end > from) {
            readLine(from, end);
            from = end + 2;
            end = lineEnd(from);
        }
        if (disposition == null) {
            throw malformed("no Content-Disposition");
        }
        return new Part(
                disposition.name(),
                disposition.filename(),
                contentType == null || contentType.isEmpty() ? "text/plain" : contentType,
                fields);
    }

    private void readLine(int from, int end) {
        int colon = colon(from, end);
        int valueFrom = colon + 1;
        int valueEnd = end;
        while (valueFrom < valueEnd && isBlank(bytes[valueFrom])) {
            valueFrom++;
        }
        while (valueEnd > valueFrom && isBlank(bytes[valueEnd - 1])) {
            valueEnd--;
        }
        if (fields.size() == 2 * LINES_MAX) {
            throw new HttpException(
                    Status.CONTENT_TOO_LARGE,
                    "a part with a head of more than " + LINES_MAX + " lines");
        }
        String name = text(from, colon);
        String value = text(valueFrom, valueEnd);
        fields.add(name);
        fields.add(value);
        if (name.equalsIgnoreCase("content-disposition")) {
            once(disposition, name);
            disposition = Disposition.of(bytes, valueFrom, valueEnd);
        } else if (name.equalsIgnoreCase("content-type")) {
            once(contentType, name);
            contentType = value;
        } else if (name.equalsIgnoreCase("content-transfer-encoding")) {
            checkPlain(value);
        }
    }

    private int lineEnd(int from) {
        int at = from;
        while (bytes[at] != Ascii.CR) {
            at++;
        }
        return at;
    }

    private int colon(int from, int end) {
        int at = from;
        while (at < end && Ascii.isToken(bytes[at])) {
            at++;
        }
        if (at == from || at == end || bytes[at] != ':') {
            throw malformed("a line is name: value");
        }
        return at;
    }

    private static void once(Object before, String name) {
        if (before != null) {
            throw malformed("two fields " + name);
        }
    }

    /** What is encoded would be taken as it stands; no client of forms may (RFC 7578, 4.7). */
    private static void checkPlain(String encoding) {
        if (!encoding.equalsIgnoreCase("7bit")
                && !encoding.equalsIgnoreCase("8bit")
                && !encoding.equalsIgnoreCase("binary")) {
            throw malformed("Content-Transfer-Encoding has to be 7bit, 8bit or binary, or absent");
        }
    }

    private static boolean isBlank(byte b) {
        return b == Ascii.SP || b == Ascii.HTAB;
    }

    private String text(int from, int to) {
        return new String(bytes, from, to - from, StandardCharsets.UTF_8);
    }

    private static HttpException malformed(String how) {
        return new HttpException(Status.BAD_REQUEST, "malformed head of a part: " + how);
    }
}
