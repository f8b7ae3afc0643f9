package io.bareloop.files;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.rig.Site;
import io.bareloop.sys.Syscalls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files that are replaced by rename while clients read them: each response is of one version. */
@Timeout(120)
class ReplacementTest {
    private static final int REPLACEMENTS = 1000;
    private static final int READERS = 4;
    private static final int GROUP = 8;

    @TempDir Path root;

    /** Both tiers; and one in which every version may be on either side of the bound. */
    @ParameterizedTest
    @CsvSource({"5000, 65536", "300000, 65536", "20000, 20480"})
    void everyResponseIsOneWholeVersion(int size, int smallBytesMax) throws Exception {
        replace(0, size);
        Map<String, Integer> versions = new ConcurrentHashMap<>();
        List<Throwable> failures = new CopyOnWriteArrayList<>();
        try (Site site = new Site(root, builder -> builder.smallBytesMax(smallBytesMax))) {
            List<Thread> readers = new ArrayList<>();
            boolean[] done = new boolean[1];
            for (int i = 0; i < READERS; i++) {
                Thread reader =
                        new Thread(
                                () -> {
                                    try {
                                        read(site, versions, done);
                                    } catch (Throwable failure) {
                                        failures.add(failure);
                                    }
                                });
                reader.start();
                readers.add(reader);
            }
            for (int version = 1; version <= REPLACEMENTS; version++) {
                replace(version, size);
                Thread.sleep(2);
            }
            synchronized (done) {
                done[0] = true;
            }
            for (Thread reader : readers) {
                reader.join();
            }
            assertThat(failures).isEmpty();
            // A sweep each 0.4 s sees some of them only.
            assertThat(versions.values()).doesNotHaveDuplicates().hasSizeGreaterThan(1);
        }
    }

    /**
     * What replaces a file changes the time of its last change, too: it is no version of its own.
     */
    @Test
    void aFileThatIsReplacedWhileItIsOpenedIsNotLookedAt() throws Exception {
        Path file = root.resolve("file.txt");
        String old = "0".repeat(300_000);
        Files.writeString(file, old);
        boolean[] replace = new boolean[1];
        Function<Arena, Syscalls> calls =
                arena ->
                        new Syscalls(arena) {
                            @Override
                            public int statx(int fd, MemorySegment status) {
                                if (replace[0]) {
                                    replace[0] = false;
                                    replaceByNew(file);
                                }
                                return super.statx(fd, status);
                            }
                        };
        try (Site site = new Site(root, builder -> builder.calls(calls))) {
            replace[0] = true;
            assertThat(site.get("/file.txt").body()).startsWith("1").doesNotContain("0");
        }
    }

    private void replaceByNew(Path file) {
        try {
            Path next = Files.writeString(root.resolve("next"), "1".repeat(300_000));
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void read(Site site, Map<String, Integer> versions, boolean[] done)
            throws IOException {
        try (Client client = Client.connect(site.server.port())) {
            int before = 0;
            while (true) {
                synchronized (done) {
                    if (done[0]) {
                        return;
                    }
                }
                Answer reply = client.get("/file.txt");
                assertThat(reply.status()).isEqualTo(200);
                String body = reply.body();
                String group = body.substring(0, GROUP);
                for (int i = GROUP; i < body.length(); i += GROUP) {
                    if (!body.startsWith(group, i)) {
                        throw new AssertionError("at " + i + " another version than " + group);
                    }
                }
                int version = Integer.parseInt(group);
                assertThat(version).as("never an older one").isGreaterThanOrEqualTo(before);
                before = version;
                Integer known = versions.putIfAbsent(reply.field("ETag"), version);
                assertThat(known).isIn(null, version);
            }
        }
    }

    /** The version, eight digits, over and over; versions differ in length, too. */
    private void replace(int version, int size) throws IOException {
        String text = String.format("%08d", version).repeat((size + version % 200 * 16) / GROUP);
        Path next = Files.writeString(root.resolve("next"), text);
        Files.move(next, root.resolve("file.txt"), StandardCopyOption.ATOMIC_MOVE);
    }
}
