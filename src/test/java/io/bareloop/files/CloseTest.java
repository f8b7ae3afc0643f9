package io.bareloop.files;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.Handler;
import io.bareloop.http.Method;
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
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Files that are closed while they are asked for. Whoever waits waits for less than {@link
 * #SOON_NANOS}: the time that a request waits for a disk is 30 s.
 */
@Timeout(60)
class CloseTest {
    private static final byte[] LARGE = Site.bytes(1, 8_000_000);
    private static final long SOON_NANOS = 15_000_000_000L;

    @TempDir Path root;

    private final CountDownLatch gate = new CountDownLatch(1);
    private final CountDownLatch atGate = new CountDownLatch(1);
    private volatile boolean closedGate;

    /** Reads wait at a gate. */
    private final class SlowDisk extends Syscalls {
        SlowDisk(Arena arena) {
            super(arena);
        }

        @Override
        public int pread(int fd, MemorySegment buffer, int offset, int length, long position) {
            if (closedGate) {
                atGate.countDown();
                try {
                    gate.await();
                } catch (InterruptedException e) {
                    return -Errno.EIO;
                }
            }
            return super.pread(fd, buffer, offset, length, position);
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

    private StaticFiles slowFiles() {
        return StaticFiles.builder(root).calls(SlowDisk::new).build();
    }

    private void assertAnswered503(Client client, String... paths) throws IOException {
        long before = System.nanoTime();
        for (String path : paths) {
            assertThat(client.get(path).status()).as(path).isEqualTo(503);
        }
        assertThat(System.nanoTime() - before).isLessThan(SOON_NANOS);
    }

    @Test
    void requestsBehindItAreAnswered() throws Exception {
        StaticFiles files = StaticFiles.of(root);
        try (files;
                HttpRig rig = HttpRig.start(files);
                Client client = Client.connect(rig.port())) {
            assertThat(client.get("/small.txt").body()).isEqualTo("small");
            assertThat(client.get("/large.bin").status()).isEqualTo(200);
            files.close();
            assertAnswered503(client, "/small.txt", "/large.bin", "/unknown.txt", "/");
            files.close();
            assertAnswered503(client, "/small.txt");
            client.send(Client.request("HEAD", "/small.txt"));
            assertThat(client.answerToHead().status()).isEqualTo(503);
            // What has to do with no file is answered as before.
            assertThat(client.get("/%00").status()).isEqualTo(404);
            assertThat(client.get("/%zz").status()).isEqualTo(400);
            assertThat(rig.slicesInUse()).isZero();
        }
        awaitNoDescriptor();
    }

    @Test
    void requestsThatWaitAreAnswered() throws Exception {
        closedGate = true;
        StaticFiles files = slowFiles();
        try (files;
                HttpRig rig = HttpRig.start(files);
                Client first = Client.connect(rig.port());
                Client second = Client.connect(rig.port());
                Client third = Client.connect(rig.port())) {
            first.send(Client.request("GET", "/small.txt"));
            second.send(Client.request("GET", "/small.txt"));
            third.send(Client.request("GET", "/other.txt"));
            atGate.await();
            assertThat(first.isSilentFor(100)).isTrue();
            long before = System.nanoTime();
            files.close();
            assertThat(first.answer().status()).isEqualTo(503);
            assertThat(second.answer().status()).isEqualTo(503);
            assertThat(third.answer().status()).isEqualTo(503);
            assertThat(System.nanoTime() - before).isLessThan(SOON_NANOS);
            assertThat(rig.slicesInUse()).isZero();
        }
        // What the disk gives after that is nobody's, and is let go of.
        gate.countDown();
        awaitNoDescriptor();
    }

    /** In a handler, even where the disk does not answer: no loop waits for it. */
    @Test
    void aHandlerMayCloseThem() throws Exception {
        closedGate = true;
        StaticFiles files = slowFiles();
        Handler application =
                (request, response) -> {
                    if (request.method() == Method.POST) {
                        files.close();
                        files.close();
                        response.body("closed");
                    } else {
                        files.handle(request, response);
                    }
                };
        try (HttpRig rig = HttpRig.start(application);
                Client client = Client.connect(rig.port());
                Client other = Client.connect(rig.port())) {
            client.send(Client.request("GET", "/small.txt"));
            atGate.await();
            long before = System.nanoTime();
            other.send(Client.request("POST", "/"));
            assertThat(other.answer().body()).isEqualTo("closed");
            assertThat(client.answer().status()).isEqualTo(503);
            assertThat(System.nanoTime() - before).isLessThan(SOON_NANOS);
            assertAnswered503(other, "/small.txt");
        }
        gate.countDown();
        awaitNoDescriptor();
    }

    /**
     * A download under way comes to its end, also where the disk has to be waited for on the way.
     */
    @Test
    void downloadsComeToTheirEnd() throws Exception {
        StaticFiles files = StaticFiles.of(root);
        AtomicBoolean cold = new AtomicBoolean();
        AtomicInteger probes = new AtomicInteger();
        try (files;
                HttpRig rig =
                        HttpRig.start(
                                files,
                                arena ->
                                        new Syscalls(arena) {
                                            @Override
                                            public int preadv2Nowait(int fd, long position) {
                                                probes.incrementAndGet();
                                                return cold.get()
                                                        ? -Errno.EAGAIN
                                                        : super.preadv2Nowait(fd, position);
                                            }
                                        });
                Client client = Client.connect(rig.port(), 32 << 10);
                Client other = Client.connect(rig.port())) {
            client.send(Client.request("GET", "/large.bin"));
            // More than the sockets hold, so that it is under way until it is read.
            assertThat(HttpRig.await(true, () -> probes.get() > 0)).isTrue();
            cold.set(true);
            files.close();
            assertAnswered503(other, "/large.bin");
            Thread.sleep(1500); // until it is not taken to be in the cache any more
            int before = probes.get();
            assertThat(client.answer().body().equals(Site.text(LARGE))).isTrue();
            assertThat(probes.get()).as("has been waited for").isGreaterThan(before);
        }
        awaitNoDescriptor();
    }

    /** Wherever the closing comes in between: each request is answered, with all or with 503. */
    @Test
    void whileRequestsCome() throws Exception {
        for (int round = 0; round < 30; round++) {
            StaticFiles files = StaticFiles.of(root);
            List<Thread> closers = new ArrayList<>();
            try (HttpRig rig = HttpRig.start(files)) {
                for (int i = 0; i < 2; i++) {
                    int millis = round / 3;
                    closers.add(
                            Thread.ofPlatform()
                                    .start(
                                            () -> {
                                                try {
                                                    Thread.sleep(millis);
                                                } catch (InterruptedException e) {
                                                    throw new AssertionError(e);
                                                }
                                                files.close();
                                            }));
                }
                try (Client client = Client.connect(rig.port())) {
                    int status = 200;
                    for (int i = 0; i < 10_000 && status == 200; i++) {
                        Answer reply = client.get(i % 10 == 9 ? "/large.bin" : "/small.txt");
                        status = reply.status();
                        assertThat(status).isIn(200, 503);
                    }
                    for (Thread closer : closers) {
                        closer.join();
                    }
                    assertAnswered503(client, "/small.txt", "/large.bin");
                }
            }
        }
        awaitNoDescriptor();
    }

    private void awaitNoDescriptor() throws IOException, InterruptedException {
        long end = System.nanoTime() + SOON_NANOS;
        while (descriptors() > 0) {
            assertThat(System.nanoTime()).as("still open").isLessThan(end);
            Thread.sleep(20);
        }
    }

    /** Descriptors of this process that lead into the root. */
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
}
