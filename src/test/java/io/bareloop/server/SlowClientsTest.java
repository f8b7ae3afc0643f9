package io.bareloop.server;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Client;
import io.bareloop.rig.ServerProcess;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Thousands of clients that leave their requests unfinished, against the command line in a process
 * of its own with little memory: others are served meanwhile, and everybody afterwards.
 */
@Timeout(120)
class SlowClientsTest {
    private static final int MIB = 1 << 20;

    /** So that nothing ends by itself while a test looks. */
    private static final List<String> PATIENT =
            List.of("--port", "0", "--host", "127.0.0.1", "--cpus", "0", "--head-timeout", "60");

    private final List<SocketChannel> clients = new ArrayList<>();

    private static ServerProcess start(List<String> jvmOptions, String... more)
            throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(PATIENT);
        arguments.addAll(List.of(more));
        return ServerProcess.start(jvmOptions, arguments.toArray(String[]::new));
    }

    /** Each of {@code count} clients sends {@code bytes}, as far as the server takes them. */
    private void connect(ServerProcess server, int count, byte[] bytes) throws IOException {
        for (int i = 0; i < count; i++) {
            SocketChannel client =
                    SocketChannel.open(
                            new InetSocketAddress(
                                    InetAddress.ofLiteral("127.0.0.1"), server.port()));
            clients.add(client);
            try {
                client.write(ByteBuffer.wrap(bytes));
            } catch (IOException turnedAway) {
                // Where there is no memory for it, it is closed: that is what is tested.
                assertThat(client.isOpen()).isTrue();
            }
        }
    }

    private void leave() throws IOException {
        for (SocketChannel client : clients) {
            client.close();
        }
        clients.clear();
    }

    private static void assertAnswers(ServerProcess server) throws IOException {
        for (int i = 0; i < 5; i++) {
            try (Client client = Client.connect(server.port())) {
                assertThat(client.get("/plaintext").body()).isEqualTo("Hello, World!");
            }
        }
    }

    /** Sends a body of 1 MiB in pieces, so that it has to be kept. */
    private static int statusOfABody(ServerProcess server) throws Exception {
        try (Client client = Client.connect(server.port())) {
            client.send(Client.request("POST", "/echo", "Content-Length: " + MIB));
            byte[] piece = new byte[MIB / 8];
            for (int i = 0; i < 8; i++) {
                client.send(piece);
                Thread.sleep(2);
            }
            return client.answer().status();
        }
    }

    private static byte[] unfinishedHead(int bytes) {
        String start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
        return (start + "x".repeat(bytes - start.length())).getBytes(ISO_8859_1);
    }

    private static byte[] unfinishedBody(int bytes) {
        String head = Client.request("POST", "/echo", "Content-Length: " + bytes);
        return (head + "x".repeat(bytes - 1)).getBytes(ISO_8859_1);
    }

    private static void assertStillThere(ServerProcess server) {
        assertThat(server.isAlive()).isTrue();
        assertThat(server.err()).noneMatch(line -> line.contains("failed"));
    }

    /** With the flags that the project recommends; 40 MiB of heads, where 16 KiB slices hold 32. */
    @Test
    void unfinishedHeadsHurtNobodyElse() throws Exception {
        try (ServerProcess server = start(List.of("@tune/jvm.options"))) {
            connect(server, 4500, unfinishedHead(9000));
            assertAnswers(server);
            leave();
            // At once, and again and again: what the heads had is any other size now.
            for (int i = 0; i < 5; i++) {
                assertThat(statusOfABody(server)).isEqualTo(200);
            }
            assertAnswers(server);
            assertStillThere(server);
            assertThat(server.line("  memory")).contains("MiB outside the heap");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"-Xmx64m", "-Xmx32m", "-Xmx16m", "-XX:MaxDirectMemorySize=1m"})
    void unfinishedBodiesHurtNobodyElse(String limit) throws Exception {
        try (ServerProcess server =
                start(List.of("-XX:+UseSerialGC", limit), "--max-body", "" + MIB)) {
            connect(server, 70, unfinishedBody(MIB - 100));
            assertAnswers(server);
            leave();
            for (int i = 0; i < 5; i++) {
                assertThat(statusOfABody(server)).isEqualTo(200);
            }
            assertStillThere(server);
        }
    }

    /** What a burst has needed goes back to the system. */
    @Test
    void memoryOfABurstGoesBack() throws Exception {
        try (ServerProcess server =
                start(List.of("@tune/jvm.options"), "--max-pending", "67108864")) {
            assertAnswers(server);
            long before = residentKib(server);
            connect(server, 3500, unfinishedHead(15_000));
            assertAnswers(server);
            long during = residentKib(server);
            assertThat(during - before).isGreaterThan(40 << 10);
            leave();
            long limit = System.nanoTime() + 15_000_000_000L;
            while (residentKib(server) - before > 20 << 10 && System.nanoTime() < limit) {
                Thread.sleep(100);
            }
            assertThat(residentKib(server) - before).isLessThan(20 << 10);
        }
    }

    /** Connections themselves need heap: where there is none for one more, it is turned away. */
    @Test
    void theHeapMayEnd() throws Exception {
        try (ServerProcess server = start(List.of("-XX:+UseSerialGC", "-Xmx6m"))) {
            connect(server, 9000, unfinishedHead(100));
            assertThat(server.isAlive()).isTrue();
            leave();
            long limit = System.nanoTime() + 20_000_000_000L;
            while (true) {
                try (Client client = Client.connect(server.port())) {
                    assertThat(client.get("/plaintext").body()).isEqualTo("Hello, World!");
                    break;
                } catch (IOException | AssertionError notYet) {
                    assertThat(System.nanoTime()).isLessThan(limit);
                    Thread.sleep(100);
                }
            }
            assertAnswers(server);
            assertThat(server.isAlive()).isTrue();
        }
    }

    private static long residentKib(ServerProcess server) throws IOException {
        return Long.parseLong(server.status("VmRSS").replaceAll("[^0-9]", ""));
    }
}
