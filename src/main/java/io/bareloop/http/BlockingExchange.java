package io.bareloop.http;

import io.bareloop.wire.FieldValue;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * The body of a request and the response to it, for a {@link BlockingStreamHandler}. Belongs to its
 * thread, or to one at a time that it hands this to, until it returns.
 *
 * <p>Nothing is collected, in either direction. Who does not read the body stops the client from
 * sending it, and who writes more than the client reads waits. On the heap there are at most 128
 * KiB of a body that is being read, allocated with its first bytes, and fewer where the client has
 * announced fewer; and 32 KiB of a response. Of the loop's memory at most 64 KiB are what came
 * behind a body that is not read, and 32 KiB what the client has not taken.
 *
 * <p>When the client is gone, or the server ends, a read and a write throw IOException, and the
 * thread is interrupted. A client that is silent is not waited for longer than the {@link Timeouts}
 * say; a thread that is silent is.
 */
public final class BlockingExchange {
    private static final byte[] EMPTY = {};

    private final Suspended suspended;
    final ArrivingBody body;
    private final List<Consumer<Response>> head = new ArrayList<>(4);
    private Status status;

    /** The response is being streamed; null where it is not. */
    private volatile AnswerStream stream;

    /** The response has been handed over as a whole. */
    private boolean sent;

    /** The handler has returned: its thread is not interrupted any more. */
    private volatile boolean returned;

    /** The response ends as the handler wants it. On the loop. */
    private boolean answered;

    BlockingExchange(Suspended suspended, long length) {
        this.suspended = suspended;
        body = new ArrivingBody(suspended, length);
    }

    /**
     * The body of the request, the same stream each time; empty where there is none. A client that
     * waits for "100 Continue" is told to go on when this is first read.
     *
     * <p>Reading throws IOException where the client is gone, or the body was refused (400, 408,
     * 413: then that was the response). What is not read is discarded when the response has ended,
     * or the connection ends with it, where that is more than 256 KiB. {@link
     * InputStream#transferTo} copies least. It has {@link Limits#streamedBytesMax} bytes at the
     * most, 1 GiB unless said otherwise; more is 413.
     *
     * @return the body, for one thread at a time
     */
    public InputStream body() {
        return body;
    }

    /**
     * Writes what is left of the body to a new file. Where that fails, for the client leaves or the
     * disk is full, the file is deleted.
     *
     * @param file a path that does not exist
     * @return the number of bytes
     * @throws java.nio.file.FileAlreadyExistsException where there is such a file; nothing has been
     *     read then
     * @throws IOException where {@link #body} throws it, or the file system does
     */
    public long transferTo(Path file) throws IOException {
        return NewFile.write(body, file);
    }

    // ---- the response

    /**
     * Sets the status; without this call it is 200.
     *
     * @param newStatus of the response, 200 to 599
     * @return this exchange
     * @throws IllegalStateException where the response has begun already
     * @throws IllegalArgumentException where the status is 1xx
     */
    public BlockingExchange status(Status newStatus) {
        checkNotBegun();
        status = newStatus.checkFinal();
        return this;
    }

    /**
     * Appends a field.
     *
     * @param name of the field
     * @param value of the field; see {@link Response#header(HeaderName, String) Response.header}
     *     for what it may be
     * @return this exchange
     * @throws IllegalStateException where the response has begun already
     * @throws IllegalArgumentException where the value may not be, or the field is the server's
     */
    public BlockingExchange header(HeaderName name, String value) {
        checkNotBegun();
        FieldValue.check(name, value);
        name.checkHandlers();
        head.add(response -> response.header(name, value));
        return this;
    }

    /**
     * Appends Content-Type.
     *
     * @param type of the body
     * @return this exchange
     * @throws IllegalStateException where the response has begun already
     */
    public BlockingExchange contentType(MediaType type) {
        checkNotBegun();
        Objects.requireNonNull(type, "type");
        head.add(response -> response.contentType(type));
        return this;
    }

    /**
     * Sends {@code reply} as the whole response. The handler may go on; what it throws from now on
     * is told to the server's log.
     *
     * @param reply the response, as a whole; not null, and not changed any more
     * @throws IllegalStateException where the response has begun already, or has a status or fields
     */
    public void send(Reply reply) {
        Objects.requireNonNull(reply, "reply");
        checkNotBegun();
        if (status != null || !head.isEmpty()) {
            throw new IllegalStateException("a reply has a status and fields of its own");
        }
        sent = true;
        suspended.resume(
                (request, response) -> {
                    answered();
                    response.send(reply);
                });
    }

    /**
     * Begins a body whose length is not known. It is chunked, unless it is closed before 32 KiB are
     * written and without a flush: then the client is told the length.
     *
     * <p>Nothing is sent before the buffer is full, or {@link OutputStream#flush}. From then on a
     * write waits while the client is behind. Writing throws IOException where it is gone. Closing
     * ends the response; so does the return of the handler.
     *
     * @return the body, for one thread at a time
     * @throws IllegalStateException where the response has begun already
     */
    public OutputStream stream() {
        return open(-1);
    }

    /**
     * As {@link #stream()}, with a body of {@code length} bytes, which the client is told. More
     * than those throw IOException; fewer end the connection with the response.
     *
     * @param length in bytes, 0 or more
     * @return the body, for one thread at a time
     * @throws IllegalStateException where the response has begun already
     * @throws IllegalArgumentException where it is less than 0
     */
    public OutputStream stream(long length) {
        if (length < 0) {
            throw new IllegalArgumentException("a length of " + length);
        }
        return open(length);
    }

    private OutputStream open(long length) {
        checkNotBegun();
        AnswerStream opened = new AnswerStream(this, suspended, length);
        stream = opened;
        return opened;
    }

    private void checkNotBegun() {
        if (sent || stream != null) {
            throw new IllegalStateException("the response has begun");
        }
    }

    // ---- the client

    /**
     * {@return whether the response has ended or the client is gone, as far as can be known: work
     * for it would be in vain} For any thread.
     */
    public boolean isGone() {
        return suspended.isGone();
    }

    /**
     * {@return whether the client has ended its sending side, as far as can be known} It may still
     * wait for the response, or be gone: see {@link Response#onHalfClose}. For any thread.
     */
    public boolean isHalfClosed() {
        return suspended.isHalfClosed();
    }

    // ---- the end

    /** The handler has returned, or thrown. On its thread. */
    void returned(Throwable failure) {
        returned = true;
        // The handler's, and not for what is sent now.
        Thread.interrupted();
        if (failure == null) {
            Blocking.release(suspended, last());
            return;
        }
        boolean whole = sent || (stream != null && stream.isWhole());
        Blocking.release(suspended, (request, response) -> Blocking.rethrow(failure));
        if (whole) {
            // The response is right, so that nobody else hears of it.
            suspended.report(failure);
        }
    }

    /** What is left to be done of the response. */
    private Handler last() {
        Handler last = null;
        if (stream != null) {
            try {
                last = stream.end();
            } catch (IOException lost) {
                // Not done where the client is gone, and nobody is left who could be told.
                last = (request, response) -> Blocking.rethrow(lost);
            }
        } else if (!sent) {
            last = (request, response) -> writeEmpty(response);
        }
        return last != null ? last : (request, response) -> {};
    }

    private void writeEmpty(Response response) {
        if (status == null && head.isEmpty()) {
            throw new IllegalStateException("the handler returned without a response");
        }
        writeHead(response);
        response.body(EMPTY);
    }

    // ---- on the loop

    void writeHead(Response response) {
        if (status != null) {
            response.status(status);
        }
        head.forEach(part -> part.accept(response));
    }

    /** The response ends now, as the handler wants it. */
    void answered() {
        answered = true;
    }

    /** The exchange is over, however it came about. */
    void over(Thread thread) {
        body.end(
                answered
                        ? "the response has ended, and with it the rest of the body"
                        : "the client is gone, or the server has ended");
        AnswerStream streamed = stream;
        if (streamed != null) {
            streamed.changed();
        }
        if (!answered && !returned) {
            thread.interrupt();
        }
    }
}
