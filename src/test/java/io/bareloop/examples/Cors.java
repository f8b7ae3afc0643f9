package io.bareloop.examples;

import io.bareloop.http.Fields;
import io.bareloop.http.Filter;
import io.bareloop.http.HeaderName;
import io.bareloop.http.HttpException;
import io.bareloop.http.Method;
import io.bareloop.http.Prepared;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Router;
import io.bareloop.http.Status;
import io.bareloop.server.HttpServer;
import java.time.Duration;
import java.util.NoSuchElementException;
import java.util.Set;

/**
 * An API that pages of two other origins may call (CORS), and what it answers when something goes
 * wrong: the same fields, and a problem (RFC 9457) for those who ask for JSON.
 *
 * <pre>
 * curl -i -H 'Origin: https://shop.example' localhost:8080/api/things/7
 * curl -i -H 'Origin: https://shop.example' -H 'Accept: application/json' localhost:8080/api/no
 * curl -i -X OPTIONS -H 'Origin: https://shop.example' -H 'Access-Control-Request-Method: PUT' \
 *     localhost:8080/api/things/7
 * </pre>
 */
public final class Cors implements Filter {
    private static final Set<String> ORIGINS =
            Set.of("https://shop.example", "https://admin.example");
    private static final HeaderName ALLOW_ORIGIN = HeaderName.of("Access-Control-Allow-Origin");
    private static final HeaderName REQUEST_METHOD = HeaderName.of("Access-Control-Request-Method");
    private static final Prepared PREFLIGHT =
            Prepared.of(
                    Status.NO_CONTENT,
                    Fields.NONE
                            .with(HeaderName.of("Access-Control-Allow-Methods"), "GET, PUT")
                            .with(HeaderName.of("Access-Control-Allow-Headers"), "Content-Type")
                            .with(HeaderName.of("Access-Control-Max-Age"), "86400"),
                    new byte[0]);

    /** Sees the head of each request; what it adds is in whatever answer follows, errors too. */
    @Override
    public void filter(Request request, Response response) {
        response.always(HeaderName.VARY, "Origin");
        if (request.header(HeaderName.ORIGIN) == null) {
            return;
        }
        String origin = request.header(HeaderName.ORIGIN).toString();
        if (!ORIGINS.contains(origin)) {
            throw new HttpException(Status.FORBIDDEN, "no page of " + origin + " may call this");
        }
        response.always(ALLOW_ORIGIN, origin);
        if (request.method() == Method.OPTIONS && request.header(REQUEST_METHOD) != null) {
            response.send(PREFLIGHT); // It is answered: no handler sees it.
        }
    }

    static HttpServer start(int port) throws Exception {
        return HttpServer.builder()
                .listen("127.0.0.1", port)
                .fields(
                        Fields.NONE
                                .with(HeaderName.of("X-Content-Type-Options"), "nosniff")
                                .with(
                                        HeaderName.of("Content-Security-Policy"),
                                        "default-src 'self'"))
                .handler(
                        Router.builder()
                                .group(
                                        "/api",
                                        api ->
                                                api.filter(new Cors())
                                                        .get("/things/{id}", Things::show)
                                                        .put("/things/{id}", Things::change))
                                .build())
                .exception(
                        NoSuchElementException.class,
                        (request, response, failure) -> {
                            throw new HttpException(Status.NOT_FOUND, failure.getMessage());
                        })
                .onFailure(
                        (request, failure) ->
                                System.getLogger("example")
                                        .log(System.Logger.Level.ERROR, "failed", failure))
                .drainOnShutdown(Duration.ofSeconds(10))
                .start();
    }

    public static void main(String[] args) throws Exception {
        try (HttpServer server = start(8080)) {
            server.awaitTermination();
        }
    }
}
