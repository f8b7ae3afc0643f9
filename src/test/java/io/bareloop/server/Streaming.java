package io.bareloop.server;

import io.bareloop.http.Blocking;
import io.bareloop.http.BlockingExchange;
import io.bareloop.http.MediaType;
import io.bareloop.http.Reply;
import io.bareloop.http.Request;
import io.bareloop.http.Router;
import io.bareloop.http.Status;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A program whose handlers wait, for a process of its own: it writes what is sent to it to a file,
 * and sends without an end to who asks for that. It prints its port.
 */
final class Streaming {
    private static final AtomicLong SENDING = new AtomicLong();
    private static final AtomicLong SENT = new AtomicLong();

    private Streaming() {}

    /** {@code arguments}: where the file is to be. */
    public static void main(String[] arguments) throws Exception {
        Path file = Path.of(arguments[0]);
        HttpServer server =
                HttpServer.builder()
                        .listen("127.0.0.1", 0)
                        .cpus(CpuSet.unpinned(1))
                        .connectionsMax(20_000)
                        .pendingBytesMax(Long.getLong("pending.bytes", 16 << 20))
                        .handler(
                                Router.builder()
                                        .put("/file", Blocking.streaming((q, x) -> save(file, x)))
                                        .get(
                                                "/endless",
                                                Blocking.streaming(20_000, Streaming::send))
                                        .get("/state", Blocking.blocking(Streaming::state))
                                        .build())
                        .start();
        System.out.println("port " + server.port());
        server.awaitTermination();
    }

    private static void save(Path file, BlockingExchange exchange) throws Exception {
        try (OutputStream out = Files.newOutputStream(file)) {
            exchange.body().transferTo(out);
        }
        exchange.status(Status.CREATED);
    }

    private static void send(Request request, BlockingExchange exchange) throws Exception {
        SENDING.incrementAndGet();
        try {
            OutputStream out = exchange.contentType(MediaType.OCTETS).stream();
            byte[] some = new byte[1000];
            while (true) {
                out.write(some);
                SENT.addAndGet(some.length);
            }
        } finally {
            SENDING.decrementAndGet();
        }
    }

    /** How many are sent to, how many bytes were written for them, and what is used of the heap. */
    private static Reply state(Request request) {
        System.gc();
        long heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
        return Reply.text(SENDING + " " + SENT + " " + heap);
    }
}
