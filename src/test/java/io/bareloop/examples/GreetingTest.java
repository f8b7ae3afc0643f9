package io.bareloop.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bareloop.http.Router;
import io.bareloop.testkit.ServerExtension;
import io.bareloop.testkit.TestClient;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class GreetingTest {
    static final Router GREETING =
            Router.builder()
                    .get(
                            "/greet/{name}",
                            (request, response) ->
                                    response.body("Hello, " + request.parameter("name")))
                    .build();

    @RegisterExtension static final ServerExtension SERVER = ServerExtension.of(GREETING);

    @Test
    void greets() {
        assertEquals("Hello, Ada", TestClient.of(GREETING).get("/greet/Ada").text());
    }

    @Test
    void greetsByHttp() throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpRequest request = HttpRequest.newBuilder(SERVER.uri("/greet/Ada")).build();
            assertEquals("Hello, Ada", client.send(request, BodyHandlers.ofString()).body());
        }
    }
}
