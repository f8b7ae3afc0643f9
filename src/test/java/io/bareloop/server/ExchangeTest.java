package io.bareloop.server;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.HeaderName;
import io.bareloop.http.Limits;
import io.bareloop.http.MediaType;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Status;
import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.SocketException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests and responses over real sockets: framing, persistence, refusals, order. */
@Timeout(60)
class ExchangeTest {
    private static final int BODY_MAX = 300 << 10;
    private static final int LARGE = 10 << 20;
    private static final DateTimeFormatter IMF_FIXDATE =
            DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ENGLISH)
                    .withZone(ZoneOffset.UTC);

    private static final byte[] PATTERN = pattern();
    private static final MemorySegment NATIVE_PATTERN =
            Arena.ofAuto().allocate(LARGE).copyFrom(MemorySegment.ofArray(PATTERN));
    private final List<String> log = new CopyOnWriteArrayList<>();
    private final List<Client> clients = new ArrayList<>();
    private HttpServer server;
    private Client client;

    @BeforeEach
    void start() throws IOException {
        server =
                HttpServer.builder()
                        .listen("127.0.0.1", 0)
                        .cpus(CpuSet.unpinned(1))
                        .busyPoll(Setting.OFF)
                        .limits(Limits.builder().bodyBytesMax(BODY_MAX).build())
                        .log(log::add)
                        .handler(this::answer)
                        .start();
        client = connect();
    }

    /** Whatever a client did: the server still serves, and ends in order. */
    @AfterEach
    void close() throws IOException {
        assertThat(connect().get("/after").body()).isEqualTo("GET /after");
        for (Client one : clients) {
            one.close();
        }
        server.close();
        assertThat(log).isEmpty();
        server.stats().forEach(loop -> assertThat(loop.open()).isZero());
    }

    /** The first segment of the path says what to answer with. */
    private void answer(Request request, Response response) {
        String path = request.path().toString();
        if (path.startsWith("/bytes/")) {
            response.contentType(MediaType.OCTETS);
            response.body(Arrays.copyOf(PATTERN, Integer.parseInt(path.substring(7))));
        } else if (path.startsWith("/native/")) {
            response.contentType(MediaType.OCTETS);
            response.body(NATIVE_PATTERN, 0, Integer.parseInt(path.substring(8)));
        } else if (path.startsWith("/status/")) {
            response.status(Status.of(Integer.parseInt(path.substring(8)))).body("some");
        } else if (path.equals("/fields")) {
            response.header(HeaderName.ETAG, "\"1\"")
                    .contentType(MediaType.JSON)
                    .header(HeaderName.of("x-tab"), "a\tb")
                    .header(HeaderName.of("X-Empty"), "")
                    .body("{}");
        } else if (path.equals("/empty")) {
            response.contentType(MediaType.TEXT);
        } else {
            String body = request.body().toString();
            response.body(
                    request.method() + " " + request.target() + (body.isEmpty() ? "" : " " + body));
        }
    }

    // ---- the response

    @Test
    void responsesHaveTheseFieldsInThisOrder() throws IOException {
        Answer reply = client.get("/fields");
        assertThat(reply.statusLine()).isEqualTo("HTTP/1.1 200 OK");
        List<String> fields = new ArrayList<>(reply.fields());
        assertThat(fields.remove(1)).startsWith("Date: ");
        assertThat(fields)
                .containsExactly(
                        "Server: B",
                        "ETag: \"1\"",
                        "Content-Type: application/json",
                        "x-tab: a\tb",
                        "X-Empty: ",
                        "Content-Length: 2");
        assertThat(reply.body()).isEqualTo("{}");
    }

    @Test
    void aResponseMayBeEmpty() throws IOException {
        Answer reply = client.get("/empty");
        assertThat(reply.field("Content-Length")).isEqualTo("0");
        assertThat(client.get("/").body()).isEqualTo("GET /");
    }

    @ParameterizedTest
    @ValueSource(ints = {200, 201, 301, 404, 412, 500, 503})
    void aHandlerSaysWhichStatus(int status) throws IOException {
        Answer reply = client.get("/status/" + status);
        assertThat(reply.statusLine())
                .isEqualTo("HTTP/1.1 " + status + " " + Status.of(status).reason());
        assertThat(reply.body()).isEqualTo("some");
        assertThat(reply.has("Connection")).isFalse();
    }

    /** RFC 9110, sections 8.6 and 15.3.5: 204 has no Content-Length; 304 need not. */
    @ParameterizedTest
    @ValueSource(ints = {204, 304})
    void someStatusesHaveNoBody(int status) throws IOException {
        Answer reply = client.get("/status/" + status);
        assertThat(reply.status()).isEqualTo(status);
        assertThat(reply.has("Content-Length")).isFalse();
        // Had the body been sent, this would not be a response.
        assertThat(client.get("/").body()).isEqualTo("GET /");
    }

    @Test
    void theDateIsTheTime() throws Exception {
        String first = client.get("/").field("Date");
        assertThat(Duration.between(Instant.from(IMF_FIXDATE.parse(first)), Instant.now()).abs())
                .isLessThan(Duration.ofSeconds(2));
        // A loop that slept meanwhile has to know the time before it answers.
        Thread.sleep(1200);
        String second = client.get("/").field("Date");
        assertThat(second).isNotEqualTo(first);
        assertThat(Duration.between(Instant.from(IMF_FIXDATE.parse(second)), Instant.now()).abs())
                .isLessThan(Duration.ofSeconds(2));
        assertThat(IMF_FIXDATE.format(IMF_FIXDATE.parse(second))).isEqualTo(second);
    }

    @Test
    void headHasNoBody() throws IOException {
        for (String path :
                new String[] {
                    "/", "/fields", "/empty", "/status/404", "/status/204", "/bytes/99999"
                }) {
            Answer get = client.get(path);
            client.send(Client.request("HEAD", path));
            Answer head = client.answerToHead();
            assertThat(head.statusLine()).isEqualTo(get.statusLine());
            assertThat(head.has("Content-Length")).isEqualTo(get.has("Content-Length"));
            if (!path.equals("/") && get.has("Content-Length")) {
                assertThat(head.field("Content-Length")).isEqualTo(get.field("Content-Length"));
            }
        }
        client.send(Client.request("HEAD", "/native/" + LARGE));
        assertThat(client.answerToHead().field("Content-Length")).isEqualTo("" + LARGE);
        assertThat(client.get("/").body()).isEqualTo("GET /");
    }

    // ---- how long a connection lasts

    @Test
    void http10ClosesUnlessAskedNotTo() throws IOException {
        client.send("GET /old HTTP/1.0\r\n\r\n");
        Answer reply = client.answer();
        assertThat(reply.statusLine()).isEqualTo("HTTP/1.1 200 OK");
        assertThat(reply.field("Connection")).isEqualTo("close");
        assertThat(reply.body()).isEqualTo("GET /old");
        assertThat(client.untilEnd()).isEmpty();

        Client kept = connect();
        for (int i = 0; i < 3; i++) {
            kept.send("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
            assertThat(kept.answer().field("Connection")).isEqualTo("keep-alive");
        }
        kept.send("GET /old HTTP/1.0\r\n\r\n");
        assertThat(kept.answer().field("Connection")).isEqualTo("close");
        assertThat(kept.untilEnd()).isEmpty();
    }

    @Test
    void http11StaysUnlessAskedNotTo() throws IOException {
        for (int i = 0; i < 3; i++) {
            assertThat(client.get("/").has("Connection")).isFalse();
        }
        client.send(
                Client.request("GET", "/last", "Connection: x, Close")
                        + Client.request("GET", "/never"));
        Answer last = client.answer();
        assertThat(last.body()).isEqualTo("GET /last");
        assertThat(last.field("Connection")).isEqualTo("close");
        assertThat(client.untilEnd()).isEmpty();
    }

    @Test
    void aLargeLastResponseIsWhole() throws IOException {
        client.send(Client.request("GET", "/native/" + LARGE, "Connection: close"));
        assertIsPattern(client.answer(), LARGE);
        assertThat(client.untilEnd()).isEmpty();
    }

    /** Having shut down its sending side, a client still gets what it asked for. */
    @ParameterizedTest
    @ValueSource(ints = {1, 10, 200})
    void aClientMayEndItsSideFirst(int requests) throws IOException {
        client.send(Client.request("GET", "/a").repeat(requests)).endOutput();
        for (int i = 0; i < requests; i++) {
            assertThat(client.answer().body()).isEqualTo("GET /a");
        }
        assertThat(client.untilEnd()).isEmpty();
    }

    @Test
    void aClientMayEndItsSideBeforeALargeResponse() throws IOException {
        client.send(Client.request("GET", "/native/" + LARGE)).endOutput();
        assertIsPattern(client.answer(), LARGE);
        assertThat(client.untilEnd()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "G", "GET / HTTP/1.1\r\nHost: a\r\n"})
    void anEndWithoutARequestIsAnEnd(String sent) throws IOException {
        client.send(sent).endOutput();
        assertThat(client.untilEnd()).isEmpty();
    }

    @Test
    void clientsThatVanishDoNoHarm() throws IOException {
        for (int i = 0; i < 20; i++) {
            connect().send("GET / HT").reset();
            connect().send(Client.request("GET", "/")).reset();
            Client large = connect().send(Client.request("GET", "/native/" + LARGE));
            assertThat(large.read()).isEqualTo('H');
            large.reset();
        }
        assertThat(client.get("/").body()).isEqualTo("GET /");
    }

    // ---- in pieces, and several at once

    @Test
    void bytesMayComeOneByOne() throws Exception {
        String text =
                Client.request("POST", "/one", "Content-Length: 3")
                        + "abc"
                        + Client.request("GET", "/two");
        for (int i = 0; i < text.length(); i++) {
            client.send(text.substring(i, i + 1));
            Thread.sleep(i % 20 == 0 ? 1 : 0);
        }
        assertThat(client.answer().body()).isEqualTo("POST /one abc");
        assertThat(client.answer().body()).isEqualTo("GET /two");
    }

    /** Cut in two at every place, with a pause for the first piece to arrive alone. */
    @Test
    void requestsMayBeCutAnywhere() throws Exception {
        String text =
                Client.request("POST", "/one", "Content-Length: 5")
                        + "a\r\n\r\n"
                        + Client.request("GET", "/two");
        for (int cut = 1; cut < text.length(); cut++) {
            long received = server.stats().get(0).bytesReceived();
            client.send(text.substring(0, cut));
            while (server.stats().get(0).bytesReceived() < received + cut) {
                Thread.sleep(0, 100_000);
            }
            client.send(text.substring(cut));
            assertThat(client.answer().body())
                    .as("cut at %d", cut)
                    .isEqualTo("POST /one a\r\n\r\n");
            assertThat(client.answer().body()).as("cut at %d", cut).isEqualTo("GET /two");
        }
    }

    /** More than a turn takes, more than may be pending, and answers that need room. */
    @Test
    void pipelinedRequestsAreAnsweredInOrder() throws Exception {
        int requests = 50_000;
        Thread sender =
                new Thread(
                        () -> {
                            StringBuilder all = new StringBuilder();
                            for (int i = 0; i < requests; i++) {
                                all.append(
                                        Client.request(
                                                "GET", i % 1000 == 7 ? "/native/70000" : "/" + i));
                            }
                            try {
                                client.send(all.toString());
                            } catch (IOException e) {
                                throw new AssertionError(e);
                            }
                        });
        sender.start();
        for (int i = 0; i < requests; i++) {
            Answer reply = client.answer();
            if (i % 1000 == 7) {
                assertIsPattern(reply, 70_000);
            } else {
                assertThat(reply.body().equals("GET /" + i)).isTrue();
            }
        }
        sender.join();
        assertThat(client.isSilentFor(50)).isTrue();
    }

    // ---- large responses

    @ParameterizedTest
    @CsvSource({
        "/bytes/,  65000",
        "/bytes/,  65536",
        "/bytes/,  1048576",
        "/bytes/,  10485760",
        "/native/, 1048576",
        "/native/, 10485760",
    })
    void largeBodiesAreExact(String path, int length) throws IOException {
        client.send(Client.request("GET", path + length) + Client.request("GET", "/after"));
        assertIsPattern(client.answer(), length);
        assertThat(client.answer().body()).isEqualTo("GET /after");
    }

    @ParameterizedTest
    @CsvSource({"/bytes/, 1048576", "/bytes/, 10485760", "/native/, 10485760"})
    void slowReadersGetItAll(String path, int length) throws Exception {
        Client slow = Client.connect(server.port(), 64 << 10);
        clients.add(slow);
        slow.send(Client.request("GET", path + length) + Client.request("GET", "/after"));
        while (slow.read() != '\n' || slow.read() != '\r' || slow.read() != '\n') {}
        int piece = length / 32;
        for (int at = 0; at < length; at += piece) {
            Thread.sleep(5);
            byte[] bytes = slow.exactly(Math.min(piece, length - at));
            assertThat(Arrays.mismatch(PATTERN, at, at + bytes.length, bytes, 0, bytes.length))
                    .isEqualTo(-1);
            // The others are not kept waiting by one that does not read.
            assertThat(client.get("/").body()).isEqualTo("GET /");
        }
        assertThat(slow.answer().body()).isEqualTo("GET /after");
    }

    // ---- requests with a body

    @Test
    void bodiesEndWhereTheySay() throws IOException {
        String body = Client.request("GET", "/smuggled");
        client.send(
                Client.request("POST", "/one", "Content-Length: " + body.length())
                        + body
                        + Client.request("PUT", "/two", "Content-Length: 0")
                        + Client.request("DELETE", "/three", "Content-Length: 00002")
                        + "ab"
                        + Client.request("GET", "/four", "Content-Length: 1")
                        + "\r"
                        + Client.request("GET", "/five"));
        assertThat(client.answer().body()).isEqualTo("POST /one " + body);
        assertThat(client.answer().body()).isEqualTo("PUT /two");
        assertThat(client.answer().body()).isEqualTo("DELETE /three ab");
        assertThat(client.answer().body()).isEqualTo("GET /four \r");
        assertThat(client.answer().body()).isEqualTo("GET /five");
        assertThat(client.isSilentFor(50)).isTrue();
    }

    @Test
    void aBodyMayBeAsLargeAsTheLimit() throws IOException {
        for (int length : new int[] {10_000, 65_536, BODY_MAX}) {
            String body = "x".repeat(length);
            client.send(Client.request("POST", "/", "Content-Length: " + length) + body);
            client.send(Client.request("GET", "/after"));
            assertThat(client.answer().body().equals("POST / " + body)).isTrue();
            assertThat(client.answer().body()).isEqualTo("GET /after");
        }
    }

    @Test
    void aBodyBeyondTheLimitIsRefusedByItsLength() throws IOException {
        client.send(Client.request("POST", "/", "Content-Length: " + (BODY_MAX + 1)));
        assertRefused(client, "413 Content Too Large");

        Client huge = connect();
        huge.send(Client.request("POST", "/", "Content-Length: 999999999999999999"));
        assertRefused(huge, "413 Content Too Large");
    }

    @Test
    void aBodyThatIsExpectedIsAskedFor() throws IOException {
        String head = Client.request("POST", "/", "Content-Length: 4", "Expect: 100-continue");
        for (int i = 0; i < 2; i++) {
            client.send(head);
            Answer goOn = client.answer();
            assertThat(goOn.statusLine()).isEqualTo("HTTP/1.1 100 Continue");
            assertThat(goOn.fields()).isEmpty();
            client.send("ab");
            // Once is enough.
            assertThat(client.isSilentFor(50)).isTrue();
            client.send("cd");
            assertThat(client.answer().body()).isEqualTo("POST / abcd");
        }
        // It comes unasked, or there is none: nothing to ask for.
        client.send(head + "abcd");
        assertThat(client.answer().body()).isEqualTo("POST / abcd");
        client.send(Client.request("GET", "/", "Expect: 100-continue"));
        assertThat(client.answer().body()).isEqualTo("GET /");
    }

    @Test
    void aBodyThatIsTooLargeIsNotAskedFor() throws IOException {
        client.send(
                Client.request(
                        "POST", "/", "Expect: 100-continue", "Content-Length: " + (BODY_MAX + 1)));
        assertRefused(client, "413 Content Too Large");
    }

    // ---- refusals

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET\r\n\r\n",
                "\0\0\0\0",
                "\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc\u0003\u0003",
                "GET / HTTP/1.1\r\n\r\n",
                "GET / HTTP/1.1\nHost: a\n\n",
                "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
                "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
                "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET a HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET /#f HTTP/1.1\r\nHost: a\r\n\r\n",
            })
    void whatIsNoRequestIsA400(String text) throws IOException {
        client.send(text);
        assertRefused(client, "400 Bad Request");
    }

    /** Two readers of the same bytes would find different ends (RFC 9112, section 6.1). */
    @Test
    void twoLengthsAreNone() throws IOException {
        String[] both = {"Content-Length: 1", "Transfer-Encoding: chunked"};
        client.send(Client.request("POST", "/", both) + "0\r\n\r\n");
        assertRefused(client, "400 Bad Request");
        Client other = connect();
        other.send(Client.request("POST", "/", both[1], both[0]) + "0\r\n\r\n");
        assertRefused(other, "400 Bad Request");
    }

    @Test
    void otherRefusalsHaveTheirStatus() throws IOException {
        assertRefused(connect().send("GET / HTTP/2.0\r\n\r\n"), "505 HTTP Version Not Supported");
        assertRefused(
                connect().send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
                "505 HTTP Version Not Supported");
        assertRefused(connect().send(Client.request("BREW", "/")), "501 Not Implemented");
        assertRefused(connect().send(Client.request("get", "/")), "501 Not Implemented");
        assertRefused(
                connect().send("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"),
                "501 Not Implemented");
        assertRefused(
                connect().send(Client.request("GET", "/" + "a".repeat(8 << 10))),
                "414 URI Too Long");
        assertRefused(
                connect().send(Client.request("GET", "/", "Expect: the-unexpected")),
                "417 Expectation Failed");
        assertRefused(
                connect().send(Client.request("GET", "/", "X: " + "a".repeat(16 << 10))),
                "431 Request Header Fields Too Large");
        String[] fields = new String[100];
        Arrays.fill(fields, "A: b");
        assertRefused(
                connect().send(Client.request("GET", "/", fields)),
                "431 Request Header Fields Too Large");
    }

    @Test
    void whatIsAtTheLimitIsServed() throws IOException {
        String path = "/" + "a".repeat((8 << 10) - 1);
        assertThat(client.get(path).body()).isEqualTo("GET " + path);
        String[] fields = new String[99];
        Arrays.fill(fields, "A: b");
        client.send(Client.request("GET", "/", fields));
        assertThat(client.answer().body()).isEqualTo("GET /");
        int rest = (16 << 10) - Client.request("GET", "/", "X: ").length();
        client.send(Client.request("GET", "/", "X: " + "a".repeat(rest)));
        assertThat(client.answer().body()).isEqualTo("GET /");
    }

    /** Those before the bad one are answered; the bytes behind it are no request. */
    @Test
    void aRefusalComesInItsTurn() throws IOException {
        client.send(
                Client.request("GET", "/one")
                        + Client.request("GET", "/native/100000")
                        + Client.request("GET", "/two")
                        + "BAD\r\n\r\n"
                        + Client.request("GET", "/three"));
        assertThat(client.answer().body()).isEqualTo("GET /one");
        assertIsPattern(client.answer(), 100_000);
        assertThat(client.answer().body()).isEqualTo("GET /two");
        assertRefused(client, "400 Bad Request");
    }

    /**
     * A close while bytes arrive would reset the connection, and take the response along that the
     * client has not read yet (RFC 9112, section 9.6).
     */
    @ParameterizedTest
    @ValueSource(ints = {1, 100, 200})
    void aClientThatIsStillSendingReadsItsRefusal(int kilobytes) throws Exception {
        for (int round = 0; round < 20; round++) {
            Client sending = connect();
            sending.send("BAD\r\n\r\n");
            try {
                for (int i = 0; i < kilobytes; i++) {
                    sending.send(new byte[1 << 10]);
                }
            } catch (SocketException e) {
                throw new AssertionError("reset while sending", e);
            }
            assertRefused(sending, "400 Bad Request");
            sending.close();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 100, 200})
    void aClientThatHasSentAllReadsItsRefusal(int kilobytes) throws Exception {
        byte[] all = Arrays.copyOf("BAD\r\n\r\n".getBytes(ISO_8859_1), kilobytes << 10);
        for (int round = 0; round < 20; round++) {
            Client sending = connect();
            sending.send(all).endOutput();
            assertRefused(sending, "400 Bad Request");
            sending.close();
        }
    }

    @Test
    void aRefusalOfABodyReachesAClientThatSendsIt() throws Exception {
        for (int round = 0; round < 20; round++) {
            Client sending = connect();
            sending.send(Client.request("POST", "/", "Content-Length: " + (BODY_MAX + 1)));
            sending.send(new byte[200 << 10]);
            assertRefused(sending, "413 Content Too Large");
            sending.close();
        }
    }

    // ---- the means

    private Client connect() throws IOException {
        Client connected = Client.connect(server.port());
        clients.add(connected);
        return connected;
    }

    private static void assertRefused(Client client, String status) throws IOException {
        Answer reply = client.answer();
        assertThat(reply.statusLine()).isEqualTo("HTTP/1.1 " + status);
        assertThat(reply.field("Connection")).isEqualTo("close");
        assertThat(reply.field("Content-Type")).isEqualTo("text/plain; charset=utf-8");
        assertThat(reply.field("Server")).isEqualTo("B");
        assertThat(reply.has("Date")).isTrue();
        assertThat(reply.body()).isEqualTo(status + "\n");
        assertThat(client.untilEnd()).isEmpty();
    }

    private void assertIsPattern(Answer reply, int length) {
        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.field("Content-Length")).isEqualTo("" + length);
        byte[] body = reply.body().getBytes(ISO_8859_1);
        assertThat(Arrays.mismatch(body, 0, body.length, PATTERN, 0, length)).isEqualTo(-1);
    }

    /** Without a period that buffer sizes could share. */
    private static byte[] pattern() {
        byte[] bytes = new byte[LARGE];
        for (int i = 0; i < LARGE; i++) {
            bytes[i] = (byte) (i * 31 + (i >> 8) * 7 + (i >> 16));
        }
        return bytes;
    }
}
