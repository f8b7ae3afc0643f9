package io.bareloop.http;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Reads {@code name=value&name=value}: a query, or a body of application/x-www-form-urlencoded.
 *
 * <p>There are two sets of rules. By those of forms (URL standard of WHATWG) a plus is a space: for
 * bodies, and for the queries that browsers make of forms with the method GET. By those of queries
 * (RFC 3986) a plus is a plus: {@link #forQuery}. Percent-escapes are decoded by both.
 *
 * <p>What there is nothing to decode in is a view of the input. Otherwise a parameter is decoded
 * into memory of the reader's own, which grows to what the longest one needs and is used again.
 * Belongs to one thread.
 *
 * <pre>{@code
 * reader.start(request.query());
 * while (reader.next()) { ... reader.name() ... reader.value() ... }
 * }</pre>
 */
public final class FormReader {
    private static final int BYTES_AT_START = 256;

    private final boolean plusIsSpace;
    private final ByteView name = new ByteView();
    private final ByteView value = new ByteView();
    private MemorySegment decoded = MemorySegment.NULL;
    private MemorySegment in = MemorySegment.NULL;
    private int at;
    private int end;

    /** Creates a reader by the rules of forms; it has nothing to read before {@link #start}. */
    public FormReader() {
        this(true);
    }

    private FormReader(boolean plusIsSpace) {
        this.plusIsSpace = plusIsSpace;
    }

    /**
     * Creates a reader by the rules of queries, as {@link Request#queryValue Request.queryValue}
     * has them.
     *
     * @return a reader; it has nothing to read before {@link #start}
     */
    public static FormReader forQuery() {
        return new FormReader(false);
    }

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
            int nameBytes = decode(start, nameEnd, 0);
            int valueBytes = decode(valueStart, valueEnd, nameBytes);
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
            if (b == '%' || (b == '+' && plusIsSpace)) {
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

    private int decode(int from, int to, int out) {
        return plusIsSpace
                ? PercentEncoding.decodeForm(in, from, to, decoded, out)
                : PercentEncoding.decode(in, from, to, decoded, out);
    }
}
