package io.bareloop.http;

import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * HTTP/1.1 for one loop: what its connections share, because only one of them is served at a time.
 */
public final class Http1 implements Protocol.Factory {
    /** Native memory of an instance, in bytes: what it sent, and what it parsed last. */
    public static final long NATIVE_BYTES =
            (long) LastSent.BYTES_MAX + DateField.NATIVE_BYTES + 2 * LastBytes.BYTES_MAX;

    /**
     * Exchanges that are kept for the next requests; a burst of more leaves the others to the heap.
     */
    private static final int SPARE_EXCHANGES_MAX = 64;

    final RequestParser parser;
    final Limits limits;
    final Handler handler;
    final Consumer<Throwable> failures;
    final OutputBuffer out;
    final Slab slab;
    final DateField date;
    final LastSent lastSent;
    final long headNanos;
    final long bodyNanos;
    final long idleNanos;

    /** The number of the loop's thread, once there has been a request. */
    long thread;

    /**
     * For requests that come to their end in the call in which they are received; null where the
     * last one outlived that.
     */
    private Exchange exchange;

    private ByteView piece = new ByteView();

    private final Exchange[] free = new Exchange[SPARE_EXCHANGES_MAX];
    private int freeCount;

    /** What the last request that is not used again has left; or null. */
    private long[] fieldsOfRetired;

    private final Map<Status, byte[]> errorTexts = new EnumMap<>(Status.class);

    /**
     * Creates the protocol of one loop.
     *
     * @param arena where its memory comes from
     * @param out the loop's output buffer, at least 32 KiB
     * @param slab memory for requests that are not answered at once
     * @param limits of what clients may ask for
     * @param timeouts of what clients may keep the server waiting for
     * @param handler answers the requests, on the loop's thread
     * @param failures is told of exceptions that a handler threw, on the loop's thread
     */
    public Http1(
            Arena arena,
            OutputBuffer out,
            Slab slab,
            Limits limits,
            Timeouts timeouts,
            Handler handler,
            Consumer<Throwable> failures) {
        this.limits = limits;
        this.handler = handler;
        this.failures = failures;
        this.out = out;
        this.slab = slab;
        headNanos = timeouts.head().toNanos();
        bodyNanos = timeouts.body().toNanos();
        idleNanos = timeouts.idle().toNanos();
        parser = new RequestParser(limits);
        date = new DateField(arena);
        lastSent = new LastSent(arena);
        exchange = new Exchange(this, null);
    }

    @Override
    public Protocol newProtocol() {
        return new HttpConnection(this);
    }

    @Override
    public void turn(long nowNanos) {
        date.update(nowNanos);
    }

    @Override
    public void ended() {
        // Whoever has kept a request finds it over, and not in memory that is freed.
        if (exchange != null) {
            exchange.request.expire();
        }
    }

    /** Whoever's turn it was, it is over: the connection has come to its end in it. */
    void endTurn() {
        if (exchange != null) {
            exchange.turn = Exchange.NOBODY;
        }
    }

    /** The exchange of the next request: the one that is at hand, or another. */
    Exchange exchange() {
        Exchange next = exchange;
        return next != null ? next : another();
    }

    private Exchange another() {
        if (freeCount > 0) {
            exchange = free[--freeCount];
        } else {
            exchange = new Exchange(this, fieldsOfRetired);
            fieldsOfRetired = null;
        }
        return exchange;
    }

    /** {@code used} outlasts the call: the next request gets another one. */
    void handOver(Exchange used) {
        if (used == exchange) {
            exchange = null;
        }
    }

    /** {@code used} is over; its memory goes back, unless another thread still reads it. */
    void release(Exchange used) {
        if (!used.retained) {
            recycle(used);
        }
    }

    void recycle(Exchange used) {
        used.request.expire();
        if (used.slice != null) {
            slab.give(used.slice);
            used.slice = null;
        }
        if (used.outlived || Checks.ENABLED) {
            // Never used again, so that a late use is seen.
            handOver(used);
            fieldsOfRetired = used.request.retire();
        } else if (used != exchange && freeCount < SPARE_EXCHANGES_MAX) {
            free[freeCount++] = used;
        }
    }

    /** Tells of what user code has thrown. What the log throws itself is nobody's loss but its. */
    void report(Throwable failure) {
        try {
            failures.accept(failure);
        } catch (Throwable ofTheLog) {
            // The request has its answer all the same.
        }
    }

    /** The view of pieces of bodies; the one before has come to its end. */
    ByteView piece() {
        if (Checks.ENABLED) {
            piece = new ByteView();
        }
        return piece;
    }

    byte[] errorText(Status status, String message) {
        if (message != null) {
            return (status.code() + " " + status.reason() + ": " + message + "\n")
                    .getBytes(StandardCharsets.UTF_8);
        }
        return errorTexts.computeIfAbsent(
                status,
                key ->
                        (key.code() + " " + key.reason() + "\n")
                                .getBytes(StandardCharsets.US_ASCII));
    }
}
