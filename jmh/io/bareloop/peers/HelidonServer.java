package io.bareloop.peers;

import io.helidon.http.Header;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.webserver.WebServer;
import java.nio.charset.StandardCharsets;

/** Helidon's web server, a virtual thread for each connection. Argument: port. */
public final class HelidonServer {
    private static final int BACKLOG = 65_535;
    private static final byte[] BODY = "Hello, World!".getBytes(StandardCharsets.US_ASCII);
    private static final Header TEXT =
            HeaderValues.createCached(HeaderNames.CONTENT_TYPE, "text/plain");
    private static final Header SERVER = HeaderValues.createCached(HeaderNames.SERVER, "helidon");

    private HelidonServer() {}

    public static void main(String[] arguments) {
        WebServer.builder()
                .host("127.0.0.1")
                .port(Integer.parseInt(arguments[0]))
                .backlog(BACKLOG)
                .routing(
                        routing ->
                                routing.get(
                                        "/plaintext",
                                        (request, response) ->
                                                response.header(TEXT).header(SERVER).send(BODY)))
                .build()
                .start();
    }
}
