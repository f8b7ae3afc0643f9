package io.bareloop.files;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import io.bareloop.rig.Site;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Syscalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where no descriptor is left, or no memory of the kernel's, to look at files with. */
@Timeout(60)
class ShortageTest {
    private static final byte[] LARGE = Site.bytes(1, 300_000);

    /** So many looks at files have failed that each known one was looked at several times. */
    private static final int LOOKS = 12;

    @TempDir Path root;

    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final AtomicInteger failures = new AtomicInteger();
    private volatile int openResult;
    private volatile int statResult;

    private final class FaultyDisk extends Syscalls {
        FaultyDisk(Arena arena) {
            super(arena);
        }

        @Override
        public int openat2(int dirFd, MemorySegment path, int flags, int resolve) {
            if (openResult == 0 || path.getString(0).equals(".")) {
                return super.openat2(dirFd, path, flags, resolve);
            }
            failures.incrementAndGet();
            return openResult;
        }

        @Override
        public int openat(int dirFd, MemorySegment path, int flags) {
            return openResult == 0 ? super.openat(dirFd, path, flags) : openResult;
        }

        @Override
        public int statx(int fd, MemorySegment status) {
            if (statResult == 0) {
                return super.statx(fd, status);
            }
            failures.incrementAndGet();
            return statResult;
        }
    }

    @BeforeEach
    void write() throws IOException {
        Site.write(root.resolve("small.txt"), "small");
        Site.write(root.resolve("index.html"), "index"); // or its absence would be said
        Site.write(root.resolve("small.txt.gz"), "zipped");
        Site.write(root.resolve("large.bin"), LARGE);
        Site.write(root.resolve("other.txt"), "other");
    }

    private StaticFiles.Builder files() {
        return StaticFiles.builder(root).calls(FaultyDisk::new).log(lines::add);
    }

    private static int errno(String name) throws ReflectiveOperationException {
        return (int) Errno.class.getField(name).get(null);
    }

    /** Files are settled after two seconds only; a sweep makes sure that they are known as such. */
    private static void settle() throws InterruptedException {
        Thread.sleep(2500);
    }

    private void awaitLooks(Client client) throws IOException, InterruptedException {
        int before = failures.get();
        while (failures.get() < before + LOOKS) {
            assertKnown(client);
            Thread.sleep(20);
        }
    }

    private static void assertKnown(Client client) throws IOException {
        assertThat(client.get("/small.txt").body()).isEqualTo("small");
        client.send(Client.request("GET", "/small.txt", "Accept-Encoding: gzip"));
        assertThat(client.answer().body()).isEqualTo("zipped");
        assertThat(client.get("/large.bin").body().equals(Site.text(LARGE))).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"EMFILE", "ENFILE", "ENOMEM", "EAGAIN"})
    void whatIsKnownIsServedOn(String name) throws Exception {
        try (StaticFiles files = files().build();
                HttpRig rig = HttpRig.start(files);
                Client client = Client.connect(rig.port())) {
            assertKnown(client);
            settle();
            assertKnown(client);
            openResult = -errno(name);
            awaitLooks(client);
            Answer unknown = client.get("/other.txt");
            assertThat(unknown.status()).isEqualTo(503);
            assertThat(unknown.field("Retry-After")).isEqualTo("1");
            openResult = 0;
            assertThat(client.get("/other.txt").body()).isEqualTo("other");
            // And changes show again.
            Site.write(root.resolve("small.txt"), "changed");
            while (!client.get("/small.txt").body().equals("changed")) {
                Thread.sleep(20);
            }
        }
        assertThat(lines).isNotEmpty().allMatch(line -> line.contains(name), "has " + name);
    }

    /** A file of the last two seconds is read again each time: that fails, too. */
    @Test
    void whatIsNotSettledIsServedOn() throws Exception {
        Files.writeString(root.resolve("small.txt"), "small");
        try (StaticFiles files = files().build();
                HttpRig rig = HttpRig.start(files);
                Client client = Client.connect(rig.port())) {
            assertThat(client.get("/small.txt").body()).isEqualTo("small");
            openResult = -Errno.EMFILE;
            int before = failures.get();
            while (failures.get() < before + LOOKS) {
                assertThat(client.get("/small.txt").body()).isEqualTo("small");
                Thread.sleep(20);
            }
        }
    }

    @Test
    void aStatusThatCannotBeReadIsNoChange() throws Exception {
        try (StaticFiles files = files().build();
                HttpRig rig = HttpRig.start(files);
                Client client = Client.connect(rig.port())) {
            assertKnown(client);
            settle();
            assertKnown(client);
            statResult = -Errno.ENOMEM;
            awaitLooks(client);
            assertThat(client.get("/other.txt").status()).isEqualTo(503);
        }
    }

    /**
     * One that nobody has asked for lately has to be looked at first: that fails, and is no 503.
     */
    @Test
    void whatIsAsleepIsServed() throws Exception {
        try (StaticFiles files = files().build();
                HttpRig rig = HttpRig.start(files);
                Client client = Client.connect(rig.port())) {
            assertKnown(client);
            settle();
            openResult = -Errno.EMFILE;
            assertKnown(client);
        }
    }

    @Test
    void notForEver() throws Exception {
        try (StaticFiles files = files().uncheckedMax(Duration.ofSeconds(1)).build();
                HttpRig rig = HttpRig.start(files);
                Client client = Client.connect(rig.port())) {
            assertKnown(client);
            settle();
            assertKnown(client);
            openResult = -Errno.EMFILE;
            while (client.get("/small.txt").status() == 200
                    || client.get("/large.bin").status() == 200) {
                Thread.sleep(20);
            }
            assertThat(client.get("/small.txt").status()).isEqualTo(503);
            openResult = 0;
            assertKnown(client);
        }
    }

    /** However many requests fail: the log is not theirs to fill. */
    @Test
    void isSaidOnceInAWhile() throws Exception {
        try (StaticFiles files = files().build();
                HttpRig rig = HttpRig.start(files);
                Client client = Client.connect(rig.port())) {
            openResult = -Errno.EMFILE;
            for (int i = 0; i < 100; i++) {
                assertThat(client.get("/a%1B%0Ab").status()).isEqualTo(404);
                assertThat(client.get("/b%C2%9Bc" + i).status()).isEqualTo(503);
            }
            openResult = -Errno.EIO;
            assertThat(client.get("/c").status()).isEqualTo(500);
        }
        assertThat(lines.getFirst())
                .contains("EMFILE", "\"/b%C2%9Bc0\"", "ulimit -n", "LimitNOFILE")
                .matches("[ -~]+");
        assertThat(lines.getLast()).contains("EIO", "\"/c\"");
        assertThat(lines).hasSizeBetween(2, 5);
    }

    @Test
    void aLogThatFailsHarmsNobody() throws Exception {
        try (StaticFiles files =
                        files().log(
                                        line -> {
                                            lines.add(line);
                                            throw new StackOverflowError("of the log");
                                        })
                                .build();
                HttpRig rig = HttpRig.start(files);
                Client client = Client.connect(rig.port())) {
            openResult = -Errno.EMFILE;
            assertThat(client.get("/other.txt").status()).isEqualTo(503);
            openResult = 0;
            assertThat(client.get("/other.txt").body()).isEqualTo("other");
        }
        assertThat(lines).hasSize(1);
    }
}
