package io.bareloop.http;

import java.time.Duration;
import java.util.Objects;

/**
 * How long a connection may keep the server waiting: 1 ms to 24 h each.
 *
 * <pre>{@code
 * Timeouts timeouts = Timeouts.builder().idle(Duration.ofSeconds(15)).build();
 * }</pre>
 *
 * <p>Immutable, for any thread.
 */
public final class Timeouts {
    /** A body may take its time, but not come slower than this: 1 KiB/s. */
    public static final int BODY_BYTES_PER_SECOND_MIN = 1 << 10;

    private static final Timeouts DEFAULTS = new Builder().build();

    private final Duration head;
    private final Duration body;
    private final Duration idle;
    private final Duration send;
    private final Duration linger;

    private Timeouts(Builder builder) {
        head = builder.head;
        body = builder.body;
        idle = builder.idle;
        send = builder.send;
        linger = builder.linger;
    }

    /**
     * 10 s for a head, 30 s and longer for a body, 60 s idle, 30 s without progress in sending, 30
     * s of listening before a close.
     *
     * @return the defaults, as above
     */
    public static Timeouts defaults() {
        return DEFAULTS;
    }

    /**
     * Begins with {@link #defaults()}.
     *
     * @return a builder, to be used by one thread
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Begins with these time-outs, which stay as they are.
     *
     * @return a builder, to be used by one thread
     */
    public Builder toBuilder() {
        Builder builder = new Builder();
        builder.head = head;
        builder.body = body;
        builder.idle = idle;
        builder.send = send;
        builder.linger = linger;
        return builder;
    }

    /**
     * {@return the time from accept, or from the first byte of a request's head, to its last; then
     * 408}
     */
    public Duration head() {
        return head;
    }

    /**
     * {@return the time from the end of the head to the end of the body, one second more for each
     * {@link #BODY_BYTES_PER_SECOND_MIN} received, and what its handler has paused it for; then
     * 408, or a close where the response has begun}
     */
    public Duration body() {
        return body;
    }

    /**
     * {@return the time from the end of one request to the first byte of the next; then the
     * connection closes}
     */
    public Duration idle() {
        return idle;
    }

    /**
     * {@return the time without the peer acknowledging any byte of what is being sent, as its
     * kernel does when it has room for it; then the connection closes, at the latest a quarter of
     * this time after}
     */
    public Duration send() {
        return send;
    }

    /**
     * {@return the time for which a client that still sends when its connection is to be closed, as
     * one does whose body was refused, is listened to, so that it can read the answer; or until it
     * has sent nothing for 5 s}
     */
    public Duration linger() {
        return linger;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Timeouts that
                && head.equals(that.head)
                && body.equals(that.body)
                && idle.equals(that.idle)
                && send.equals(that.send)
                && linger.equals(that.linger);
    }

    @Override
    public int hashCode() {
        return Objects.hash(head, body, idle, send, linger);
    }

    /** {@return all of them by name: {@code Timeouts[head=PT10S, body=PT30S, ...]}} */
    @Override
    public String toString() {
        return "Timeouts[head="
                + head
                + ", body="
                + body
                + ", idle="
                + idle
                + ", send="
                + send
                + ", linger="
                + linger
                + "]";
    }

    /** Makes time-outs, one call for each that differs. Not safe for several threads at once. */
    public static final class Builder {
        private Duration head = Duration.ofSeconds(10);
        private Duration body = Duration.ofSeconds(30);
        private Duration idle = Duration.ofSeconds(60);
        private Duration send = Duration.ofSeconds(30);
        private Duration linger = Duration.ofSeconds(30);

        private Builder() {}

        /**
         * The time from accept, or from the first byte of a request's head, to its last; then 408.
         * Without this call 10 s.
         *
         * @param time 1 ms to 24 h
         * @return this builder
         * @throws IllegalArgumentException where it is out of range; the message names the time-out
         */
        public Builder head(Duration time) {
            check("head", time);
            head = time;
            return this;
        }

        /**
         * The time from the end of the head to the end of the body, one second more for each {@link
         * Timeouts#BODY_BYTES_PER_SECOND_MIN} received; then 408, or a close where the response has
         * begun. Without this call 30 s.
         *
         * @param time 1 ms to 24 h
         * @return this builder
         * @throws IllegalArgumentException where it is out of range; the message names the time-out
         */
        public Builder body(Duration time) {
            check("body", time);
            body = time;
            return this;
        }

        /**
         * The time from the end of one request to the first byte of the next; then the connection
         * closes. Without this call 60 s.
         *
         * @param time 1 ms to 24 h
         * @return this builder
         * @throws IllegalArgumentException where it is out of range; the message names the time-out
         */
        public Builder idle(Duration time) {
            check("idle", time);
            idle = time;
            return this;
        }

        /**
         * The time without the peer acknowledging any byte of what is being sent, as its kernel
         * does when it has room for it; then the connection closes, at the latest a quarter of this
         * time after. Without this call 30 s.
         *
         * @param time 1 ms to 24 h
         * @return this builder
         * @throws IllegalArgumentException where it is out of range; the message names the time-out
         */
        public Builder send(Duration time) {
            check("send", time);
            send = time;
            return this;
        }

        /**
         * The time for which a client that still sends when its connection is to be closed, as one
         * does whose body was refused, is listened to, so that it can read the answer; or until it
         * has sent nothing for 5 s. Without this call 30 s.
         *
         * @param time 1 ms to 24 h
         * @return this builder
         * @throws IllegalArgumentException where it is out of range; the message names the time-out
         */
        public Builder linger(Duration time) {
            check("linger", time);
            linger = time;
            return this;
        }

        /**
         * Makes the time-outs.
         *
         * @return time-outs as this builder has them now
         */
        public Timeouts build() {
            return new Timeouts(this);
        }

        private static void check(String name, Duration time) {
            if (time.toMillis() < 1 || time.compareTo(Duration.ofHours(24)) > 0) {
                throw new IllegalArgumentException(
                        "time-out " + name + " is " + time + "; it must be 1 ms to 24 h");
            }
        }
    }
}
