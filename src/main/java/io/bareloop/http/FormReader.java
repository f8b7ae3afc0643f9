package io.bareloop.http;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Reads {@code name=value&name=value}: a query, or a body of application/x-www-form-urlencoded.
 *
 * <p>What has no percent-escapes and no plus signs is a view of the input. Otherwise a parameter is
 * decoded into memory of the reader's own, which grows to what the longest one needs and is used
 * again. Belongs to one thread.
 *
 * <pre>{@code
 * reader.start(request.query());
 * while (reader.next()) { ... reader.name() ... reader.value() ... }
 * }</pre>
 */
public final class FormReader {
    private static final int BYTES_AT_START = 256;

    private final ByteView name = new ByteView();
    private final ByteView value = new ByteView();
    private MemorySegment decoded = MemorySegment.NULL;
    private MemorySegment in = MemorySegment.NULL;
    private int at;
    private int end;

    /** Creates a reader; it has nothing to read before {@link #start}. */
    public FormReader() {}

    /**
     * Begins at the front of {@code input}, which must stay valid while it is read.
     *
     * @param input a query, or a body; empty is allowed
     */
    public void start(ByteView input) {
        in = input.segment();
        at = input.offset();
        end = at + input.length();
    }

    /**
     * Goes to the next parameter. Empty ones ({@code &&}) are passed over.
     *
     * @return whether there is one
     * @throws HttpException with 400 where a percent sign is not followed by two hexadecimal digits
     */
    public boolean next() {
        while (at < end && in.get(JAVA_BYTE, at) == '&') {
            at++;
        }
        if (at == end) {
            return false;
        }
        int start = at;
        int nameEnd = end(start, true);
        boolean hasValue = nameEnd < end && in.get(JAVA_BYTE, nameEnd) == '=';
        int valueStart = hasValue ? nameEnd + 1 : nameEnd;
        int valueEnd = end(valueStart, false);
        if (isPlain(start, valueEnd)) {
            name.set(in, start, nameEnd - start);
            value.set(in, valueStart, valueEnd - valueStart);
        } else {
            // Decoding never makes anything longer.
            ensureDecoded(valueEnd - start);
            int nameBytes = decode(in, start, nameEnd, decoded, 0);
            int valueBytes = decode(in, valueStart, valueEnd, decoded, nameBytes);
            name.set(decoded, 0, nameBytes);
            value.set(decoded, nameBytes, valueBytes);
        }
        at = valueEnd;
        return true;
    }

    /** {@return the name of the parameter, decoded; valid until {@link #next}} */
    public ByteView name() {
        return name;
    }

    /**
     * {@return the value of the parameter, decoded, empty where it has none; valid until {@link
     * #next}}
     */
    public ByteView value() {
        return value;
    }

    /** Ends the views: in checked mode, every further use throws. */
    void expire() {
        name.expire();
        value.expire();
    }

    /** The end of a name or a value that begins at {@code from}. */
    private int end(int from, boolean isName) {
        int to = from;
        while (to < end) {
            byte b = in.get(JAVA_BYTE, to);
            if (b == '&' || (isName && b == '=')) {
                break;
            }
            to++;
        }
        return to;
    }

    private boolean isPlain(int from, int to) {
        for (int i = from; i < to; i++) {
            byte b = in.get(JAVA_BYTE, i);
            if (b == '%' || b == '+') {
                return false;
            }
        }
        return true;
    }

    private void ensureDecoded(int bytes) {
        if (decoded.byteSize() < bytes) {
            long room = Math.max(bytes, Math.max(BYTES_AT_START, 2 * decoded.byteSize()));
            decoded = Arena.ofAuto().allocate(room);
        }
    }

    /**
     * Decodes [from, to) of {@code in} to {@code out} from {@code at} on, which may be the same
     * bytes: it reads ahead of what it writes.
     *
     * @return the number of bytes written, at most as many as were read
     * @throws HttpException with 400 where a percent sign is not followed by two hexadecimal digits
     */
    static int decode(MemorySegment in, int from, int to, MemorySegment out, int at) {
        int written = at;
        int read = from;
        while (read < to) {
            byte b = in.get(JAVA_BYTE, read);
            if (b == '%') {
                b = escape(in, read, to);
                read += 2;
            } else if (b == '+') {
                b = ' ';
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
}
