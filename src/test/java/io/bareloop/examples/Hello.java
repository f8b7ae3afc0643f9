package io.bareloop.examples;

import io.bareloop.http.MediaType;
import io.bareloop.server.HttpServer;
import java.time.Duration;

/** The smallest server: one answer to every request. */
public final class Hello {
    private Hello() {}

    static HttpServer start(int port) throws Exception {
        return HttpServer.builder()
                .listen("127.0.0.1", port)
                .handler(
                        (request, response) ->
                                response.contentType(MediaType.TEXT).body("Hello, World!\n"))
                .drainOnShutdown(Duration.ofSeconds(10))
                .start();
    }

    public static void main(String[] args) throws Exception {
        try (HttpServer server = start(8080)) {
            server.awaitTermination();
        }
    }
}
