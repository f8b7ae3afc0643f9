package io.bareloop.testkit;

import io.bareloop.exchange.Application;
import io.bareloop.http.Handler;
import io.bareloop.http.Limits;
import io.bareloop.http.Timeouts;
import io.bareloop.http1.Http1;
import io.bareloop.wire.OutputBuffer;
import io.bareloop.wire.Slab;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;

/** What connections of one thread share, as those of a loop do: memory, HTTP/1.1, the handler. */
final class MemoryLoop {
    private static final int OUT_BYTES = 64 << 10;
    private static final long PENDING_BYTES_MIN = 16L << 20;
    private static final long PENDING_BYTES_MAX = 256L << 20;

    private final Arena arena = Arena.ofAuto();
    private final OutputBuffer out = new OutputBuffer(arena, OUT_BYTES);
    private final List<Throwable> failures = new ArrayList<>();
    private final BlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
    private final Http1 http;
    private boolean answering;

    MemoryLoop(Handler handler, Limits limits) {
        long bytes = 4L * ((long) limits.bodyBytesMax() + limits.unsentBytesMax());
        Slab slab =
                new Slab(
                        arena.allocate(
                                Math.clamp(bytes, PENDING_BYTES_MIN, PENDING_BYTES_MAX), 4096),
                        (offset, discarded) -> {});
        Application application =
                Application.of(handler, (request, failure) -> failures.add(failure));
        http = new Http1(arena, out, slab, limits, Timeouts.defaults(), application);
    }

    /** A connection begins, for one request. */
    Exchanging begin(TestRequest request) {
        if (answering) {
            throw new IllegalStateException(
                    "a handler sends by the client that waits for it: use another TestClient");
        }
        answering = true;
        failures.clear();
        return new Exchanging(this, request);
    }

    /** A connection, to be opened, that hands what it sends to {@code sent}. */
    MemoryTransport connection(Consumer<byte[]> sent) {
        turn();
        return new MemoryTransport(http.newProtocol(), out, tasks, sent);
    }

    /** A turn begins. */
    void turn() {
        http.turn(System.nanoTime());
    }

    /** What handlers have thrown since the connection began. */
    List<Throwable> failures() {
        return failures;
    }

    /** The connection has ended. */
    void ended() {
        answering = false;
    }
}
