package io.bareloop.http;

import io.bareloop.wire.Turn;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * Server-sent events (the EventSource of the HTML standard) on one response.
 *
 * <p>{@link #open} in a handler; from then on, on the loop, {@link #send}. From other threads by
 * way of {@link #execute}. A comment goes out as heartbeat, so that a client that is gone is
 * noticed and intermediaries see the connection is alive.
 *
 * <p>To tell all clients, keep their streams, and send on each of them in its own loop:
 *
 * <pre>{@code
 * Set<EventStream> readers = ConcurrentHashMap.newKeySet();
 * // in the handler of the stream
 * readers.add(EventStream.open(response, Duration.ofSeconds(15)));
 * // anywhere, on any thread
 * readers.removeIf(EventStream::isGone);
 * readers.forEach(reader -> reader.execute(() -> reader.send("note", text)));
 * }</pre>
 *
 * <p>{@link Response#onAbort} and {@link Response#onWritable} are free for the handler's own use.
 *
 * <p>When the server drains, the stream ends, properly and at once: a browser then connects again,
 * to whoever serves by then. {@link #onDrain} may send a last event.
 */
public final class EventStream {
    private static final byte[] HEARTBEAT = ":\n\n".getBytes(StandardCharsets.US_ASCII);

    private static final int TEXT_CHARS_KEPT = 4096;

    private final Response response;
    private final Suspended suspended;

    /** A HEAD: the stream has ended with its head, and what is sent goes nowhere. */
    private final boolean headOnly;

    private final Runnable onTick;
    private final StringBuilder text = new StringBuilder(128);
    private Runnable onDrain;

    private EventStream(Response response, Duration period, Runnable onTick) {
        this.response = response;
        this.onTick = onTick;
        this.suspended = response.suspend();
        this.headOnly = response.isHeadOnly();
        response
                .contentType(MediaType.EVENT_STREAM)
                .header(HeaderName.CACHE_CONTROL, "no-store")
                .stream()
                .onTick(period, this::tick)
                .onDrain(this::drain);
        if (headOnly) {
            // A HEAD would wait for the end of a body that it never sees.
            response.end();
        }
    }

    /**
     * Begins a stream as the response.
     *
     * @param response of the handler at hand, of which nothing has been sent but status and fields
     * @param heartbeat how often a comment is sent, 100 ms or more
     * @return the stream; {@link #send} may be called at once
     * @throws IllegalArgumentException where the time is shorter
     * @throws IllegalStateException where the response has ended, its body has begun, it is
     *     suspended, or it is not of the handler at hand
     */
    public static EventStream open(Response response, Duration heartbeat) {
        return new EventStream(response, heartbeat, null);
    }

    /**
     * Begins a stream as the response, and calls {@code onTick} on the loop every {@code period}
     * until it has ended; what that sends takes the place of a heartbeat.
     *
     * @param response of the handler at hand, of which nothing has been sent but status and fields
     * @param period 100 ms or more; it comes up to 70 ms late
     * @param onTick what to do each time; it must not block. Null sends heartbeats
     * @return the stream; {@link #send} may be called at once
     * @throws IllegalArgumentException where the period is shorter
     * @throws IllegalStateException where the response has ended, its body has begun, it is
     *     suspended, or it is not of the handler at hand
     */
    public static EventStream open(Response response, Duration period, Runnable onTick) {
        return new EventStream(response, period, onTick);
    }

    /**
     * Sends an event. A client that does not read misses events rather than piling them up: while
     * it is behind, they are dropped. On the loop only; in the handler of another connection of the
     * loop too, and then the event leaves soon after, or is dropped where the client is behind by
     * that time.
     *
     * @param name the event's type, or null for "message"
     * @param data one line or more
     * @return whether it was sent, or will be; false for a stream that answers a HEAD
     * @throws IllegalArgumentException where the name has a line break
     * @throws IllegalStateException where the stream has ended, or the caller is another thread
     */
    public boolean send(String name, String data) {
        return send(null, name, data);
    }

    /**
     * As {@link #send(String, String)}, with an id: a browser that connects again says in the field
     * Last-Event-ID which was the last that it had.
     *
     * @param id one line without a NUL, or null for none
     * @param name the event's type, or null for "message"
     * @param data one line or more
     * @return whether it was sent, or will be; false for a stream that answers a HEAD
     * @throws IllegalArgumentException where the id or the name has a line break, or the id a NUL
     * @throws IllegalStateException where the stream has ended, or the caller is another thread
     */
    public boolean send(String id, String name, String data) {
        if (headOnly) {
            return false;
        }
        if (response.hasEnded()) {
            throw new IllegalStateException(
                    "the stream has ended: no event can be sent any more; isGone() tells");
        }
        if (!response.isWritable()) {
            return false;
        }
        text.setLength(0);
        if (id != null) {
            if (id.indexOf('\0') >= 0) {
                throw new IllegalArgumentException("an event's id has no NUL");
            }
            field("id", id);
        }
        if (name != null) {
            field("event", name);
        }
        // CRLF, LF and CR all end a line of the stream: each line of data gets its own field.
        for (String line : data.split("\r\n|\r|\n", -1)) {
            text.append("data: ").append(line).append('\n');
        }
        text.append('\n');
        byte[] event = text.toString().getBytes(StandardCharsets.UTF_8);
        if (text.capacity() > TEXT_CHARS_KEPT) {
            // One large event, and this is as large for as long as the client stays.
            text.setLength(0);
            text.trimToSize();
        }
        Turn turn = response.turn();
        if (turn.isMine()) {
            response.write(event);
            return true;
        }
        if (!turn.canWait(event.length)) {
            return false;
        }
        turn.later(
                event.length,
                () -> {
                    if (response.isWritable()) {
                        response.write(event);
                    }
                });
        return true;
    }

    private void field(String field, String value) {
        if (value.indexOf('\n') >= 0 || value.indexOf('\r') >= 0) {
            throw new IllegalArgumentException(
                    "an event's " + (field.equals("id") ? "id" : "name") + " is one line");
        }
        text.append(field).append(": ").append(value).append('\n');
    }

    /**
     * Runs {@code action} on the loop, unless the stream has ended. For any thread.
     *
     * @param action what to do; it must not block
     * @throws IllegalStateException on the loop, where too many actions wait for their turn already
     */
    public void execute(Runnable action) {
        suspended.resume((request, sameResponse) -> action.run());
    }

    /** {@return whether the stream has ended or its client is gone} For any thread. */
    public boolean isGone() {
        return suspended.isGone();
    }

    /**
     * Ends the stream; a browser then connects again. On the loop only, in the handler of another
     * connection too.
     *
     * @throws IllegalStateException where the stream has ended, or the caller is another thread
     */
    public void end() {
        if (!headOnly) {
            if (response.hasEnded()) {
                throw new IllegalStateException(
                        "the stream has ended: end() is called once; isGone() tells");
            }
            response.end();
        }
    }

    /**
     * Calls {@code action} on the loop, once, when the server drains, just before the stream ends:
     * it may send a last event, and is where the application takes the stream off its list. In the
     * handler, or on the loop.
     *
     * @param action what to do; it must not block
     * @return this stream
     */
    public EventStream onDrain(Runnable action) {
        onDrain = action;
        return this;
    }

    private void drain() {
        try {
            if (onDrain != null) {
                onDrain.run();
            }
        } finally {
            if (!response.hasEnded()) {
                response.end();
            }
        }
    }

    private void tick() {
        if (onTick != null) {
            onTick.run();
        } else if (response.isWritable()) {
            response.write(HEARTBEAT);
        }
    }
}
