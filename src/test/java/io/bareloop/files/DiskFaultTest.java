package io.bareloop.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bareloop.http.Handler;
import io.bareloop.http.Limits;
import io.bareloop.http.Prepared;
import io.bareloop.http.Router;
import io.bareloop.http.Timeouts;
import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import io.bareloop.rig.Site;
import io.bareloop.server.CpuSet;
import io.bareloop.server.HttpServer;
import io.bareloop.server.Setting;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Syscalls;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Disks that fail, are full of other work, or never answer; and sockets that take little. */
@Timeout(60)
class DiskFaultTest {
    private static final byte[] LARGE = Site.bytes(1, 2_000_000);

    @TempDir Path root;

    private final CountDownLatch gate = new CountDownLatch(1);
    private final AtomicInteger opens = new AtomicInteger();
    private final AtomicInteger probes = new AtomicInteger();
    private final AtomicInteger reads = new AtomicInteger();
    private volatile int openResult;
    private volatile int readResult;
    private volatile int statResult;
    private volatile boolean closedGate;

    /** The calls of the threads that wait for the disk. */
    private final class FaultyDisk extends Syscalls {
        FaultyDisk(Arena arena) {
            super(arena);
        }

        @Override
        public int openat2(int dirFd, MemorySegment path, int flags, int resolve) {
            opens.incrementAndGet();
            boolean root = path.getString(0).equals(".");
            return root || openResult == 0
                    ? super.openat2(dirFd, path, flags, resolve)
                    : openResult;
        }

        @Override
        public int statx(int fd, MemorySegment status) {
            return statResult == 0 ? super.statx(fd, status) : statResult;
        }

        @Override
        public int pread(int fd, MemorySegment buffer, int offset, int length, long position) {
            reads.incrementAndGet();
            if (closedGate) {
                try {
                    gate.await();
                } catch (InterruptedException e) {
                    return -Errno.EIO;
                }
            }
            return readResult == 0 ? super.pread(fd, buffer, offset, length, position) : readResult;
        }
    }

    /** The calls of a loop, by default as they are. */
    private class FaultyLoop extends Syscalls {
        FaultyLoop(Arena arena) {
            super(arena);
        }

        @Override
        public int preadv2Nowait(int fd, long position) {
            probes.incrementAndGet();
            return super.preadv2Nowait(fd, position);
        }
    }

    @BeforeEach
    void write() throws IOException {
        Site.write(root.resolve("small.txt"), "small");
        Site.write(root.resolve("other.txt"), "other");
        Site.write(root.resolve("large.bin"), LARGE);
    }

    @AfterEach
    void open() {
        gate.countDown();
    }

    private StaticFiles files() {
        return StaticFiles.builder(root).calls(FaultyDisk::new).build();
    }

    // ---- opening and reading

    @ParameterizedTest
    @CsvSource({"ENOENT, 404", "EACCES, 404", "EXDEV, 404", "ELOOP, 404", "ENXIO, 404"})
    void whatCannotBeOpenedIsNotThere(String name, int status) throws Exception {
        assertOpening((int) Errno.class.getField(name).get(null), status);
    }

    @ParameterizedTest
    @CsvSource({"EMFILE, 503", "ENFILE, 503", "ENOMEM, 503", "EIO, 500", "ESTALE, 500"})
    void whatFailsForAnotherReasonSaysSo(String name, int status) throws Exception {
        assertOpening((int) Errno.class.getField(name).get(null), status);
    }

    private void assertOpening(int errno, int status) throws IOException {
        try (StaticFiles files = files();
                HttpRig rig = HttpRig.start(files);
                Client client = Client.connect(rig.port())) {
            openResult = -errno;
            assertThat(client.get("/small.txt").status()).isEqualTo(status);
            openResult = 0;
            assertThat(client.get("/small.txt").body()).isEqualTo("small");
            assertThat(rig.slicesInUse()).isZero();
        }
    }

    /** A rename in the way makes the kernel ask for another try. */
    @Test
    void eagainIsTriedAgain() throws IOException {
        try (StaticFiles files = files();
                HttpRig rig = HttpRig.start(files);
                Client client = Client.connect(rig.port())) {
            openResult = -Errno.EAGAIN;
            assertThat(client.get("/small.txt").status()).isEqualTo(503);
            assertThat(opens.get()).isGreaterThanOrEqualTo(4);
        }
    }

    @Test
    void aDiskThatFailsIsA500() throws IOException {
        try (StaticFiles files = files();
                HttpRig rig = HttpRig.start(files)) {
            for (int i = 0; i < 3; i++) {
                readResult = i == 0 ? -Errno.EIO : 0;
                statResult = i == 1 ? -Errno.EIO : 0;
                try (Client client = Client.connect(rig.port())) {
                    Answer reply = client.get("/small.txt");
                    assertThat(reply.status()).isEqualTo(i == 2 ? 200 : 500);
                }
            }
            assertThat(rig.slicesInUse()).isZero();
        }
    }

    @Test
    void readsThatAreInterruptedGoOn() throws IOException {
        try (StaticFiles files =
                        StaticFiles.builder(root)
                                .calls(
                                        arena ->
                                                new Syscalls(arena) {
                                                    private int calls;

                                                    @Override
                                                    public int pread(
                                                            int fd,
                                                            MemorySegment buffer,
                                                            int offset,
                                                            int length,
                                                            long position) {
                                                        return ++calls % 2 == 1
                                                                ? -Errno.EINTR
                                                                : super.pread(
                                                                        fd, buffer, offset, 1,
                                                                        position);
                                                    }
                                                })
                                .build();
                HttpRig rig = HttpRig.start(files);
                Client client = Client.connect(rig.port())) {
            assertThat(client.get("/small.txt").body()).isEqualTo("small");
        }
    }

    // ---- disks that let wait

    private static Handler withPlaintext(StaticFiles files) {
        return Router.builder()
                .get("/plaintext", Prepared.text("Hello, World!"))
                .notFound(files)
                .build();
    }

    /** While one file is waited for, the loop goes on, and one load serves all who wait. */
    @Test
    void aColdFileHoldsNobodyUp() throws IOException {
        closedGate = true;
        try (StaticFiles files = files();
                HttpRig rig = HttpRig.start(withPlaintext(files));
                Client first = Client.connect(rig.port());
                Client second = Client.connect(rig.port());
                Client other = Client.connect(rig.port())) {
            first.send(Client.request("GET", "/small.txt").repeat(2));
            second.send(Client.request("GET", "/small.txt"));
            for (int i = 0; i < 100; i++) {
                assertThat(other.get("/plaintext").status()).isEqualTo(200);
            }
            assertThat(first.isSilentFor(50)).isTrue();
            closedGate = false;
            gate.countDown();
            assertThat(first.answer().body()).isEqualTo("small");
            assertThat(first.answer().body()).isEqualTo("small");
            assertThat(second.answer().body()).isEqualTo("small");
        }
    }

    /** Who waited too long is told so; what the disk says in the end is for those who ask again. */
    @Test
    void aDiskThatDoesNotAnswerIsGivenUp() throws Exception {
        closedGate = true;
        Duration soon = Duration.ofSeconds(1);
        try (StaticFiles files =
                        StaticFiles.builder(root).calls(FaultyDisk::new).diskTimeMax(soon).build();
                HttpRig rig = HttpRig.start(withPlaintext(files));
                Client client = Client.connect(rig.port())) {
            client.send(Client.request("GET", "/small.txt"));
            Answer refused = client.answer();
            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.body())
                    .isEqualTo("503 Service Unavailable: the disk does not answer\n");
            assertThat(client.get("/plaintext").body()).isEqualTo("Hello, World!");
            closedGate = false;
            gate.countDown();
            assertThat(client.isSilentFor(1500)).isTrue();
            assertThat(client.get("/small.txt").body()).isEqualTo("small");
        }
    }

    /** A large file of which the cache has nothing: read by another thread, then sent. */
    @Test
    void whatIsNotCachedIsReadElsewhere() throws IOException {
        try (StaticFiles files = files();
                HttpRig rig =
                        HttpRig.start(
                                withPlaintext(files),
                                arena ->
                                        new FaultyLoop(arena) {
                                            @Override
                                            public int preadv2Nowait(int fd, long position) {
                                                probes.incrementAndGet();
                                                return -Errno.EAGAIN;
                                            }
                                        });
                Client client = Client.connect(rig.port());
                Client other = Client.connect(rig.port())) {
            assertThat(client.get("/large.bin").body()).isEqualTo(Site.text(LARGE));
            assertThat(client.get("/large.bin").body()).isEqualTo(Site.text(LARGE));
            assertThat(probes.get()).isPositive();
            assertThat(reads.get()).isGreaterThanOrEqualTo(LARGE.length / (64 << 10));
            // And while that disk does not answer, the loop does.
            closedGate = true;
            client.send(Client.request("GET", "/large.bin", "Range: bytes=1000000-1000009"));
            for (int i = 0; i < 100; i++) {
                assertThat(other.get("/plaintext").status()).isEqualTo(200);
            }
            gate.countDown();
            assertThat(client.answer().body())
                    .isEqualTo(Site.text(LARGE).substring(1_000_000, 1_000_010));
        }
    }

    /** What has just been sent whole is taken to be cached: for a second, for all. */
    @Test
    void aFileInUseIsProbedOnceASecond() throws Exception {
        try (StaticFiles files = files();
                HttpRig rig = HttpRig.start(files, FaultyLoop::new);
                Client client = Client.connect(rig.port())) {
            String text = Site.text(LARGE);
            boolean unasked = false;
            for (int i = 0; i < 50 && !unasked; i++) {
                int before = probes.get();
                assertThat(client.get("/large.bin").body().equals(text)).isTrue();
                unasked = probes.get() == before;
            }
            assertThat(unasked).isTrue();
            for (int i = 0; i < 3; i++) {
                Thread.sleep(1100);
                int before = probes.get();
                assertThat(client.get("/large.bin").body().equals(text)).isTrue();
                assertThat(probes.get()).isGreaterThan(before);
            }
            // A part says nothing of what is before it.
            Thread.sleep(1100);
            client.send(Client.request("GET", "/large.bin", "Range: bytes=600000-"));
            assertThat(client.answer().body().equals(text.substring(600_000))).isTrue();
            int before = probes.get();
            assertThat(client.get("/large.bin").body().equals(text)).isTrue();
            assertThat(probes.get()).isGreaterThan(before);
        }
    }

    /** A file system that cannot tell what it has cached is not asked for ever. */
    @Test
    void whatCannotBeProbedIsSent() throws IOException {
        try (StaticFiles files = files();
                HttpRig rig =
                        HttpRig.start(
                                files,
                                arena ->
                                        new FaultyLoop(arena) {
                                            @Override
                                            public int preadv2Nowait(int fd, long position) {
                                                return -Errno.EOPNOTSUPP;
                                            }
                                        });
                Client client = Client.connect(rig.port())) {
            assertThat(client.get("/large.bin").body()).isEqualTo(Site.text(LARGE));
        }
    }

    /** A client is not kept for ever by a disk that never answers. */
    @Test
    void aDiskThatHangsEndsTheConnection() throws Exception {
        try (StaticFiles files = files();
                HttpRig rig =
                        HttpRig.start(
                                Limits.defaults(),
                                Timeouts.builder().send(Duration.ofSeconds(1)).build(),
                                files,
                                arena ->
                                        new FaultyLoop(arena) {
                                            @Override
                                            public int preadv2Nowait(int fd, long position) {
                                                return -Errno.EAGAIN;
                                            }
                                        });
                Client client = Client.connect(rig.port())) {
            // Known, and at its beginning in the cache; then the disk hangs.
            assertThat(client.get("/small.txt").status()).isEqualTo(200);
            client.send(Client.request("HEAD", "/large.bin"));
            assertThat(client.answerToHead().status()).isEqualTo(200);
            closedGate = true;
            client.send(Client.request("GET", "/large.bin", "Range: bytes=1000000-"));
            // The head is on its way, but no byte of the file.
            assertThatThrownBy(client::answer).isInstanceOf(EOFException.class);
            assertThat(HttpRig.await(0L, rig::open)).isZero();
            assertThat(rig.slicesInUse()).isZero();
        }
    }

    // ---- sending

    /** Also where head and file together are more than the loop's buffer. */
    @ParameterizedTest
    @ValueSource(ints = {100, 60_000, 65_400, 65_536})
    void aSmallFileLeavesByOneCall(int size) throws IOException {
        Site.write(root.resolve("size.bin"), Site.bytes(7, size));
        AtomicInteger sends = new AtomicInteger();
        try (StaticFiles files = files();
                HttpRig rig =
                        HttpRig.start(
                                files,
                                arena ->
                                        new Syscalls(arena) {
                                            @Override
                                            public int send(
                                                    int fd,
                                                    MemorySegment buffer,
                                                    int offset,
                                                    int length,
                                                    int flags) {
                                                sends.incrementAndGet();
                                                return super.send(
                                                        fd, buffer, offset, length, flags);
                                            }

                                            @Override
                                            public int writev(
                                                    int fd,
                                                    MemorySegment head,
                                                    int headOffset,
                                                    int headLength,
                                                    MemorySegment body,
                                                    long offset,
                                                    int length) {
                                                sends.incrementAndGet();
                                                return super.writev(
                                                        fd,
                                                        head,
                                                        headOffset,
                                                        headLength,
                                                        body,
                                                        offset,
                                                        length);
                                            }
                                        });
                Client client = Client.connect(rig.port())) {
            String text = Site.text(Site.bytes(7, size));
            for (int i = 1; i <= 5; i++) {
                assertThat(client.get("/size.bin").body()).isEqualTo(text);
                assertThat(sends.get()).isEqualTo(i);
            }
            client.send(Client.request("GET", "/size.bin", "Range: bytes=1-"));
            assertThat(client.answer().body()).isEqualTo(text.substring(1));
            assertThat(sends.get()).isEqualTo(6);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1000, 65_536, 300_000})
    void socketsThatTakeLittleGetAll(int atMost) throws IOException {
        try (StaticFiles files = files();
                HttpRig rig =
                        HttpRig.start(
                                files,
                                arena ->
                                        new FaultyLoop(arena) {
                                            private final Random random = new Random(9);

                                            @Override
                                            public long sendfile(
                                                    int socket, int file, long from, long count) {
                                                if (random.nextInt(4) == 0) {
                                                    return -Errno.EINTR;
                                                }
                                                long some = random.nextLong(1, atMost + 1L);
                                                return super.sendfile(
                                                        socket, file, from, Math.min(some, count));
                                            }
                                        });
                Client client = Client.connect(rig.port())) {
            int length = Math.min(LARGE.length - 7, atMost * 2000);
            client.send(Client.request("GET", "/large.bin", "Range: bytes=7-" + (length + 6)));
            assertThat(client.answer().body().equals(Site.text(LARGE).substring(7, length + 7)))
                    .isTrue();
            assertThat(client.get("/small.txt").body()).isEqualTo("small");
        }
    }

    /** EIO, a file cut short, a peer that is gone: that connection ends, and its file is closed. */
    @ParameterizedTest
    @ValueSource(strings = {"EIO", "EINVAL", "EPIPE", "ECONNRESET", "end"})
    void aFailureEndsTheConnection(String name) throws Exception {
        long result =
                name.equals("end")
                        ? 0L
                        : -((Integer) Errno.class.getField(name).get(null)).longValue();
        try (StaticFiles files = files();
                HttpRig rig =
                        HttpRig.start(
                                files,
                                arena ->
                                        new FaultyLoop(arena) {
                                            @Override
                                            public long sendfile(
                                                    int socket, int file, long from, long count) {
                                                return from >= 500_000
                                                        ? result
                                                        : super.sendfile(
                                                                socket,
                                                                file,
                                                                from,
                                                                Math.min(count, 500_000 - from));
                                            }
                                        });
                Client other = Client.connect(rig.port())) {
            for (int i = 0; i < 3; i++) {
                try (Client client = Client.connect(rig.port())) {
                    client.send(Client.request("GET", "/large.bin"));
                    assertThatThrownBy(client::answer).isInstanceOf(IOException.class);
                }
                try (Client client = Client.connect(rig.port())) {
                    client.send(
                            Client.request(
                                    "GET", "/large.bin", "Range: bytes=0-9,400000-600000,700000-"));
                    assertThatThrownBy(client::answer).isInstanceOf(IOException.class);
                }
            }
            assertThat(other.get("/small.txt").body()).isEqualTo("small");
            assertThat(HttpRig.await(1L, rig::open)).isEqualTo(1L);
            assertThat(rig.slicesInUse()).isZero();
        }
    }

    /** Their numbers would mean other files there. */
    @Test
    void privateDescriptorsSendNoLargeFiles() throws IOException {
        try (StaticFiles files = StaticFiles.of(root)) {
            HttpServer server =
                    HttpServer.builder()
                            .listen("127.0.0.1", 0)
                            .cpus(CpuSet.unpinned(1))
                            .privateDescriptors(Setting.AUTO)
                            .handler(files)
                            .log(line -> {})
                            .start();
            try (server;
                    Client client = Client.connect(server.port())) {
                assumeTrue(
                        server.featuresTaken().stream().anyMatch(it -> it.startsWith("private")),
                        "no unshare(2) here");
                assertThat(client.get("/small.txt").body()).isEqualTo("small");
                assertThat(client.get("/large.bin").status()).isEqualTo(500);
            }
        }
    }
}
