package io.bareloop.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.server.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The example does what it says. */
@Timeout(30)
class CompressedTest {
    private HttpServer server;

    @BeforeEach
    void start() throws Exception {
        server = Compressed.start(0);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void listsAreCompressed() throws Exception {
        assertThat(gunzip(get("/list"))).startsWith("[{\"number\": 0").endsWith("entry 999\"}]\n");
        assertThat(gunzip(get("/all")).lines())
                .hasSize(100_000)
                .endsWith("{\"number\": 99999, \"name\": \"entry 99999\"}");
    }

    @Test
    void eventsComeAtOnce() throws Exception {
        HttpResponse<InputStream> answer = get("/ticks");
        assertThat(answer.headers().firstValue("Content-Encoding")).contains("gzip");
        // Byte by byte: a Reader over gzip waits for more than there is.
        try (InputStream in = new GZIPInputStream(answer.body())) {
            String expected = "data: tick 0\n\ndata: tick 1\n\n";
            StringBuilder events = new StringBuilder();
            while (events.length() < expected.length()) {
                events.append((char) in.read());
            }
            assertThat(events).hasToString(expected);
        }
    }

    @Test
    void aSecretIsNot() throws Exception {
        HttpResponse<InputStream> answer = get("/form?" + "guess".repeat(500));
        assertThat(answer.headers().firstValue("Content-Encoding")).isEmpty();
        try (InputStream in = answer.body()) {
            assertThat(new String(in.readAllBytes(), UTF_8)).contains("secret", "guessguess");
        }
    }

    private static String gunzip(HttpResponse<InputStream> answer) throws IOException {
        assertThat(answer.headers().firstValue("Content-Encoding")).contains("gzip");
        try (InputStream in = new GZIPInputStream(answer.body())) {
            return new String(in.readAllBytes(), UTF_8);
        }
    }

    private HttpResponse<InputStream> get(String target) throws Exception {
        HttpRequest request =
                HttpRequest.newBuilder(URI.create(server.origin() + target))
                        .header("Accept-Encoding", "gzip")
                        .build();
        return HttpClient.newHttpClient().send(request, BodyHandlers.ofInputStream());
    }
}
