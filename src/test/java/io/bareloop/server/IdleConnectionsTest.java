package io.bareloop.server;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Client;
import io.bareloop.rig.ServerProcess;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What an idle connection costs the server's process, beside what the kernel keeps for its socket.
 *
 * <p>Two numbers: resident memory, with a heap that is touched from the start, so that it shows
 * what is outside of the heap; and live bytes in the heap, after a collection. The JVM's compiler
 * and allocator take memory at moments of their own, so the connections come in several waves, all
 * of which stay open: a buffer for each connection would show in every wave, the JVM's own needs in
 * some. The cheapest wave counts.
 */
@Timeout(60)
class IdleConnectionsTest {
    private static final int WARM_UP = 300;
    private static final int WAVES = 6;
    private static final int WAVE = 1000;

    /** The smallest slice of the slab: with one of them each connection would be above it. */
    private static final int BYTES_MAX = 512;

    @Test
    void anIdleConnectionHoldsNoBuffer() throws Exception {
        List<Client> clients = new ArrayList<>();
        try (ServerProcess server =
                ServerProcess.start(
                        List.of("-Xms64m", "-Xmx64m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC"),
                        "--port=0",
                        "--host=127.0.0.1")) {
            try {
                open(server, WARM_UP, clients);
                for (int i = 0; i < 50; i++) {
                    for (Client client : clients) {
                        assertThat(client.get("/json").status()).isEqualTo(200);
                    }
                }
                // Attaching takes memory of its own: the first time before anything is measured.
                liveBytes(server);
                long heapBefore = liveBytes(server);
                long residentBefore = residentBytes(server);

                long cheapest = Long.MAX_VALUE;
                List<String> waves = new ArrayList<>();
                for (int wave = 0; wave < WAVES; wave++) {
                    open(server, WAVE, clients);
                    long resident = residentBytes(server);
                    long heap = liveBytes(server);
                    long cost = Math.max(resident - residentBefore, 0) + heap - heapBefore;
                    cheapest = Math.min(cheapest, cost / WAVE);
                    waves.add((resident - residentBefore) + " + " + (heap - heapBefore));
                    residentBefore = residentBytes(server);
                    heapBefore = heap;
                }
                // They are idle, not gone.
                assertThat(clients.get(WARM_UP).get("/json").status()).isEqualTo(200);
                assertThat(clients.getLast().get("/json").status()).isEqualTo(200);

                assertThat(cheapest)
                        .as("resident + heap bytes per %d connections: %s", WAVE, waves)
                        .isPositive()
                        .isLessThan(BYTES_MAX);
            } finally {
                for (Client client : clients) {
                    client.close();
                }
            }
        }
    }

    private static void open(ServerProcess server, int connections, List<Client> clients)
            throws IOException {
        for (int i = 0; i < connections; i++) {
            Client client = Client.connect(server.port());
            clients.add(client);
            assertThat(client.get("/plaintext").status()).isEqualTo(200);
        }
    }

    private static long residentBytes(ServerProcess server) throws IOException {
        return Long.parseLong(server.status("VmRSS").replace(" kB", "")) << 10;
    }

    /** The last line of the histogram, which counts what a full collection has left. */
    private static long liveBytes(ServerProcess server) throws Exception {
        Process jcmd =
                new ProcessBuilder(
                                ServerProcess.tool("jcmd"),
                                String.valueOf(server.pid()),
                                "GC.class_histogram")
                        .redirectErrorStream(true)
                        .start();
        String histogram = new String(jcmd.getInputStream().readAllBytes(), US_ASCII);
        assertThat(jcmd.waitFor()).as(histogram).isZero();
        String total = histogram.strip().lines().reduce((before, line) -> line).orElseThrow();
        assertThat(total).matches("Total +[0-9]+ +[0-9]+");
        return Long.parseLong(total.replaceAll(".* ", ""));
    }
}
