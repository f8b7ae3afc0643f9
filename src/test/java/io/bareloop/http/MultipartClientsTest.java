package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bareloop.rig.Bytes;
import io.bareloop.rig.Ran;
import io.bareloop.server.HttpServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Forms as clients that people use send them: curl, Python's, the JDK's, a browser. Each is skipped
 * where the machine has none.
 */
@Timeout(120)
class MultipartClientsTest {
    private static final List<String> BROWSERS =
            List.of("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome");

    private static final int LARGE_BYTES = 5_000_000;

    @TempDir Path directory;

    private HttpServer server;
    private byte[] large;
    private Path largeFile;

    @BeforeEach
    void start() throws IOException {
        MultipartHandler form = MultipartHandler.of(MultipartLimits.defaults(), it -> new Told());
        Router router =
                Router.builder()
                        .post("/form", form)
                        .get("/", (it, response) -> response.contentType(MediaType.HTML).body(PAGE))
                        .build();
        server = HttpServer.builder().listen("127.0.0.1", 0).handler(router).start();
        large = new byte[LARGE_BYTES];
        for (int i = 0; i < LARGE_BYTES; i++) {
            large[i] = (byte) (i * 31);
        }
        largeFile = Files.write(directory.resolve("large.bin"), large);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    /** Tells a client what it has sent, in ASCII. */
    private static final class Told implements MultipartHandler.Upload {
        private final StringBuilder said = new StringBuilder();
        private CRC32 sum;
        private long bytes;

        @Override
        public void field(Part part, String value) {
            say(part.name(), "=", value);
        }

        @Override
        public void begin(Part part) {
            sum = new CRC32();
            bytes = 0;
        }

        @Override
        public void piece(Part part, ByteView piece) {
            sum.update(piece.toByteArray());
            bytes += piece.length();
        }

        @Override
        public void end(Part part) {
            say(part.name(), "@", part.filename(), " ", part.contentType(), told(bytes, sum));
        }

        private void say(String... words) {
            said.append(Bytes.escape(String.join("", words))).append('\n');
        }

        @Override
        public void answer(Request request, Response response) {
            response.contentType(MediaType.TEXT).body(said + "complete\n");
        }
    }

    private static String told(long bytes, CRC32 sum) {
        return " " + bytes + " " + Long.toHexString(sum.getValue());
    }

    private static String told(byte[] content) {
        CRC32 sum = new CRC32();
        sum.update(content);
        return told(content.length, sum);
    }

    // ---- curl

    @Test
    void curl() throws Exception {
        assumeTrue(exists("curl"), "no curl: it has sent no form");
        Path small = Files.writeString(directory.resolve("small.txt"), "small\r\n");
        // By a file: in the locale of the tests, arguments are ASCII.
        String config =
                String.join(
                        "\n",
                        "form = \"text=hello\"",
                        "form = \"\u00fc\u20ac=\u00e4\"",
                        "form = \"qu\\\"ote=1\"",
                        "form-string = \"at=@x;y\"",
                        "form = \"one=@" + small + "\"",
                        "form = \"two=@" + largeFile + ";type=a/b;filename=\\\"b\u00fc c.bin\\\"\"",
                        "form = \"two=@" + small + ";filename=\\\"q\\\\\\\"q\\\"\"");
        String expected =
                String.join(
                        "\n",
                        "text=hello",
                        "\\u00fc\\u20ac=\\u00e4",
                        "qu\\\"ote=1",
                        "at=@x;y",
                        "one@small.txt text/plain" + told(Bytes.of("small\r\n")),
                        "two@b\\u00fc c.bin a/b" + told(large),
                        "two@q\\\"q text/plain" + told(Bytes.of("small\r\n")),
                        "complete",
                        "");
        assertThat(curl(config)).isEqualTo(expected);
        assertThat(curl(config, "--form-escape")).as("with backslashes").isEqualTo(expected);
        assertThat(curl(config, "-H", "Transfer-Encoding: chunked")).isEqualTo(expected);
        assertThat(curl("form = \"x=y;encoder=base64\""))
                .startsWith("400 Bad Request")
                .contains("Content-Transfer-Encoding");
    }

    private String curl(String config, String... more) throws Exception {
        Path file = Files.writeString(directory.resolve("curl.config"), config);
        List<String> command =
                Stream.concat(
                                Stream.of("curl", "-sS", "-m", "60", "-K", file.toString()),
                                Stream.concat(Stream.of(more), Stream.of(url("/form"))))
                        .toList();
        Ran ran = Ran.of(new ProcessBuilder(command), directory.resolve("out"));
        assertThat(ran.status()).as(ran.output()).isZero();
        return ran.output();
    }

    // ---- Python

    private static final String STANDARD_LIBRARY =
            """
            import email.policy, sys, urllib.request
            from email.mime.multipart import MIMEMultipart
            from email.mime.nonmultipart import MIMENonMultipart
            form = MIMEMultipart('form-data', policy=email.policy.HTTP)
            text = MIMENonMultipart('text', 'plain', policy=email.policy.HTTP)
            text.add_header('Content-Disposition', 'form-data', name='text')
            text.set_payload('hello')
            form.attach(text)
            file = MIMENonMultipart('a', 'b', policy=email.policy.HTTP)
            file.add_header('Content-Disposition', 'form-data', name='file',
                            filename=('utf-8', '', 'b\\u00fc "c".bin'))
            file.set_payload('one\\r\\ntwo')
            form.attach(file)
            head, body = form.as_bytes().split(b'\\r\\n\\r\\n', 1)
            fields = {'Content-Type': form['Content-Type']}
            request = urllib.request.Request(sys.argv[1], body, fields)
            print(urllib.request.urlopen(request).read().decode(), end='')
            """;

    private static final String REQUESTS =
            """
            import requests, sys
            with open(sys.argv[2], 'rb') as large:
                answer = requests.post(sys.argv[1], data={'\\u00fc"': 'a\\r\\nb'}, files=[
                    ('one', ('b\\u00fc "c".bin', large, 'a/b')), ('two', ('x', b''))])
            print(answer.text, end='')
            """;

    @Test
    void pythonsStandardLibrary() throws Exception {
        assumeTrue(exists("python3"), "no python3: it has sent no form");
        assertThat(python(STANDARD_LIBRARY))
                .isEqualTo(
                        "text=hello\nfile@b\\u00fc \\\"c\\\".bin a/b"
                                + told(Bytes.of("one\r\ntwo"))
                                + "\ncomplete\n");
    }

    @Test
    void pythonsRequests() throws Exception {
        assumeTrue(exists("python3"), "no python3: it has sent no form");
        Ran ran =
                Ran.of(
                        new ProcessBuilder("python3", "-c", "import requests"),
                        directory.resolve("requests"));
        assumeTrue(ran.status() == 0, "no module requests for python3: it has sent no form");
        assertThat(python(REQUESTS))
                .isEqualTo(
                        "\\u00fc\\\"=a\\r\\nb\none@b\\u00fc \\\"c\\\".bin a/b"
                                + told(large)
                                + "\ntwo@x text/plain"
                                + told(new byte[0])
                                + "\ncomplete\n");
    }

    private String python(String program) throws Exception {
        Path file = Files.writeString(directory.resolve("client.py"), program);
        Ran ran =
                Ran.of(
                        new ProcessBuilder(
                                "python3", file.toString(), url("/form"), largeFile.toString()),
                        directory.resolve("out"));
        assertThat(ran.status()).as(ran.output()).isZero();
        return ran.output();
    }

    // ---- the JDK

    @Test
    void theJdksClient() throws Exception {
        String head = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\u00e4\r\n";
        String fileHead =
                "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"\u00fc\"\r\n\r\n";
        BodyPublisher body =
                BodyPublishers.concat(
                        BodyPublishers.ofString(head + fileHead),
                        BodyPublishers.ofFile(largeFile),
                        BodyPublishers.ofString("\r\n--B--\r\n"));
        String expected = "a=\\u00e4\nf@\\u00fc text/plain" + told(large) + "\ncomplete\n";
        // Chunked, where the length is not said.
        for (BodyPublisher publisher : List.of(body, BodyPublishers.fromPublisher(body))) {
            HttpRequest request =
                    HttpRequest.newBuilder(URI.create(url("/form")))
                            .header("Content-Type", "multipart/form-data; boundary=\"B\"")
                            .POST(publisher)
                            .build();
            try (HttpClient client = HttpClient.newHttpClient()) {
                assertThat(client.send(request, BodyHandlers.ofString()).body())
                        .isEqualTo(expected);
            }
        }
    }

    // ---- a browser

    /** A form by fetch, and one that is submitted; the answers go into the page. */
    private static final String PAGE =
            """
            <!DOCTYPE html><html><head><meta charset="utf-8"><title>form</title></head><body>
            <form id="form" action="form" method="post" enctype="multipart/form-data"
                target="answer"><textarea name="text"></textarea>
            <input name="files" type="file" multiple><input name="none" type="file"></form>
            <iframe id="answer" name="answer"></iframe>
            <pre id="fetched"></pre><pre id="submitted"></pre>
            <script>
            addEventListener("load", async () => {
                const bytes = new Uint8Array(5000000).map((value, i) => i * 31);
                const data = new FormData();
                data.append('\u00fc"\\n', "a\\nb");
                data.append("file", new File([bytes], '\u20ac "q" \\\\.bin', {type: "a/b"}));
                const answer = await fetch("form", {method: "POST", body: data});
                document.getElementById("fetched").textContent = await answer.text();

                const chosen = new DataTransfer();
                chosen.items.add(new File(["one"], "eins \u00e4.txt", {type: "text/plain"}));
                chosen.items.add(new File(["two\\r\\n"], "a%20b"));
                const form = document.getElementById("form");
                form.elements.files.files = chosen.files;
                form.elements.text.value = "x\\ny";
                const frame = document.getElementById("answer");
                frame.addEventListener("load", () => {
                    document.getElementById("submitted").textContent =
                        frame.contentDocument.body.textContent;
                });
                form.submit();
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
        assumeTrue(browser != null, "no Chromium: no browser has sent a form");
        Ran ran =
                Ran.of(
                        new ProcessBuilder(
                                browser,
                                "--headless=new",
                                "--no-sandbox",
                                "--disable-gpu",
                                "--disable-dev-shm-usage",
                                "--no-first-run",
                                "--disable-background-networking",
                                "--user-data-dir=" + directory.resolve("profile"),
                                "--virtual-time-budget=20000",
                                "--dump-dom",
                                url("/")),
                        directory.resolve("page"));
        assertThat(ran.output())
                .contains(
                        String.join(
                                "\n",
                                "<pre id=\"fetched\">\\u00fc\\\"\\r\\n=a\\r\\nb",
                                "file@\\u20ac \\\"q\\\" \\\\.bin a/b" + told(large),
                                "complete",
                                "</pre>"))
                .contains(
                        String.join(
                                "\n",
                                "<pre id=\"submitted\">text=x\\r\\ny",
                                "files@eins \\u00e4.txt text/plain" + told(Bytes.of("one")),
                                "files@a%20b application/octet-stream" + told(Bytes.of("two\r\n")),
                                "none@ application/octet-stream" + told(new byte[0]),
                                "complete",
                                "</pre>"));
    }

    private String url(String path) {
        return server.origin() + path;
    }

    private static boolean exists(String tool) {
        return Stream.of(System.getenv("PATH").split(":", -1))
                .anyMatch(place -> Files.isExecutable(Path.of(place, tool)));
    }
}
