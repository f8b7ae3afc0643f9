package io.bareloop.http;

import java.time.Duration;

/**
 * How long a connection may keep the server waiting: 1 ms to 24 h each.
 *
 * @param head from accept, or from the first byte of a request's head, to its last; then 408
 * @param body from the end of the head to the end of the body, one second more for each {@link
 *     #BODY_BYTES_PER_SECOND_MIN} received; then 408, or a close where the response has begun
 * @param idle from the end of one request to the first byte of the next; then the connection closes
 * @param send without the peer acknowledging any byte of what is being sent, as its kernel does
 *     when it has room for it; then the connection closes, at the latest a quarter of this time
 *     after
 * @param linger for as long as a client that still sends when its connection is to be closed, as
 *     one does whose body was refused, is listened to, so that it can read the answer; or until it
 *     has sent nothing for 5 s
 */
public record Timeouts(
        Duration head, Duration body, Duration idle, Duration send, Duration linger) {
    /** A body may take its time, but not come slower than this: 1 KiB/s. */
    public static final int BODY_BYTES_PER_SECOND_MIN = 1 << 10;

    private static final Timeouts DEFAULTS =
            new Timeouts(
                    Duration.ofSeconds(10),
                    Duration.ofSeconds(30),
                    Duration.ofSeconds(60),
                    Duration.ofSeconds(30),
                    Duration.ofSeconds(30));

    /**
     * Time-outs of 1 ms to 24 h each.
     *
     * @throws IllegalArgumentException where one is out of that range; the message names it
     */
    public Timeouts {
        check("head", head);
        check("body", body);
        check("idle", idle);
        check("send", send);
        check("linger", linger);
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
     * As these, with another {@link #head()}.
     *
     * @param time 1 ms to 24 h
     * @return new time-outs
     * @throws IllegalArgumentException where it is out of range
     */
    public Timeouts head(Duration time) {
        return new Timeouts(time, body, idle, send, linger);
    }

    /**
     * As these, with another {@link #body()}.
     *
     * @param time 1 ms to 24 h
     * @return new time-outs
     * @throws IllegalArgumentException where it is out of range
     */
    public Timeouts body(Duration time) {
        return new Timeouts(head, time, idle, send, linger);
    }

    /**
     * As these, with another {@link #idle()}.
     *
     * @param time 1 ms to 24 h
     * @return new time-outs
     * @throws IllegalArgumentException where it is out of range
     */
    public Timeouts idle(Duration time) {
        return new Timeouts(head, body, time, send, linger);
    }

    /**
     * As these, with another {@link #send()}.
     *
     * @param time 1 ms to 24 h
     * @return new time-outs
     * @throws IllegalArgumentException where it is out of range
     */
    public Timeouts send(Duration time) {
        return new Timeouts(head, body, idle, time, linger);
    }

    /**
     * As these, with another {@link #linger()}.
     *
     * @param time 1 ms to 24 h
     * @return new time-outs
     * @throws IllegalArgumentException where it is out of range
     */
    public Timeouts linger(Duration time) {
        return new Timeouts(head, body, idle, send, time);
    }

    private static void check(String name, Duration time) {
        if (time.toMillis() < 1 || time.compareTo(Duration.ofHours(24)) > 0) {
            throw new IllegalArgumentException(
                    "time-out " + name + " is " + time + "; it must be 1 ms to 24 h");
        }
    }
}
