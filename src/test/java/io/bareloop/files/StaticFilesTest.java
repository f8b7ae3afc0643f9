package io.bareloop.files;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.http.MediaType;
import io.bareloop.http.Prepared;
import io.bareloop.http.Router;
import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.rig.Site;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files over a socket: what is answered to what, of small files and of large ones. */
@Timeout(60)
class StaticFilesTest {
    private static final int SMALL = 6 << 10;
    private static final int LARGE = 3_000_000;

    /** What holds for both tiers is tested with both. */
    private static final String BOTH = "small.bin";

    @TempDir Path root;

    private byte[] bytes(String name) throws IOException {
        byte[] bytes = Site.bytes(name.length(), name.startsWith("small") ? SMALL : LARGE);
        Site.write(root.resolve(name), bytes);
        return bytes;
    }

    // ---- whole files

    @ParameterizedTest
    @ValueSource(strings = {BOTH, "large.bin"})
    void aFileIsServedWithItsFields(String name) throws IOException {
        byte[] bytes = bytes(name);
        try (Site site = new Site(root)) {
            for (int i = 0; i < 3; i++) {
                Answer reply = site.get("/" + name);
                assertThat(reply.status()).isEqualTo(200);
                assertThat(reply.body()).isEqualTo(Site.text(bytes));
                assertThat(reply.field("Content-Type")).isEqualTo("application/octet-stream");
                assertThat(reply.field("Last-Modified")).isEqualTo(Site.MODIFIED_TEXT);
                assertThat(reply.field("ETag")).matches("\"[!-~]{10,}\"");
                assertThat(reply.field("Accept-Ranges")).isEqualTo("bytes");
                assertThat(reply.has("Cache-Control")).isFalse();
                assertThat(reply.has("Vary")).isFalse();
            }
            Answer head = site.head("/" + name);
            assertThat(head.status()).isEqualTo(200);
            assertThat(head.field("Content-Length")).isEqualTo(String.valueOf(bytes.length));
            assertThat(site.get("/" + name).status()).isEqualTo(200);
        }
    }

    @Test
    void anEmptyFileIsAnEmptyBody() throws IOException {
        Site.write(root.resolve("empty.txt"), "");
        try (Site site = new Site(root)) {
            Answer reply = site.get("/empty.txt");
            assertThat(reply.status()).isEqualTo(200);
            assertThat(reply.field("Content-Length")).isEqualTo("0");
            assertThat(reply.field("Content-Type")).isEqualTo("text/plain; charset=utf-8");
            assertThat(site.get("/empty.txt", "Range: bytes=0-").status()).isEqualTo(416);
            assertThat(site.get("/empty.txt", "Range: bytes=-1").status()).isEqualTo(200);
        }
    }

    /** The bound between the tiers, to the byte, by whose bytes the ETag is made. */
    @Test
    void smallAndLargeMeetAtTheBound() throws IOException {
        byte[] most = Site.bytes(1, 1000);
        Site.write(root.resolve("most"), most);
        Site.write(root.resolve("copy"), most);
        Site.write(root.resolve("more"), Site.bytes(2, 1001));
        try (Site site = new Site(root, builder -> builder.smallBytesMax(1000))) {
            assertThat(site.get("/most").body()).isEqualTo(Site.text(most));
            assertThat(site.get("/more").body()).isEqualTo(Site.text(Site.bytes(2, 1001)));
            assertThat(site.files.cache().openFiles()).isEqualTo(1);
            assertThat(site.get("/copy").field("ETag")).isEqualTo(site.get("/most").field("ETag"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {BOTH, "large.bin"})
    void pipelinedRequestsAreAnsweredInOrder(String name) throws IOException {
        byte[] bytes = bytes(name);
        Site.write(root.resolve("a.txt"), "a");
        try (Site site = new Site(root)) {
            String one = Client.request("GET", "/" + name);
            String other = Client.request("GET", "/a.txt");
            site.client.send((one + other).repeat(5));
            for (int i = 0; i < 5; i++) {
                assertThat(site.client.answer().body()).isEqualTo(Site.text(bytes));
                assertThat(site.client.answer().body()).isEqualTo("a");
            }
        }
    }

    /** HTTP/1.0, and a connection that is to end: the last byte still comes. */
    @ParameterizedTest
    @ValueSource(strings = {BOTH, "large.bin"})
    void aConnectionEndsBehindTheFile(String name) throws IOException {
        byte[] bytes = bytes(name);
        try (Site site = new Site(root);
                Client old = Client.connect(site.server.port())) {
            site.client.send(Client.request("GET", "/" + name, "Connection: close"));
            assertThat(site.client.untilEnd()).endsWith("\r\n\r\n" + Site.text(bytes));
            old.send("GET /" + name + " HTTP/1.0\r\n\r\n");
            assertThat(old.untilEnd()).endsWith("\r\n\r\n" + Site.text(bytes));
        }
    }

    /** One that reads slowly gets it all, and one that reads nothing costs no other. */
    @Test
    void aClientThatDoesNotReadHoldsNobodyUp() throws IOException, InterruptedException {
        byte[] bytes = Site.bytes(1, 30_000_000);
        Site.write(root.resolve("large.bin"), bytes);
        Site.write(root.resolve("a.txt"), "a");
        try (Site site = new Site(root);
                Client slow = Client.connect(site.server.port(), 64 << 10)) {
            slow.send(Client.request("GET", "/large.bin"));
            slow.send(Client.request("GET", "/a.txt"));
            Thread.sleep(100);
            for (int i = 0; i < 100; i++) {
                assertThat(site.get("/a.txt").body()).isEqualTo("a");
            }
            assertThat(slow.answer().body()).isEqualTo(Site.text(bytes));
            assertThat(slow.answer().body()).isEqualTo("a");
        }
    }

    @Test
    void aClientThatGoesAwayLeavesNothingBehind() throws IOException, InterruptedException {
        Site.write(root.resolve("large.bin"), Site.bytes(1, 20_000_000));
        try (Site site = new Site(root)) {
            for (int i = 0; i < 20; i++) {
                try (Client client = Client.connect(site.server.port(), 64 << 10)) {
                    client.send(Client.request("GET", "/large.bin"));
                    client.exactly(1000);
                    client.reset();
                }
            }
            assertThat(site.get("/large.bin", "Range: bytes=5-5").status()).isEqualTo(206);
            Files.delete(root.resolve("large.bin"));
            awaitStatus(site, "/large.bin", 404);
            awaitNoDescriptor("large.bin");
        }
    }

    // ---- methods

    @Test
    void otherMethodsAreRefused() throws IOException {
        Site.write(root.resolve("a.txt"), "a");
        try (Site site = new Site(root)) {
            for (String method : List.of("PUT", "DELETE", "PATCH", "TRACE")) {
                site.client.send(Client.request(method, "/a.txt"));
                Answer reply = site.client.answer();
                assertThat(reply.status()).isEqualTo(405);
                assertThat(reply.field("Allow")).isEqualTo("GET, HEAD, OPTIONS");
            }
            site.client.send(Client.request("POST", "/a.txt", "Content-Length: 3") + "abc");
            assertThat(site.client.answer().status()).isEqualTo(405);
            site.client.send(Client.request("OPTIONS", "/a.txt"));
            assertThat(site.client.answer().status()).isEqualTo(204);
            site.client.send(Client.request("GET", "/a.txt", "Content-Length: 3") + "abc");
            assertThat(site.client.answer().body()).isEqualTo("a");
        }
    }

    // ---- conditions

    @ParameterizedTest
    @ValueSource(strings = {BOTH, "large.bin"})
    void conditionsComeInTheirOrder(String name) throws IOException {
        bytes(name);
        String path = "/" + name;
        String before = "Tue, 03 Feb 2026 04:05:05 GMT";
        String after = "Tue, 03 Feb 2026 04:05:07 GMT";
        try (Site site = new Site(root)) {
            Answer whole = site.get(path);
            String tag = whole.field("ETag");
            String same = Site.MODIFIED_TEXT;
            assertStatus(site, path, 304, "If-None-Match: " + tag);
            assertStatus(site, path, 304, "If-None-Match: \"x\", W/" + tag);
            assertStatus(site, path, 304, "If-None-Match: \"x\"", "If-None-Match: " + tag);
            assertStatus(site, path, 304, "If-None-Match: *");
            assertStatus(site, path, 200, "If-None-Match: \"x\"");
            assertStatus(site, path, 304, "If-Modified-Since: " + same);
            assertStatus(site, path, 304, "If-Modified-Since: " + after);
            assertStatus(site, path, 304, "If-Modified-Since: Tuesday, 03-Feb-26 04:05:06 GMT");
            assertStatus(site, path, 304, "If-Modified-Since: Tue Feb  3 04:05:06 2026");
            assertStatus(site, path, 200, "If-Modified-Since: " + before);
            assertStatus(site, path, 200, "If-Modified-Since: yesterday");
            assertStatus(site, path, 200, "If-Match: " + tag);
            assertStatus(site, path, 200, "If-Match: *");
            assertStatus(site, path, 412, "If-Match: \"x\"");
            assertStatus(site, path, 412, "If-Match: W/" + tag);
            assertStatus(site, path, 200, "If-Unmodified-Since: " + same);
            assertStatus(site, path, 412, "If-Unmodified-Since: " + before);
            assertStatus(site, path, 200, "If-Unmodified-Since: yesterday");
            // If-None-Match is asked in the place of If-Modified-Since, If-Match of the other.
            assertStatus(site, path, 200, "If-None-Match: \"x\"", "If-Modified-Since: " + same);
            assertStatus(site, path, 304, "If-None-Match: " + tag, "If-Modified-Since: " + before);
            assertStatus(site, path, 200, "If-Match: " + tag, "If-Unmodified-Since: " + before);
            assertStatus(site, path, 412, "If-Match: \"x\"", "If-Unmodified-Since: " + same);
            assertStatus(site, path, 412, "If-Match: \"x\"", "If-None-Match: " + tag);
            assertStatus(site, path, 304, "If-Match: " + tag, "If-None-Match: " + tag);
            // Before any range.
            assertStatus(site, path, 304, "If-None-Match: " + tag, "Range: bytes=0-1");
            assertStatus(site, path, 412, "If-Match: \"x\"", "Range: bytes=0-1");

            Answer notModified = site.get(path, "If-None-Match: " + tag);
            assertThat(notModified.field("ETag")).isEqualTo(tag);
            assertThat(notModified.field("Last-Modified")).isEqualTo(same);
            assertThat(notModified.has("Content-Type")).isFalse();
            assertThat(notModified.has("Content-Length")).isFalse();
            site.client.send(Client.request("HEAD", path, "If-None-Match: " + tag));
            assertThat(site.client.answerToHead().status()).isEqualTo(304);
        }
    }

    private static void assertStatus(Site site, String path, int status, String... fields)
            throws IOException {
        assertThat(site.get(path, fields).status())
                .as(List.of(fields).toString())
                .isEqualTo(status);
    }

    // ---- ranges

    @ParameterizedTest
    @ValueSource(strings = {BOTH, "large.bin"})
    void oneRange(String name) throws IOException {
        byte[] bytes = bytes(name);
        String all = Site.text(bytes);
        int size = bytes.length;
        try (Site site = new Site(root)) {
            assertRange(site, name, "bytes=0-0", 0, 0, all);
            assertRange(site, name, "bytes=1-4000", 1, 4000, all);
            assertRange(site, name, "bytes=5000-", 5000, size - 1, all);
            assertRange(site, name, "bytes=-7", size - 7, size - 1, all);
            assertRange(site, name, "bytes=0-99999999999", 0, size - 1, all);
            assertRange(site, name, "bytes=9-9,99999999-", 9, 9, all);
            Answer none = site.get("/" + name, "Range: bytes=" + size + "-");
            assertThat(none.status()).isEqualTo(416);
            assertThat(none.field("Content-Range")).isEqualTo("bytes */" + size);
            assertThat(site.get("/" + name, "Range: lines=1-2").status()).isEqualTo(200);
            assertThat(site.get("/" + name, "Range: bytes=2-1").status()).isEqualTo(200);
            assertThat(site.head("/" + name, "Range: bytes=0-1").status()).isEqualTo(200);
        }
    }

    private static void assertRange(
            Site site, String name, String range, int first, int last, String all)
            throws IOException {
        Answer reply = site.get("/" + name, "Range: " + range);
        assertThat(reply.status()).isEqualTo(206);
        assertThat(reply.field("Content-Range"))
                .isEqualTo("bytes " + first + "-" + last + "/" + all.length());
        assertThat(reply.body()).isEqualTo(all.substring(first, last + 1));
        assertThat(reply.has("ETag")).isTrue();
        assertThat(reply.field("Content-Type")).isEqualTo("application/octet-stream");
    }

    @ParameterizedTest
    @ValueSource(strings = {BOTH, "large.bin"})
    void severalRangesAreParts(String name) throws IOException {
        byte[] bytes = bytes(name);
        String all = Site.text(bytes);
        int[][] ranges = {{0, 3}, {10, 10}, {100, bytes.length - 2000}, {bytes.length - 1, -1}};
        try (Site site = new Site(root)) {
            for (int round = 0; round < 3; round++) {
                Answer reply =
                        site.get(
                                "/" + name,
                                "Range: bytes=0-3, 10-10,100-" + (bytes.length - 2000) + ",-1");
                assertThat(reply.status()).isEqualTo(206);
                assertThat(reply.has("Content-Range")).isFalse();
                String type = reply.field("Content-Type");
                assertThat(type).startsWith("multipart/byteranges; boundary=");
                String boundary = type.substring(type.indexOf('=') + 1);
                StringBuilder expected = new StringBuilder();
                for (int[] range : ranges) {
                    int last = range[1] < 0 ? bytes.length - 1 : range[1];
                    expected.append("\r\n--")
                            .append(boundary)
                            .append("\r\nContent-Type: application/octet-stream")
                            .append("\r\nContent-Range: bytes ")
                            .append(range[0] + "-" + last + "/" + bytes.length)
                            .append("\r\n\r\n")
                            .append(all, range[0], last + 1);
                }
                expected.append("\r\n--").append(boundary).append("--\r\n");
                assertThat(reply.body().equals(expected.toString())).isTrue();
            }
            // The file's use by the parts has ended with them.
            assertThat(site.get("/" + name, "Range: bytes=0-0").status()).isEqualTo(206);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {BOTH, "large.bin"})
    void ifRangeGuardsTheRange(String name) throws IOException {
        bytes(name);
        try (Site site = new Site(root)) {
            String path = "/" + name;
            String tag = site.get(path).field("ETag");
            String range = "Range: bytes=0-1";
            assertStatus(site, path, 206, range, "If-Range: " + tag);
            assertStatus(site, path, 200, range, "If-Range: W/" + tag);
            assertStatus(site, path, 200, range, "If-Range: \"x\"");
            assertStatus(site, path, 200, range, "If-Range: Tue, 03 Feb 2026 04:05:07 GMT");
            assertStatus(site, path, 200, range, "If-Range: Tue, 03 Feb 2026 04:05:05 GMT");
            assertStatus(site, path, 200, range, "If-Range: ");
            assertStatus(site, path, 416, "Range: bytes=99999999-", "If-Range: " + tag);
            assertStatus(site, path, 200, "Range: bytes=99999999-", "If-Range: \"x\"");
        }
    }

    // ---- codings

    @Test
    void siblingsTakeThePlaceOfTheFile() throws IOException {
        Site.write(root.resolve("a.css"), "plain");
        Site.write(root.resolve("a.css.gz"), "as gzip");
        Site.write(root.resolve("a.css.br"), "as br");
        Site.write(root.resolve("a.css.zst"), Site.bytes(1, 100_000));
        try (Site site = new Site(root)) {
            Answer plain = site.get("/a.css");
            assertThat(plain.body()).isEqualTo("plain");
            assertThat(plain.field("Vary")).isEqualTo("Accept-Encoding");
            assertThat(plain.has("Content-Encoding")).isFalse();
            Answer gzip = site.get("/a.css", "Accept-Encoding: gzip");
            assertThat(gzip.body()).isEqualTo("as gzip");
            assertThat(gzip.field("Content-Encoding")).isEqualTo("gzip");
            assertThat(gzip.field("Vary")).isEqualTo("Accept-Encoding");
            assertThat(gzip.field("Content-Type")).isEqualTo("text/css; charset=utf-8");
            assertThat(gzip.field("ETag")).isNotEqualTo(plain.field("ETag"));
            Answer br = site.get("/a.css", "Accept-Encoding: gzip, deflate, br, zstd");
            assertThat(br.field("Content-Encoding")).isEqualTo("br");
            Answer zstd = site.get("/a.css", "Accept-Encoding: gzip;q=0.5, zstd");
            assertThat(zstd.field("Content-Encoding")).isEqualTo("zstd");
            assertThat(zstd.body()).hasSize(100_000);
            Answer refused = site.get("/a.css", "Accept-Encoding: identity;q=0, deflate");
            assertThat(refused.status()).isEqualTo(406);
            assertThat(refused.values("Vary")).containsExactly("Accept-Encoding", "Accept");
            // Each coding has conditions and ranges of its own.
            assertStatus(
                    site,
                    "/a.css",
                    200,
                    "Accept-Encoding: gzip",
                    "If-None-Match: " + plain.field("ETag"));
            Answer notModified =
                    site.get(
                            "/a.css",
                            "Accept-Encoding: gzip",
                            "If-None-Match: " + gzip.field("ETag"));
            assertThat(notModified.status()).isEqualTo(304);
            assertThat(notModified.field("Vary")).isEqualTo("Accept-Encoding");
            Answer range = site.get("/a.css", "Accept-Encoding: gzip", "Range: bytes=3-5");
            assertThat(range.body()).isEqualTo("gzi");
            assertThat(range.field("Content-Encoding")).isEqualTo("gzip");
            // By its own name a sibling is a file like others.
            assertThat(site.get("/a.css.gz").field("Content-Type")).isEqualTo("application/gzip");
            assertThat(site.get("/a.css.gz").has("Content-Encoding")).isFalse();
        }
        try (Site site = new Site(root, builder -> builder.precompressed(false))) {
            Answer reply = site.get("/a.css", "Accept-Encoding: gzip");
            assertThat(reply.body()).isEqualTo("plain");
            assertThat(reply.has("Vary")).isFalse();
        }
    }

    @Test
    void aSiblingOfAnotherVersionIsLeftOut() throws IOException {
        Site.write(root.resolve("a.css.gz"), "of the version before");
        Files.writeString(root.resolve("a.css"), "new");
        try (Site site = new Site(root)) {
            assertThat(site.get("/a.css", "Accept-Encoding: gzip").body()).isEqualTo("new");
        }
    }

    @Test
    void gzipIsMadeWhereItIsWorthIt() throws IOException {
        Site.write(root.resolve("a.css"), "text ".repeat(200));
        Site.write(root.resolve("short.css"), "text");
        Site.write(root.resolve("a.png"), "text ".repeat(200));
        Site.write(root.resolve("noise.css"), Site.bytes(1, 1000));
        try (Site site = new Site(root, builder -> builder.gzip(true))) {
            Answer gzip = site.get("/a.css", "Accept-Encoding: gzip");
            assertThat(gzip.field("Content-Encoding")).isEqualTo("gzip");
            byte[] body = gzip.body().getBytes(StandardCharsets.ISO_8859_1);
            assertThat(new GZIPInputStream(new ByteArrayInputStream(body)).readAllBytes())
                    .isEqualTo("text ".repeat(200).getBytes(UTF_8));
            assertThat(gzip.field("ETag")).isNotEqualTo(site.get("/a.css").field("ETag"));
            assertThat(gzip.field("Vary")).isEqualTo("Accept-Encoding");
            for (String path : List.of("/short.css", "/a.png", "/noise.css")) {
                Answer plain = site.get(path, "Accept-Encoding: gzip");
                assertThat(plain.has("Content-Encoding")).as(path).isFalse();
                assertThat(plain.has("Vary")).as(path).isFalse();
            }
        }
    }

    // ---- directories and the like

    @Test
    void directoriesAnswerWithTheirIndex() throws IOException {
        Site.write(root.resolve("index.html"), "top");
        Site.write(root.resolve("sub/index.html"), "below");
        Site.write(root.resolve("with space/index.html"), "spaced");
        Files.createDirectory(root.resolve("bare"));
        try (Site site = new Site(root)) {
            assertThat(site.get("/").body()).isEqualTo("top");
            assertThat(site.get("/").field("Content-Type")).isEqualTo("text/html; charset=utf-8");
            assertThat(site.get("/?a=b").body()).isEqualTo("top");
            assertThat(site.get("/sub/").body()).isEqualTo("below");
            Answer redirect = site.get("/sub");
            assertThat(redirect.status()).isEqualTo(301);
            assertThat(redirect.field("Location")).isEqualTo("/sub/");
            assertThat(site.get("/sub?a=b").field("Location")).isEqualTo("/sub/?a=b");
            assertThat(site.get("/with%20space").field("Location")).isEqualTo("/with%20space/");
            assertThat(site.get("/with%20space/").body()).isEqualTo("spaced");
            assertThat(site.get("/bare/").status()).isEqualTo(404);
            assertThat(site.get("/index.html/").status()).isEqualTo(404);
            assertThat(site.get("/index.html/x").status()).isEqualTo(404);
            assertThat(site.get("/nope").status()).isEqualTo(404);
            assertThat(site.head("/nope").status()).isEqualTo(404);
        }
        try (Site site = new Site(root, builder -> builder.index("other.html"))) {
            assertThat(site.get("/").status()).isEqualTo(404);
        }
    }

    @Test
    void namesAreBytes() throws IOException {
        Path file = root.resolve("\u00e4 & \"<b>\u20ac.txt");
        Site.write(file, "odd");
        try (Site site = new Site(root, builder -> builder.listing(true))) {
            assertThat(site.get("/%C3%A4%20%26%20%22%3Cb%3E%E2%82%AC.txt").body()).isEqualTo("odd");
            Answer page = site.get("/");
            assertThat(page.status()).isEqualTo(200);
            assertThat(page.field("Content-Type")).isEqualTo("text/html; charset=utf-8");
            assertThat(page.body())
                    .contains("href=\"./%C3%A4%20&amp;%20%22%3Cb%3E%E2%82%AC.txt\"")
                    .contains("&amp; &quot;&lt;b&gt;")
                    .doesNotContain("<b>");
        }
    }

    @Test
    void listingsShowWhatIsServed() throws IOException {
        Site.write(root.resolve("a/b.txt"), "b");
        Site.write(root.resolve("a/.hidden"), "h");
        Files.createDirectory(root.resolve("a/sub"));
        for (int i = 0; i < 3000; i++) {
            Files.createFile(root.resolve("a/sub/" + i));
        }
        try (Site site = new Site(root, builder -> builder.listing(true))) {
            Answer page = site.get("/a/");
            assertThat(page.body())
                    .contains("<a href=\"./b.txt\">b.txt</a>", "<a href=\"./sub/\">sub/</a>")
                    .contains("<a href=\"../\">")
                    .doesNotContain("hidden");
            assertThat(page.body().split("<tr>", -1)).hasSize(4);
            assertThat(site.get("/").body()).doesNotContain("../");
            assertThat(site.get("/a/sub/").body().split("<tr>", -1)).hasSize(3002);
            assertThat(site.get("/nope/").status()).isEqualTo(404);
            assertThat(site.get("/a").field("Location")).isEqualTo("/a/");
        }
        try (Site site = new Site(root, builder -> builder.listing(true).dotFiles(true))) {
            assertThat(site.get("/a/").body()).contains("hidden");
            assertThat(site.get("/a/.hidden").body()).isEqualTo("h");
        }
    }

    @Test
    void theFallbackAnswersForPages() throws IOException {
        Site.write(root.resolve("app.html"), "app");
        Site.write(root.resolve("a.txt"), "a");
        try (Site site = new Site(root, builder -> builder.fallback("/app.html"))) {
            assertThat(site.get("/a.txt").body()).isEqualTo("a");
            for (String path : List.of("/", "/users/7", "/users/", "/app.html")) {
                assertThat(site.get(path).status()).isEqualTo(200);
                assertThat(site.get(path).body()).as(path).isEqualTo("app");
            }
            assertThat(site.get("/missing.js").status()).isEqualTo(404);
            assertThat(site.get("/.git").status()).isEqualTo(404);
            assertThat(site.get("/../x").status()).isEqualTo(404);
        }
    }

    @Test
    void filesHaveTheirPlaceAmongRoutes() throws IOException {
        Site.write(root.resolve("a.txt"), "a");
        Site.write(root.resolve("sub/index.html"), "below");
        try (Site site =
                new Site(
                        root,
                        builder -> builder.mount("/assets"),
                        files ->
                                Router.builder()
                                        .get("/plaintext", Prepared.text("hello"))
                                        .get("/assets", files)
                                        .get("/assets/{path...}", files)
                                        .build())) {
            assertThat(site.get("/plaintext").body()).isEqualTo("hello");
            assertThat(site.get("/assets/a.txt").body()).isEqualTo("a");
            assertThat(site.get("/assets/sub").field("Location")).isEqualTo("/assets/sub/");
            assertThat(site.get("/assets/sub/").body()).isEqualTo("below");
            assertThat(site.get("/assets?x").field("Location")).isEqualTo("/assets/?x");
            assertThat(site.get("/assets/").status()).isEqualTo(404);
            assertThat(site.get("/a.txt").status()).isEqualTo(404);
            assertThat(site.get("/assets/../a.txt").status()).isEqualTo(404);
        }
    }

    /** A file cannot send the browser to another host. */
    @Test
    void redirectsStayHere() throws IOException {
        Files.createDirectories(root.resolve("evil.example"));
        Files.createDirectories(root.resolve("a:b"));
        try (Site site = new Site(root)) {
            for (String path : List.of("//evil.example", "/\\evil.example", "/%2fevil.example")) {
                assertThat(site.get(path).status()).isEqualTo(404);
            }
            assertThat(site.get("/a:b").field("Location")).isEqualTo("/a%3Ab/");
        }
    }

    @Test
    void cacheControlIsByPattern() throws IOException {
        Site.write(root.resolve("a.txt"), "a");
        Site.write(root.resolve("a.js"), "a");
        Site.write(root.resolve("index.html"), "a");
        try (Site site =
                new Site(
                        root,
                        builder ->
                                builder.cacheControl("max-age=60")
                                        .cacheControl("*.js", "max-age=9, immutable")
                                        .cacheControl("/", "no-cache")
                                        .type("txt", MediaType.of("text/x-mine")))) {
            assertThat(site.get("/a.txt").field("Cache-Control")).isEqualTo("max-age=60");
            assertThat(site.get("/a.txt").field("Content-Type")).isEqualTo("text/x-mine");
            assertThat(site.get("/a.js").field("Cache-Control")).isEqualTo("max-age=9, immutable");
            assertThat(site.get("/").field("Cache-Control")).isEqualTo("no-cache");
            assertThat(
                            site.get("/a.js", "If-Modified-Since: " + Site.MODIFIED_TEXT)
                                    .field("Cache-Control"))
                    .isEqualTo("max-age=9, immutable");
        }
    }

    // ---- changes

    @ParameterizedTest
    @ValueSource(strings = {BOTH, "large.bin"})
    void aChangeShowsWithinASecond(String name) throws IOException, InterruptedException {
        bytes(name);
        try (Site site = new Site(root)) {
            Answer first = site.get("/" + name);
            // By rename, as it should be.
            byte[] other = Site.bytes(99, first.body().length());
            Path next = Files.write(root.resolve("next"), other);
            Files.move(next, root.resolve(name), StandardCopyOption.ATOMIC_MOVE);
            long renamed = System.nanoTime();
            Answer second = awaitBody(site, "/" + name, Site.text(other));
            assertThat(System.nanoTime() - renamed).isLessThan(5_000_000_000L);
            assertThat(second.field("ETag")).isNotEqualTo(first.field("ETag"));
            assertStatus(site, "/" + name, 200, "If-None-Match: " + first.field("ETag"));
            // In place: the same length, and within the same tick of the clock.
            byte[] third = Site.bytes(100, other.length);
            Files.write(root.resolve(name), third);
            awaitBody(site, "/" + name, Site.text(third));
            Files.delete(root.resolve(name));
            awaitStatus(site, "/" + name, 404);
            bytes(name);
            assertThat(site.get("/" + name).body()).isEqualTo(first.body());
        }
    }

    /** A file that nobody has asked for meanwhile is not served as it was. */
    @ParameterizedTest
    @ValueSource(strings = {BOTH, "large.bin"})
    void whatHasBeenAsleepIsCheckedFirst(String name) throws IOException, InterruptedException {
        bytes(name);
        try (Site site = new Site(root)) {
            int length = site.get("/" + name).body().length();
            Thread.sleep(3L * Sweeper.SWEEP_MILLIS);
            byte[] other = Site.bytes(99, length);
            Site.write(root.resolve(name), other);
            assertThat(site.get("/" + name).body()).isEqualTo(Site.text(other));
        }
    }

    @Test
    void aSiblingThatComesLaterIsFound() throws IOException, InterruptedException {
        Site.write(root.resolve("a.css"), "plain");
        try (Site site = new Site(root)) {
            assertThat(site.get("/a.css", "Accept-Encoding: gzip").body()).isEqualTo("plain");
            Site.write(root.resolve("a.css.gz"), "as gzip");
            long end = System.nanoTime() + 5_000_000_000L;
            while (!site.get("/a.css", "Accept-Encoding: gzip").body().equals("as gzip")) {
                assertThat(System.nanoTime()).isLessThan(end);
                Thread.sleep(20);
            }
        }
    }

    /** A release is switched by a symbolic link in the path of the root. */
    @Test
    void theRootItselfCanBeSwitched() throws IOException, InterruptedException {
        Site.write(root.resolve("one/a.txt"), "one");
        Site.write(root.resolve("two/a.txt"), "two");
        Path current = Files.createSymbolicLink(root.resolve("current"), Path.of("one"));
        try (Site site = new Site(current)) {
            assertThat(site.get("/a.txt").body()).isEqualTo("one");
            Path next = Files.createSymbolicLink(root.resolve("next"), Path.of("two"));
            Files.move(next, current, StandardCopyOption.ATOMIC_MOVE);
            awaitBody(site, "/a.txt", "two");
        }
    }

    /** More than there is room for is served all the same. */
    @Test
    void boundsOfTheCacheHold() throws IOException {
        for (int i = 0; i < 100; i++) {
            Site.write(root.resolve("large" + i), Site.bytes(i, 70_000));
            Site.write(root.resolve("small" + i), Site.bytes(i, 60_000));
        }
        try (Site site =
                new Site(root, builder -> builder.memoryBytesMax(2 << 20).openFilesMax(8))) {
            for (int round = 0; round < 2; round++) {
                for (int i = 0; i < 100; i++) {
                    assertThat(site.get("/large" + i).body())
                            .isEqualTo(Site.text(Site.bytes(i, 70_000)));
                    assertThat(site.get("/small" + i).body())
                            .isEqualTo(Site.text(Site.bytes(i, 60_000)));
                    assertThat(site.files.cache().openFiles()).isLessThanOrEqualTo(8);
                    assertThat(site.files.cache().memoryBytes()).isLessThanOrEqualTo(2 << 20);
                }
            }
            assertThat(descriptors("large")).isLessThanOrEqualTo(9);
        }
    }

    /** Escapes are other spellings of one file: they do not fill the cache. */
    @Test
    void spellingsAreOneEntry() throws IOException {
        Site.write(root.resolve("abc.txt"), "abc");
        try (Site site = new Site(root)) {
            for (String path : List.of("/abc.txt", "/%61bc.txt", "/a%62c%2etxt", "/abc%2Etxt?q")) {
                assertThat(site.get(path).body()).isEqualTo("abc");
            }
            assertThat(site.files.cache().size()).isEqualTo(1);
        }
    }

    // ---- what goes wrong

    /** What was announced cannot come: that connection ends, and no other. */
    @Test
    void aFileThatIsCutShortEndsItsConnection() throws IOException, InterruptedException {
        Site.write(root.resolve("large.bin"), Site.bytes(1, 40_000_000));
        Site.write(root.resolve("a.txt"), "a");
        try (Site site = new Site(root);
                Client reading = Client.connect(site.server.port(), 64 << 10)) {
            reading.send(Client.request("GET", "/large.bin"));
            reading.exactly(100_000);
            Files.write(root.resolve("large.bin"), new byte[1000]);
            int more = 0;
            try {
                while (reading.read() >= 0) {
                    more++;
                }
            } catch (IOException reset) {
                // An end, too.
                assertThat(reset).isNotInstanceOf(java.net.SocketTimeoutException.class);
            }
            assertThat(more).isLessThan(39_900_000);
            assertThat(site.get("/a.txt").body()).isEqualTo("a");
        }
    }

    @Test
    void whatIsNoFileIsNotServed() throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("mkfifo", root.resolve("pipe").toString()).start().waitFor())
                .isZero();
        Files.createSymbolicLink(root.resolve("null"), Path.of("/dev/null"));
        try (Site site = new Site(root, builder -> builder.outsideLinks(true));
                java.nio.channels.ServerSocketChannel socket =
                        java.nio.channels.ServerSocketChannel.open(
                                java.net.StandardProtocolFamily.UNIX)) {
            Path name = root.resolve("socket");
            socket.bind(java.net.UnixDomainSocketAddress.of(name));
            for (String path : List.of("/pipe", "/null", "/socket")) {
                assertThat(site.get(path).status()).as(path).isEqualTo(404);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"/%, 400", "/%zz, 400", "/a%00b, 404", "/%2e%2e/x, 404", "/.git/config, 404"})
    void pathsThatAreNone(String path, int status) throws IOException {
        Site.write(root.resolve(".git/config"), "secret");
        try (Site site = new Site(root)) {
            assertThat(site.get(path).status()).isEqualTo(status);
        }
    }

    @Test
    void symbolicLinksStayInside(@TempDir Path outside) throws IOException {
        Path secret = Site.write(outside.resolve("secret"), "secret");
        Site.write(root.resolve("sub/a.txt"), "a");
        link("inside", Path.of("sub/a.txt"));
        link("sub/up", Path.of("../sub/a.txt"));
        link("directory", Path.of("sub"));
        link("absolute", secret);
        link("absolute-inside", root.resolve("sub/a.txt"));
        link("relative", root.relativize(secret));
        link("parent", Path.of(".."));
        link("loop", Path.of("loop"));
        link("dangling", Path.of("nowhere"));
        String beside = outside.getFileName() + "/secret";
        try (Site site = new Site(root)) {
            for (String path : List.of("/inside", "/sub/up", "/directory/a.txt")) {
                assertThat(site.get(path).body()).as(path).isEqualTo("a");
            }
            for (String path :
                    List.of(
                            "/absolute",
                            "/absolute-inside",
                            "/relative",
                            "/parent/" + beside,
                            "/parent",
                            "/loop",
                            "/dangling")) {
                assertThat(site.get(path).status()).as(path).isEqualTo(404);
            }
        }
        try (Site site = new Site(root, builder -> builder.outsideLinks(true))) {
            for (String path : List.of("/absolute", "/relative", "/parent/" + beside)) {
                assertThat(site.get(path).body()).as(path).isEqualTo("secret");
            }
        }
    }

    private void link(String name, Path target) throws IOException {
        Files.createSymbolicLink(root.resolve(name), target);
    }

    // ---- the builder

    @Test
    void wrongSettingsAreRefused() {
        StaticFiles.Builder builder = StaticFiles.builder(root);
        List<Runnable> wrong = new ArrayList<>();
        wrong.add(() -> builder.mount("assets"));
        wrong.add(() -> builder.mount("/assets/"));
        wrong.add(() -> builder.mount("/"));
        wrong.add(() -> builder.index(""));
        wrong.add(() -> builder.index("../index.html"));
        wrong.add(() -> builder.index("."));
        wrong.add(() -> builder.fallback("index.html"));
        wrong.add(() -> builder.fallback("/../index.html"));
        wrong.add(() -> builder.cacheControl("a\r\nb"));
        wrong.add(() -> builder.cacheControl("", "no-cache"));
        wrong.add(() -> builder.type("a.b", MediaType.TEXT));
        wrong.add(() -> builder.type("", MediaType.TEXT));
        wrong.add(() -> builder.smallBytesMax(-1));
        wrong.add(() -> builder.smallBytesMax((1 << 20) + 1));
        wrong.add(() -> builder.memoryBytesMax(1 << 20));
        wrong.add(() -> builder.openFilesMax(7));
        wrong.add(() -> builder.uncheckedMax(Duration.ofSeconds(-1)));
        wrong.add(() -> builder.uncheckedMax(Duration.ofSeconds(3601)));
        wrong.add(() -> StaticFiles.of(root.resolve("nowhere")));
        wrong.add(() -> StaticFiles.of(aFile()));
        for (int i = 0; i < wrong.size(); i++) {
            Runnable one = wrong.get(i);
            assertThatThrownBy(one::run)
                    .as("number " + i)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageMatching("(?s).{10,}");
        }
    }

    private Path aFile() {
        try {
            return Site.write(root.resolve("file"), "x");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void closedTwiceIsClosed() throws IOException, InterruptedException {
        Site.write(root.resolve("large.bin"), Site.bytes(1, 100_000));
        Site site = new Site(root);
        assertThat(site.get("/large.bin").status()).isEqualTo(200);
        site.close();
        site.files.close();
        awaitNoDescriptor("large.bin");
        awaitNoDescriptor(root.getFileName().toString());
    }

    // ---- waiting

    private static Answer awaitBody(Site site, String path, String body)
            throws IOException, InterruptedException {
        long end = System.nanoTime() + 10_000_000_000L;
        Answer reply = site.get(path);
        while (!reply.body().equals(body)) {
            assertThat(System.nanoTime()).as("still the old one").isLessThan(end);
            Thread.sleep(20);
            reply = site.get(path);
        }
        return reply;
    }

    private static void awaitStatus(Site site, String path, int status)
            throws IOException, InterruptedException {
        long end = System.nanoTime() + 10_000_000_000L;
        while (site.get(path).status() != status) {
            assertThat(System.nanoTime()).as("still no " + status).isLessThan(end);
            Thread.sleep(20);
        }
    }

    private static void awaitNoDescriptor(String name) throws IOException, InterruptedException {
        long end = System.nanoTime() + 10_000_000_000L;
        while (descriptors(name) > 0) {
            assertThat(System.nanoTime()).as("still open").isLessThan(end);
            Thread.sleep(20);
        }
    }

    /** Descriptors of this process whose file has {@code name} in its path. */
    private static long descriptors(String name) throws IOException {
        List<String> open = new ArrayList<>();
        try (var links = Files.list(Path.of("/proc/self/fd"))) {
            for (Path link : links.toList()) {
                try {
                    open.add(Files.readSymbolicLink(link).toString());
                } catch (IOException gone) {
                    open.add("");
                }
            }
        }
        return open.stream().filter(path -> path.contains(name)).count();
    }
}
