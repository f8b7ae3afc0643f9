package io.bareloop.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.http.Prepared;
import io.bareloop.rig.Client;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The access log of a real server: every line is there, or counted. */
@Timeout(60)
class AccessLogTest {
    private static final int FULL_SPEED = 100_000;

    @TempDir private Path directory;

    private final List<String> lines = new CopyOnWriteArrayList<>();

    private HttpServer start(AccessLog log) throws IOException {
        return builder(log).start();
    }

    private HttpServer.Builder builder(AccessLog log) {
        return HttpServer.builder()
                .listen("127.0.0.1", 0)
                .cpus(CpuSet.unpinned(2))
                .busyPoll(Setting.OFF)
                .log(lines::add)
                .handler(Prepared.text("hello"))
                .accessLog(log);
    }

    private Path path() {
        return directory.resolve("access.log");
    }

    private AccessLog log(AccessLog.Format format) {
        return AccessLog.file(path(), format);
    }

    /** Asks {@code count} times, in batches, and reads all answers. */
    private static void ask(HttpServer server, int count) throws IOException {
        try (Client client = Client.connect(server.port())) {
            int batch = Math.min(count, 100);
            String request = Client.request("GET", "/a?b=c", "User-Agent: me");
            int length = length(client, request);
            byte[] all = request.repeat(batch).getBytes(StandardCharsets.US_ASCII);
            for (int done = 1; done < count; done += batch) {
                int now = Math.min(batch, count - done);
                client.send(
                        now == batch
                                ? all
                                : request.repeat(now).getBytes(StandardCharsets.US_ASCII));
                client.skip(length * now);
            }
        }
    }

    private static int length(Client client, String request) throws IOException {
        client.send(request);
        int length = 0;
        String line;
        do {
            line = client.line();
            length += line.length() + 2;
        } while (!line.isEmpty());
        client.skip(5);
        return length + 5;
    }

    private static long count(Path file) throws IOException {
        return Files.readAllLines(file).stream().filter(it -> it.contains("GET /a?b=c")).count();
    }

    // ---- complete

    @Test
    void everyRequestAtFullSpeedIsThereOrCounted() throws Exception {
        AccessLog log = log(AccessLog.Format.COMBINED);
        try (HttpServer server = start(log)) {
            ask(server, FULL_SPEED);
        }
        List<String> written = Files.readAllLines(path());
        assertThat(written.size() + log.dropped()).isEqualTo(FULL_SPEED);
        assertThat(written)
                .allMatch(
                        line ->
                                line.startsWith("127.0.0.1 - - [")
                                        && line.endsWith(
                                                "] \"GET /a?b=c HTTP/1.1\" 200 5 \"-\" \"me\""));
        // A disk that keeps up, as nearly every one does.
        assertThat(written).hasSizeGreaterThan(FULL_SPEED / 2);
    }

    @Test
    void linesAreThereSoonAndAllOfThemAtTheEnd() throws Exception {
        AccessLog log = log(AccessLog.Format.JSON);
        HttpServer server = start(log);
        Thread.sleep(1500);
        ask(server, 1);
        long start = System.nanoTime();
        while (Files.size(path()) == 0) {
            Thread.sleep(5);
        }
        // Idle for long, it looks four times a second.
        assertThat(System.nanoTime() - start).isLessThan(2_000_000_000L);
        ask(server, 500);
        assertThat(server.drain(Duration.ofSeconds(10))).isTrue();
        assertThat(Files.readAllLines(path())).hasSize(501);
        assertThat(log.dropped()).isZero();
        assertThat(lines).isEmpty();
        assertThat(Thread.getAllStackTraces().keySet())
                .extracting(Thread::getName)
                .doesNotContain("bareloop-access-log");
    }

    @Test
    void aListenerBesideItHearsOfTheSame() throws Exception {
        AtomicInteger heard = new AtomicInteger();
        try (HttpServer server =
                builder(log(AccessLog.Format.COMMON))
                        .onCompletion(it -> heard.incrementAndGet())
                        .start()) {
            ask(server, 300);
        }
        assertThat(heard).hasValue(300);
        assertThat(count(path())).isEqualTo(300);
    }

    @Test
    void itIsAppendedToWhatIsThere() throws Exception {
        Files.writeString(path(), "before\n");
        try (HttpServer server = start(log(AccessLog.Format.COMMON))) {
            ask(server, 10);
        }
        assertThat(Files.readAllLines(path())).hasSize(11).startsWith("before");
    }

    // ---- rotation

    @Test
    void aFileThatIsRenamedIsFollowedByAnother() throws Exception {
        AccessLog log = log(AccessLog.Format.COMMON);
        log.reopen(); // Before the start: nothing to be done.
        int files = 5;
        try (HttpServer server = start(log)) {
            for (int i = 0; i < files; i++) {
                ask(server, 1000);
                Files.move(path(), directory.resolve("access.log." + i));
                ask(server, 10);
                log.reopen();
                while (!Files.exists(path())) {
                    Thread.sleep(2);
                }
            }
            ask(server, 1000);
        }
        long sum = count(path());
        for (int i = 0; i < files; i++) {
            long inFile = count(directory.resolve("access.log." + i));
            assertThat(inFile).isGreaterThan(0);
            sum += inFile;
        }
        assertThat(sum + log.dropped()).isEqualTo(files * 1010 + 1000);
        assertThat(log.dropped()).isZero();
        log.reopen(); // Behind the end.
    }

    @Test
    void aFileThatCannotBeOpenedAgainIsSaidAndHurtsNobody() throws Exception {
        Path old = Files.createDirectory(directory.resolve("old"));
        Path file = old.resolve("access.log");
        AccessLog log = AccessLog.file(file, AccessLog.Format.COMMON);
        Path moved = directory.resolve("moved");
        try (HttpServer server = start(log)) {
            ask(server, 10);
            Files.move(old, moved);
            log.reopen();
            await(() -> !lines.isEmpty());
            assertThat(lines.get(0)).contains("NoSuchFileException").contains("still go to");
            ask(server, 10);
            Thread.sleep(1200);
            assertThat(lines).hasSizeLessThanOrEqualTo(3);
            Files.createDirectory(old);
            await(() -> Files.exists(file));
            ask(server, 10);
        }
        assertThat(count(moved.resolve("access.log"))).isEqualTo(20);
        assertThat(count(file)).isEqualTo(10);
        assertThat(log.dropped()).isZero();
    }

    // ---- trouble

    /** /dev/full: ENOSPC for each write. */
    @Test
    void aFullDiskIsSaidAndHurtsNobody() throws Exception {
        AccessLog log = AccessLog.file(Path.of("/dev/full"), AccessLog.Format.COMBINED);
        try (HttpServer server = start(log)) {
            long end = System.nanoTime() + 1_500_000_000L;
            int asked = 0;
            while (System.nanoTime() - end < 0) {
                ask(server, 100);
                asked += 100;
            }
            await(() -> log.dropped() > 0);
            assertThat(lines).hasSizeBetween(1, 3);
            assertThat(lines.get(0)).contains("No space left on device").contains("dropped");
            server.drain(Duration.ofSeconds(10));
            assertThat(log.dropped()).isEqualTo(asked);
        }
        assertThat(lines.get(lines.size() - 1)).contains(log.dropped() + " in all");
    }

    @Test
    void aFileThatCannotBeOpenedEndsTheStart() {
        AccessLog log = AccessLog.file(directory.resolve("no/such/file"), AccessLog.Format.COMMON);
        assertThatThrownBy(() -> start(log))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("access log")
                .hasMessageContaining("no/such/file")
                .hasCauseInstanceOf(NoSuchFileException.class);
    }

    @Test
    void itIsForOneServer() throws Exception {
        AccessLog log = log(AccessLog.Format.COMMON);
        try (HttpServer server = start(log)) {
            assertThatThrownBy(() -> start(log))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("one server");
            ask(server, 3);
        }
        assertThat(count(path())).isEqualTo(3);
    }

    private interface Condition {
        boolean holds() throws IOException;
    }

    private static void await(Condition condition) throws Exception {
        long end = System.nanoTime() + 10_000_000_000L;
        while (!condition.holds()) {
            assertThat(System.nanoTime() - end).as("10 s are over").isNegative();
            Thread.sleep(5);
        }
    }

    /** As where the standard output is a pipe to something that has stopped. */
    @Test
    void aPipeThatNobodyReadsDoesNotKeepTheServer() throws Exception {
        Path pipe = directory.resolve("pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
        // For both, so that opening does not wait.
        try (FileChannel both =
                FileChannel.open(pipe, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            AccessLog log = AccessLog.file(pipe, AccessLog.Format.COMMON);
            try (HttpServer server = start(log)) {
                ask(server, 5000);
            }
            assertThat(both.isOpen()).isTrue();
            assertThat(log.dropped()).isPositive();
            assertThat(lines).anyMatch(line -> line.contains("access log: "));
        }
    }
}
