package io.bareloop.http;

import io.bareloop.wire.Turn;
import io.bareloop.wire.Writer;
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
public final class Response extends ResponseHead {
    private static final byte[] NOTHING = {};

    private final Request request;

    /**
     * For the server: a response is made by the connection whose request it answers.
     *
     * @param request that it answers
     * @param writer what it is a view of
     * @param turn when it may be written
     * @hidden
     */
    @SuppressWarnings({"exports", "InvalidBlockTag"}) // only the server can call it
    public Response(Request request, Writer writer, Turn turn) {
        super(writer, turn);
        this.request = request;
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
        if (!turn.isMine()) {
            byte[] copy = body.clone();
            turn.later(copy.length, () -> body(copy));
            return;
        }
        writer.whole(body);
    }

    /**
     * Ends the response with {@code text} in UTF-8. Allocates. Without {@link #contentType} the
     * client is not told what it is.
     *
     * @param text of the body
     * @throws IllegalStateException where the body has begun
     */
    public void body(String text) {
        body(text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Ends the response with {@code value} as JSON, and Content-Type application/json. Allocates.
     *
     * @param json the library that writes it, at once
     * @param value to write; may be null
     * @throws IllegalArgumentException where {@code json} cannot write it; nothing is sent then,
     *     and it has the cause
     * @throws IllegalStateException where the body has begun
     */
    public void json(Json json, Object value) {
        byte[] written = Reply.written(json, value);
        contentType(MediaType.JSON).body(written);
    }

    /**
     * Ends the response with {@code status}, Location and no body: the client goes to {@code uri}.
     * What has no place in a URI is percent-encoded in UTF-8 (RFC 3987), a percent sign is taken
     * for part of an escape. Allocates nothing where there is none of that.
     *
     * <p>Where {@code uri} comes from a client, it is for the handler to see that it does not lead
     * to another site: {@code //example.org} does.
     *
     * @param status 301, 302, 303, 307 or 308
     * @param uri relative or absolute; not empty
     * @throws IllegalArgumentException where it is another status, or the URI has control
     *     characters
     * @throws IllegalStateException where the response has begun already
     */
    public void redirect(Status status, String uri) {
        Reply.checkRedirect(status);
        String location = UriReference.encode(uri);
        status(status).header(HeaderName.LOCATION, location).body(NOTHING);
    }

    /**
     * Ends the response with a copy of {@code view}, as {@link #body(byte[])} does.
     *
     * @param view of the bytes to copy
     * @throws IllegalStateException where the body has begun
     */
    public void body(ByteView view) {
        if (!turn.isMine()) {
            body(view.toByteArray());
            return;
        }
        writer.wholeCopy(view.segment(), view.offset(), view.length());
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
        if (!turn.isMine()) {
            turn.later(0, () -> body(body, offset, length));
            return;
        }
        writer.whole(body, offset, length);
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
        if (!turn.isMine()) {
            turn.later(0, () -> body(file, offset, length), file.source());
            return;
        }
        writer.whole(file.source(), offset, length);
    }

    /**
     * Sends {@code prepared} as the whole response.
     *
     * @param prepared the response, as a whole
     * @throws IllegalStateException where the response has begun already
     */
    public void send(Prepared prepared) {
        if (!turn.isMine()) {
            turn.later(0, () -> send(prepared));
            return;
        }
        writer.send(prepared.block());
    }

    /**
     * Sends {@code reply} as the whole response.
     *
     * @param reply the response, as a whole; not null, and not changed any more
     * @throws IllegalStateException where the response has begun already
     */
    public void send(Reply reply) {
        Objects.requireNonNull(reply, "the reply is null").writeTo(this);
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
        if (!turn.isMine()) {
            turn.later(0, () -> stream());
            return this;
        }
        writer.stream();
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
        if (!turn.isMine()) {
            turn.later(0, () -> stream(length));
            return this;
        }
        writer.stream(length);
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
        if (!turn.isMine()) {
            write(piece.toByteArray());
            return;
        }
        writer.write(piece.segment(), piece.offset(), piece.length());
    }

    /**
     * As {@link #write(ByteView)}.
     *
     * @param piece of any number of bytes; an empty one writes nothing
     */
    public void write(byte[] piece) {
        if (!turn.isMine()) {
            byte[] copy = piece.clone();
            turn.later(copy.length, () -> write(copy));
            return;
        }
        writer.write(piece);
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
        if (!turn.isMine()) {
            write(piece.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE));
            return;
        }
        writer.write(piece, offset, length);
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
        if (!turn.isMine()) {
            turn.later(0, () -> write(file, offset, length), file.source());
            return;
        }
        writer.write(file.source(), offset, length);
    }

    /**
     * {@return whether the kernel has taken everything that was sent so far: more can be written
     * without piling up} A handler that stops because it is false hears from {@link #onWritable}.
     */
    public boolean isWritable() {
        turn.checkLoop();
        return writer.isWritable();
    }

    /**
     * Ends the streamed body. Fewer bytes than announced close the connection, for the client could
     * not tell the end otherwise.
     *
     * @throws IllegalStateException where the response is not being streamed
     */
    public void end() {
        if (!turn.isMine()) {
            turn.later(0, this::end);
            return;
        }
        writer.end();
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
        if (!turn.isMine()) {
            throw new IllegalStateException(
                    "suspend() is called in the handler of this response, or in an action of it;"
                            + " from elsewhere only Suspended.resume gets at it");
        }
        if (writer.hasEnded()) {
            throw new IllegalStateException(
                    "the response has ended: suspend() comes before body(), send() and end()");
        }
        if (turn.isSuspended()) {
            throw new IllegalStateException(
                    "suspended already: the Suspended of the first suspend() may be used again");
        }
        return new Suspended(turn.suspend(), request, this);
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
        turn.checkLoop();
        turn.onWritable(action);
        return this;
    }

    /**
     * Calls {@code action}, on the loop, once, if the connection is lost before the end: at once
     * where the client's kernel says so, also while the body is paused.
     *
     * @param action what to do; it must not block. It takes the place of the one before; null is
     *     none
     * @return this response
     * @throws IllegalStateException where the caller is another thread
     */
    public Response onAbort(Runnable action) {
        turn.checkLoop();
        turn.onAbort(action);
        return this;
    }

    /**
     * Calls {@code action}, on the loop, once, when the client has ended its sending side before
     * the response has ended; soon, where it has already. Noticed while the body is paused too, and
     * while requests behind this one wait, as long as what it sent fits into the buffer of the
     * kernel: the end stands behind that. Nothing else happens, for a client may do that and read
     * on (RFC 9112, section 9.6). But one that has gone looks the same, as a browser whose page was
     * closed: until something is sent to it, and it answers with a reset, which {@link #onAbort}
     * tells. So work that takes long may end here, or what is there be sent.
     *
     * @param action what to do; it must not block. It takes the place of the one before; null is
     *     none
     * @return this response
     * @throws IllegalStateException where the caller is another thread
     */
    public Response onHalfClose(Runnable action) {
        turn.checkLoop();
        turn.onHalfClose(action);
        return this;
    }

    /**
     * {@return whether the client is known to have ended its sending side: see {@link
     * #onHalfClose}}
     *
     * @throws IllegalStateException where the caller is another thread
     */
    public boolean isHalfClosed() {
        turn.checkLoop();
        return turn.isHalfClosed();
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
        turn.checkLoop();
        if (period.toMillis() < 100) {
            throw new IllegalArgumentException("a period of " + period + "; 100 ms is the least");
        }
        turn.onTick(period.toNanos(), action);
        turn.soon();
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
        turn.checkLoop();
        turn.onDrain(action);
        turn.soon();
        return this;
    }

    /**
     * Stops presenting the body to a {@link StreamHandler}: neither {@link StreamHandler#piece} nor
     * {@link StreamHandler#end} is called until {@link #resumeBody}. Nothing is collected
     * meanwhile: what has arrived waits where it is, 64 KiB at the most, then the client's kernel
     * is told that there is no room. May be called in any part of the handler; again, or where
     * nothing of the body is to come, it does nothing.
     *
     * <p>The time-out for the body does not run meanwhile: it is not the client that is slow. A
     * client that is lost is told by {@link #onAbort}, as ever; one that has ended its sending side
     * by {@link #onHalfClose}, and from then on a pause is no longer than {@link Timeouts#body},
     * lest a client that is gone be waited for. Otherwise whoever never resumes keeps the
     * connection until the client leaves, or a drain is over. Costs nothing while pieces come.
     *
     * @return this response
     * @throws IllegalStateException where the caller is another thread
     */
    public Response pauseBody() {
        if (!turn.isMine()) {
            turn.later(0, turn::pauseBody);
            return this;
        }
        turn.pauseBody();
        return this;
    }

    /**
     * Presents the body again after {@link #pauseBody}, from where it was, in a later turn of the
     * loop. From another thread: by {@link Suspended#resume}. Where it is not paused, nothing
     * happens. Allocates.
     *
     * @return this response
     * @throws IllegalStateException where the caller is another thread
     */
    public Response resumeBody() {
        if (!turn.isMine()) {
            turn.later(0, turn::resumeBody);
            return this;
        }
        turn.resumeBody();
        return this;
    }

    /** {@return whether the response has ended: nothing can be written any more} */
    public boolean hasEnded() {
        return writer.hasEnded();
    }

    /** {@return whether it was suspended, and has not ended} */
    public boolean isSuspended() {
        return turn.isSuspended() && !writer.hasEnded();
    }

    /** {@return whether the status has been written: it cannot be chosen any more} */
    public boolean hasBegun() {
        return writer.hasBegun();
    }
}
