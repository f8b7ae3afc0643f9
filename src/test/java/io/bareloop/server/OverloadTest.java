package io.bareloop.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.Limits;
import io.bareloop.http.Prepared;
import io.bareloop.http.Router;
import io.bareloop.rig.Client;
import io.bareloop.rig.OpenFiles;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Bad clients, many at once and all on one loop, do not keep a good one from its answers. */
@Timeout(120)
final class OverloadTest {
    private static final int IDLE = 5_000;
    private static final int PIPELINED = 100_000;
    private static final long PENDING_BYTES_MAX = 16L << 20;

    /** Generous, for a machine that has other work: without fairness it would be many seconds. */
    private static final Duration ANSWER_MAX = Duration.ofSeconds(2);

    private final List<SocketChannel> channels = new ArrayList<>();

    @Test
    void aGoodClientIsAnsweredAmongBadOnes() throws Exception {
        byte[] large = new byte[4 << 20];
        Set<String> socketsBefore = OpenFiles.sockets();
        try (HttpServer server =
                HttpServer.builder()
                        .listen("127.0.0.1", 0)
                        .cpus(CpuSet.unpinned(1))
                        .busyPoll(Setting.OFF)
                        .pendingBytesMax(PENDING_BYTES_MAX)
                        .limits(Limits.builder().unsentBytesMax(1 << 20).build())
                        .handler(
                                Router.builder()
                                        .get("/", Prepared.text("Hello, World!"))
                                        .get("/large", (request, response) -> response.body(large))
                                        .post(
                                                "/body",
                                                (request, response) ->
                                                        response.body(request.body().toString()))
                                        .build())
                        .start()) {
            for (int i = 0; i < IDLE; i++) {
                connect(server, 64 << 10);
            }
            SocketChannel slowReader = connect(server, 4 << 10);
            send(slowReader, Client.request("GET", "/large"));
            SocketChannel slowWriter = connect(server, 64 << 10);
            send(slowWriter, Client.request("POST", "/body", "Content-Length: 1000000"));
            SocketChannel greedy = connect(server, 4 << 10);
            greedy.configureBlocking(false);
            ByteBuffer flood =
                    ByteBuffer.wrap(
                            Client.request("GET", "/")
                                    .repeat(PIPELINED)
                                    .getBytes(StandardCharsets.US_ASCII));

            try (Client good = Client.connect(server.port())) {
                for (int i = 0; i < 500; i++) {
                    greedy.write(flood);
                    send(slowWriter, "x");
                    ByteBuffer one = ByteBuffer.allocate(1);
                    slowReader.read(one);
                    long start = System.nanoTime();
                    assertThat(good.get("/").body()).isEqualTo("Hello, World!");
                    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(ANSWER_MAX);
                }
            }
            assertThat(server.stats().get(0).open()).isGreaterThanOrEqualTo(IDLE + 3);
            // Whoever does not read is not read from: most of the flood is still in the kernel.
            assertThat(server.stats().get(0).bytesReceived()).isLessThan(flood.capacity() / 2);
            for (SocketChannel channel : channels) {
                channel.close();
            }
            long end = System.nanoTime() + 20_000_000_000L;
            while (server.stats().get(0).open() > 0 && System.nanoTime() < end) {
                Thread.sleep(20);
            }
            assertThat(server.stats().get(0).open()).isZero();
        }
        // One more may be the JVM's own, which it opens when it first closes a channel.
        assertThat(OpenFiles.sockets().size()).isLessThanOrEqualTo(socketsBefore.size() + 1);
    }

    private SocketChannel connect(HttpServer server, int receiveBytes) throws IOException {
        SocketChannel channel = SocketChannel.open();
        channel.setOption(StandardSocketOptions.SO_RCVBUF, receiveBytes);
        channel.connect(server.address());
        channels.add(channel);
        return channel;
    }

    private static void send(SocketChannel channel, String text) throws IOException {
        channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)));
    }
}
