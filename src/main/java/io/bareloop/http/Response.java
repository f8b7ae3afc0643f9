package io.bareloop.http;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;

/**
 * A response as a handler writes it: status, then fields, then body, each straight into the loop's
 * output buffer. Append-only: what is written is not read or changed again.
 *
 * <p>The body comes whole ({@link #body}, {@link #send}) or in pieces ({@link #stream}, {@link
 * #write}, {@link #end}). Server, Date, Connection, Content-Length and Transfer-Encoding are the
 * server's; everything else is the handler's. Without {@link #status} it is a 200. A handler that
 * returns with fields written and no body sends an empty one.
 *
 * <p>Valid until the handler returns, or, where the response was suspended or is being streamed,
 * until it has ended; on the loop's thread only: from another thread every call that writes throws
 * IllegalStateException. A response is written on its own turn. What is called on it in the handler
 * of another request of the same loop is done when its turn comes, soon; arrays and views are
 * copied for that, and what is wrong with the call is then a failure of this response. Nothing here
 * allocates, except that, and what says so.
 */
public final class Response {
    /** What status line and fields together may take. */
    static final int HEAD_BYTES_MAX = 16 << 10;

    private static final int NOTHING = 0;
    private static final int FIELDS = 1;
    private static final int STREAM = 2;
    private static final int DONE = 3;

    private static final long CHUNKED = -1;
    private static final long UNTIL_CLOSE = -2;

    private static final Encoded CLOSE = Encoded.ascii("Connection: close\r\n");
    private static final Encoded KEEP_ALIVE = Encoded.ascii("Connection: keep-alive\r\n");
    private static final Encoded CONTENT_LENGTH = Encoded.ascii("Content-Length: ");
    private static final Encoded CONTENT_RANGE = Encoded.ascii("Content-Range: bytes ");
    private static final Encoded CHUNKED_FIELD = Encoded.ascii("Transfer-Encoding: chunked\r\n");
    private static final Encoded LAST_CHUNK = Encoded.ascii("0\r\n\r\n");
    private static final short CRLF = (short) Swar.ascii("\r\n");
    private static final int NUMBER_AND_END_BYTES = 64;

    /** Three numbers of 19 digits, with what stands between and behind them. */
    private static final int RANGE_BYTES_MAX = 64;

    /** Room for the largest chunk size and the two line breaks around a chunk. */
    private static final int CHUNK_FRAME_BYTES = 16;

    private final Exchange exchange;
    private final Http1 http;
    private final OutputBuffer out;

    private boolean headOnly;
    private int state = DONE;
    private int start;
    private Status status = Status.OK;

    /** Bytes of the streamed body that are still to be written; or CHUNKED or UNTIL_CLOSE. */
    private long left;

    private Runnable onWritable;
    private Runnable onAbort;
    private Runnable onTick;
    private long tickNanos;
    private Runnable onDrain;
    private Suspended suspended;

    Response(Exchange exchange, Http1 http) {
        this.exchange = exchange;
        this.http = http;
        this.out = http.out;
    }

    // ---- status and fields

    /**
     * Begins the response with {@code status}; without this call it is 200.
     *
     * @param status of the response
     * @return this response
     * @throws IllegalStateException where the response has begun already
     */
    public Response status(Status status) {
        if (!exchange.isTurn()) {
            exchange.later(0, (request, response) -> response.status(status));
            return this;
        }
        checkNotBegun();
        begin();
        putStatus(status);
        return this;
    }

    private void checkNotBegun() {
        if (state != NOTHING) {
            throw new IllegalStateException(
                    state == DONE ? "the response has ended" : "the status was written already");
        }
    }

    /**
     * Appends Content-Type.
     *
     * @param type of the body
     * @return this response
     * @throws IllegalStateException where the body has begun, or the head grows too large
     */
    public Response contentType(MediaType type) {
        if (!exchange.isTurn()) {
            exchange.later(0, (request, response) -> response.contentType(type));
            return this;
        }
        field(type.line().length());
        out.put(type.line());
        return this;
    }

    /**
     * Appends a field.
     *
     * @param name of the field
     * @param value of the field, which may be empty
     * @return this response
     * @throws IllegalArgumentException where {@code value} has other characters than visible ASCII,
     *     spaces and tabs (a line break would let the value write fields of its own), or the field
     *     is one that the server writes
     * @throws IllegalStateException where the body has begun, or the head grows too large
     */
    public Response header(HeaderName name, String value) {
        if (!exchange.isTurn()) {
            exchange.later(0, (request, response) -> response.header(name, value));
            return this;
        }
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if ((c < ' ' && c != '\t') || c >= 0x7F) {
                throw new IllegalArgumentException(
                        name + ": a field value has visible ASCII, spaces and tabs only: " + value);
            }
        }
        beginField(name, value.length());
        out.putAscii(value);
        out.putShort(CRLF);
        return this;
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
        if (!exchange.isTurn()) {
            ByteView copy = value.copy();
            exchange.later(0, (request, response) -> response.header(name, copy));
            return this;
        }
        for (int i = 0; i < value.length(); i++) {
            byte b = value.at(i);
            if ((b >= 0 && b < ' ' && b != '\t') || b == 0x7F) {
                throw new IllegalArgumentException(
                        name + ": control characters are not allowed in a field value");
            }
        }
        beginField(name, value.length());
        out.put(value.segment(), value.offset(), value.length());
        out.putShort(CRLF);
        return this;
    }

    /**
     * Appends all of {@code fields}.
     *
     * @param fields to append; the same object again costs one copy
     * @return this response
     * @throws IllegalStateException where the body has begun, or the head grows too large
     */
    public Response fields(Fields fields) {
        if (!exchange.isTurn()) {
            exchange.later(0, (request, response) -> response.fields(fields));
            return this;
        }
        Encoded lines = fields.lines();
        field(lines.length());
        out.put(lines);
        return this;
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
        if (!exchange.isTurn()) {
            exchange.later(0, (request, response) -> response.contentRange(first, last, size));
            return this;
        }
        if (first < 0 || last < first || size <= last) {
            throw new IllegalArgumentException(first + "-" + last + "/" + size);
        }
        field(CONTENT_RANGE.length() + RANGE_BYTES_MAX);
        out.put(CONTENT_RANGE);
        out.putDecimal(first);
        out.put((byte) '-');
        out.putDecimal(last);
        out.put((byte) '/');
        out.putDecimal(size);
        out.putShort(CRLF);
        return this;
    }

    // ---- a body that is there as a whole

    /**
     * Ends the response with {@code body}. More than about 60 KiB are not copied but sent from
     * where they are, so they must not change until they are sent.
     *
     * @param body bytes of any number; a HEAD and a status without a body leave them out
     * @throws IllegalStateException where the body has begun
     */
    public void body(byte[] body) {
        if (!exchange.isTurn()) {
            byte[] copy = body.clone();
            exchange.later(copy.length, (request, response) -> response.body(copy));
            return;
        }
        endFields(body.length);
        if (!hasNoBody()) {
            if (body.length <= out.room()) {
                out.put(body, 0, body.length);
            } else {
                exchange.connection.sendLarge(body);
            }
        }
        ended();
    }

    /**
     * Ends the response with {@code text} in UTF-8. Allocates.
     *
     * @param text of the body
     * @throws IllegalStateException where the body has begun
     */
    public void body(String text) {
        body(text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Ends the response with a copy of {@code view}, as {@link #body(byte[])} does.
     *
     * @param view of the bytes to copy
     * @throws IllegalStateException where the body has begun
     */
    public void body(ByteView view) {
        if (!exchange.isTurn()) {
            body(view.toByteArray());
            return;
        }
        int length = view.length();
        endFields(length);
        if (!hasNoBody()) {
            putCopy(view.segment(), view.offset(), length);
        }
        ended();
    }

    /**
     * Ends the response with {@code length} bytes of {@code body} from {@code offset}, as {@link
     * #body(byte[])} does. Native memory is never copied where it is large: the kernel takes it
     * from where it is, as the client reads it. It must not change until then, nor its arena be
     * closed, which would end the connection; memory of {@link java.lang.foreign.Arena#global} and
     * {@link java.lang.foreign.Arena#ofAuto} stays by itself.
     *
     * @param body memory of any kind that the loop's thread may read
     * @param offset in bytes
     * @param length in bytes, 0 or more
     * @throws IndexOutOfBoundsException where the segment has fewer bytes
     * @throws IllegalStateException where the body has begun
     */
    public void body(MemorySegment body, long offset, int length) {
        Objects.checkFromIndexSize(offset, length, body.byteSize());
        if (!exchange.isTurn()) {
            exchange.later(0, (request, response) -> response.body(body, offset, length));
            return;
        }
        endFields(length);
        if (!hasNoBody()) {
            if (length <= out.room()) {
                out.put(body, offset, length);
            } else {
                exchange.connection.sendLarge(body, offset, length);
            }
        }
        ended();
    }

    /**
     * Ends the response with {@code length} bytes of {@code file} from {@code offset}, which go to
     * the socket as fast as the client takes them and are never copied here. The response releases
     * {@code file} when it is done with it, unless this throws.
     *
     * <p>A file that turns out to be shorter, or a disk that fails, closes the connection.
     *
     * @param file of which the caller hands over one use
     * @param offset of the first byte
     * @param length in bytes, 0 or more
     * @throws IllegalArgumentException where offset or length is negative
     * @throws IllegalStateException where the body has begun
     */
    public void body(FileBody file, long offset, long length) {
        if (!exchange.isTurn()) {
            exchange.later(0, (request, response) -> response.body(file, offset, length), file);
            return;
        }
        checkRange(offset, length);
        endFields(length);
        sendFile(file, offset, length);
        ended();
    }

    /**
     * Sends {@code prepared} as the whole response.
     *
     * @param prepared the response, as a whole
     * @throws IllegalStateException where the response has begun already
     */
    public void send(Prepared prepared) {
        if (!exchange.isTurn()) {
            exchange.later(0, (request, response) -> response.send(prepared));
            return;
        }
        checkNotBegun();
        begin();
        // What does not depend on the request, as it usually does not.
        boolean same = keepsAlive() && exchange.request.minorVersion != 0 && !headOnly;
        if (!same || !http.lastSent.put(prepared, http.date.second(), out)) {
            putPrepared(prepared, same);
        }
        ended();
    }

    private void putPrepared(Prepared prepared, boolean same) {
        putStatus(prepared.status());
        putConnection();
        Encoded tail = prepared.tail();
        int length = headOnly ? prepared.fieldBytes() : tail.length();
        if (length <= out.room()) {
            out.put(tail, length);
            if (same) {
                http.lastSent.note(prepared, http.date.second(), out, out.position() - start);
            }
        } else {
            exchange.connection.sendLarge(tail.segment(), 0, length);
        }
    }

    /**
     * Sends {@code reply} as the whole response.
     *
     * @param reply the response, as a whole; not null, and not changed any more
     * @throws IllegalStateException where the response has begun already
     */
    public void send(Reply reply) {
        reply.writeTo(this);
    }

    // ---- a body in pieces

    /**
     * Begins a body whose length is not known: chunked, or ended by the end of the connection where
     * the client speaks HTTP/1.0. It goes on after the handler has returned, until {@link #end}.
     *
     * @return this response
     * @throws IllegalStateException where the body has begun
     */
    public Response stream() {
        if (!exchange.isTurn()) {
            exchange.later(0, (request, response) -> response.stream());
            return this;
        }
        boolean chunked = exchange.request.minorVersion == 1;
        field(CHUNKED_FIELD.length());
        if (!status.isBodiless()) {
            if (chunked) {
                out.put(CHUNKED_FIELD);
            }
            left = chunked ? CHUNKED : UNTIL_CLOSE;
            if (!chunked) {
                exchange.connection.closeAfterResponse();
            }
        } else {
            left = 0;
        }
        putConnection();
        out.putShort(CRLF);
        state = STREAM;
        return this;
    }

    /**
     * Begins a body of {@code length} bytes, 0 or more, that come in pieces. It goes on after the
     * handler has returned, until {@link #end}.
     *
     * @param length in bytes; Content-Length says it
     * @return this response
     * @throws IllegalStateException where the body has begun
     * @throws IllegalArgumentException where it is less than 0
     */
    public Response stream(long length) {
        if (!exchange.isTurn()) {
            exchange.later(0, (request, response) -> response.stream(length));
            return this;
        }
        if (length < 0) {
            throw new IllegalArgumentException("a length of " + length);
        }
        endFields(length);
        left = length;
        state = STREAM;
        return this;
    }

    /**
     * Appends a copy of {@code piece} to the body.
     *
     * @param piece of any number of bytes; an empty one writes nothing
     * @throws IllegalStateException where the response is not being streamed, the piece is more
     *     than is left of the length announced, or the client is behind by more than {@link
     *     Limits#unsentBytesMax}: ask {@link #isWritable} first
     */
    public void write(ByteView piece) {
        if (!exchange.isTurn()) {
            write(piece.toByteArray());
            return;
        }
        write(piece.segment(), piece.offset(), piece.length());
    }

    /**
     * As {@link #write(ByteView)}.
     *
     * @param piece of any number of bytes; an empty one writes nothing
     */
    public void write(byte[] piece) {
        if (!exchange.isTurn()) {
            byte[] copy = piece.clone();
            exchange.later(copy.length, (request, response) -> response.write(copy));
            return;
        }
        int length = piece.length;
        if (length + CHUNK_FRAME_BYTES > out.room()) {
            write(MemorySegment.ofArray(piece), 0, length);
        } else if (beginWrite(length)) {
            if (left == CHUNKED) {
                out.putHexadecimal(length);
                out.putShort(CRLF);
                out.put(piece, 0, length);
                out.putShort(CRLF);
            } else {
                out.put(piece, 0, length);
            }
        }
    }

    /**
     * As {@link #write(ByteView)}, with {@code length} bytes of {@code piece} from {@code offset}.
     *
     * @param piece memory of any kind that the loop's thread may read
     * @param offset in bytes
     * @param length in bytes, 0 or more
     * @throws IndexOutOfBoundsException where the segment has fewer bytes
     */
    public void write(MemorySegment piece, long offset, int length) {
        Objects.checkFromIndexSize(offset, length, piece.byteSize());
        if (!exchange.isTurn()) {
            write(piece.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE));
            return;
        }
        if (beginWrite(length)) {
            if (left == CHUNKED) {
                putChunks(piece, offset, length);
            } else {
                putCopy(piece, offset, length);
            }
        }
    }

    /**
     * Appends {@code length} bytes of {@code file} from {@code offset} to a body of announced
     * length, as {@link #body(FileBody, long, long)} sends and releases them. Nothing more can be
     * written until {@link #isWritable}.
     *
     * @param file of which the caller hands over one use
     * @param offset of the first byte
     * @param length in bytes, 0 or more
     * @throws IllegalArgumentException where offset or length is negative
     * @throws IllegalStateException where the response is not being streamed by {@link
     *     #stream(long)}, or the piece is more than is left of the length
     */
    public void write(FileBody file, long offset, long length) {
        if (!exchange.isTurn()) {
            exchange.later(0, (request, response) -> response.write(file, offset, length), file);
            return;
        }
        checkRange(offset, length);
        if (state != STREAM || left < length || exchange.connection.hasRest()) {
            throw new IllegalStateException(
                    "a file goes into a body of announced length, and behind what was sent");
        }
        left -= length;
        sendFile(file, offset, length);
    }

    private static void checkRange(long offset, long length) {
        if (offset < 0 || length < 0) {
            throw new IllegalArgumentException(length + " bytes from " + offset);
        }
    }

    private void sendFile(FileBody file, long offset, long length) {
        if (length == 0 || hasNoBody()) {
            file.release();
        } else {
            exchange.connection.sendFile(file, offset, length);
        }
    }

    /** Checks and counts a piece; returns whether there is anything to put. */
    private boolean beginWrite(int length) {
        if (state != STREAM) {
            throw new IllegalStateException(
                    state == DONE ? "the response has ended" : "call stream() before write()");
        }
        if (left >= 0 && length > left && !status.isBodiless()) {
            throw new IllegalStateException(
                    length + " bytes, but " + left + " are left of the length announced");
        }
        if (exchange.connection.unsentBytes() + length > http.limits.unsentBytesMax()
                || exchange.connection.hasRest()) {
            throw new IllegalStateException(
                    "the client does not read: more than "
                            + http.limits.unsentBytesMax()
                            + " bytes are unsent; write only while isWritable()");
        }
        if (left >= 0) {
            left = Math.max(0, left - length);
        }
        return length > 0 && !hasNoBody();
    }

    /**
     * {@return whether the kernel has taken everything that was sent so far: more can be written
     * without piling up} A handler that stops because it is false hears from {@link #onWritable}.
     */
    public boolean isWritable() {
        if (!exchange.isTurn()) {
            exchange.checkLoop();
        }
        return state != DONE
                && exchange.connection.transport().unsentBytes() == 0
                && !exchange.connection.hasRest();
    }

    /**
     * Ends the streamed body. Fewer bytes than announced close the connection, for the client could
     * not tell the end otherwise.
     *
     * @throws IllegalStateException where the response is not being streamed
     */
    public void end() {
        if (!exchange.isTurn()) {
            exchange.later(0, (request, response) -> response.end());
            return;
        }
        if (state != STREAM) {
            throw new IllegalStateException("the response is not being streamed");
        }
        if (left == CHUNKED && !hasNoBody()) {
            ensureRoom(LAST_CHUNK.length());
            out.put(LAST_CHUNK);
        } else if (left == UNTIL_CLOSE || (left > 0 && !hasNoBody())) {
            exchange.connection.closeAfterResponse();
        }
        ended();
    }

    // ---- what comes later

    /**
     * Leaves the response open when the handler returns. Request and response stay valid until it
     * has ended; other threads get at them by {@link Suspended#resume}. Allocates.
     *
     * @return the way back to this response, for any thread
     * @throws IllegalStateException where the response has ended, or is suspended already, or this
     *     is another request's handler, or another thread
     */
    public Suspended suspend() {
        if (!exchange.isTurn()) {
            throw new IllegalStateException("a response is suspended by its own handler");
        }
        if (state == DONE || suspended != null) {
            throw new IllegalStateException(
                    state == DONE ? "the response has ended" : "suspended already");
        }
        exchange.outlived = true;
        suspended = new Suspended(exchange, exchange.connection.transport());
        return suspended;
    }

    /**
     * Calls {@code action}, on the loop, each time the client has caught up with all written.
     *
     * @param action what to do; it must not block. It takes the place of the one before; null is
     *     none
     * @return this response
     * @throws IllegalStateException where the caller is another thread
     */
    public Response onWritable(Runnable action) {
        if (!exchange.isTurn()) {
            exchange.checkLoop();
        }
        onWritable = action;
        return this;
    }

    /**
     * Calls {@code action}, on the loop, once, if the connection is lost before the end.
     *
     * @param action what to do; it must not block. It takes the place of the one before; null is
     *     none
     * @return this response
     * @throws IllegalStateException where the caller is another thread
     */
    public Response onAbort(Runnable action) {
        if (!exchange.isTurn()) {
            exchange.checkLoop();
        }
        onAbort = action;
        return this;
    }

    /**
     * Calls {@code action}, on the loop, every {@code period} until the response has ended.
     *
     * @param period 100 ms or more; it comes up to 70 ms late
     * @param action what to do; it must not block. It takes the place of the one before
     * @return this response
     * @throws IllegalArgumentException where the period is shorter
     * @throws IllegalStateException where the caller is another thread
     */
    public Response onTick(Duration period, Runnable action) {
        if (!exchange.isTurn()) {
            exchange.checkLoop();
        }
        if (period.toMillis() < 100) {
            throw new IllegalArgumentException("a period of " + period + "; 100 ms is the least");
        }
        tickNanos = period.toNanos();
        onTick = action;
        if (!exchange.isTurn()) {
            // The deadline is set when its turn has come to an end.
            exchange.later(0, (request, response) -> {});
        }
        return this;
    }

    /**
     * Calls {@code action}, on the loop, once, when the server drains ({@code HttpServer.drain})
     * before the response has ended; soon, where it is draining already. Nothing else happens: a
     * response that is open has the time of the drain, and is cut off after that.
     *
     * @param action what to do; it must not block. It takes the place of the one before; null is
     *     none
     * @return this response
     * @throws IllegalStateException where the caller is another thread
     */
    public Response onDrain(Runnable action) {
        if (!exchange.isTurn()) {
            exchange.checkLoop();
        }
        onDrain = action;
        if (!exchange.isTurn()) {
            // Where the server drains already, it hears of that when its turn has come to an end.
            exchange.later(0, (request, response) -> {});
        }
        return this;
    }

    /** {@return whether the response has ended: nothing can be written any more} */
    public boolean hasEnded() {
        return state == DONE;
    }

    // ---- what the connection and its kin call

    /** Prepares for the next request. */
    void start(boolean newHeadOnly) {
        headOnly = newHeadOnly;
        status = Status.OK;
        state = NOTHING;
    }

    /** Has {@code event} written in the response's own turn, unless too much waits for that. */
    boolean writeLater(byte[] event) {
        if (!exchange.canDefer(event.length)) {
            return false;
        }
        exchange.later(
                event.length,
                (request, response) -> {
                    if (response.isWritable()) {
                        response.write(event);
                    }
                });
        return true;
    }

    /** Whether the caller may write now, rather than leave it to the response's own turn. */
    boolean isTurn() {
        return exchange.isTurn();
    }

    Http1 http() {
        return http;
    }

    /** Whether the request was a HEAD: what is written of the body goes nowhere. */
    boolean isHeadOnly() {
        return headOnly;
    }

    /** {@return whether the status has been written: it cannot be chosen any more} */
    public boolean hasBegun() {
        return state != NOTHING;
    }

    /** Whether it goes on after the handler has returned. */
    boolean isOpen() {
        return state == STREAM || (suspended != null && state != DONE);
    }

    /** Takes back what has been written of this response, unless it has left the buffer. */
    boolean takeBack() {
        if (state == NOTHING) {
            return true;
        }
        // Behind the flush that a file or memory begins with, the buffer is empty, and nobody has
        // come to say so where the file's own code failed.
        if (exchange.connection.hasFlushed() || out.position() <= start) {
            return false;
        }
        out.rewind(start);
        exchange.connection.dropRest();
        state = NOTHING;
        return true;
    }

    /** Ends the response with an empty body, unless it has ended. */
    void finish() {
        if (state != DONE) {
            endFields(0);
            ended();
        }
    }

    Runnable writableAction() {
        return onWritable;
    }

    Runnable tickAction() {
        return onTick;
    }

    long tickNanos() {
        return tickNanos;
    }

    boolean hearsOfDrain() {
        return onDrain != null;
    }

    /** What is to be done once, when the server drains; nothing where that has been done. */
    Runnable takeDrainAction() {
        Runnable action = onDrain;
        onDrain = null;
        return action != null ? action : () -> {};
    }

    /** The exchange is over; {@code aborted} where that is not because the response has ended. */
    void expire(boolean aborted) {
        state = DONE;
        Runnable abort = onAbort;
        onWritable = null;
        onAbort = null;
        onTick = null;
        onDrain = null;
        if (suspended != null) {
            suspended.end();
            suspended = null;
        }
        if (aborted && abort != null) {
            try {
                abort.run();
            } catch (Throwable failure) {
                http.report(failure);
            }
            Thread.interrupted();
        }
    }

    private void begin() {
        ensureRoom(HEAD_BYTES_MAX);
        exchange.connection.beginResponse();
        start = out.position();
        state = FIELDS;
    }

    private boolean keepsAlive() {
        return exchange.connection.keepsAlive();
    }

    private void putStatus(Status newStatus) {
        status = newStatus;
        if (newStatus == Status.OK) {
            http.date.putOk(out);
        } else {
            out.put(newStatus.line());
            http.date.putFields(out);
        }
        if (!keepsAlive() && exchange.request.minorVersion != 0) {
            out.put(CLOSE);
        }
    }

    /** To HTTP/1.0 it is said at the end of the fields: by then it is known how the body ends. */
    private void putConnection() {
        if (exchange.request.minorVersion == 0) {
            out.put(keepsAlive() ? KEEP_ALIVE : CLOSE);
        }
    }

    private void beginField(HeaderName name, int valueLength) {
        if (name.isServers()) {
            throw new IllegalArgumentException(name + " is written by the server");
        }
        field(name.encoded().length() + valueLength + 4);
        out.put(name.encoded());
    }

    private void field(int bytes) {
        if (state == NOTHING) {
            begin();
            putStatus(Status.OK);
        } else if (state != FIELDS) {
            throw new IllegalStateException(
                    state == DONE ? "the response has ended" : "the body has begun");
        }
        if (out.position() - start + bytes > HEAD_BYTES_MAX - NUMBER_AND_END_BYTES) {
            throw new IllegalStateException(
                    "status line and fields exceed " + HEAD_BYTES_MAX + " bytes");
        }
    }

    private void endFields(long contentLength) {
        field(CONTENT_LENGTH.length());
        if (!status.isBodiless()) {
            out.put(CONTENT_LENGTH);
            out.putDecimal(contentLength);
            out.putShort(CRLF);
        }
        putConnection();
        out.putShort(CRLF);
    }

    private void ended() {
        state = DONE;
    }

    private boolean hasNoBody() {
        return headOnly || status.isBodiless();
    }

    /** Copies all of it, however often the buffer has to be flushed. */
    private void putCopy(MemorySegment from, long offset, int length) {
        long at = offset;
        long end = offset + length;
        while (at < end) {
            ensureRoom(1);
            int piece = (int) Math.min(out.room(), end - at);
            out.put(from, at, piece);
            at += piece;
        }
    }

    private void putChunks(MemorySegment from, long offset, int length) {
        long at = offset;
        long end = offset + length;
        while (at < end) {
            ensureRoom(CHUNK_FRAME_BYTES + (int) Math.min(end - at, http.out.capacity() / 4));
            int piece = (int) Math.min(out.room() - CHUNK_FRAME_BYTES, end - at);
            out.putHexadecimal(piece);
            out.putShort(CRLF);
            out.put(from, at, piece);
            out.putShort(CRLF);
            at += piece;
        }
    }

    private void ensureRoom(int bytes) {
        if (out.room() < bytes) {
            exchange.connection.flush();
        }
    }
}
