package io.bareloop.http;

import io.bareloop.wire.FieldValue;
import io.bareloop.wire.Turn;
import io.bareloop.wire.Writer;

/**
 * The head of a {@link Response}: its status and its fields, in the order in which they are called.
 * Apart from the rest of it for want of room in one file; users see one class.
 */
abstract sealed class ResponseHead permits Response {
    final Writer writer;
    final Turn turn;

    ResponseHead(Writer writer, Turn turn) {
        this.writer = writer;
        this.turn = turn;
    }

    /**
     * Sends a 103 (Early Hints, RFC 8297) with {@code fields} at once, before the response: a
     * browser fetches what a {@code Link} field names while the response is still being made. The
     * response comes after it as if nothing had been sent, an error too.
     *
     * <p>A client that speaks HTTP/1.0 gets none, nor does one that has not taken what was sent
     * before. Some old clients take a 103 for the response: browsers say by {@code Sec-Fetch-Mode:
     * navigate} that they know it.
     *
     * @param fields of the hint, as a rule {@code Link} alone
     * @return this response
     * @throws IllegalStateException where the response has begun, it is the ninth call before one
     *     response, or the lines exceed 16 KiB
     */
    public Response earlyHints(Fields fields) {
        if (!turn.isMine()) {
            turn.later(0, () -> earlyHints(fields));
            return self();
        }
        writer.interim(Status.EARLY_HINTS.line(), fields.lines());
        return self();
    }

    /**
     * Begins the response with {@code status}; without this call it is 200.
     *
     * @param status of the response, 200 to 599
     * @return this response
     * @throws IllegalArgumentException where it is 1xx, which is no response by itself
     * @throws IllegalStateException where the response has begun already
     */
    public Response status(Status status) {
        if (!turn.isMine()) {
            turn.later(0, () -> status(status));
            return self();
        }
        status.checkFinal();
        writer.begin(status.code(), status.line(), status.content());
        return self();
    }

    /**
     * Sets the status of a response that begins without {@link #status}; without this call it is
     * 200. What is sent as a whole ({@link Response#send(Prepared)}) has its own.
     *
     * @param status from 200 up
     * @return this response
     * @throws IllegalArgumentException where the status is 1xx
     */
    public Response defaultStatus(Status status) {
        status.checkFinal();
        if (!turn.isMine()) {
            turn.later(0, () -> defaultStatus(status));
            return self();
        }
        writer.otherwise(status.code(), status.line(), status.content());
        return self();
    }

    /**
     * Adds a field to whatever response follows, be it of the handler, of an error, or of the
     * server itself: for a {@link Filter}. The field stands in front of those of the response, and
     * takes the place of none.
     *
     * @param name of the field
     * @param value of the field, which may be empty
     * @return this response
     * @throws IllegalArgumentException as {@link #header(HeaderName, String)}
     * @throws IllegalStateException where the response has begun, or all such fields together
     *     exceed 4096 bytes
     */
    public Response always(HeaderName name, String value) {
        if (!turn.isMine()) {
            turn.later(0, () -> always(name, value));
            return self();
        }
        FieldValue.check(name, value);
        name.checkHandlers();
        writer.always(name.encoded(), value);
        return self();
    }

    /**
     * As {@link #always(HeaderName, String)}, with all of {@code fields}.
     *
     * @param fields to add
     * @return this response
     * @throws IllegalStateException where the response has begun, or all such fields together
     *     exceed 4096 bytes
     */
    public Response always(Fields fields) {
        if (!turn.isMine()) {
            turn.later(0, () -> always(fields));
            return self();
        }
        writer.always(fields.lines());
        return self();
    }

    /**
     * Has this response sent as it is on a server that compresses ({@link Compression}); an error
     * that takes its place, too. For a filter, or before the end of the head.
     *
     * @return this response
     * @throws IllegalStateException where the body has begun
     */
    public Response noCompression() {
        if (!turn.isMine()) {
            turn.later(0, this::noCompression);
            return self();
        }
        writer.noCompression();
        return self();
    }

    /**
     * Appends Content-Type.
     *
     * @param type of the body
     * @return this response
     * @throws IllegalStateException where the body has begun, or the head grows too large
     */
    public Response contentType(MediaType type) {
        if (!turn.isMine()) {
            turn.later(0, () -> contentType(type));
            return self();
        }
        writer.lines(type.line());
        return self();
    }

    /**
     * Appends a field.
     *
     * @param name of the field
     * @param value of the field, which may be empty
     * @return this response
     * @throws IllegalArgumentException where {@code value} has other characters than visible ASCII,
     *     spaces and tabs (a line break would let the value write fields of its own), or the field
     *     is one that the server writes. Text in other languages has to be encoded, as the field's
     *     RFC says: {@link #attachment} and {@link Response#redirect} do that
     * @throws IllegalStateException where the body has begun, or the head grows too large
     */
    public Response header(HeaderName name, String value) {
        if (!turn.isMine()) {
            turn.later(0, () -> header(name, value));
            return self();
        }
        FieldValue.check(name, value);
        name.checkHandlers();
        writer.field(name.encoded(), value);
        return self();
    }

    /**
     * As {@link #header(HeaderName, String)}, with a value that was received: its bytes are copied
     * as they are.
     *
     * @param name of the field
     * @param value of the field
     * @return this response
     * @throws IllegalArgumentException where {@code value} has control characters other than tabs,
     *     or the field is one that the server writes
     * @throws IllegalStateException where the body has begun, or the head grows too large
     */
    public Response header(HeaderName name, ByteView value) {
        if (!turn.isMine()) {
            ByteView copy = value.copy();
            turn.later(0, () -> header(name, copy));
            return self();
        }
        FieldValue.check(name, value.segment(), value.offset(), value.length());
        name.checkHandlers();
        writer.field(name.encoded(), value.segment(), value.offset(), value.length());
        return self();
    }

    /**
     * Appends a field Set-Cookie.
     *
     * @param cookie to append; the same object again costs one copy
     * @return this response
     * @throws IllegalStateException where the body has begun, or the head grows too large
     */
    public Response cookie(Cookie cookie) {
        if (!turn.isMine()) {
            turn.later(0, () -> cookie(cookie));
            return self();
        }
        writer.lines(cookie.line());
        return self();
    }

    /**
     * Appends Content-Disposition, which has a browser save the body instead of showing it (RFC
     * 6266). A name that is not plain ASCII is encoded as RFC 8187 has it, and has an underscore
     * for each such character in a second form, for old clients. Allocates.
     *
     * @param fileName what the file is to be called
     * @return this response
     * @throws IllegalArgumentException where it is empty, or has slashes, backslashes, control
     *     characters, or half of a surrogate pair
     * @throws IllegalStateException where the body has begun, or the head grows too large
     */
    public Response attachment(String fileName) {
        return header(HeaderName.CONTENT_DISPOSITION, ContentDisposition.attachment(fileName));
    }

    /**
     * Appends all of {@code fields}.
     *
     * @param fields to append; the same object again costs one copy
     * @return this response
     * @throws IllegalStateException where the body has begun, or the head grows too large
     */
    public Response fields(Fields fields) {
        if (!turn.isMine()) {
            turn.later(0, () -> fields(fields));
            return self();
        }
        writer.lines(fields.lines());
        return self();
    }

    /**
     * Appends Content-Range (RFC 9110, section 14.4): the body is bytes {@code first} to {@code
     * last}, inclusive, of {@code size}.
     *
     * @param first index of a byte, from 0
     * @param last index of a byte
     * @param size of the whole, in bytes
     * @return this response
     * @throws IllegalArgumentException unless {@code 0 <= first <= last < size}
     * @throws IllegalStateException where the body has begun, or the head grows too large
     */
    public Response contentRange(long first, long last, long size) {
        if (!turn.isMine()) {
            turn.later(0, () -> contentRange(first, last, size));
            return self();
        }
        writer.contentRange(first, last, size);
        return self();
    }

    private Response self() {
        return (Response) this;
    }

    Turn turn() {
        return turn;
    }

    /** Whether the request was a HEAD: what is written of the body goes nowhere. */
    final boolean isHeadOnly() {
        return writer.isHeadOnly();
    }
}
