package io.bareloop.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.server.HttpServer;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The examples do what they say. */
@Timeout(30)
final class ExamplesTest {
    private final HttpClient client = HttpClient.newHttpClient();

    @Test
    void hello() throws Exception {
        try (HttpServer server = Hello.start(0)) {
            assertThat(get(server, "/anything").body()).isEqualTo("Hello, World!\n");
        }
    }

    @Test
    void rest() throws Exception {
        try (HttpServer server = Rest.start(0)) {
            HttpResponse<String> created = send(server, "/users", "POST", "name=Ada+%22L%22");
            assertThat(created.statusCode()).isEqualTo(201);
            String location = created.headers().firstValue("Location").orElseThrow();
            assertThat(get(server, location).body())
                    .isEqualTo("{\"id\":1,\"name\":\"Ada \\\"L\\\"\"}\n");
            assertThat(get(server, location + "?greet=Hello%2C").body())
                    .isEqualTo("{\"id\":1,\"name\":\"Hello,, Ada \\\"L\\\"\"}\n");
            assertThat(send(server, location, "DELETE", "").statusCode()).isEqualTo(204);
            assertThat(get(server, location).statusCode()).isEqualTo(404);
            assertThat(send(server, "/users", "POST", "nome=Ada").statusCode()).isEqualTo(422);
            assertThat(send(server, "/users", "POST", "name=%zz").statusCode()).isEqualTo(400);
        }
    }

    @Test
    void upload() throws Exception {
        byte[] bytes = new byte[3_000_000];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i * 31);
        }
        CRC32 crc = new CRC32();
        crc.update(bytes);
        try (HttpServer server = Upload.start(0)) {
            HttpResponse<String> response =
                    client.send(
                            HttpRequest.newBuilder(uri(server, "/crc32"))
                                    .PUT(BodyPublishers.ofByteArray(bytes))
                                    .build(),
                            BodyHandlers.ofString());
            assertThat(response.body()).isEqualTo(String.format("%08x%n", crc.getValue()));
        }
    }

    @Test
    void database() throws Exception {
        try (HttpServer server = Database.start(0)) {
            assertThat(get(server, "/reports/7").body()).isEqualTo("{\"report\":7}\n");
        }
    }

    @Test
    void ticker() throws Exception {
        try (HttpServer server = Ticker.start(0)) {
            HttpResponse<InputStream> events =
                    client.send(
                            HttpRequest.newBuilder(uri(server, "/events")).build(),
                            BodyHandlers.ofInputStream());
            send(server, "/say", "POST", "one\ntwo");
            try (BufferedReader lines =
                    new BufferedReader(
                            new InputStreamReader(events.body(), StandardCharsets.UTF_8))) {
                assertThat(lines.readLine()).isEqualTo("data: one");
                assertThat(lines.readLine()).isEqualTo("data: two");
                assertThat(lines.readLine()).isEmpty();
            }
        }
    }

    private HttpResponse<String> get(HttpServer server, String path) throws Exception {
        return client.send(
                HttpRequest.newBuilder(uri(server, path)).build(), BodyHandlers.ofString());
    }

    private HttpResponse<String> send(HttpServer server, String path, String method, String body)
            throws Exception {
        return client.send(
                HttpRequest.newBuilder(uri(server, path))
                        .method(method, BodyPublishers.ofString(body))
                        .build(),
                BodyHandlers.ofString());
    }

    private static URI uri(HttpServer server, String path) {
        return URI.create(server.origin() + path);
    }
}
