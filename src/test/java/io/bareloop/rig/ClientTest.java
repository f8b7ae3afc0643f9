package io.bareloop.rig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The client of the tests, against a server that says what the test says. */
class ClientTest {
    private static final String OK = "HTTP/1.1 200 OK\r\n";

    private ServerSocket listener;
    private Client client;
    private Socket server;

    @BeforeEach
    void connect() throws IOException {
        listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        client = Client.connect(listener.getLocalPort());
        server = listener.accept();
        server.setSoTimeout(10_000);
    }

    @AfterEach
    void close() throws IOException {
        client.close();
        server.close();
        listener.close();
    }

    private void say(String latin1) throws IOException {
        server.getOutputStream().write(Bytes.of(latin1));
    }

    private void sayAndEnd(String latin1) throws IOException {
        say(latin1);
        server.shutdownOutput();
    }

    private void breakOff() throws IOException {
        server.setSoLinger(true, 0);
        server.close();
    }

    // ---- responses

    @Test
    void takesBodiesByTheirLength() throws Exception {
        say(OK + "Content-Length: 3\r\nX: y\r\n\r\nabc" + OK + "content-length: 0\r\n\r\nrest");
        Answer first = client.answer();
        assertThat(first)
                .isEqualTo(
                        new Answer(
                                "HTTP/1.1 200 OK",
                                List.of("Content-Length: 3", "X: y"),
                                "abc",
                                List.of()));
        assertThat(first.status()).isEqualTo(200);
        assertThat(client.answer().body()).isEmpty();
        assertThat(client.exactly(4)).isEqualTo(Bytes.of("rest"));
    }

    @Test
    void takesChunks() throws Exception {
        say(OK + "Transfer-Encoding: chunked\r\n\r\n3\r\na\r\n\r\n10\r\n" + "b".repeat(16));
        say("\r\n0\r\n\r\n" + OK + "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n");
        Answer answer = client.answer();
        assertThat(answer.body()).isEqualTo("a\r\n" + "b".repeat(16));
        assertThat(answer.chunks()).containsExactly(3, 16);
        assertThat(client.head().status()).isEqualTo(200);
        assertThat(client.chunk()).isEqualTo("x");
    }

    @Test
    void takesABodyUntilTheEnd() throws Exception {
        sayAndEnd(OK + "Connection: close\r\n\r\nall of it");
        Answer answer = client.answer();
        assertThat(answer.closes()).isTrue();
        assertThat(answer.body()).isEqualTo("all of it");
        assertThat(client.read()).isEqualTo(-1);
        assertThat(client.ended()).isTrue();
        assertThat(client.wasReset()).isFalse();
    }

    @Test
    void takesResponsesWithoutABody() throws Exception {
        say(OK + "Content-Length: 5\r\n\r\n");
        say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
        say("HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n");
        assertThat(client.answerToHead().field("Content-Length")).isEqualTo("5");
        assertThat(client.answer().status()).isEqualTo(100);
        assertThat(client.answer().status()).isEqualTo(204);
        assertThat(client.answer().field("etag")).isEqualTo("\"a\"");
    }

    @Test
    void takesALargeBodyAsItComes() throws Exception {
        String body = "0123456789abcdef".repeat(1 << 14);
        Thread sender =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    try {
                                        for (int i = 0; i < 3; i++) {
                                            say(OK + "Content-Length: " + body.length());
                                            say("\r\n\r\n" + body);
                                        }
                                    } catch (IOException e) {
                                        throw new AssertionError(e);
                                    }
                                });
        assertThat(client.answer().body()).isEqualTo(body);
        client.head();
        client.skip(body.length());
        assertThat(client.answer().body()).isEqualTo(body);
        sender.join();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.0 200 OK\r\n\r\n",
                "HTTP/1.1 600 OK\r\n\r\n",
                "HTTP/1.1 200\r\n\r\n",
                "HTTP/1.1 200 OK\nX: y\r\n\r\n",
                "HTTP/1.1 200 OK\rX: y\r\n\r\n",
                "HTTP/1.1 200 OK\r\nX y\r\n\r\n",
                "HTTP/1.1 200 OK\r\nX:y\r\n\r\n",
                "HTTP/1.1 200 OK\r\nX: \u0001\r\n\r\n",
                "HTTP/1.1 200 OK\r\nX: \u007f\r\n\r\n",
                "HTTP/1.1 200 OK\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 01\r\n\r\nx",
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n",
                "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
            })
    void refusesWhatIsNoResponse(String bytes) throws Exception {
        sayAndEnd(bytes);
        assertThatThrownBy(client::answer).isInstanceOf(AssertionError.class);
    }

    @Test
    void findsFields() {
        Answer answer = Answer.ofHead("HTTP/1.1 200 OK", List.of("A: 1", "B: 2", "b: 3", "C: "));
        assertThat(answer.field("a")).isEqualTo("1");
        assertThat(answer.field("C")).isEmpty();
        assertThat(answer.values("B")).containsExactly("2", "3");
        assertThat(answer.has("D")).isFalse();
        assertThat(answer.closes()).isFalse();
        assertThatThrownBy(() -> answer.field("B")).isInstanceOf(AssertionError.class);
        assertThatThrownBy(() -> answer.field("D")).isInstanceOf(AssertionError.class);
    }

    // ---- what does not come

    @Test
    void saysWhatItHadReceivedWhenNothingMoreComes() throws Exception {
        say(OK + "X: y");
        client.timeout(50);
        assertThatThrownBy(client::answer)
                .isInstanceOf(SocketTimeoutException.class)
                .hasMessageContaining("50 ms")
                .hasMessageContaining("\"HTTP/1.1 200 OK\\r\\nX: y\"");
        say("\r\n");
    }

    @Test
    void saysWhatItHadReceivedAtTheEnd() throws Exception {
        sayAndEnd(OK + "Content-Length: 3\r\n\r\nab");
        assertThatThrownBy(client::answer)
                .isInstanceOf(EOFException.class)
                .hasMessageContaining("2 of 3 bytes")
                .hasMessageContaining("\\r\\n\\r\\nab\"");
    }

    @Test
    void tellsAResetFromTheEnd() throws Exception {
        breakOff();
        assertThatThrownBy(client::answer).isInstanceOf(SocketException.class);
        assertThat(client.wasReset()).isTrue();
        assertThatThrownBy(client::untilEnd).isInstanceOf(SocketException.class);
        assertThat(client.untilEndOrReset()).isEmpty();
    }

    @Test
    void takesWhatCameAheadOfAReset() throws Exception {
        say("abc");
        assertThat(client.exactly(1)).isEqualTo(Bytes.of("a"));
        breakOff();
        assertThat(client.untilEndOrReset()).isEqualTo("bc");
    }

    @Test
    void isSilentWhereNothingComes() throws Exception {
        assertThat(client.isSilentFor(20)).isTrue();
        say("ab");
        assertThat(client.isSilentFor(5000)).isFalse();
        assertThat(client.read()).isEqualTo('a');
        assertThat(client.isSilentFor(5000)).isFalse();
        assertThat(client.read()).isEqualTo('b');
        server.shutdownOutput();
        assertThat(client.isSilentFor(5000)).isFalse();
    }

    // ---- sending

    @Test
    void sendsWhatItIsTold() throws Exception {
        client.send("\u00e9").send(new byte[] {0}).endOutput();
        assertThat(server.getInputStream().readAllBytes()).isEqualTo(new byte[] {(byte) 0xE9, 0});
    }

    @Test
    void asks() throws Exception {
        say(OK + "Content-Length: 1\r\n\r\na");
        assertThat(client.get("/a").body()).isEqualTo("a");
        client.post("/b", "body").endOutput();
        assertThat(Bytes.toString(server.getInputStream().readAllBytes()))
                .isEqualTo(
                        "GET /a HTTP/1.1\r\n"
                                + "Host: test\r\n\r\n"
                                + "POST /b HTTP/1.1\r\n"
                                + "Host: test\r\n"
                                + "Content-Length: 4\r\n\r\n"
                                + "body");
    }

    @Test
    void waitsForRoomButNotForEver() throws Exception {
        byte[] large = new byte[32 << 20];
        Thread reader =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    try {
                                        server.getInputStream().readNBytes(large.length);
                                    } catch (IOException e) {
                                        throw new AssertionError(e);
                                    }
                                });
        client.send(large);
        reader.join();
        client.timeout(50);
        assertThatThrownBy(() -> client.send(large))
                .isInstanceOf(SocketTimeoutException.class)
                .hasMessageContaining("no room within 50 ms");
        ByteBuffer more = ByteBuffer.wrap(large);
        while (client.offer(more) > 0) {
            assertThat(more.hasRemaining()).isTrue();
        }
    }

    @Test
    void canReset() throws Exception {
        client.reset();
        assertThatThrownBy(() -> server.getInputStream().read())
                .isInstanceOf(SocketException.class);
    }

    @Test
    void connectsFromAnAddressOfItsOwn() throws Exception {
        try (Client other =
                        Client.connect(
                                (InetSocketAddress) listener.getLocalSocketAddress(),
                                InetAddress.getByName("127.0.0.9"),
                                64 << 10,
                                64 << 10);
                Socket its = listener.accept()) {
            assertThat(its.getInetAddress().getHostAddress()).isEqualTo("127.0.0.9");
            assertThat(other.ended()).isFalse();
        }
    }

    // ---- without waiting

    @Test
    void showsWhatIsThereWithoutTakingIt() throws Exception {
        assertThat(client.receive()).isZero();
        say(OK + "Content-Length: 1\r\n\r\na" + OK + "Content-Length: 2\r\n\r\nbc" + OK);
        sayAndEnd("Date: Tue, 03 Feb 2026 04:05:06 GMT\r\n\r");
        while (!client.ended()) {
            client.receive();
        }
        assertThat(client.bodies()).containsExactly("a", "bc");
        assertThat(client.text())
                .startsWith(OK + "Content-Length: 1\r\n\r\na")
                .endsWith("\r\nDate: -----------------------------\r\n\r");
        assertThat(client.receivedBytes()).isEqualTo(client.text().length());
        assertThat(client.answer().body()).isEqualTo("a");
        assertThat(client.bodies()).containsExactly("bc");
        client.forget();
        assertThat(client.receivedBytes()).isZero();
        assertThat(client.answers()).isEmpty();
    }
}
