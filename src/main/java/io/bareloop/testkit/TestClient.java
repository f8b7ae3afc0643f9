package io.bareloop.testkit;

import io.bareloop.http.Handler;
import io.bareloop.http.Limits;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * Drives a handler without a server: a request goes in, its response comes out, in memory and on
 * the calling thread. What parses, routes, frames and refuses is what a server has; only sockets
 * and loops are not there.
 *
 * <pre>{@code
 * TestClient client = TestClient.of(new Users().routes());
 * TestResponse created =
 *         client.send(TestRequest.post("/users").header("Content-Type", FORM).body("name=Ada"));
 * assertEquals(201, created.status());
 * assertEquals("Ada", client.get(created.header("Location")).text());
 * }</pre>
 *
 * <p>What is set at {@code HttpServer.Builder} is not there: its filters, fields, error handlers,
 * compression and limits. {@link ServerExtension} tests a server as a whole.
 *
 * <p>Handlers are called on the thread that sends, {@link io.bareloop.http.Blocking} ones on a
 * virtual thread, and a suspended response, a body in pieces, an event stream is waited for. Each
 * request has a connection of its own. For any thread: each has a handler's loop of its own.
 */
public final class TestClient {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private final Duration timeout;
    private final ThreadLocal<MemoryLoop> loops;

    private TestClient(Duration timeout, ThreadLocal<MemoryLoop> loops) {
        this.timeout = timeout;
        this.loops = loops;
    }

    /**
     * A client of {@code handler}, with {@link Limits#defaults}, that waits 10 s.
     *
     * @param handler what answers
     * @return the client
     */
    public static TestClient of(Handler handler) {
        return of(handler, Limits.defaults());
    }

    /**
     * A client of {@code handler} that waits 10 s.
     *
     * @param handler what answers
     * @param limits of what a request may ask for
     * @return the client
     */
    public static TestClient of(Handler handler, Limits limits) {
        Objects.requireNonNull(handler, "handler");
        Objects.requireNonNull(limits, "limits");
        return new TestClient(
                TIMEOUT, ThreadLocal.withInitial(() -> new MemoryLoop(handler, limits)));
    }

    /**
     * A client of the same handler that waits for another time.
     *
     * @param time 1 ms or more
     * @return the client
     * @throws IllegalArgumentException where it is shorter
     */
    public TestClient timeout(Duration time) {
        if (time.compareTo(Duration.ofMillis(1)) < 0) {
            throw new IllegalArgumentException("a time-out of " + time + "; 1 ms or more");
        }
        return new TestClient(time, loops);
    }

    /**
     * Sends a GET.
     *
     * @param target such as {@code /users/7?full=yes}
     * @return the response
     * @throws AssertionError as of {@link #send}
     */
    public TestResponse get(String target) {
        return send(TestRequest.get(target));
    }

    /**
     * Sends a request, and waits for the end of its response.
     *
     * @param request to send
     * @return the response, of whatever status; {@link TestResponse#isWhole} is false where the
     *     connection was closed amid it
     * @throws AssertionError where the response has not ended in time, saying how far it has come;
     *     or the connection was closed without one, or it is larger than 64 MiB. What handlers
     *     threw is suppressed in it
     * @throws IllegalStateException where the thread was interrupted, and still is
     */
    public TestResponse send(TestRequest request) {
        return exchange(request, null);
    }

    /**
     * Sends a request, and leaves as soon as {@code enough}: for event streams and whatever else
     * never ends. Then the connection is lost to the handler ({@link
     * io.bareloop.http.Response#onAbort}), as where a browser is closed.
     *
     * @param request to send
     * @param enough asked of the response so far, each time more of it has come; not before its
     *     head is there
     * @return the response so far, or all of it where it ended before
     * @throws AssertionError as of {@link #send}
     * @throws IllegalStateException as of {@link #send}
     */
    public TestResponse sendUntil(TestRequest request, Predicate<TestResponse> enough) {
        return exchange(request, Objects.requireNonNull(enough, "enough"));
    }

    /** Until the end where {@code enough} is null. */
    private TestResponse exchange(TestRequest request, Predicate<TestResponse> enough) {
        long nanos = TimeUnit.NANOSECONDS.convert(timeout);
        Exchanging exchanging = loops.get().begin(request);
        try {
            exchanging.begin();
            long until = System.nanoTime() + Math.min(nanos, Long.MAX_VALUE / 2);
            while (!exchanging.isOver(enough)) {
                if (System.nanoTime() - until >= 0) {
                    throw exchanging.failed("after " + timeout + " there was no end");
                }
                exchanging.turn(until);
            }
            return exchanging.response();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while " + request + " was answered", e);
        } finally {
            exchanging.end();
        }
    }
}
