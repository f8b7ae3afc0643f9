package io.bareloop.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.Router;
import io.bareloop.rig.Client;
import io.bareloop.rig.ServerProcess;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A handler fills the heap to the last byte, before anything has ever failed: the server answers
 * again when there is room, or it has ended and lets nobody wait. In a process of its own.
 */
@Timeout(120)
class FullHeapTest {
    /** What the child runs. */
    static final class Hoarder {
        private static final List<byte[]> HOARD = new ArrayList<>();

        private Hoarder() {}

        public static void main(String[] args) throws Exception {
            Router router =
                    Router.builder()
                            .get("/fine", (request, response) -> response.body("fine"))
                            .get(
                                    "/hoard",
                                    (request, response) -> {
                                        response.suspend();
                                        fill();
                                    })
                            .build();
            HttpServer server =
                    HttpServer.builder()
                            .listen("127.0.0.1", 0)
                            .cpus(CpuSet.unpinned(1))
                            .handler(router)
                            .log(line -> {})
                            .start();
            Thread.ofPlatform().daemon().start(Hoarder::letGoAfterAWhile);
            System.out.println(server.port());
            try {
                server.awaitTermination();
            } catch (IllegalStateException failed) {
                System.exit(1);
            }
        }

        private static void fill() {
            for (int size = 1 << 20; size >= 16; size /= 2) {
                try {
                    while (true) {
                        HOARD.add(new byte[size]);
                    }
                } catch (OutOfMemoryError full) {
                    // Smaller ones may fit still.
                    Thread.onSpinWait();
                }
            }
        }

        @SuppressWarnings("BusyWait")
        private static void letGoAfterAWhile() {
            while (true) {
                try {
                    Thread.sleep(2000);
                    HOARD.clear();
                } catch (InterruptedException | OutOfMemoryError again) {
                    Thread.onSpinWait();
                }
            }
        }
    }

    private static Process start() throws IOException {
        List<String> command = new ArrayList<>();
        command.add(ServerProcess.tool("java"));
        command.addAll(
                List.of(
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:+UseSerialGC",
                        "-Xmx40m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Hoarder.class.getName()));
        return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 3000})
    void theServerAnswersAgainOrHasEnded(int requestsBefore) throws Exception {
        Process process = start();
        List<Client> clients = new ArrayList<>();
        try {
            int port = Integer.parseInt(process.inputReader(UTF_8).readLine());
            if (requestsBefore > 0) {
                try (Client client = Client.connect(port)) {
                    for (int i = 0; i < requestsBefore; i++) {
                        assertThat(client.get("/fine").body()).isEqualTo("fine");
                    }
                }
            }
            for (int i = 0; i < 5; i++) {
                clients.add(Client.connect(port));
            }
            clients.get(0).send(Client.request("GET", "/hoard"));
            Thread.sleep(300);
            for (Client client : clients.subList(1, 5)) {
                client.send(Client.request("GET", "/fine"));
            }
            long limit = System.nanoTime() + Duration.ofSeconds(60).toNanos();
            boolean over = false;
            while (!over) {
                assertThat(System.nanoTime()).as("nanoseconds of patience").isLessThan(limit);
                over = !process.isAlive() || isAnswered(port);
            }
            if (!process.isAlive()) {
                assertThat(process.exitValue()).isEqualTo(1);
            }
        } finally {
            for (Client client : clients) {
                client.close();
            }
            process.destroyForcibly();
            assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        }
    }

    private static boolean isAnswered(int port) throws InterruptedException {
        try (Client client = Client.connect(port)) {
            return client.get("/fine").body().equals("fine");
        } catch (IOException | AssertionError notYet) {
            Thread.sleep(200);
            return false;
        }
    }
}
