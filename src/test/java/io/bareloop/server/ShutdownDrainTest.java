package io.bareloop.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.Handler;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.rig.Client;
import io.bareloop.rig.ServerProcess;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A program that embeds servers, {@link Embedding}, which is told to end. */
@Timeout(60)
class ShutdownDrainTest {
    private static final int BY_SIGTERM = 128 + 15;
    private static final long SOON = 5_000_000_000L;

    @ParameterizedTest
    @ValueSource(strings = {"TERM", "INT"})
    void whatIsInFlightIsFinished(String signal) throws Exception {
        try (ServerProcess process = embedded("drains")) {
            process.assumeHears(signal);
            finishes(process, signal, port(process, 0));
            assertThat(process.exit()).isZero();
            assertThat(process.out()).last().isEqualTo("hook");
            assertThat(process.err()).isEmpty();
        }
    }

    /** They begin to drain together, and the last one's end is the process's. */
    @Test
    void allServersOfTheProcessDrain() throws Exception {
        try (ServerProcess process = embedded("drains two");
                Client slow = halfARequest(port(process, 0))) {
            finishes(process, "TERM", port(process, 1));
            awaitRefused(port(process, 0));
            assertThat(process.isAlive()).isTrue();
            slow.send("Host: a\r\n\r\n");
            assertThat(slow.answer().body()).isEqualTo("whole");
            assertThat(process.exit()).isZero();
        }
    }

    @Test
    void anEventStreamHasItsProperEnd() throws Exception {
        try (ServerProcess process = embedded("drains");
                Client events = Client.connect(port(process, 0))) {
            events.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
            Thread.sleep(200);
            finishes(process, "TERM", port(process, 0));
            assertThat(events.untilEnd()).endsWith("data: first\n\n\r\n0\r\n\r\n");
            assertThat(process.exit()).isZero();
        }
    }

    /** Of two servers one was clean. */
    @Test
    void whatIsCutOffIsInTheStatus() throws Exception {
        try (ServerProcess process = embedded("has no time");
                Client never = Client.connect(port(process, 0))) {
            never.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
            Thread.sleep(200);
            process.signal("TERM");
            assertThat(process.exit()).isEqualTo(1);
            assertThat(process.out())
                    .containsOnlyOnce("log: work was cut off, for which the shutdown had PT0.3S")
                    .last()
                    .isEqualTo("hook");
        }
    }

    @Test
    void aSecondSignalEndsAtOnce() throws Exception {
        try (ServerProcess process = embedded("has a minute");
                Client slow = halfARequest(port(process, 0))) {
            process.signal("TERM");
            process.signal("TERM");
            awaitRefused(port(process, 0));
            Thread.sleep(1000);
            assertThat(process.isAlive()).isTrue();
            long start = System.nanoTime();
            process.signal("TERM");
            assertThat(process.exit()).isEqualTo(1);
            assertThat(System.nanoTime() - start).isLessThan(SOON);
            assertThat(process.out())
                    .contains("log: a second signal: ended at once, work was cut off")
                    .doesNotContain("hook");
            assertThat(slow.untilEnd()).isEmpty();
        }
    }

    /** Its hook waits for a drain, which the exit that waits for the hook must not hold up. */
    @Test
    void theProgramMayExitMeanwhile() throws Exception {
        try (ServerProcess process = embedded("exits when drained");
                Client slow = halfARequest(port(process, 0))) {
            process.signal("TERM");
            process.awaitLine("exits");
            slow.send("Host: a\r\n\r\n");
            assertThat(slow.answer().body()).isEqualTo("whole");
            assertThat(process.exit()).isEqualTo(7);
            assertThat(process.out()).last().isEqualTo("hook");
        }
    }

    @Test
    void aSignalOfTheProgramIsLeftToIt() throws Exception {
        try (ServerProcess process = embedded("handles TERM")) {
            process.assumeHears("INT");
            process.signal("TERM");
            process.awaitLine("TERM");
            finishes(process, "INT", port(process, 0));
            assertThat(process.exit()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"has closed", "has failed"})
    void withoutServersTheSignalIsTheJvms(String program) throws Exception {
        try (ServerProcess process = embedded(program)) {
            process.signal("TERM");
            assertThat(process.exit()).isEqualTo(BY_SIGTERM);
            assertThat(process.out()).last().isEqualTo("hook");
        }
    }

    /** Nothing is in flight yet. */
    @Test
    void aSignalDuringTheStartEndsIt() throws Exception {
        try (ServerProcess process = program(List.of(), "starts")) {
            process.awaitLine("starts");
            Thread.sleep(1500);
            long start = System.nanoTime();
            process.signal("TERM");
            assertThat(process.exit()).isZero();
            assertThat(System.nanoTime() - start).isLessThan(SOON);
        }
    }

    /** The JVM's status, but nothing is lost. */
    @Test
    void withoutTheModuleAHookDrains() throws Exception {
        try (ServerProcess process =
                ready(program(List.of("--limit-modules=java.base"), "drains"))) {
            finishes(process, "TERM", port(process, 0));
            assertThat(process.exit()).isEqualTo(BY_SIGTERM);
        }
    }

    /** The JVM keeps what a hook or a handler of signals can reach. */
    @Test
    void nothingIsLeftOfAServerThatHasEnded() throws Exception {
        WeakReference<Handler> handler = servedAndEnded();
        while (handler.get() != null) {
            System.gc();
            Thread.sleep(20);
        }
    }

    private static WeakReference<Handler> servedAndEnded() throws Exception {
        Handler handler =
                new Handler() {
                    @Override
                    public void handle(Request request, Response response) {
                        response.body("whole");
                    }
                };
        try (HttpServer server =
                HttpServer.builder()
                        .listen("127.0.0.1", 0)
                        .cpus(CpuSet.allowed().first())
                        .drainOnShutdown(Duration.ofSeconds(10))
                        .handler(handler)
                        .start()) {
            assertThat(server.drain(Duration.ofSeconds(1))).isTrue();
        }
        return new WeakReference<>(handler);
    }

    // ---- the means

    private static ServerProcess embedded(String how) throws Exception {
        return ready(program(List.of(), how));
    }

    private static ServerProcess program(List<String> jvmOptions, String how) throws IOException {
        return ServerProcess.program(Embedding.class.getName(), jvmOptions, how);
    }

    private static ServerProcess ready(ServerProcess process) throws InterruptedException {
        process.awaitLine("ready");
        return process;
    }

    private static int port(ServerProcess process, int index) {
        return process.out().stream()
                .filter(line -> line.startsWith("port "))
                .skip(index)
                .map(line -> Integer.parseInt(line.substring(5)))
                .findFirst()
                .orElseThrow();
    }

    /** A request that is half there when {@code signal} comes is answered. */
    private static void finishes(ServerProcess process, String signal, int port) throws Exception {
        try (Client slow = halfARequest(port)) {
            process.signal(signal);
            awaitRefused(port);
            slow.send("Host: a\r\n\r\n");
            assertThat(slow.answer().body()).isEqualTo("whole");
        }
    }

    private static Client halfARequest(int port) throws Exception {
        Client client = Client.connect(port).send("GET / HTTP/1.1\r\n");
        Thread.sleep(200);
        return client;
    }

    private static void awaitRefused(int port) throws Exception {
        while (true) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                socket.getOutputStream().write("x".getBytes(StandardCharsets.US_ASCII));
                Thread.sleep(20);
            } catch (ConnectException e) {
                return;
            } catch (SocketException e) {
                // Reset: it came in the moment in which the listeners closed.
            }
        }
    }
}
