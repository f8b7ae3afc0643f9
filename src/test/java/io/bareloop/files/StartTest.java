package io.bareloop.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.rig.Site;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Syscalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What cannot be served is said before the start. Permissions are injected: tests may be root. */
@Timeout(60)
class StartTest {
    @TempDir Path root;

    /** Names beneath the root that the kernel refuses to open in order to read them. */
    private final Set<String> unreadable = new HashSet<>();

    private final List<String> lines = new ArrayList<>();
    private int searchResult;
    private int openat2Result;

    private final class Permissions extends Syscalls {
        Permissions(Arena arena) {
            super(arena);
        }

        private int refusal(MemorySegment path, int flags) {
            String name = path.getString(0);
            if (name.equals(".") && (flags & Linux.O_PATH) != 0) {
                return searchResult;
            }
            return (flags & Linux.O_PATH) == 0 && unreadable.contains(name) ? -Errno.EACCES : 0;
        }

        @Override
        public int openat(int dirFd, MemorySegment path, int flags) {
            int refusal = dirFd == Linux.AT_FDCWD ? 0 : refusal(path, flags);
            return refusal < 0 ? refusal : super.openat(dirFd, path, flags);
        }

        @Override
        public int openat2(int dirFd, MemorySegment path, int flags, int resolve) {
            int refusal = openat2Result < 0 ? openat2Result : refusal(path, flags);
            return refusal < 0 ? refusal : super.openat2(dirFd, path, flags, resolve);
        }
    }

    @BeforeEach
    void write() throws IOException {
        Site.write(root.resolve("a.txt"), "a");
        Site.write(root.resolve("app.html"), "app");
        Files.createDirectory(root.resolve("dir"));
    }

    private StaticFiles.Builder files() {
        return StaticFiles.builder(root).calls(Permissions::new).log(lines::add);
    }

    private void assertRefused(StaticFiles.Builder files, String... words) throws IOException {
        assertThatThrownBy(files::build)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(words);
        assertThat(descriptors()).isZero();
    }

    private long descriptors() throws IOException {
        long count = 0;
        try (var links = Files.list(Path.of("/proc/self/fd"))) {
            for (Path link : links.toList()) {
                try {
                    count += Files.readSymbolicLink(link).startsWith(root) ? 1 : 0;
                } catch (IOException gone) {
                    // Closed since.
                }
            }
        }
        return count;
    }

    /** Before, the walk without openat2 was taken, and each request answered 404. */
    @Test
    void aRootThatCannotBeSearched() throws IOException {
        searchResult = -Errno.EACCES;
        assertRefused(files(), root.toString(), "EACCES", "chmod +x");
        openat2Result = -Errno.ENOSYS;
        assertRefused(files(), root.toString(), "EACCES");
        searchResult = -Errno.EMFILE;
        assertRefused(files(), "EMFILE");
    }

    /** A filter may say of openat2 what it likes: openat tells what can be done. */
    @ParameterizedTest
    @ValueSource(strings = {"ENOSYS", "EPERM", "EACCES", "EINVAL"})
    void aKernelWithoutOpenat2(String name) throws Exception {
        openat2Result = -(Integer) Errno.class.getField(name).get(null);
        try (Site site = new Site(root, builder -> builder.calls(Permissions::new))) {
            assertThat(site.get("/a.txt").body()).isEqualTo("a");
        }
    }

    /** Names that are known can be served from it; only to list it takes more. */
    @Test
    void aRootThatCannotBeRead() throws IOException {
        unreadable.add(".");
        assertRefused(files().listing(true), root.toString(), "EACCES", "chmod +r");
        try (Site site = new Site(root, builder -> builder.calls(Permissions::new))) {
            assertThat(site.get("/a.txt").body()).isEqualTo("a");
        }
    }

    @Test
    void aFallbackThatCannotBeServed() throws IOException {
        assertRefused(files().fallback("/missing.html"), "/missing.html", "ENOENT", "fallback");
        assertRefused(files().fallback("/dir"), "/dir", "no regular file");
        assertRefused(files().fallback("/a.txt/b"), "ENOTDIR");
        Files.createSymbolicLink(root.resolve("out.html"), Path.of("/etc/passwd"));
        assertRefused(files().fallback("/out.html"), "EXDEV");
        unreadable.add("app.html");
        assertRefused(files().fallback("/app.html"), "/app.html", "EACCES");
        unreadable.clear();
        files().fallback("/app.html").build().close();
        files().fallback("/out.html").outsideLinks(true).build().close();
    }

    @Test
    void aRootThatIsNoDirectory() throws IOException {
        for (String name : new String[] {"a.txt", "missing", "a.txt/b"}) {
            Path path = root.resolve(name);
            assertRefused(StaticFiles.builder(path), path.toString(), "ENO");
        }
        assertRefused(StaticFiles.builder(Path.of("")), "empty", "\".\"");
    }

    @Test
    void aRootInAnArchive() throws Exception {
        URI archive = URI.create("jar:" + root.resolve("a.zip").toUri());
        try (FileSystem zip = FileSystems.newFileSystem(archive, Map.of("create", "true"))) {
            assertThatThrownBy(() -> StaticFiles.of(zip.getPath("/")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("file system");
        }
    }

    /** Legal, and rarely meant: said once, where "/" is the root of the server. */
    @Test
    void aRootWithoutIndex() throws IOException {
        files().build().close();
        assertThat(lines)
                .singleElement()
                .asString()
                .contains("index.html", root.toString(), "ENOENT", "404");
        lines.clear();
        files().listing(true).build().close();
        files().mount("/assets").build().close();
        files().fallback("/app.html").build().close();
        files().index("app.html").build().close();
        assertThat(lines).isEmpty();
        unreadable.add("app.html");
        files().index("app.html").build().close();
        assertThat(lines).singleElement().asString().contains("app.html", "EACCES");
    }
}
