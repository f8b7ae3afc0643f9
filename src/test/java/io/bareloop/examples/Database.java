package io.bareloop.examples;

import static io.bareloop.http.Blocking.blocking;

import io.bareloop.http.Reply;
import io.bareloop.http.Request;
import io.bareloop.http.Router;
import io.bareloop.server.HttpServer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Work that waits, as for a database: on virtual threads, 64 at a time, and off the loop.
 *
 * <pre>
 * curl localhost:8080/reports/7
 * </pre>
 */
public final class Database {
    private Database() {}

    static HttpServer start(int port) throws Exception {
        return HttpServer.builder()
                .listen("127.0.0.1", port)
                .handler(
                        Router.builder()
                                .get("/reports/{id}", blocking(64, Database::report))
                                .build())
                .drainOnShutdown(Duration.ofSeconds(10))
                .start();
    }

    public static void main(String[] args) throws Exception {
        try (HttpServer server = start(8080)) {
            server.awaitTermination();
        }
    }

    private static Reply report(Request request) throws InterruptedException {
        long id = request.parameter("id").toUnsignedLong();
        // Stands for a query: this thread waits, the loop goes on.
        TimeUnit.MILLISECONDS.sleep(50);
        return Reply.json("{\"report\":" + id + "}\n");
    }
}
