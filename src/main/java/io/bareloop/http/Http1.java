package io.bareloop.http;

import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * HTTP/1.1 for one loop: what its connections share, because only one of them is served at a time.
 */
public final class Http1 implements Protocol.Factory {
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

    /** For requests that come to their end in the call in which they are received. */
    Exchange exchange;

    private ByteView piece = new ByteView();

    private final ArrayDeque<Exchange> free = new ArrayDeque<>();
    private final Map<Status, byte[]> errorTexts = new EnumMap<>(Status.class);

    /**
     * Creates the protocol of one loop.
     *
     * @param arena where its memory comes from
     * @param out the loop's output buffer, at least 32 KiB
     * @param slab memory for requests that are not answered at once
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
        exchange = new Exchange(this);
    }

    @Override
    public Protocol newProtocol() {
        return new HttpConnection(this);
    }

    @Override
    public void turn(long nowNanos) {
        date.update(nowNanos);
    }

    /** {@code used} outlasts the call: the next request gets another one. */
    void handOver(Exchange used) {
        if (used == exchange) {
            Exchange next = free.poll();
            exchange = next != null ? next : new Exchange(this);
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
        if (Checks.ENABLED) {
            // Never used again, so that a late use is seen.
            handOver(used);
        } else if (used != exchange) {
            free.push(used);
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
