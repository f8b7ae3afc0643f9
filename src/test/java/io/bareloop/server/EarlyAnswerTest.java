package io.bareloop.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.ByteView;
import io.bareloop.http.Handler;
import io.bareloop.http.Limits;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Router;
import io.bareloop.http.Status;
import io.bareloop.http.StreamHandler;
import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Clients that send all of a body before they read, as most libraries do: they still see the answer
 * that was given before its end.
 */
@Timeout(60)
class EarlyAnswerTest {
    private static final byte[] PIECE = new byte[256 << 10];

    /** Refuses an upload as soon as it has seen its head, or so much of it. */
    private record Refusing(int bytes) implements StreamHandler {
        @Override
        public void begin(Request request, Response response) {
            refuse(response, 0);
        }

        @Override
        public void piece(Request request, Response response, ByteView piece) {
            int sofar = request.attachment() == null ? 0 : (Integer) request.attachment();
            request.attach(sofar + piece.length());
            refuse(response, sofar + piece.length());
        }

        private void refuse(Response response, int sofar) {
            if (sofar >= bytes) {
                response.status(Status.UNAUTHORIZED).body("who are you?\n");
            }
        }

        @Override
        public void end(Request request, Response response) {
            response.body("too late\n");
        }
    }

    private static HttpServer start() throws IOException {
        Handler echo = (request, response) -> response.body(request.body());
        return HttpServer.builder()
                .listen("127.0.0.1", 0)
                .cpus(CpuSet.unpinned(1))
                .limits(Limits.builder().bodyBytesMax(100_000).build())
                .handler(
                        Router.builder()
                                .post("/echo", echo)
                                .get("/get", echo)
                                .post("/begin", new Refusing(0))
                                .post("/piece", new Refusing(300_000))
                                .build())
                .start();
    }

    @ParameterizedTest
    @CsvSource({
        "/echo, 5, 413",
        "/echo, 100, 413",
        "/get, 100, 405",
        "/none, 100, 404",
        "/begin, 100, 401",
        "/piece, 100, 401",
    })
    void whoReadsOnlyAfterwardsSeesTheAnswer(String path, int mebibytes, int status)
            throws IOException {
        for (boolean chunked : new boolean[] {false, true}) {
            try (HttpServer server = start();
                    Client client = Client.connect(server.port())) {
                int pieces = mebibytes * 4;
                String framing =
                        chunked
                                ? "Transfer-Encoding: chunked"
                                : "Content-Length: " + (long) pieces * PIECE.length;
                client.send(Client.request("POST", path, framing));
                byte[] size =
                        (Integer.toHexString(PIECE.length) + "\r\n")
                                .getBytes(StandardCharsets.US_ASCII);
                byte[] end = "\r\n".getBytes(StandardCharsets.US_ASCII);
                for (int i = 0; i < pieces; i++) {
                    if (chunked) {
                        client.send(size);
                    }
                    client.send(PIECE);
                    if (chunked) {
                        client.send(end);
                    }
                }
                if (chunked) {
                    client.send("0\r\n\r\n");
                }
                Answer reply = client.answer();
                assertThat(reply.status()).isEqualTo(status);
                if (!chunked) {
                    // How much is still to come is known, and that it is too much to skip.
                    assertThat(reply.field("Connection")).isEqualTo("close");
                }
                assertThat(client.untilEnd()).isEmpty();
            }
        }
    }

    /** And whoever is served beside it is served. */
    @Test
    void othersAreServedMeanwhile() throws IOException {
        try (HttpServer server = start();
                Client client = Client.connect(server.port());
                Client beside = Client.connect(server.port())) {
            client.send(Client.request("POST", "/none", "Content-Length: 100000000"));
            for (int i = 0; i < 200; i++) {
                client.send(PIECE);
                assertThat(beside.get("/none").status()).isEqualTo(404);
            }
            assertThat(client.answer().status()).isEqualTo(404);
        }
    }
}
