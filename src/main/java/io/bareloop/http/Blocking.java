package io.bareloop.http;

import io.bareloop.wire.ErrorLine;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Takes work that waits off the loop: runs a {@link BlockingHandler} on a virtual thread for each
 * request, and sends what it returns from the loop.
 *
 * <p>The number of requests under way is bounded; one more is answered 503 with Retry-After, at
 * once. Unlike everything else on the path of a request this allocates: about 1.2 kB for the
 * virtual thread and the way back (JDK 25), and the handler's own objects.
 */
public final class Blocking implements Handler {
    /** Requests under way, where nothing else is said. */
    public static final int REQUESTS_MAX = 1024;

    private static final int HEAP_PAUSE_MILLIS = 10;

    private static final Prepared BUSY =
            Prepared.of(
                    Status.SERVICE_UNAVAILABLE,
                    MediaType.TEXT,
                    ErrorLine.of(
                            Status.SERVICE_UNAVAILABLE.code(),
                            Status.SERVICE_UNAVAILABLE.reason(),
                            "too much work is under way"),
                    HeaderName.RETRY_AFTER,
                    "1");

    private final BlockingHandler handler;
    private final int requestsMax;
    private final AtomicInteger underWay = new AtomicInteger();

    private Blocking(BlockingHandler handler, int requestsMax) {
        this.handler = handler;
        this.requestsMax = requestsMax;
    }

    /**
     * Runs {@code handler} for up to {@link #REQUESTS_MAX} requests at a time, on all loops.
     *
     * @param handler called on a virtual thread, for several requests at the same time
     * @return a handler for any number of loops and servers
     */
    public static Blocking blocking(BlockingHandler handler) {
        return new Blocking(handler, REQUESTS_MAX);
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
        if (requestsMax < 1) {
            throw new IllegalArgumentException(requestsMax + " requests; it must be 1 or more");
        }
        return new Blocking(handler, requestsMax);
    }

    /** {@return requests under way now} For any thread. */
    public int underWay() {
        return underWay.get();
    }

    @Override
    public void handle(Request request, Response response) {
        if (underWay.incrementAndGet() > requestsMax) {
            underWay.decrementAndGet();
            response.send(BUSY);
            return;
        }
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
                underWay.decrementAndGet();
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
            underWay.decrementAndGet();
        }
        release(suspended, reply, failure);
    }

    /** Without an answer the connection would wait for ever: a heap that is full is tried again. */
    private static void release(Suspended suspended, Reply reply, Throwable failure) {
        while (true) {
            try {
                suspended.release(
                        (request, response) -> {
                            if (failure != null) {
                                rethrow(failure);
                            }
                            response.send(reply);
                        });
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

    private static void rethrow(Throwable failure) throws Exception {
        if (failure instanceof Error error) {
            throw error;
        }
        throw (Exception) failure;
    }
}
