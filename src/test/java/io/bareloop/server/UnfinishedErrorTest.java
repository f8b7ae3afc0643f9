package io.bareloop.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.ErrorHandler;
import io.bareloop.http.Handler;
import io.bareloop.http.HttpException;
import io.bareloop.http.Limits;
import io.bareloop.http.Status;
import io.bareloop.http.Timeouts;
import io.bareloop.rig.Client;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * An error handler of which so much has left that it cannot be taken back, and that does not come
 * to its end: the client is told by the end of the connection, and nobody else by anything.
 */
@Timeout(30)
class UnfinishedErrorTest {
    private static final int PIECES = 10;
    private static final int PIECE_BYTES = 60_000;

    private final List<String> completed = new CopyOnWriteArrayList<>();

    private HttpServer start(ErrorHandler handler) throws IOException {
        Handler ok =
                (request, response) -> {
                    if (request.path().contentEquals("/conflict")) {
                        throw new HttpException(Status.CONFLICT, null);
                    } else if (request.path().contentEquals("/defect")) {
                        throw new IllegalStateException("on purpose");
                    }
                    response.body("ok");
                };
        return HttpServer.builder()
                .listen("127.0.0.1", 0)
                .cpus(CpuSet.unpinned(1))
                .timeouts(Timeouts.builder().head(Duration.ofMillis(300)).build())
                .limits(Limits.builder().bodyBytesMax(1000).build())
                .log(line -> {})
                .handler(ok)
                .onFailure((request, failure) -> {})
                .onCompletion(it -> completed.add(it.status() + " " + it.isWhole()))
                .error(Status.BAD_REQUEST, handler)
                .error(Status.REQUEST_TIMEOUT, handler)
                .error(Status.CONTENT_TOO_LARGE, handler)
                .error(Status.CONFLICT, handler)
                .error(Status.INTERNAL_SERVER_ERROR, handler)
                .start();
    }

    private static final ErrorHandler STREAMING =
            (request, response, error) -> {
                response.stream();
                for (int i = 0; i < PIECES; i++) {
                    response.write(new byte[PIECE_BYTES]);
                }
            };

    private static final ErrorHandler FAILING =
            (request, response, error) -> {
                STREAMING.handle(request, response, error);
                response.end();
                throw new IllegalStateException("behind its end");
            };

    private static final String POST = "POST / HTTP/1.1\r\nHost: a\r\n";

    @ParameterizedTest
    @ValueSource(
            strings = {
                "NONSENSE\r\n\r\n",
                "GET / HT",
                POST + "Content-Length: 2000\r\n\r\n",
                POST + "Transfer-Encoding: chunked\r\n\r\nx",
                "GET /conflict HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET /defect HTTP/1.1\r\nHost: a\r\n\r\n",
            })
    void itEndsItsOwnConnectionAlone(String sent) throws IOException {
        try (HttpServer server = start(STREAMING)) {
            String received = sendAndReceive(server, sent);
            assertThat(received).hasSizeGreaterThan(PIECES * PIECE_BYTES);
            assertThat(received).doesNotEndWith("\r\n0\r\n\r\n");
            assertThat(othersAreServed(server)).isTrue();
        }
        // In one turn of the loop, those of several connections have no order.
        assertThat(completed).hasSize(2).anyMatch(it -> it.endsWith(" false"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "NONSENSE\r\n\r\n",
                POST + "Transfer-Encoding: chunked\r\n\r\nx",
                "GET /conflict HTTP/1.1\r\nHost: a\r\n\r\n",
            })
    void soDoesOneThatFailsBehindItsEnd(String sent) throws IOException {
        try (HttpServer server = start(FAILING)) {
            assertThat(sendAndReceive(server, sent)).hasSizeGreaterThan(PIECES * PIECE_BYTES);
            assertThat(othersAreServed(server)).isTrue();
        }
        assertThat(completed).hasSize(2);
    }

    private static String sendAndReceive(HttpServer server, String sent) throws IOException {
        try (Client client = Client.connect(server.port())) {
            client.send(sent);
            return client.untilEnd();
        }
    }

    private static boolean othersAreServed(HttpServer server) throws IOException {
        try (Client client = Client.connect(server.port())) {
            return client.get("/").status() == 200;
        }
    }
}
