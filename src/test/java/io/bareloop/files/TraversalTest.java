package io.bareloop.files;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.Handler;
import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.rig.Site;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Syscalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * 10,000 paths made of what has led out of other servers' roots, sent as they are, against a root
 * with a secret beside it, above it, in a dot-file and behind links. With openat2 and without.
 */
@Timeout(120)
class TraversalTest {
    private static final String SECRET = "the secret of this test";
    private static final int PATHS = 10_000;
    private static final long SEED = 20_261_121;

    private static final String[] FRAGMENTS = {
        "/",
        "/",
        "/",
        "/",
        "//",
        "/.",
        "/..",
        "/../",
        "..",
        ".",
        "...",
        "....//",
        "%2e",
        "%2E",
        "%2e%2e",
        "%2e%2e/",
        "..%2f",
        "%2f",
        "%2F",
        "%252e",
        "%252e%252e%252f",
        "%25",
        "%5c",
        "%5C",
        "..%5c",
        "%00",
        "%00.html",
        "%0a",
        "%c0%ae",
        "%c0%ae%c0%ae/",
        "%c0%af",
        "%e0%80%ae",
        "%f0%80%80%ae",
        "%uff0e",
        "%u002e",
        "%c1%9c",
        "%ff",
        "%",
        "%2",
        "%zz",
        ";",
        ":",
        "~",
        "?",
        "&",
        "*",
        "+",
        "secret",
        "secret.txt",
        "beside",
        "root",
        "sub",
        "a.txt",
        "index.html",
        "out",
        "up",
        "outside",
        ".hidden",
        ".hidden/secret.txt",
        "%2ehidden",
        "etc/passwd",
        "/etc/passwd",
        "proc/self/root",
        "/proc/self/cwd",
        "http://test/",
        "file://",
        "\\",
        "..\\",
        "\\..\\"
    };

    /** How the kernel is asked. */
    enum Kernel {
        WITH_OPENAT2,
        WITHOUT
    }

    @TempDir Path directory;

    @ParameterizedTest
    @EnumSource
    void nothingLeavesTheRoot(Kernel kernel, TestReporter reporter) throws IOException {
        Path root = prepare();
        Random random = new Random(SEED);
        Map<Integer, Integer> statuses = new TreeMap<>();
        try (Site site = site(root, kernel, builder -> builder)) {
            Client client = Client.connect(site.server.port());
            try {
                for (int i = 0; i < PATHS; i++) {
                    String path = path(random, root);
                    client.send(Client.request("GET", path));
                    Answer reply = client.answer();
                    statuses.merge(reply.status(), 1, Integer::sum);
                    assertThat(reply.body())
                            .as(path)
                            .doesNotContain(SECRET)
                            .doesNotContain("root:");
                    assertThat(reply.fields().toString()).as(path).doesNotContain(SECRET);
                    assertThat(reply.status()).as(path).isIn(200, 301, 400, 404, 501, 505);
                    if (reply.has("Connection")) {
                        client.close();
                        client = Client.connect(site.server.port());
                    }
                }
            } finally {
                client.close();
            }
            // The site's own client has been idle, on a slow machine for longer than it may.
            try (Client last = Client.connect(site.server.port())) {
                assertThat(last.get("/a.txt").body()).isEqualTo("public");
            }
        }
        reporter.publishEntry("statuses " + kernel, statuses.toString());
        // Some of them are good paths, or the test would prove little.
        assertThat(statuses.get(200)).isGreaterThan(20);
        assertThat(statuses.get(404)).isGreaterThan(1000);
    }

    /** The test of the test: where it is allowed, the same links do lead to the secret. */
    @Test
    void theSecretCanBeReached() throws IOException {
        Path root = prepare();
        try (Site site = site(root, Kernel.WITH_OPENAT2, builder -> builder.outsideLinks(true))) {
            assertThat(site.get("/out").body()).contains(SECRET);
            assertThat(site.get("/up/secret.txt").body()).contains(SECRET);
            assertThat(site.get("/outside/secret.txt").body()).contains(SECRET);
        }
        try (Site site = site(root, Kernel.WITH_OPENAT2, builder -> builder.dotFiles(true))) {
            assertThat(site.get("/.hidden/secret.txt").body()).contains(SECRET);
        }
    }

    /** Without openat2 everything is served but what is behind a link. */
    @Test
    void theWalkServesTheSame() throws IOException {
        Path root = prepare();
        Files.createSymbolicLink(root.resolve("inside"), Path.of("a.txt"));
        Files.createSymbolicLink(root.resolve("insides"), Path.of("sub"));
        Site.write(root.resolve("large.bin"), Site.bytes(1, 200_000));
        try (Site site = site(root, Kernel.WITHOUT, builder -> builder.listing(true))) {
            assertThat(site.get("/a.txt").body()).isEqualTo("public");
            assertThat(site.get("/sub/").body()).isEqualTo("index");
            assertThat(site.get("/sub").field("Location")).isEqualTo("/sub/");
            assertThat(site.get("/sub/deep/er/b.txt").body()).isEqualTo("deeper");
            assertThat(site.get("/large.bin").body()).hasSize(200_000);
            assertThat(site.get("/sub/deep/").body()).contains("er/");
            for (String link : new String[] {"inside", "insides/index.html", "insides/", "out"}) {
                assertThat(site.get("/" + link).status()).as(link).isEqualTo(404);
            }
            for (int i = 0; i < 50; i++) {
                assertThat(site.get("/sub/deep/nowhere").status()).isEqualTo(404);
                assertThat(site.get("/nowhere/deep/b.txt").status()).isEqualTo(404);
            }
        }
        try (var links = Files.list(Path.of("/proc/self/fd"))) {
            assertThat(links.filter(link -> leadsTo(link, root))).as("left open").isEmpty();
        }
    }

    private static boolean leadsTo(Path link, Path root) {
        try {
            return Files.readSymbolicLink(link).startsWith(root.resolve("sub"));
        } catch (IOException gone) {
            return false;
        }
    }

    private Path prepare() throws IOException {
        Path root = directory.resolve("root");
        Site.write(root.resolve("a.txt"), "public");
        Site.write(root.resolve("index.html"), "top");
        Site.write(root.resolve("sub/index.html"), "index");
        Site.write(root.resolve("sub/deep/er/b.txt"), "deeper");
        Site.write(root.resolve(".hidden/secret.txt"), SECRET);
        Site.write(root.resolve(".secret.txt"), SECRET);
        Site.write(directory.resolve("secret.txt"), SECRET);
        Site.write(directory.resolve("beside/secret.txt"), SECRET);
        Site.write(directory.resolve("index.html"), SECRET);
        Files.createSymbolicLink(root.resolve("out"), directory.resolve("secret.txt"));
        Files.createSymbolicLink(root.resolve("up"), Path.of(".."));
        Files.createSymbolicLink(root.resolve("sub/up"), Path.of("../.."));
        Files.createSymbolicLink(root.resolve("outside"), Path.of("../beside"));
        return root;
    }

    private static String path(Random random, Path root) {
        StringBuilder path = new StringBuilder(random.nextInt(20) == 0 ? "" : "/");
        int parts = 1 + random.nextInt(8);
        for (int i = 0; i < parts; i++) {
            if (random.nextInt(50) == 0) {
                path.append(root.getParent());
            } else {
                path.append(FRAGMENTS[random.nextInt(FRAGMENTS.length)]);
            }
        }
        return path.toString();
    }

    private static Site site(Path root, Kernel kernel, UnaryOperator<StaticFiles.Builder> configure)
            throws IOException {
        return new Site(
                root,
                builder ->
                        configure.apply(
                                kernel == Kernel.WITHOUT ? builder.calls(OldKernel::new) : builder),
                UnaryOperator.<Handler>identity());
    }

    /** Linux before 5.6. */
    private static final class OldKernel extends Syscalls {
        OldKernel(Arena arena) {
            super(arena);
        }

        @Override
        public int openat2(int dirFd, MemorySegment path, int flags, int resolve) {
            return -Errno.ENOSYS;
        }
    }
}
