package io.bareloop.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.Compression;
import io.bareloop.http.Handler;
import io.bareloop.http.MediaType;
import io.bareloop.http.Response;
import io.bareloop.http.Suspended;
import io.bareloop.rig.Answer;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.Client;
import io.bareloop.rig.Gunzip;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Random;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random bodies in random pieces and turns, over sockets; each comes back byte by byte. */
@Timeout(60)
class CompressionFuzzTest {
    private static final int ROUNDS = 150;

    /** What the handler is to send, in their order. */
    private final Deque<byte[]> bodies = new ArrayDeque<>();

    @ParameterizedTest
    @ValueSource(longs = {11, 12, 13})
    void whatIsWrittenIsRead(long seed) throws IOException {
        Random random = new Random(seed);
        Random choices = new Random(seed + 1000);
        Handler handler = (request, response) -> answer(response, choices);
        Compression compression =
                Compression.builder().bodyBytesMin(64).level(1 + (int) (seed % 9)).build();
        try (HttpServer server =
                        HttpServer.builder()
                                .listen("127.0.0.1", 0)
                                .cpus(CpuSet.unpinned(1))
                                .compression(compression)
                                .handler(handler)
                                .start();
                Client client = Client.connect(server.port(), 16 << 10)) {
            for (int round = 0; round < ROUNDS; round++) {
                int depth = 1 + random.nextInt(4);
                byte[][] expected = new byte[depth][];
                for (int i = 0; i < depth; i++) {
                    expected[i] = body(random);
                    synchronized (bodies) {
                        bodies.add(expected[i]);
                    }
                }
                client.send(Client.request("GET", "/", "Accept-Encoding: gzip, br").repeat(depth));
                for (byte[] body : expected) {
                    Answer answer = client.answer();
                    byte[] received = Bytes.of(answer.body());
                    assertThat(answer.has("Content-Encoding") ? Gunzip.bytes(received) : received)
                            .isEqualTo(body);
                }
            }
        }
    }

    private static byte[] body(Random random) {
        byte[] body = new byte[random.nextInt(1 << random.nextInt(18))];
        int alphabet = 1 + random.nextInt(256);
        for (int i = 0; i < body.length; i++) {
            body[i] = (byte) random.nextInt(alphabet);
        }
        return body;
    }

    private void answer(Response response, Random choices) {
        byte[] body;
        synchronized (bodies) {
            body = bodies.remove();
        }
        response.contentType(MediaType.TEXT);
        switch (choices.nextInt(3)) {
            case 0 -> response.body(body);
            case 1 -> response.body(Bytes.nativeSegment(body), 0, body.length);
            default -> stream(response.stream(), body, choices);
        }
    }

    private static void stream(Response response, byte[] body, Random choices) {
        int[] at = {0};
        Runnable more =
                () -> {
                    int turn = 1 + choices.nextInt(5);
                    while (response.isWritable() && at[0] < body.length && turn-- > 0) {
                        int end = Math.min(body.length, at[0] + choices.nextInt(20_000));
                        write(response, Arrays.copyOfRange(body, at[0], end), choices);
                        at[0] = end;
                    }
                    if (at[0] == body.length) {
                        response.end();
                    }
                };
        more.run();
        if (!response.hasEnded()) {
            // The next turns come by other ways than this one's.
            Suspended later = response.suspend();
            response.onWritable(more);
            goOn(later, more);
        }
    }

    private static void goOn(Suspended later, Runnable more) {
        later.resume(
                (request, response) -> {
                    more.run();
                    if (!response.hasEnded()) {
                        goOn(later, more);
                    }
                });
    }

    private static void write(Response response, byte[] piece, Random choices) {
        if (choices.nextBoolean()) {
            response.write(piece);
        } else {
            MemorySegment memory = MemorySegment.ofArray(piece);
            response.write(memory, 0, piece.length);
        }
    }
}
