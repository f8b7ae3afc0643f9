package io.bareloop.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.rig.ServerProcess;
import io.bareloop.server.HttpServer;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.CookieManager;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
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

    /** SIGTERM: the request under way has its answer, others are refused, and the JVM ends. */
    @Test
    void service() throws Exception {
        Process process =
                new ProcessBuilder(
                                ServerProcess.tool("java"),
                                "--enable-native-access=ALL-UNNAMED",
                                "-cp",
                                System.getProperty("java.class.path"),
                                Service.class.getName(),
                                "0")
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
            String line = out.readLine();
            assertThat(line).startsWith("serving http://");
            URI origin = URI.create(line.substring("serving ".length()));
            assertThat(get(origin.resolve("/hello")).body()).isEqualTo("Hello, World!\n");
            assertThat(get(origin.resolve("/users/7")).body()).isEqualTo("7");

            CompletableFuture<HttpResponse<String>> report =
                    client.sendAsync(
                            HttpRequest.newBuilder(origin.resolve("/report"))
                                    .POST(BodyPublishers.ofString("four"))
                                    .build(),
                            BodyHandlers.ofString());
            Thread.sleep(200);
            process.destroy();
            assertThat(report.get().body()).isEqualTo("a report on 4 bytes\n");
            assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isZero();
            assertThatThrownBy(() -> get(origin.resolve("/hello")))
                    .isInstanceOf(ConnectException.class);
        } finally {
            process.destroyForcibly();
        }
    }

    /** Javadoc cannot include a file in the comment of a module: what it shows is a copy. */
    @Test
    void theFirstPageOfTheJavadocShowsTheService() throws Exception {
        showsTheExample("module-info.java", "Service.java");
    }

    @Test
    void thePageOfTheTestKitShowsATest() throws Exception {
        showsTheExample("io/bareloop/testkit/package-info.java", "GreetingTest.java");
    }

    private static void showsTheExample(String pageFile, String exampleFile) throws Exception {
        String example =
                Files.readString(Path.of("src/test/java/io/bareloop/examples", exampleFile))
                        .replaceFirst("package .*;\\s+", "")
                        .replaceFirst("(?s)/\\*\\*.*?\\*/\\s+", "");
        String page = Files.readString(Path.of("src/main/java", pageFile));
        String shown =
                page.substring(page.indexOf("<pre>{@code\n") + 12, page.indexOf(" * }</pre>"))
                        .replaceAll("(?m)^ \\* ?", "");
        assertThat(shown).isEqualTo(example);
    }

    @Test
    void rest() throws Exception {
        try (HttpServer server = Rest.start(0)) {
            HttpResponse<String> created = send(server, "/users", "POST", "name=Ada+%22L%22");
            assertThat(created.statusCode()).isEqualTo(201);
            String location = created.headers().firstValue("Location").orElseThrow();
            assertThat(get(server, location).body())
                    .isEqualTo("{\"id\":1,\"name\":\"Ada \\\"L\\\"\"}");
            assertThat(get(server, location + "?greet=Hello%2C").body())
                    .isEqualTo("{\"id\":1,\"name\":\"Hello,, Ada \\\"L\\\"\"}");
            assertThat(send(server, location, "PUT", "{\"name\":\"Grace\"}").body())
                    .isEqualTo("{\"id\":1,\"name\":\"Grace\"}");
            assertThat(send(server, location, "PUT", "{\"name\":").statusCode()).isEqualTo(400);
            assertThat(send(server, location, "PUT", "{}").statusCode()).isEqualTo(422);
            assertThat(get(server, "/users/one").statusCode()).isEqualTo(400);
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
    void notes() throws Exception {
        try (HttpServer server = Notes.start(0)) {
            HttpResponse<String> created =
                    send(server, "/notes", "POST", "{\"text\":\"buy milk\"}");
            assertThat(created.statusCode()).isEqualTo(201);
            String note = "{\"id\":1,\"text\":\"buy milk\"}";
            String location = created.headers().firstValue("Location").orElseThrow();
            assertThat(get(server, location).body()).isEqualTo(note);
            assertThat(get(server, "/notes?limit=3").body()).isEqualTo("[" + note + "]");
            assertThat(get(server, "/notes/2").statusCode()).isEqualTo(404);
            assertThat(get(server, "/notes/x").statusCode()).isEqualTo(400);
            assertThat(get(server, "/notes?limit=x").statusCode()).isEqualTo(400);
            assertThat(send(server, "/notes", "POST", "{").statusCode()).isEqualTo(400);
            assertThat(send(server, "/notes", "POST", "{}").statusCode()).isEqualTo(422);
        }
    }

    @Test
    void cors() throws Exception {
        try (HttpServer server = Cors.start(0)) {
            HttpResponse<String> found = from("https://shop.example", server, "/api/things/7");
            assertThat(found.body()).isEqualTo("a kite\n");
            for (String path :
                    List.of("/api/things/7", "/api/things/8", "/api/things/x", "/api/no")) {
                HttpResponse<String> any = from("https://shop.example", server, path);
                assertThat(any.headers().firstValue("Access-Control-Allow-Origin"))
                        .as(path)
                        .contains("https://shop.example");
                assertThat(any.headers().firstValue("X-Content-Type-Options")).contains("nosniff");
            }
            assertThat(from("https://shop.example", server, "/api/things/8").body())
                    .isEqualTo("404 Not Found: there is no such thing\n");
            assertThat(from("https://evil.example", server, "/api/things/7").statusCode())
                    .isEqualTo(403);
            HttpResponse<String> preflight =
                    client.send(
                            HttpRequest.newBuilder(uri(server, "/api/things/7"))
                                    .method("OPTIONS", BodyPublishers.noBody())
                                    .header("Origin", "https://shop.example")
                                    .header("Access-Control-Request-Method", "PUT")
                                    .build(),
                            BodyHandlers.ofString());
            assertThat(preflight.statusCode()).isEqualTo(204);
            assertThat(preflight.headers().firstValue("Access-Control-Allow-Methods"))
                    .contains("GET, PUT");
        }
    }

    private HttpResponse<String> from(String origin, HttpServer server, String path)
            throws Exception {
        return client.send(
                HttpRequest.newBuilder(uri(server, path)).header("Origin", origin).build(),
                BodyHandlers.ofString());
    }

    @Test
    void visits() throws Exception {
        HttpClient browser = HttpClient.newBuilder().cookieHandler(new CookieManager()).build();
        try (HttpServer server = Visits.start(0)) {
            HttpRequest visit = HttpRequest.newBuilder(uri(server, "/")).build();
            assertThat(browser.send(visit, BodyHandlers.ofString()).body()).isEqualTo("visit 1\n");
            assertThat(browser.send(visit, BodyHandlers.ofString()).body()).isEqualTo("visit 2\n");
            assertThat(get(server, "/").body()).isEqualTo("visit 1\n");
            browser.send(
                    HttpRequest.newBuilder(uri(server, "/leave"))
                            .POST(BodyPublishers.noBody())
                            .build(),
                    BodyHandlers.discarding());
            assertThat(browser.send(visit, BodyHandlers.ofString()).body()).isEqualTo("visit 1\n");
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
        return get(uri(server, path));
    }

    private HttpResponse<String> get(URI uri) throws Exception {
        return client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
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
