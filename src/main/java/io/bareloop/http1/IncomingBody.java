package io.bareloop.http1;

import io.bareloop.http.Timeouts;
import io.bareloop.wire.Encoded;
import io.bareloop.wire.Head;
import io.bareloop.wire.OutputBuffer;
import java.lang.foreign.MemorySegment;

/**
 * The body of the request at hand, or of one that was answered before its body ended: how it is
 * framed, how much of it has come, and how long the rest may take.
 */
final class IncomingBody {
    private static final Encoded CONTINUE = Encoded.ascii("HTTP/1.1 100 Continue\r\n\r\n");
    static final int CONTINUE_BYTES = CONTINUE.length();

    private static final long NANOS_PER_BYTE = 1_000_000_000L / Timeouts.BODY_BYTES_PER_SECOND_MIN;

    /** The sum with nanoseconds of the clock must not overflow. */
    private static final long TIMED_BYTES_MAX = 1L << 40;

    /** What is read and discarded of a body that its handler did not wait for. */
    static final int SKIPPED_BYTES_MAX = 256 << 10;

    private final BodyDecoder decoder = new BodyDecoder();
    private long bytes;
    private long startNanos;

    /** The client waits for "100 Continue" (RFC 9110, section 10.1.1). */
    private boolean expected;

    void begin(Head head, long nowNanos) {
        expected = head.says(Head.EXPECTS_CONTINUE);
        restart(nowNanos);
        if (head.says(Head.CHUNKED)) {
            decoder.startChunked();
        } else {
            decoder.startLength(head.contentLength);
        }
    }

    /** From here on the rest of the body is skipped, which has bounds of its own. */
    void restart(long nowNanos) {
        bytes = 0;
        startNanos = nowNanos;
    }

    /** Decodes from {@code at} on; a piece, where there is one, is at {@link #start}. */
    int decode(MemorySegment in, int at, int to) {
        int next = decoder.decode(in, at, to);
        bytes += length();
        return next;
    }

    int start() {
        return decoder.pieceStart();
    }

    int length() {
        return decoder.pieceEnd() - decoder.pieceStart();
    }

    /** Bytes since it began, or began to be skipped. */
    long bytes() {
        return bytes;
    }

    boolean isMalformed() {
        return decoder.isMalformed();
    }

    boolean isDone() {
        return decoder.isDone();
    }

    /** Somebody wants it: whether the client has to be told; {@code begun} where it has begun. */
    boolean isAskedFor(boolean begun) {
        boolean waits = expected && !begun;
        expected = false;
        return waits;
    }

    void putContinue(OutputBuffer out) {
        out.put(CONTINUE);
    }

    /**
     * Whether it cannot be told, once a response has been sent, where the next request begins: a
     * client that waits for "100 Continue" may send its body or not. Or whether that is further
     * away than is worth discarding.
     */
    boolean mayBeLeft() {
        return expected || decoder.left() > SKIPPED_BYTES_MAX;
    }

    /** Until when the whole body has to be here: {@code nanos}, and more for what has come. */
    long deadline(long nanos) {
        return startNanos + nanos + Math.min(bytes, TIMED_BYTES_MAX) * NANOS_PER_BYTE;
    }
}
