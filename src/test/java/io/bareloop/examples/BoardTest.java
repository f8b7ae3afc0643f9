package io.bareloop.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.bareloop.rig.ServerProcess;
import java.io.BufferedReader;
import java.io.File;
import java.io.InputStream;
import java.io.InputStreamReader;
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
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A whole service, in a process of its own: on the class path, and on the module path. */
@Timeout(60)
class BoardTest {
    private static final String MAIN = Board.class.getName();
    private static final String ANYWHERE = "Access-Control-Allow-Origin";

    private final HttpClient client = HttpClient.newHttpClient();

    @TempDir Path temporary;

    @Test
    void onTheClassPath() throws Exception {
        serve(
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                MAIN);
    }

    @Test
    void onTheModulePath() throws Exception {
        Path module = temporary.resolve("module");
        Path descriptor = temporary.resolve("module-info.java");
        Files.writeString(
                descriptor,
                "module board { requires io.bareloop; requires com.fasterxml.jackson.databind;"
                        + " opens io.bareloop.examples to com.fasterxml.jackson.databind; }");
        // What the service needs, and nothing that only tests need.
        String needed =
                Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                        .filter(jar -> Path.of(jar).getFileName().toString().startsWith("jackson-"))
                        .reduce("target/classes", (all, jar) -> all + File.pathSeparator + jar);
        Path sources = Path.of("src/test/java/io/bareloop/examples");
        int status =
                ToolProvider.getSystemJavaCompiler()
                        .run(
                                null,
                                null,
                                null,
                                "--module-path",
                                needed,
                                "-d",
                                module.toString(),
                                descriptor.toString(),
                                sources.resolve("Board.java").toString(),
                                sources.resolve("JacksonJson.java").toString());
        assertThat(status).isZero();
        serve(
                "--enable-native-access=io.bareloop",
                "--add-modules",
                "jdk.unsupported",
                "--module-path",
                needed + File.pathSeparator + module,
                "--module",
                "board/" + MAIN);
    }

    private void serve(String... command) throws Exception {
        Path folder = Files.createDirectory(temporary.resolve("files"));
        List<String> whole =
                Stream.of(
                                Stream.of(ServerProcess.tool("java")),
                                Stream.of(command),
                                Stream.of("0", folder.toString()))
                        .flatMap(part -> part)
                        .toList();
        Process process =
                new ProcessBuilder(whole).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
            String line = out.readLine();
            assertThat(line).startsWith("serving http://");
            use(URI.create(line.substring("serving ".length())));
            process.destroy();
            assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isZero();
        } finally {
            process.destroyForcibly();
        }
        assertThat(Files.readAllLines(temporary.resolve("access.log")))
                .hasSize(8)
                .allMatch(line -> line.startsWith("127.0.0.1 - - ["))
                .anyMatch(line -> line.contains("\"POST /notes HTTP/1.1\" 201 "))
                .anyMatch(line -> line.contains("\"GET /nowhere HTTP/1.1\" 404 "))
                .anyMatch(line -> line.contains("\"GET /events HTTP/1.1\" 200 "));
    }

    private void use(URI origin) throws Exception {
        try (BufferedReader events = events(origin)) {
            HttpResponse<String> added = send(origin, "POST", "/notes", "{\"text\":\"buy milk\"}");
            assertThat(added.statusCode()).isEqualTo(201);
            assertThat(send(origin, "POST", "/form", "text=buy+tea").statusCode()).isEqualTo(201);
            assertThat(new ObjectMapper().readTree(send(origin, "GET", "/notes", "").body()))
                    .hasToString("[{\"text\":\"buy milk\"},{\"text\":\"buy tea\"}]");
            assertThat(events.readLine()).isEqualTo("event: note");
            assertThat(events.readLine()).isEqualTo("data: buy milk");
        }
        String large = "0123456789".repeat(300_000);
        HttpResponse<String> saved = send(origin, "PUT", "/files", large);
        assertThat(saved.statusCode()).isEqualTo(303);
        String location = saved.headers().firstValue("Location").orElseThrow();
        assertThat(send(origin, "GET", location, "").body()).isEqualTo(large);

        HttpResponse<String> lost = send(origin, "GET", "/nowhere", "");
        assertThat(lost.statusCode()).isEqualTo(404);
        assertThat(lost.body()).isEqualTo("lost?\n");
        assertThat(lost.headers().firstValue(ANYWHERE)).contains("*");
        HttpResponse<String> wrong = send(origin, "POST", "/notes", "{");
        assertThat(wrong.statusCode()).isEqualTo(400);
        assertThat(wrong.headers().firstValue(ANYWHERE)).contains("*");
    }

    private BufferedReader events(URI origin) throws Exception {
        HttpResponse<InputStream> events =
                client.send(
                        HttpRequest.newBuilder(origin.resolve("/events")).build(),
                        BodyHandlers.ofInputStream());
        return new BufferedReader(new InputStreamReader(events.body(), StandardCharsets.UTF_8));
    }

    private HttpResponse<String> send(URI origin, String method, String path, String body)
            throws Exception {
        return client.send(
                HttpRequest.newBuilder(origin.resolve(path))
                        .method(method, BodyPublishers.ofString(body))
                        .build(),
                BodyHandlers.ofString());
    }
}
