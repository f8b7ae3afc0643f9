package io.bareloop.http1;

import io.bareloop.exchange.Exchange;
import io.bareloop.http.Status;
import io.bareloop.http.Timeouts;
import io.bareloop.wire.Encoded;
import io.bareloop.wire.Head;
import io.bareloop.wire.Transport;
import java.lang.foreign.MemorySegment;

/**
 * The body of the request at hand, or of one that was answered before its body ended: how it is
 * framed, how much of it has come, and how long the rest may take. Takes it off the front of the
 * input, and hands it on, unless its handler has paused it.
 */
final class IncomingBody {
    private static final Encoded CONTINUE = Encoded.ascii("HTTP/1.1 100 Continue\r\n\r\n");

    private static final long NANOS_PER_BYTE = 1_000_000_000L / Timeouts.BODY_BYTES_PER_SECOND_MIN;

    /** The sum with nanoseconds of the clock must not overflow. */
    private static final long TIMED_BYTES_MAX = 1L << 40;

    /** What is read and discarded of a body that its handler did not wait for. */
    static final int SKIPPED_BYTES_MAX = 256 << 10;

    private final Http1 http;
    private final Http1Connection connection;
    private final BodyDecoder decoder = new BodyDecoder();
    private long bytes;
    private long startNanos;

    /** Its handler takes no more for now, since {@link #pausedNanos}. */
    private boolean paused;

    private long pausedNanos;

    /** When a pause has been too long, for the client may be gone; or {@link Transport#NEVER}. */
    private long overdueNanos = Transport.NEVER;

    /** The client waits for "100 Continue" (RFC 9110, section 10.1.1). */
    private boolean expected;

    IncomingBody(Http1 http, Http1Connection connection) {
        this.http = http;
        this.connection = connection;
    }

    void begin(Exchange exchange, long nowNanos) {
        Head head = exchange.head();
        paused = false;
        expected = head.says(Head.EXPECTS_CONTINUE);
        restart(nowNanos);
        if (head.says(Head.CHUNKED)) {
            decoder.startChunked();
        } else {
            decoder.startLength(head.contentLength);
        }
    }

    private void restart(long nowNanos) {
        bytes = 0;
        startNanos = nowNanos;
    }

    /** From here on the rest of the body is skipped, which has bounds of its own. */
    void skip() {
        restart(connection.transport().now());
        if (paused) {
            paused = false;
            endWhenDone();
            connection.transport().resume();
        }
    }

    /**
     * The handler of {@code exchange} has been told; tells the client where it waits for that, as
     * it does not where the body {@code hasCome} already.
     */
    void begun(Exchange exchange, boolean hasCome) {
        if (connection.active() == null || !exchange.wantsBody() || (paused && !hasCome)) {
            return;
        }
        boolean waits = expected && !hasCome;
        expected = false;
        if (waits && !exchange.writer().hasBegun()) {
            if (http.out.room() < CONTINUE.length()) {
                connection.transport().flush();
            }
            http.out.put(CONTINUE);
        }
    }

    /** Takes what is there of it; returns the index behind that. */
    int receive(MemorySegment in, int from, int to) {
        int at = from;
        while (connection.awaitsBody()
                && !paused
                && !connection.isClosing()
                && !decoder.isDone()
                && at < to
                && connection.transport().unsentBytes() == 0) {
            at = decoder.decode(in, at, to);
            int length = decoder.pieceEnd() - decoder.pieceStart();
            bytes += length;
            Exchange exchange = connection.active();
            if (decoder.isMalformed()) {
                failed(Status.BAD_REQUEST);
            } else if (bytes > (exchange == null ? SKIPPED_BYTES_MAX : exchange.bodyBytesMax())) {
                failed(Status.CONTENT_TOO_LARGE);
            } else if (length > 0
                    && exchange != null
                    && !exchange.take(in, decoder.pieceStart(), length)) {
                failed(Status.SERVICE_UNAVAILABLE);
            }
        }
        endWhenDone();
        return connection.behindBody(at, to);
    }

    /** Nothing of it is left to be taken: it has come to its end. */
    void endWhenDone() {
        if (connection.awaitsBody() && decoder.isDone() && !paused) {
            connection.bodyEnded();
        }
    }

    /** It cannot be taken any further. */
    void failed(Status status) {
        Exchange exchange = connection.active();
        connection.bodyLeft();
        if (exchange == null) {
            // It was only being skipped; its response has been sent.
            connection.close(true);
            return;
        }
        exchange.bodyAborted(status);
        if (exchange.writer().takeBack()) {
            connection.refuse(exchange, status);
        } else {
            connection.transport().countError();
            connection.transport().countRequest();
            connection.dropRest();
            exchange.abort();
            connection.close(true);
        }
    }

    // ---- a handler that takes no more for now

    /** No more is taken: neither a piece nor the end. */
    void pause() {
        paused = true;
        pausedNanos = connection.transport().now();
        overdueNanos = Transport.NEVER;
        connection.transport().pause();
        if (connection.hasHungUp()) {
            hungUp();
        }
    }

    /** The peer has ended its sending side: from now on a pause has the time of a body. */
    void hungUp() {
        overdueNanos = connection.transport().now() + http.bodyNanos;
    }

    /** Whether the time that has come is that of the body, and not only of its handler's turn. */
    boolean isOverdue() {
        return !paused
                || (overdueNanos != Transport.NEVER
                        && connection.transport().now() - overdueNanos >= 0);
    }

    /** It goes on, in another call; the client has the time that it was not let. */
    void resume(Exchange exchange) {
        paused = false;
        startNanos += connection.transport().now() - pausedNanos;
        begun(exchange, false);
        if (decoder.isDone()) {
            // No input comes to say so.
            exchange.later(0, this::endWhenDone);
        }
        connection.transport().resume();
    }

    boolean isPaused() {
        return paused;
    }

    /**
     * Whether it cannot be told, once a response has been sent, where the next request begins: a
     * client that waits for "100 Continue" may send its body or not. Or whether that is further
     * away than is worth discarding.
     */
    boolean mayBeLeft() {
        return expected || decoder.left() > SKIPPED_BYTES_MAX;
    }

    /**
     * Until when the whole body has to be here: longer for what has come. Paused, it is waited for
     * its handler.
     */
    long deadline() {
        if (paused) {
            return Math.min(connection.active().dueNanos(), overdueNanos);
        }
        return startNanos + http.bodyNanos + Math.min(bytes, TIMED_BYTES_MAX) * NANOS_PER_BYTE;
    }
}
