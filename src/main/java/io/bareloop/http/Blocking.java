package io.bareloop.http;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Takes work that waits off the loop: runs a {@link BlockingHandler} on a virtual thread for each
 * request, and sends what it returns from the loop. Or a {@link BlockingStreamHandler}, which reads
 * the body as a stream, and writes the response as one.
 *
 * <p>The number of requests under way is bounded; one more is answered 503 with Retry-After, at
 * once. Unlike everything else on the path of a request this allocates: about 1.2 kB for the
 * virtual thread and the way back (JDK 25), and the handler's own objects; with streams also what
 * {@link BlockingExchange} says, and a call of the loop for each 32 KiB written or 64 KiB read.
 */
public final class Blocking implements Handler {
    /** Requests under way, where nothing else is said. */
    public static final int REQUESTS_MAX = 1024;

    private static final int HEAP_PAUSE_MILLIS = 10;

    private static final ErrorPage BUSY =
            ErrorPage.of(
                    Status.SERVICE_UNAVAILABLE,
                    Fields.NONE.with(HeaderName.RETRY_AFTER, "1"),
                    "too much work is under way");

    // One of the two; the other is null.
    private final BlockingHandler handler;
    private final BlockingStreamHandler streaming;

    private final int requestsMax;
    private final AtomicInteger underWay = new AtomicInteger();

    private Blocking(BlockingHandler handler, BlockingStreamHandler streaming, int requestsMax) {
        if (requestsMax < 1) {
            throw new IllegalArgumentException(requestsMax + " requests; it must be 1 or more");
        }
        this.handler = handler;
        this.streaming = streaming;
        this.requestsMax = requestsMax;
    }

    /**
     * Runs {@code handler} for up to {@link #REQUESTS_MAX} requests at a time, on all loops.
     *
     * @param handler called on a virtual thread, for several requests at the same time
     * @return a handler for any number of loops and servers
     */
    public static Blocking blocking(BlockingHandler handler) {
        return blocking(REQUESTS_MAX, handler);
    }

    /**
     * Runs {@code handler} for up to {@code requestsMax} requests at a time, 1 or more.
     *
     * @param requestsMax of this handler's requests, on all loops together
     * @param handler called on a virtual thread, for several requests at the same time
     * @return a handler for any number of loops and servers
     * @throws IllegalArgumentException where {@code requestsMax} is less than 1
     */
    public static Blocking blocking(int requestsMax, BlockingHandler handler) {
        return new Blocking(Objects.requireNonNull(handler, "handler"), null, requestsMax);
    }

    /**
     * Runs {@code handler}, which takes and gives bodies as streams, for up to {@link
     * #REQUESTS_MAX} requests at a time, on all loops.
     *
     * <pre>{@code
     * Blocking.streaming((request, exchange) -> {
     *     try (OutputStream file = Files.newOutputStream(path)) {
     *         exchange.body().transferTo(file);
     *     }
     *     exchange.status(Status.CREATED);
     * })
     * }</pre>
     *
     * @param handler called on a virtual thread, for several requests at the same time
     * @return a handler for any number of loops and servers
     */
    public static Blocking streaming(BlockingStreamHandler handler) {
        return streaming(REQUESTS_MAX, handler);
    }

    /**
     * Runs {@code handler} for up to {@code requestsMax} requests at a time, 1 or more. With the
     * memory that {@link BlockingExchange} names, this bounds what all of them take.
     *
     * @param requestsMax of this handler's requests, on all loops together
     * @param handler called on a virtual thread, for several requests at the same time
     * @return a handler for any number of loops and servers
     * @throws IllegalArgumentException where {@code requestsMax} is less than 1
     */
    public static Blocking streaming(int requestsMax, BlockingStreamHandler handler) {
        return new Blocking(null, Objects.requireNonNull(handler, "handler"), requestsMax);
    }

    /** {@return requests under way now} For any thread. */
    public int underWay() {
        return underWay.get();
    }

    /** For streams, what takes this one request. */
    @Override
    public Handler route(Request request) {
        return streaming != null ? new StreamedWork(this, streaming) : this;
    }

    /**
     * Counts one more request.
     *
     * @throws HttpException with 503 where those are too many
     */
    void enter() {
        if (underWay.incrementAndGet() > requestsMax) {
            underWay.decrementAndGet();
            throw BUSY.exception();
        }
    }

    /** A request is not under way any more. For any thread. */
    void leave() {
        underWay.decrementAndGet();
    }

    @Override
    public void handle(Request request, Response response) throws Exception {
        if (streaming != null) {
            route(request).handle(request, response);
        } else {
            enter();
            begin(request, response);
        }
    }

    private void begin(Request request, Response response) {
        boolean started = false;
        Suspended suspended = null;
        try {
            suspended = response.suspend();
            suspended.retain();
            Suspended answer = suspended;
            Thread.ofVirtual().start(() -> work(request, answer));
            started = true;
        } finally {
            if (!started) {
                leave();
                if (suspended != null) {
                    suspended.unretain();
                }
            }
        }
    }

    /** On the virtual thread. Retained, the request cannot be used for another one meanwhile. */
    private void work(Request request, Suspended suspended) {
        Reply reply = null;
        Throwable failure = null;
        try {
            reply = handler.handle(request);
        } catch (Throwable thrown) {
            // All of them: without an answer the connection would wait for ever.
            failure = thrown;
        } finally {
            leave();
        }
        Reply answer = reply;
        Throwable thrown = failure;
        release(
                suspended,
                (sameRequest, response) -> {
                    if (thrown != null) {
                        rethrow(thrown);
                    }
                    response.send(answer);
                });
    }

    /** Without an answer the connection would wait for ever: a heap that is full is tried again. */
    static void release(Suspended suspended, Handler action) {
        while (true) {
            try {
                suspended.release(action);
                return;
            } catch (OutOfMemoryError full) {
                pause();
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(HEAP_PAUSE_MILLIS);
        } catch (InterruptedException e) {
            // The thread has nothing else to do, and ends with this.
            Thread.onSpinWait();
        }
    }

    static void rethrow(Throwable failure) throws Exception {
        if (failure instanceof Error error) {
            throw error;
        }
        throw (Exception) failure;
    }
}
