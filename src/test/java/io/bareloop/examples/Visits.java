package io.bareloop.examples;

import io.bareloop.http.ByteView;
import io.bareloop.http.Cookie;
import io.bareloop.http.HeaderName;
import io.bareloop.http.MediaType;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Router;
import io.bareloop.http.Status;
import io.bareloop.server.HttpServer;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Cookies: a session that counts the visits of a browser, for an hour.
 *
 * <pre>
 * curl -c jar -b jar localhost:8080/
 * curl -c jar -b jar -X POST localhost:8080/leave
 * </pre>
 */
public final class Visits {
    private final Map<String, Integer> sessions = new ConcurrentHashMap<>();

    static HttpServer start(int port) throws Exception {
        Visits visits = new Visits();
        return HttpServer.builder()
                .listen("127.0.0.1", port)
                .handler(
                        Router.builder()
                                .get("/", visits::count)
                                .post("/leave", visits::leave)
                                .build())
                .drainOnShutdown(Duration.ofSeconds(10))
                .start();
    }

    public static void main(String[] args) throws Exception {
        try (HttpServer server = start(8080)) {
            server.awaitTermination();
        }
    }

    private void count(Request request, Response response) {
        ByteView sent = request.cookie("session");
        // Only what this server has given out counts: a name of the client's own choice does not.
        String id = sent == null ? null : sent.toString();
        if (id == null || !sessions.containsKey(id)) {
            id = UUID.randomUUID().toString();
            response.cookie(
                    Cookie.builder("session", id)
                            .path("/")
                            .maxAge(Duration.ofHours(1))
                            .httpOnly()
                            .sameSite(Cookie.SameSite.LAX)
                            .build());
        }
        int visit = sessions.merge(id, 1, Integer::sum);
        response.contentType(MediaType.TEXT).body("visit " + visit + "\n");
    }

    private void leave(Request request, Response response) {
        ByteView sent = request.cookie("session");
        if (sent != null) {
            sessions.remove(sent.toString());
        }
        response.status(Status.SEE_OTHER)
                .cookie(Cookie.expire("session").path("/").build())
                .header(HeaderName.LOCATION, "/")
                .body("");
    }
}
