package io.bareloop.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bareloop.rig.Ran;
import io.bareloop.server.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Clients that people use read what is compressed: curl, Python's, the JDK's, a browser. Each is
 * skipped where the machine has none.
 */
@Timeout(120)
class CompressedClientsTest {
    private static final List<String> BROWSERS =
            List.of("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome");

    private static final String TEXT = "Zw\u00f6lf Boxk\u00e4mpfer jagen Viktor. ".repeat(500);
    private static final byte[] BODY = TEXT.getBytes(UTF_8);
    private static final int PIECES = 20;
    private static final int EVENTS = 5;

    @TempDir Path directory;

    private HttpServer server;
    private volatile EventStream events;
    private final AtomicInteger sent = new AtomicInteger();

    /** What the browser has told. */
    private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();

    @BeforeEach
    void start() throws IOException {
        Router router =
                Router.builder()
                        .get("/", (it, response) -> response.contentType(MediaType.HTML).body(PAGE))
                        .get(
                                "/whole",
                                (it, response) -> response.contentType(MediaType.TEXT).body(BODY))
                        .get("/prepared", Prepared.text(TEXT))
                        .get("/stream", (it, response) -> stream(response))
                        .get("/events", (it, response) -> listen(response))
                        .post("/heard", this::heard)
                        .build();
        server =
                HttpServer.builder()
                        .listen("127.0.0.1", 0)
                        .handler(router)
                        .compression(Compression.defaults())
                        .start();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private static void stream(Response response) {
        response.contentType(MediaType.TEXT).stream();
        int pieceBytes = BODY.length / PIECES;
        for (int at = 0; at < BODY.length; at += pieceBytes) {
            int end = Math.min(at + pieceBytes, BODY.length);
            response.write(Arrays.copyOfRange(BODY, at, end));
        }
        response.end();
    }

    /** One event at once, and each other one when the one before it has been heard. */
    private void listen(Response response) {
        events = EventStream.open(response, Duration.ofSeconds(60));
        events.send(null, "0");
    }

    private void heard(Request request, Response response) {
        String what = request.body().toString();
        heard.add(what);
        if (what.startsWith("event")) {
            int next = sent.incrementAndGet();
            // One more would be heard at any time, for the browser asks for other things then.
            if (next < EVENTS) {
                events.execute(() -> events.send(null, Integer.toString(next)));
            }
        }
        response.body(new byte[0]);
    }

    private String url(String path) {
        return server.origin() + path;
    }

    // ---- curl

    @ParameterizedTest
    @ValueSource(strings = {"/whole", "/prepared", "/stream"})
    void curl(String path) throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/curl")), "no curl: it has read nothing");
        for (String version : List.of("--http1.1", "--http1.0")) {
            Ran compressed = curl("--compressed", version, url(path));
            assertThat(compressed.output()).isEqualTo(TEXT);
            Ran sizes =
                    curl(
                            "--compressed",
                            version,
                            "-o",
                            "/dev/null",
                            "-w",
                            "%{size_download} %header{content-encoding}",
                            url(path));
            String[] said = sizes.output().split(" ", -1);
            assertThat(said[1]).isEqualTo("gzip");
            assertThat(Integer.parseInt(said[0])).isBetween(20, BODY.length / 10);
            assertThat(curl(version, url(path)).output()).isEqualTo(TEXT);
        }
    }

    private Ran curl(String... arguments) throws Exception {
        ProcessBuilder builder = new ProcessBuilder("curl", "-sS", "-m", "60");
        builder.command().addAll(List.of(arguments));
        Ran ran = Ran.of(builder, directory.resolve("out"));
        assertThat(ran.status()).as(ran.output()).isZero();
        return ran;
    }

    // ---- Python

    private static final String PYTHON =
            """
            import gzip, sys, urllib.request
            request = urllib.request.Request(sys.argv[1], headers={'Accept-Encoding': 'gzip'})
            answer = urllib.request.urlopen(request)
            assert answer.headers['Content-Encoding'] == 'gzip', answer.headers
            sys.stdout.buffer.write(gzip.decompress(answer.read()))
            """;

    @ParameterizedTest
    @ValueSource(strings = {"/whole", "/prepared", "/stream"})
    void pythonsStandardLibrary(String path) throws Exception {
        assumeTrue(exists("python3"), "no python3: it has read nothing");
        Path file = Files.writeString(directory.resolve("client.py"), PYTHON);
        Ran ran =
                Ran.of(
                        new ProcessBuilder("python3", file.toString(), url(path)),
                        directory.resolve("out"));
        assertThat(ran.status()).as(ran.output()).isZero();
        assertThat(ran.output()).isEqualTo(TEXT);
    }

    private static boolean exists(String program) {
        return Arrays.stream(System.getenv("PATH").split(":", -1))
                .anyMatch(path -> Files.isExecutable(Path.of(path, program)));
    }

    // ---- the JDK

    @ParameterizedTest
    @ValueSource(strings = {"/whole", "/prepared", "/stream"})
    void theJdksClient(String path) throws Exception {
        HttpRequest request =
                HttpRequest.newBuilder(URI.create(url(path)))
                        .header("Accept-Encoding", "gzip")
                        .build();
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpResponse<InputStream> answer = client.send(request, BodyHandlers.ofInputStream());
            assertThat(answer.headers().firstValue("Content-Encoding")).contains("gzip");
            try (InputStream in = new GZIPInputStream(answer.body())) {
                assertThat(new String(in.readAllBytes(), UTF_8)).isEqualTo(TEXT);
            }
        }
    }

    // ---- a browser

    /** Reads each by fetch, and events; tells what it has heard. */
    private static final String PAGE =
            """
            <!DOCTYPE html><html><head><meta charset="utf-8"><title>gzip</title></head><body>
            <script>
            const tell = what => fetch("heard", {method: "POST", body: what});
            const events = new EventSource("events");
            events.addEventListener("message", async event => {
                await tell("event " + event.data);
                if (event.data == "4") {
                    events.close();
                    for (const path of ["whole", "prepared", "stream"]) {
                        const answer = await fetch(path);
                        const text = await answer.text();
                        await tell([path, answer.headers.get("Content-Encoding"),
                            new TextEncoder().encode(text).length].join(" "));
                    }
                }
            });
            </script></body></html>
            """;

    @Test
    void aBrowser() throws Exception {
        String browser =
                BROWSERS.stream()
                        .filter(path -> Files.isExecutable(Path.of(path)))
                        .findFirst()
                        .orElse(null);
        assumeTrue(browser != null, "no Chromium: no browser has read anything");
        Process process =
                new ProcessBuilder(
                                browser,
                                "--headless=new",
                                "--no-sandbox",
                                "--disable-gpu",
                                "--disable-dev-shm-usage",
                                "--no-first-run",
                                "--disable-background-networking",
                                "--user-data-dir=" + directory.resolve("profile"),
                                url("/"))
                        .redirectErrorStream(true)
                        .redirectOutput(directory.resolve("browser").toFile())
                        .start();
        try {
            // Each event is sent when the one before was told: none is kept back.
            for (int i = 0; i < EVENTS; i++) {
                assertThat(heard(browser)).isEqualTo("event " + i);
            }
            for (String path : List.of("whole", "prepared", "stream")) {
                assertThat(heard(browser)).isEqualTo(path + " gzip " + BODY.length);
            }
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly().waitFor();
        }
    }

    private String heard(String browser) throws InterruptedException {
        String what = heard.poll(30, TimeUnit.SECONDS);
        assertThat(what).as("%s tells something within 30 s", browser).isNotNull();
        return what;
    }
}
