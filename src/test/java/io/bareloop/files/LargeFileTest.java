package io.bareloop.files;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.Prepared;
import io.bareloop.http.Router;
import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.rig.Site;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A file of 2 GiB and one byte, whole and in ranges, and another client beside it. */
@Timeout(300)
class LargeFileTest {
    private static final long SIZE = (2L << 30) + 1;
    private static final int PIECE = 1 << 20;
    private static final int RANGES = 1000;

    @TempDir Path root;

    private FileChannel file;

    /** Holes, with something written here and there, and at both ends. */
    @BeforeEach
    void write() throws IOException {
        file =
                FileChannel.open(
                        root.resolve("sparse.bin"),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE);
        Random random = new Random(5);
        for (int i = 0; i < 256; i++) {
            long at = i == 0 ? 0 : i == 1 ? SIZE - 1000 : random.nextLong(SIZE - 9000);
            file.write(ByteBuffer.wrap(Site.bytes(i, i == 1 ? 1000 : 9000)), at);
        }
        assertThat(file.size()).isEqualTo(SIZE);
    }

    @Test
    void isServedToTheByteWhileOthersAreServedToo(TestReporter reporter) throws Exception {
        try (Site site =
                new Site(
                        root,
                        builder -> builder,
                        files ->
                                Router.builder()
                                        .get("/plaintext", Prepared.text("Hello, World!"))
                                        .notFound(files)
                                        .build())) {
            Histogram idle = new Histogram(3);
            AtomicBoolean stop = new AtomicBoolean();
            Thread before = poll(site, idle, stop);
            Thread.sleep(1000);
            stop.set(true);
            before.join();

            Histogram busy = new Histogram(3);
            stop.set(false);
            Thread during = poll(site, busy, stop);
            downloadWhole(site);
            downloadRanges(site);
            stop.set(true);
            during.join();
            assertThat(busy.getTotalCount()).isPositive();
            reporter.publishEntry(
                    "/plaintext on the same loop, us",
                    String.format(
                            "alone p50 %d p99 %d; beside the download p50 %d p99 %d",
                            idle.getValueAtPercentile(50) / 1000,
                            idle.getValueAtPercentile(99) / 1000,
                            busy.getValueAtPercentile(50) / 1000,
                            busy.getValueAtPercentile(99) / 1000));
        }
    }

    private static Thread poll(Site site, Histogram latencies, AtomicBoolean stop) {
        Thread thread =
                new Thread(
                        () -> {
                            try (Client client = Client.connect(site.server.port())) {
                                while (!stop.get()) {
                                    long start = System.nanoTime();
                                    assertThat(client.get("/plaintext").status()).isEqualTo(200);
                                    latencies.recordValue(System.nanoTime() - start);
                                }
                            } catch (IOException e) {
                                throw new AssertionError(e);
                            }
                        });
        thread.start();
        return thread;
    }

    private void downloadWhole(Site site) throws IOException {
        site.client.send(Client.request("GET", "/sparse.bin"));
        // The head: what follows is too much for a string.
        Answer head = site.client.answerToHead();
        assertThat(head.status()).isEqualTo(200);
        assertThat(head.field("Content-Length")).isEqualTo(String.valueOf(SIZE));
        long at = 0;
        while (at < SIZE) {
            int length = (int) Math.min(PIECE, SIZE - at);
            byte[] received = site.client.exactly(length);
            assertSame(received, at);
            at += length;
        }
    }

    private void downloadRanges(Site site) throws IOException {
        Random random = new Random(6);
        for (int i = 0; i < RANGES; i++) {
            long first = random.nextLong(SIZE);
            long last = Math.min(SIZE - 1, first + random.nextInt(100_000));
            site.client.send(
                    Client.request("GET", "/sparse.bin", "Range: bytes=" + first + "-" + last));
            Answer head = site.client.answerToHead();
            assertThat(head.status()).isEqualTo(206);
            assertThat(head.field("Content-Range"))
                    .isEqualTo("bytes " + first + "-" + last + "/" + SIZE);
            assertSame(site.client.exactly((int) (last - first + 1)), first);
        }
    }

    private void assertSame(byte[] received, long at) throws IOException {
        ByteBuffer expected = ByteBuffer.allocate(received.length);
        while (expected.hasRemaining()) {
            assertThat(file.read(expected, at + expected.position())).isPositive();
        }
        if (Arrays.mismatch(received, expected.array()) >= 0) {
            throw new AssertionError(
                    "differs at " + (at + Arrays.mismatch(received, expected.array())));
        }
    }
}
