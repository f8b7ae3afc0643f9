package io.bareloop.files;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.rig.Site;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Syscalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is sent in the place of a file, over a socket. */
@Timeout(60)
class ErrorPagesTest {
    private static final String HTML = "Accept: text/html,*/*;q=0.8";
    private static final String LOST = "<p>lost</p>";
    private static final String SOON = "<p>soon</p>";

    /** Answered without the disk, and with it. */
    private static final List<String> NOWHERE =
            List.of("/nothing", "/nothing.html", "/sub/", "/.hidden", "/../x", "/%ff", "/a%2fb");

    @TempDir Path parent;
    private volatile int failing;

    /** The log's lines come from several threads. */
    private final List<String> lines = Collections.synchronizedList(new ArrayList<>());

    private Path root() {
        return parent.resolve("root");
    }

    private Site site() throws IOException {
        Files.createDirectories(root());
        return new Site(root(), builder -> builder.log(lines::add).calls(Faulty::new));
    }

    /** Opens nothing while {@link #failing} is an errno. */
    private final class Faulty extends Syscalls {
        Faulty(Arena arena) {
            super(arena);
        }

        @Override
        public int openat2(int dirFd, MemorySegment path, int flags, int resolve) {
            return failing == 0 ? super.openat2(dirFd, path, flags, resolve) : -failing;
        }
    }

    private static void awaitBody(Site site, String path, String body) throws Exception {
        long deadline = System.nanoTime() + 10_000_000_000L;
        while (!site.get(path).body().equals(body) && System.nanoTime() < deadline) {
            Thread.sleep(20);
        }
        assertThat(site.get(path).body()).isEqualTo(body);
    }

    // ---- built in

    @Test
    void withoutPagesOfTheRoot() throws IOException {
        try (Site site = site()) {
            for (String path : NOWHERE) {
                Answer line = site.get(path, "Accept: */*");
                assertThat(line.status()).as(path).isEqualTo(404);
                assertThat(line.body()).isEqualTo("404 Not Found\n");
                assertThat(line.field("Content-Type")).isEqualTo("text/plain; charset=utf-8");
                Answer page = site.get(path, HTML);
                assertThat(page.status()).as(path).isEqualTo(404);
                assertThat(page.body()).contains("<title>404 Not Found</title>", "nothing at this");
                assertThat(page.field("Content-Type")).isEqualTo("text/html; charset=utf-8");
                Answer head = site.head(path, HTML);
                assertThat(head.status()).isEqualTo(404);
                assertThat(head.field("Content-Length")).isEqualTo(page.field("Content-Length"));
                assertThat(List.of(line, page, head))
                        .allMatch(reply -> reply.field("Vary").equals("Accept"));
                assertThat(site.get(path, "Accept: text/html;q=0").body()).isEqualTo(line.body());
            }
            assertThat(site.get("/%zz", HTML).status()).isEqualTo(400);
            assertThat(site.get("/%zz", HTML).body()).contains("<title>400 Bad Request</title>");
            site.client.send(Client.request("DELETE", "/x", HTML));
            Answer refused = site.client.answer();
            assertThat(refused.status()).isEqualTo(405);
            assertThat(refused.field("Allow")).isEqualTo("GET, HEAD, OPTIONS");
            assertThat(refused.body()).contains("Allowed: GET, HEAD, OPTIONS.");
            failing = Errno.EIO;
            assertThat(site.get("/x", HTML).body()).contains("500 Internal Server Error</title>");
            failing = Errno.EMFILE;
            Answer busy = site.get("/x", HTML);
            assertThat(busy.body()).contains("503", "Short of descriptors or memory.");
            assertThat(busy.field("Retry-After")).isEqualTo("1");
            assertThat(site.get("/x").body())
                    .isEqualTo("503 Service Unavailable: short of descriptors or memory\n");
        }
    }

    // ---- 404.html

    @ParameterizedTest
    @ValueSource(strings = {"", "/assets"})
    void theRootsOwnPageIsSentWith404(String mount) throws IOException {
        Site.write(root().resolve("404.html"), LOST);
        Site.write(root().resolve("a.txt"), "a");
        try (Site site =
                new Site(
                        root(),
                        builder ->
                                (mount.isEmpty() ? builder : builder.mount(mount))
                                        .cacheControl("max-age=9"))) {
            Answer file = site.get(mount + "/404.html");
            assertThat(file.status()).isEqualTo(200);
            String tag = file.field("ETag");
            List<String> paths = new ArrayList<>(NOWHERE);
            paths.replaceAll(path -> mount + path);
            paths.add(mount + "/a.txt/");
            if (!mount.isEmpty()) {
                paths.add("/elsewhere");
            }
            for (String path : paths) {
                for (String field :
                        List.of(
                                "X: y",
                                HTML,
                                "Accept: application/json",
                                "If-None-Match: " + tag,
                                "If-None-Match: *",
                                "If-Modified-Since: " + Site.MODIFIED_TEXT,
                                "If-Match: \"x\"",
                                "Range: bytes=0-2",
                                "Accept-Encoding: gzip")) {
                    Answer reply = site.get(path, field);
                    assertThat(reply.status()).as(path + " " + field).isEqualTo(404);
                    assertThat(reply.body()).isEqualTo(LOST);
                    assertThat(reply.field("Content-Type")).isEqualTo("text/html; charset=utf-8");
                    for (String name :
                            List.of(
                                    "ETag",
                                    "Last-Modified",
                                    "Cache-Control",
                                    "Accept-Ranges",
                                    "Vary")) {
                        assertThat(reply.has(name)).as(name).isFalse();
                    }
                }
                Answer head = site.head(path);
                assertThat(head.status()).isEqualTo(404);
                assertThat(head.field("Content-Length")).isEqualTo(String.valueOf(LOST.length()));
            }
            assertThat(site.get(mount + "/a.txt").body()).isEqualTo("a");
            assertThat(site.get(mount + "/%zz", HTML).status()).isEqualTo(400);
        }
    }

    @Test
    void itIsLookedAtAgain() throws Exception {
        try (Site site = site()) {
            assertThat(site.get("/.x").body()).isEqualTo("404 Not Found\n");
            Site.write(root().resolve("404.html"), LOST);
            awaitBody(site, "/.x", LOST);
            Site.write(root().resolve("404.html"), SOON);
            awaitBody(site, "/x", SOON);
            Files.delete(root().resolve("404.html"));
            awaitBody(site, "/.x", "404 Not Found\n");
            Files.createDirectory(root().resolve("404.html"));
            Site.write(root().resolve("new.html"), LOST);
            Files.delete(root().resolve("404.html"));
            Files.move(root().resolve("new.html"), root().resolve("404.html"));
            awaitBody(site, "/.x", LOST);
            // A disk that fails takes nothing away that is known.
            failing = Errno.EMFILE;
            Thread.sleep(3 * Sweeper.SWEEP_MILLIS);
            assertThat(site.get("/.x").body()).isEqualTo(LOST);
            failing = Errno.ENOENT;
            awaitBody(site, "/.x", "404 Not Found\n");
        }
    }

    @Test
    void nothingOutsideTheRoot() throws Exception {
        Site.write(parent.resolve("outside.html"), LOST);
        Files.createDirectories(root());
        Files.createSymbolicLink(root().resolve("404.html"), Path.of("../outside.html"));
        try (Site site = site()) {
            assertThat(site.get("/x").body()).isEqualTo("404 Not Found\n");
            assertThat(site.get("/404.html").body()).isEqualTo("404 Not Found\n");
        }
        try (Site site = new Site(root(), builder -> builder.outsideLinks(true))) {
            assertThat(site.get("/x").body()).isEqualTo(LOST);
            assertThat(site.get("/x").status()).isEqualTo(404);
        }
    }

    /** To open a pipe would be seen at its other end. */
    @Test
    void whatIsNoFileIsNotOpened() throws Exception {
        Files.createDirectories(root());
        Path pipe = root().resolve("404.html");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
        List<String> opened = Collections.synchronizedList(new ArrayList<>());
        try (Site site =
                new Site(
                        root(),
                        builder ->
                                builder.calls(
                                        arena ->
                                                new Syscalls(arena) {
                                                    @Override
                                                    public int openat2(
                                                            int dirFd,
                                                            MemorySegment path,
                                                            int flags,
                                                            int resolve) {
                                                        if ((flags & Linux.O_PATH) == 0) {
                                                            opened.add(path.getString(0));
                                                        }
                                                        return super.openat2(
                                                                dirFd, path, flags, resolve);
                                                    }
                                                }))) {
            Thread.sleep(2 * Sweeper.SWEEP_MILLIS);
            assertThat(site.get("/x").body()).isEqualTo("404 Not Found\n");
            assertThat(opened).doesNotContain("404.html");
        }
    }

    @Test
    void onlySmallOnesCount() throws Exception {
        Site.write(root().resolve("404.html"), "x".repeat(65_537));
        try (Site site = site()) {
            assertThat(site.get("/x").body()).isEqualTo("404 Not Found\n");
            assertThat(site.get("/404.html").body()).hasSize(65_537);
            Thread.sleep(2 * Sweeper.SWEEP_MILLIS);
            assertThat(lines).filteredOn(line -> line.contains("/404.html")).hasSize(1);
            String most = "x".repeat(65_536);
            Site.write(root().resolve("404.html"), most);
            awaitBody(site, "/x", most);
            Site.write(root().resolve("404.html"), "");
            awaitBody(site, "/x", "");
            assertThat(site.get("/x").status()).isEqualTo(404);
        }
    }

    @Test
    void theFallbackWins() throws IOException {
        Site.write(root().resolve("404.html"), LOST);
        Site.write(root().resolve("index.html"), "index");
        try (Site site = new Site(root(), builder -> builder.fallback("/index.html"))) {
            assertThat(site.get("/route").status()).isEqualTo(200);
            assertThat(site.get("/route").body()).isEqualTo("index");
            assertThat(site.get("/nothing.js").status()).isEqualTo(404);
            assertThat(site.get("/nothing.js").body()).isEqualTo(LOST);
            assertThat(site.get("/.hidden").body()).isEqualTo(LOST);
        }
    }

    // ---- 50x.html

    @Test
    void theRootsOwnPageIsSentWith5xx() throws Exception {
        Site.write(root().resolve("50x.html"), SOON);
        try (Site site = site()) {
            failing = Errno.EMFILE;
            Answer busy = site.get("/x", "Accept: application/json");
            assertThat(busy.status()).isEqualTo(503);
            assertThat(busy.body()).isEqualTo(SOON);
            assertThat(busy.field("Retry-After")).isEqualTo("1");
            assertThat(busy.field("Content-Type")).isEqualTo("text/html; charset=utf-8");
            assertThat(busy.has("ETag")).isFalse();
            failing = Errno.EIO;
            // Known from before, however long nothing can be opened.
            Thread.sleep(2 * Sweeper.SWEEP_MILLIS);
            Answer failed = site.get("/x");
            assertThat(failed.status()).isEqualTo(500);
            assertThat(failed.body()).isEqualTo(SOON);
            assertThat(failed.has("Retry-After")).isFalse();
            assertThat(site.head("/x").field("Content-Length"))
                    .isEqualTo(String.valueOf(SOON.length()));
            failing = 0;
            assertThat(site.get("/x").body()).isEqualTo("404 Not Found\n");
            site.files.close();
            Answer closed = site.get("/x");
            assertThat(closed.status()).isEqualTo(503);
            assertThat(closed.body()).isEqualTo(SOON);
        }
    }
}
