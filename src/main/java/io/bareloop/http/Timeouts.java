package io.bareloop.http;

import java.time.Duration;

/**
 * How long a connection may keep the server waiting.
 *
 * @param head from accept, or from the first byte of a request's head, to its last; then 408
 * @param body from the end of the head to the end of the body, one second more for each {@link
 *     #BODY_BYTES_PER_SECOND_MIN} received; then 408, or a close where the response has begun
 * @param idle from the end of one request to the first byte of the next; then the connection closes
 * @param send without the peer taking any byte of what is to be sent; then the connection closes
 */
public record Timeouts(Duration head, Duration body, Duration idle, Duration send) {
    /** A body may take its time, but not come slower than this: 1 KiB/s. */
    public static final int BODY_BYTES_PER_SECOND_MIN = 1 << 10;

    private static final Timeouts DEFAULTS =
            new Timeouts(
                    Duration.ofSeconds(10),
                    Duration.ofSeconds(30),
                    Duration.ofSeconds(60),
                    Duration.ofSeconds(30));

    public Timeouts {
        check("head", head);
        check("body", body);
        check("idle", idle);
        check("send", send);
    }

    /** 10 s for a head, 30 s and longer for a body, 60 s idle, 30 s without progress in sending. */
    public static Timeouts defaults() {
        return DEFAULTS;
    }

    /** As these, with another {@link #head()}. */
    public Timeouts head(Duration time) {
        return new Timeouts(time, body, idle, send);
    }

    /** As these, with another {@link #body()}. */
    public Timeouts body(Duration time) {
        return new Timeouts(head, time, idle, send);
    }

    /** As these, with another {@link #idle()}. */
    public Timeouts idle(Duration time) {
        return new Timeouts(head, body, time, send);
    }

    /** As these, with another {@link #send()}. */
    public Timeouts send(Duration time) {
        return new Timeouts(head, body, idle, time);
    }

    private static void check(String name, Duration time) {
        if (time.toMillis() < 1 || time.compareTo(Duration.ofHours(24)) > 0) {
            throw new IllegalArgumentException(
                    "time-out " + name + " is " + time + "; it must be 1 ms to 24 h");
        }
    }
}
