package io.bareloop.examples;

import io.bareloop.http.EventStream;
import io.bareloop.http.MediaType;
import io.bareloop.http.Response;
import io.bareloop.http.Router;
import io.bareloop.server.HttpServer;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Server-sent events: what is posted to /say goes to all who listen at /events.
 *
 * <pre>
 * curl -N localhost:8080/events
 * curl -d 'hello' localhost:8080/say
 * </pre>
 */
public final class Ticker {
    private final Set<EventStream> listeners = ConcurrentHashMap.newKeySet();

    static HttpServer start(int port) throws Exception {
        Ticker ticker = new Ticker();
        return HttpServer.builder()
                .listen("127.0.0.1", port)
                .handler(
                        Router.builder()
                                .get("/events", (request, response) -> ticker.listen(response))
                                .post(
                                        "/say",
                                        (request, response) -> {
                                            ticker.say(request.body().toString());
                                            response.contentType(MediaType.TEXT).body("said\n");
                                        })
                                .build())
                .drainOnShutdown(Duration.ofSeconds(10))
                .start();
    }

    public static void main(String[] args) throws Exception {
        try (HttpServer server = start(8080)) {
            server.awaitTermination();
        }
    }

    private void listen(Response response) {
        listeners.add(EventStream.open(response, Duration.ofSeconds(15)));
    }

    private void say(String text) {
        listeners.removeIf(EventStream::isGone);
        // Listeners may be on other loops: each is told on its own.
        for (EventStream listener : listeners) {
            listener.execute(() -> listener.send(null, text));
        }
    }
}
