package io.bareloop.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.Handler;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.rig.Client;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A program that embeds the server, in a process of its own, which is told to end. */
@Timeout(60)
class ShutdownDrainTest {
    private static final int DRAINED_BY_SIGTERM = 128 + 15;

    @Test
    void whatIsInFlightIsFinished() throws Exception {
        Process process = embedded();
        try (BufferedReader out = process.inputReader()) {
            int port = Integer.parseInt(out.readLine());
            finishes(process, port);
            assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isEqualTo(DRAINED_BY_SIGTERM);
        } finally {
            process.destroyForcibly();
        }
    }

    private static void finishes(Process process, int port) throws Exception {
        try (Client slow = Client.connect(port)) {
            slow.send("GET / HTTP/1.1\r\n");
            Thread.sleep(200);
            process.toHandle().destroy();
            awaitRefused(port);
            slow.send("Host: a\r\n\r\n");
            assertThat(slow.answer().body()).isEqualTo("whole");
        }
    }

    /** The JVM keeps what a hook can reach. */
    @Test
    void theHookLeavesWithTheServer() throws Exception {
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
        try (HttpServer server = start(handler)) {
            assertThat(server.drain(Duration.ofSeconds(1))).isTrue();
        }
        return new WeakReference<>(handler);
    }

    public static void main(String[] arguments) throws Exception {
        try (HttpServer server = start((request, response) -> response.body("whole"))) {
            System.out.println(server.port());
            server.awaitTermination();
        }
    }

    private static HttpServer start(Handler handler) throws IOException {
        return HttpServer.builder()
                .listen("127.0.0.1", 0)
                .cpus(CpuSet.allowed().first())
                .drainOnShutdown(Duration.ofSeconds(10))
                .handler(handler)
                .start();
    }

    private static Process embedded() throws IOException {
        return new ProcessBuilder(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "--enable-native-access=ALL-UNNAMED",
                                "-cp",
                                System.getProperty("java.class.path"),
                                ShutdownDrainTest.class.getName()))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static void awaitRefused(int port) throws Exception {
        while (true) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                socket.getOutputStream().write("x".getBytes(StandardCharsets.US_ASCII));
                Thread.sleep(20);
            } catch (ConnectException e) {
                return;
            }
        }
    }
}
