package io.bareloop.examples;

import static io.bareloop.http.Blocking.blocking;

import io.bareloop.http.MediaType;
import io.bareloop.http.Prepared;
import io.bareloop.http.Reply;
import io.bareloop.http.Request;
import io.bareloop.http.Router;
import io.bareloop.server.HttpServer;
import java.io.IOException;
import java.time.Duration;

/**
 * A whole service, from the start to the end by SIGTERM. The first page of the Javadoc shows it.
 *
 * <pre>
 * curl localhost:8080/hello
 * curl localhost:8080/users/7
 * curl -d 'any text' localhost:8080/report
 * </pre>
 */
public final class Service {
    private Service() {}

    public static void main(String[] args) throws Exception {
        int port = args.length == 0 ? 8080 : Integer.parseInt(args[0]);
        try (HttpServer server = start(port)) {
            System.out.println("serving " + server.origin());
            server.awaitTermination();
        }
    }

    static HttpServer start(int port) throws IOException {
        return HttpServer.builder()
                .listen("127.0.0.1", port)
                .handler(
                        Router.builder()
                                // Encoded once, sent by one copy.
                                .get("/hello", Prepared.text("Hello, World!\n"))
                                // On the loop: it computes, and must not wait.
                                .get(
                                        "/users/{id}",
                                        (request, response) ->
                                                response.contentType(MediaType.TEXT)
                                                        .body(request.parameter("id")))
                                // On a virtual thread: it may wait.
                                .post("/report", blocking(Service::report))
                                .build())
                // SIGTERM and Ctrl-C: accept no more, finish what is in flight within 10 s.
                .drainOnShutdown(Duration.ofSeconds(10))
                .start();
    }

    private static Reply report(Request request) throws InterruptedException {
        int bytes = request.body().length();
        Thread.sleep(500); // A database, a file, another service.
        return Reply.text("a report on " + bytes + " bytes\n");
    }
}
