package io.bareloop.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Client;
import io.bareloop.rig.ServerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code --access-log} of a process, and what SIGHUP does to it. */
@Timeout(60)
class AccessLogOptionTest {
    @TempDir private Path directory;

    /** As logrotate does it, while clients ask. */
    @Test
    void renamingAndHangingUpLoseNothing() throws Exception {
        Path log = directory.resolve("access.log");
        AtomicInteger asked = new AtomicInteger();
        AtomicBoolean ended = new AtomicBoolean();
        int rotations = 4;
        try (ServerProcess server =
                ServerProcess.start(
                        List.of("-Xmx64m"),
                        "--host=127.0.0.1",
                        "--port=0",
                        "--access-log=" + log,
                        "--access-log-format=common")) {
            server.assumeHears("HUP");
            Thread clients = Thread.ofPlatform().start(() -> ask(server.port(), asked, ended));
            for (int i = 0; i < rotations; i++) {
                Thread.sleep(300);
                Files.move(log, directory.resolve("access.log." + i));
                server.signal("HUP");
                while (!Files.exists(log)) {
                    Thread.sleep(2);
                }
            }
            ended.set(true);
            clients.join();
            server.signal("TERM");
            assertThat(server.exit()).isZero();
            assertThat(server.err()).isEmpty();
        }
        long lines = Files.readAllLines(log).size();
        for (int i = 0; i < rotations; i++) {
            lines += Files.readAllLines(directory.resolve("access.log." + i)).size();
        }
        assertThat(lines).isEqualTo(asked.get());
    }

    private static void ask(int port, AtomicInteger asked, AtomicBoolean ended) {
        try (Client client = Client.connect(port)) {
            while (!ended.get()) {
                client.get("/plaintext");
                asked.incrementAndGet();
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aDashIsTheStandardOutput() throws Exception {
        try (ServerProcess server =
                ServerProcess.start(
                        List.of("-Xmx64m"),
                        "--host=127.0.0.1",
                        "--port=0",
                        "--access-log=-",
                        "--access-log-format=json")) {
            try (Client client = Client.connect(server.port())) {
                client.get("/plaintext");
            }
            server.signal("TERM");
            assertThat(server.exit()).isZero();
            assertThat(server.out())
                    .filteredOn(line -> line.startsWith("{\"time\":"))
                    .singleElement()
                    .asString()
                    .contains("\"target\":\"/plaintext\",\"protocol\":\"HTTP/1.1\",\"status\":200");
        }
    }
}
