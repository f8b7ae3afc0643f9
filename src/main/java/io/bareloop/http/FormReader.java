package io.bareloop.http;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Reads {@code name=value&name=value}: a query, or a body of application/x-www-form-urlencoded.
 *
 * <p>Percent-escapes and plus signs are decoded into memory of the reader's own, which grows to
 * what the longest input needs and is used again: nothing is allocated after that. Belongs to one
 * thread.
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
    private MemorySegment decoded = Arena.ofAuto().allocate(BYTES_AT_START);
    private int used;
    private MemorySegment in = MemorySegment.NULL;
    private int at;
    private int end;

    /** Creates a reader; it has nothing to read before {@link #start}. */
    public FormReader() {}

    /** Begins at the front of {@code input}, which must stay valid while it is read. */
    public void start(ByteView input) {
        in = input.segment();
        at = input.offset();
        end = at + input.length();
        if (decoded.byteSize() < input.length()) {
            // Decoding never makes anything longer.
            decoded = Arena.ofAuto().allocate(Math.max(input.length(), 2L * decoded.byteSize()));
        }
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
        used = 0;
        decode(name, true);
        if (at < end && in.get(JAVA_BYTE, at) == '=') {
            at++;
            decode(value, false);
        } else {
            value.set(decoded, used, 0);
        }
        return true;
    }

    /** The name of the parameter, decoded; valid until {@link #next}. */
    public ByteView name() {
        return name;
    }

    /** The value of the parameter, decoded, empty where it has none; valid until {@link #next}. */
    public ByteView value() {
        return value;
    }

    /** Ends the views: in checked mode, every further use throws. */
    void expire() {
        name.expire();
        value.expire();
    }

    private void decode(ByteView into, boolean untilEquals) {
        int start = used;
        while (at < end) {
            byte b = in.get(JAVA_BYTE, at);
            if (b == '&' || (untilEquals && b == '=')) {
                break;
            }
            if (b == '%') {
                b = escape();
                at += 2;
            } else if (b == '+') {
                b = ' ';
            }
            decoded.set(JAVA_BYTE, used, b);
            used++;
            at++;
        }
        into.set(decoded, start, used - start);
    }

    private byte escape() {
        int high = end - at > 2 ? Character.digit(in.get(JAVA_BYTE, at + 1), 16) : -1;
        int low = end - at > 2 ? Character.digit(in.get(JAVA_BYTE, at + 2), 16) : -1;
        if (high < 0 || low < 0) {
            throw new HttpException(Status.BAD_REQUEST, "malformed percent-escape");
        }
        return (byte) (high << 4 | low);
    }
}
