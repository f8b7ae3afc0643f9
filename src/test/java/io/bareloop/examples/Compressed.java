package io.bareloop.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.bareloop.http.Compression;
import io.bareloop.http.EventStream;
import io.bareloop.http.MediaType;
import io.bareloop.http.Response;
import io.bareloop.http.Router;
import io.bareloop.server.HttpServer;
import java.time.Duration;

/**
 * Responses that are compressed for whoever likes it: a list as a whole, one in pieces, events. And
 * one that is not: what it says depends on the client, beside a secret.
 *
 * <pre>
 * curl --compressed localhost:8080/list
 * curl --compressed -N localhost:8080/ticks
 * </pre>
 */
public final class Compressed {
    private static final int ENTRIES = 1000;

    private Compressed() {}

    static HttpServer start(int port) throws Exception {
        return HttpServer.builder()
                .listen("127.0.0.1", port)
                .compression(Compression.builder().level(4).streamsMax(100).build())
                .handler(
                        Router.builder()
                                .get(
                                        "/list",
                                        (request, response) ->
                                                response.contentType(MediaType.JSON).body(list()))
                                .get("/all", (request, response) -> pieces(response))
                                .get("/ticks", (request, response) -> ticks(response))
                                .get(
                                        "/form",
                                        (request, response) ->
                                                response.noCompression()
                                                        .contentType(MediaType.HTML)
                                                        .body(form(request.query().toString())))
                                .build())
                .drainOnShutdown(Duration.ofSeconds(10))
                .start();
    }

    public static void main(String[] args) throws Exception {
        try (HttpServer server = start(8080)) {
            server.awaitTermination();
        }
    }

    private static String list() {
        StringBuilder list = new StringBuilder("[");
        for (int i = 0; i < ENTRIES; i++) {
            list.append(entry(i)).append(i < ENTRIES - 1 ? ",\n" : "]\n");
        }
        return list.toString();
    }

    private static String entry(int number) {
        return "{\"number\": %d, \"name\": \"entry %d\"}".formatted(number, number);
    }

    /** Of any length: each turn writes as much as the client takes. */
    private static void pieces(Response response) {
        response.contentType(MediaType.TEXT).stream();
        int[] next = {0};
        Runnable more =
                () -> {
                    while (response.isWritable() && next[0] < 100 * ENTRIES) {
                        response.write((entry(next[0]++) + "\n").getBytes(UTF_8));
                    }
                    if (next[0] == 100 * ENTRIES) {
                        response.end();
                    }
                };
        response.onWritable(more);
        more.run();
    }

    private static void ticks(Response response) {
        EventStream[] stream = new EventStream[1];
        int[] count = {0};
        stream[0] =
                EventStream.open(
                        response,
                        Duration.ofSeconds(1),
                        () -> stream[0].send(null, "tick " + ++count[0]));
        stream[0].send(null, "tick 0");
    }

    private static String form(String query) {
        String escaped = query.replace("&", "&amp;").replace("<", "&lt;");
        return "<form><input name=\"token\" value=\"secret\"><p>" + escaped + "</p></form>";
    }
}
