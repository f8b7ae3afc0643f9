package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import io.bareloop.wire.FileSource;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What handlers write, as it arrives at a client. */
class ResponseTest {
    private static final HeaderName X = HeaderName.of("X-Y");

    /** More than the output buffer and what a socket takes at once. */
    private static final int LARGE = 3_000_000;

    // ---- status and fields

    @Test
    void writesHeadAndBodyExactly() throws Exception {
        Handler handler =
                (request, response) ->
                        response.status(Status.CREATED)
                                .contentType(MediaType.JSON)
                                .header(X, "a\tb ~!")
                                .body("{}");
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            Answer received = client.get("/");
            assertThat(received.statusLine()).isEqualTo("HTTP/1.1 201 Created");
            assertThat(received.fields())
                    .hasSize(5)
                    .contains("Content-Type: application/json", "X-Y: a\tb ~!", "Content-Length: 2")
                    .anyMatch(field -> field.startsWith("Server: "));
            assertThat(received.field("Date"))
                    .matches("(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \\d\\d [A-Z][a-z]{2} \\d{4} .* GMT");
            assertThat(received.body()).isEqualTo("{}");
            assertThat(client.get("/").body()).isEqualTo("{}");
        }
    }

    @Test
    void isAnEmpty200WhereOnlyFieldsAreWritten() throws Exception {
        try (HttpRig rig = HttpRig.start((request, response) -> response.header(X, ""));
                Client client = Client.connect(rig.port())) {
            Answer received = client.get("/");
            assertThat(received.status()).isEqualTo(200);
            assertThat(received.field("X-Y")).isEmpty();
            assertThat(received.field("Content-Length")).isEqualTo("0");
        }
    }

    @Test
    void refusesToInjectFields() throws Exception {
        for (String value :
                List.of(
                        "a\r\nSet-Cookie: b=c",
                        "a\nb",
                        "a\rb",
                        "\0",
                        "a\u007f",
                        "\u001b",
                        "\u00e9",
                        "\u010d\u010a",
                        "\uff0d\uff0a",
                        "\ud83d\ude00")) {
            assertThat(refusalOf(response -> response.header(X, value)))
                    .as(Bytes.escape(value))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void refusesToInjectReceivedBytes() throws Exception {
        Handler handler =
                (request, response) -> response.header(X, request.body()).body("not refused");
        try (HttpRig rig = HttpRig.start(handler)) {
            for (String body : List.of("a\r\nB: c", "a\n", "\r", "\0", "\u007f", "\u0001")) {
                try (Client client = Client.connect(rig.port())) {
                    Answer received = client.post("/", body).answer();
                    assertThat(received.status()).as(Bytes.escape(body)).isEqualTo(500);
                    assertThat(received.fields()).noneMatch(field -> field.startsWith("X-Y"));
                }
            }
            try (Client client = Client.connect(rig.port())) {
                Answer received = client.post("/", "\t \u00e9~").answer();
                assertThat(received.field("X-Y")).isEqualTo("\t \u00e9~");
            }
        }
    }

    @Test
    void refusesToInjectTypesAndNames() {
        for (String type : List.of("", "a/b\r\nC: d", "a\n", "a\0", "text/\u00e9", "a\tb")) {
            assertThatThrownBy(() -> MediaType.of(type))
                    .isInstanceOf(IllegalArgumentException.class);
        }
        for (String name : List.of("", "a b", "a:", "a\r", "a\n", "\u00e9", "a\0", "(a)")) {
            assertThatThrownBy(() -> HeaderName.of(name))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Connection",
                "CONTENT-LENGTH",
                "date",
                "Keep-Alive",
                "Server",
                "Trailer",
                "tRANSFER-eNCODING",
                "Upgrade"
            })
    void refusesFieldsOfTheServer(String name) throws Exception {
        assertThat(refusalOf(response -> response.header(HeaderName.of(name), "1")))
                .isInstanceOf(IllegalArgumentException.class);
        Handler received =
                (request, response) ->
                        response.header(HeaderName.of(name), request.path()).body("not refused");
        try (HttpRig rig = HttpRig.start(received);
                Client client = Client.connect(rig.port())) {
            assertThat(client.get("/").status()).isEqualTo(500);
        }
    }

    @Test
    void answers500WhereTheHeadIsTooLarge() throws Exception {
        String value = "v".repeat(1000);
        AtomicReference<String> last = new AtomicReference<>();
        Handler handler =
                (request, response) -> {
                    int fields = (int) request.header(X).toUnsignedLong();
                    for (int i = 0; i < fields; i++) {
                        response.header(X, value);
                    }
                    last.set("all");
                    response.body("ok");
                };
        try (HttpRig rig = HttpRig.start(handler)) {
            try (Client client = Client.connect(rig.port())) {
                Answer received =
                        client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Y: 15\r\n\r\n").answer();
                assertThat(received.status()).isEqualTo(200);
                assertThat(received.fields()).hasSize(18);
            }
            last.set(null);
            try (Client client = Client.connect(rig.port())) {
                Answer received =
                        client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Y: 17\r\n\r\n").answer();
                assertThat(received.status()).isEqualTo(500);
                assertThat(received.fields()).noneMatch(field -> field.startsWith("X-Y"));
                assertThat(client.untilEnd()).isEmpty();
                assertThat(last.get()).isNull();
            }
            assertThat(rig.failures()).hasSize(1);
        }
    }

    @Test
    void neverLetsAHeadGrowBeyondItsBound() throws Exception {
        // Each length of one last field, around where the head is full.
        for (int length = 16_384 - 400; length < 16_384 + 100; length += 7) {
            String value = "v".repeat(length);
            Handler handler = (request, response) -> response.header(X, value).body("ok");
            try (HttpRig rig = HttpRig.start(handler);
                    Client client = Client.connect(rig.port())) {
                Answer received = client.get("/");
                int headBytes =
                        received.fields().stream().mapToInt(field -> field.length() + 2).sum()
                                + received.statusLine().length()
                                + 4;
                assertThat(headBytes).isLessThanOrEqualTo(16_384);
                assertThat(received.status()).isEqualTo(headBytes > 1000 ? 200 : 500);
                if (length == 16_384 - 400) {
                    assertThat(received.status()).isEqualTo(200);
                }
            }
        }
    }

    /** Each says what is wrong, and what to do. */
    @Test
    void refusesWhatComesTooLateAndAnswers500() throws Exception {
        String first = "the response has begun: status() comes first and once";
        refuses(response -> response.status(Status.OK).status(Status.OK), first);
        refuses(response -> response.header(X, "a").status(Status.OK), first);
        refuses(response -> response.header(X, "a").send(Prepared.text("b")), first);
        refuses(response -> response.contentType(MediaType.TEXT).send(Reply.text("b")), first);
        String stream = " comes after stream(): call stream() first";
        refuses(response -> response.write(new byte[1]), "write()" + stream);
        refuses(response -> response.status(Status.OK).write(new byte[1]), "write()" + stream);
        refuses(Response::end, "end()" + stream);
        String head = "the body has begun by stream(): fields come before it; write() goes on";
        refuses(response -> response.stream().stream(), head);
        refuses(response -> response.stream().body("a"), head);
        refuses(response -> response.stream(3).header(X, "a"), head);
        refuses(response -> response.stream(3).contentType(MediaType.TEXT), head);
        refuses(
                response -> response.stream(3).write(new byte[4]),
                "4 bytes, but 3 are left of the length announced: write no more than");
        refuses(
                response -> {
                    response.suspend();
                    response.suspend();
                },
                "suspended already: the Suspended of the first suspend() may be used again");
        refuses(response -> response.write(file(), 0, 1), "write()" + stream);
        refuses(
                response -> response.stream().write(file(), 0, 1),
                "a file goes into a body of announced length: call stream(length), not stream()");
        refuses(
                response -> response.stream(3).write(file(), 0, 4),
                "4 bytes, but 3 are left of the length announced: write no more than");
        refuses(
                response -> response.header(X, "v".repeat(16_384)),
                "status line and fields exceed 16384 bytes: write fewer fields, or shorter ones");
        assertThat(refusalOf(response -> response.stream(-1)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(refusalOf(response -> response.body(MemorySegment.NULL, 0, 1)))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    /** Nobody comes to read it. */
    private static FileBody file() {
        return new FileBody(
                new FileSource() {
                    @Override
                    public int descriptor() {
                        throw new AssertionError();
                    }

                    @Override
                    public void warm(long offset, int length, Runnable then) {
                        throw new AssertionError();
                    }

                    @Override
                    public boolean isWarm(long end, long nanos) {
                        throw new AssertionError();
                    }

                    @Override
                    public void release() {}
                });
    }

    private static void refuses(Mistake mistake, String message) throws Exception {
        assertThat(refusalOf(mistake))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(message);
    }

    /** What the handler's mistake throws; the client must get a complete 500, and the end. */
    private static Throwable refusalOf(Mistake mistake) throws Exception {
        try (HttpRig rig = HttpRig.start((request, response) -> mistake.make(response));
                Client client = Client.connect(rig.port())) {
            Answer received = client.get("/");
            assertThat(received.status()).isEqualTo(500);
            assertThat(received.body()).isEqualTo("500 Internal Server Error\n");
            assertThat(received.closes()).isTrue();
            assertThat(client.untilEnd()).isEmpty();
            assertThat(rig.failures()).hasSize(1);
            return rig.failures().get(0);
        }
    }

    @FunctionalInterface
    private interface Mistake {
        void make(Response response);
    }

    /** The first response is complete, but nothing of it has been sent: it becomes a 500. */
    @Test
    void takesBackWhatWasCompleteBeforeTheMistake() throws Exception {
        List<Mistake> mistakes =
                List.of(
                        response -> response.body("again"),
                        response -> response.status(Status.OK),
                        response -> response.header(X, "a"),
                        response -> response.send(Prepared.text("again")),
                        response -> response.stream(),
                        response -> response.write(new byte[1]),
                        Response::end,
                        Response::suspend);
        for (Mistake mistake : mistakes) {
            Handler handler =
                    (request, response) -> {
                        response.body("first");
                        assertThat(response.hasEnded()).isTrue();
                        assertThat(response.isWritable()).isFalse();
                        mistake.make(response);
                    };
            try (HttpRig rig = HttpRig.start(handler);
                    Client client = Client.connect(rig.port())) {
                Answer received = client.get("/");
                assertThat(received.status()).isEqualTo(500);
                assertThat(received.body()).isEqualTo("500 Internal Server Error\n");
                assertThat(client.untilEnd()).isEmpty();
                assertThat(rig.failures())
                        .hasSize(1)
                        .first()
                        .isInstanceOf(IllegalStateException.class)
                        .extracting(Throwable::getMessage)
                        .asString()
                        .startsWith("the response has ended: ");
            }
        }
    }

    // ---- whole bodies

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 7, 8, 9, 60_000, 65_000, 65_535, 65_536, 65_537, 200_000, LARGE})
    void sendsBodiesOfAnySize(int length) throws Exception {
        String text = text(length);
        byte[] body = Bytes.of(text);
        try (Arena arena = Arena.ofShared()) {
            MemorySegment segment = arena.allocate(length + 2L);
            MemorySegment.copy(MemorySegment.ofArray(body), 0, segment, 1, length);
            Router router =
                    Router.builder()
                            .get("/bytes", (request, response) -> response.body(body))
                            .get(
                                    "/segment",
                                    (request, response) -> response.body(segment, 1, length))
                            .get("/prepared", Prepared.of(Status.OK, MediaType.OCTETS, body))
                            .get("/string", (request, response) -> response.body(text))
                            .build();
            try (HttpRig rig = HttpRig.start(router);
                    Client client = Client.connect(rig.port())) {
                for (String path : List.of("/bytes", "/segment", "/prepared", "/string")) {
                    client.send("HEAD " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
                    Answer head = client.answerToHead();
                    Answer received = client.get(path);
                    assertThat(head.field("Content-Length")).isEqualTo("" + length);
                    assertThat(received.body().equals(text)).as(path).isTrue();
                }
                // And pipelined: what comes behind a large body has to wait.
                client.ask("/bytes").ask("/segment").ask("/prepared").ask("/string").ask("/none");
                for (int i = 0; i < 4; i++) {
                    assertThat(client.answer().body().equals(text)).as("number %s", i).isTrue();
                }
                assertThat(client.answer().status()).isEqualTo(404);
                assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
            }
        }
    }

    /** Its bytes are never those of whoever has the memory next: the connection ends before. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void endsTheConnectionWhoseBodyIsClosedTooEarly(boolean shared) throws Exception {
        Handler handler =
                (request, response) -> {
                    try (Arena arena = shared ? Arena.ofShared() : Arena.ofConfined()) {
                        MemorySegment body = arena.allocate(LARGE).fill((byte) 'x');
                        response.body(body, 0, LARGE);
                    }
                };
        Router router =
                Router.builder()
                        .get("/early", handler)
                        .get("/small", (request, response) -> response.body("small"))
                        .build();
        try (HttpRig rig = HttpRig.start(router);
                Client other = Client.connect(rig.port())) {
            for (int i = 1; i <= 3; i++) {
                try (Client client = Client.connect(rig.port(), 8 << 10)) {
                    client.ask("/early").ask("/small");
                    assertThat(client.answerToHead().field("Content-Length")).isEqualTo("" + LARGE);
                    assertThat(client.untilEndOrReset()).hasSizeLessThan(LARGE).matches("x*+");
                }
                assertThat(rig.failures()).hasSize(i);
                assertThat(rig.failures().get(i - 1)).isInstanceOf(IllegalStateException.class);
                assertThat(other.get("/small").body()).isEqualTo("small");
            }
            assertThat(HttpRig.await(1L, rig::open)).isEqualTo(1);
            assertThat(rig.counters().errors()).isEqualTo(3);
            assertThat(rig.slicesInUse()).isZero();
        }
    }

    @Test
    void answers500WhereTheBodyIsNotThere() throws Exception {
        MemorySegment closed;
        try (Arena arena = Arena.ofShared()) {
            closed = arena.allocate(LARGE);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment others = arena.allocate(LARGE);
            for (MemorySegment body : List.of(closed, others)) {
                Handler handler = (request, response) -> response.body(body, 0, LARGE);
                try (HttpRig rig = HttpRig.start(handler);
                        Client client = Client.connect(rig.port())) {
                    assertThat(client.get("/").status()).isEqualTo(500);
                    assertThat(rig.failures()).hasSize(1);
                }
            }
        }
    }

    @Test
    void sendsACopyOfWhatWasReceived() throws Exception {
        Handler echo = (request, response) -> response.body(request.body());
        try (HttpRig rig = HttpRig.start(echo);
                Client client = Client.connect(rig.port())) {
            for (int length : new int[] {0, 1, 1000, 66_000, 1_000_000}) {
                String text = text(length);
                Answer received = client.post("/", text).answer();
                assertThat(received.body().equals(text)).as("%s bytes", length).isTrue();
            }
        }
    }

    // ---- streamed bodies

    @Test
    void framesChunksExactly() throws Exception {
        int[] pieces = {1, 15, 16, 0, 255, 256, 4096, 65_536, 200_001, 1};
        Handler handler =
                (request, response) -> {
                    response.contentType(MediaType.TEXT).stream();
                    for (int piece : pieces) {
                        response.write(Bytes.of(text(piece)));
                    }
                    response.end();
                };
        StringBuilder whole = new StringBuilder();
        for (int piece : pieces) {
            whole.append(text(piece));
        }
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            for (int i = 0; i < 3; i++) {
                Answer received = client.get("/");
                assertThat(received.field("Transfer-Encoding")).isEqualTo("chunked");
                assertThat(received.has("Content-Length")).isFalse();
                assertThat(received.body().equals(whole.toString())).isTrue();
                // Never an empty one, which would be the end; and each piece at once where it fits.
                assertThat(received.chunks()).doesNotContain(0).startsWith(1, 15, 16, 255, 256);
                assertThat(received.closes()).isFalse();
            }
        }
    }

    @Test
    void streamsAKnownLength() throws Exception {
        Handler handler =
                (request, response) -> {
                    response.stream(LARGE);
                    byte[] piece = Bytes.of(text(100_000));
                    for (int i = 0; i < LARGE / piece.length; i++) {
                        response.write(piece);
                    }
                    response.end();
                };
        Limits limits = Limits.builder().unsentBytesMax(LARGE * 2).build();
        try (HttpRig rig = HttpRig.start(limits, Timeouts.defaults(), handler);
                Client client = Client.connect(rig.port())) {
            for (int i = 0; i < 2; i++) {
                Answer received = client.get("/");
                assertThat(received.field("Content-Length")).isEqualTo("" + LARGE);
                assertThat(received.body().equals(text(100_000).repeat(30))).isTrue();
            }
        }
    }

    @Test
    void refusesMoreThanTheLengthAnnounced() throws Exception {
        AtomicReference<Throwable> refusal = new AtomicReference<>();
        Handler handler =
                (request, response) -> {
                    response.stream(5);
                    response.write(Bytes.of("123"));
                    try {
                        response.write(Bytes.of("456"));
                    } catch (IllegalStateException e) {
                        refusal.set(e);
                    }
                    response.write(Bytes.of("45"));
                    response.end();
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            assertThat(client.get("/").body()).isEqualTo("12345");
            assertThat(refusal.get()).hasMessageContaining("2 are left");
            assertThat(client.get("/").body()).isEqualTo("12345");
        }
    }

    @Test
    void closesWhereLessThanTheLengthAnnouncedCame() throws Exception {
        Handler handler =
                (request, response) -> {
                    response.stream(5);
                    response.write(Bytes.of("1234"));
                    response.end();
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            client.ask("/").ask("/");
            assertThat(client.head().field("Content-Length")).isEqualTo("5");
            assertThat(client.untilEnd()).isEqualTo("1234");
        }
    }

    @Test
    void sendsNoBodyWhereThereIsNone() throws Exception {
        Router router =
                Router.builder()
                        .get("/chunked", (request, response) -> stream(response.stream()))
                        .get("/length", (request, response) -> stream(response.stream(6)))
                        .get(
                                "/204",
                                (request, response) ->
                                        stream(response.status(Status.NO_CONTENT).stream()))
                        .get(
                                "/304",
                                (request, response) ->
                                        stream(response.status(Status.NOT_MODIFIED).stream(6)))
                        .get(
                                "/short",
                                (request, response) -> {
                                    response.stream(60);
                                    response.end();
                                })
                        .build();
        try (HttpRig rig = HttpRig.start(router);
                Client client = Client.connect(rig.port())) {
            for (String path : List.of("/chunked", "/length", "/204", "/304", "/short")) {
                client.send("HEAD " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
                Answer head = client.answerToHead();
                assertThat(head.closes()).isFalse();
                if (path.equals("/length")) {
                    assertThat(head.field("Content-Length")).isEqualTo("6");
                } else if (path.equals("/chunked")) {
                    assertThat(head.field("Transfer-Encoding")).isEqualTo("chunked");
                }
            }
            assertThat(client.get("/204").status()).isEqualTo(204);
            assertThat(client.get("/304").status()).isEqualTo(304);
            assertThat(client.get("/chunked").body()).isEqualTo("abcdef");
        }
    }

    private static void stream(Response response) {
        response.write(Bytes.of("abc"));
        response.write(Bytes.of("def"));
        response.end();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Connection: keep-alive\r\n"})
    void endsAStreamByTheEndOfTheConnectionInHttp10(String fields) throws Exception {
        try (HttpRig rig = HttpRig.start((request, response) -> stream(response.stream()));
                Client client = Client.connect(rig.port())) {
            client.send("GET / HTTP/1.0\r\n" + fields + "\r\n");
            Answer received = client.answer();
            assertThat(received.has("Transfer-Encoding")).isFalse();
            assertThat(received.has("Content-Length")).isFalse();
            assertThat(received.field("Connection")).isEqualTo("close");
            assertThat(received.body()).isEqualTo("abcdef");
        }
    }

    @Test
    void sendsAPreparedOneOverHttp10() throws Exception {
        try (HttpRig rig = HttpRig.start(Prepared.text("ready"));
                Client client = Client.connect(rig.port())) {
            for (int i = 0; i < 2; i++) {
                client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
                Answer received = client.answer();
                assertThat(received.field("Connection")).isEqualTo("keep-alive");
                assertThat(received.body()).isEqualTo("ready");
            }
            client.send("GET / HTTP/1.0\r\n\r\n");
            assertThat(client.answer().closes()).isTrue();
            assertThat(client.untilEnd()).isEmpty();
        }
    }

    /** What the client has sent meanwhile would turn the close into a reset. */
    @Test
    void theLastOfManyArrivesAmongRequestsThatAreNotAnswered() throws Exception {
        Limits limits = Limits.builder().requestsPerConnectionMax(2).build();
        for (int round = 0; round < 20; round++) {
            try (HttpRig rig =
                            HttpRig.start(
                                    limits,
                                    Timeouts.defaults(),
                                    (request, response) -> response.body("ok"));
                    Client client = Client.connect(rig.port())) {
                for (int i = 0; i < 200; i++) {
                    client.ask("/");
                }
                assertThat(client.answer().closes()).isFalse();
                assertThat(client.answer().closes()).isTrue();
                assertThat(client.untilEnd()).isEmpty();
            }
        }
    }

    @Test
    void keepsAHttp10ConnectionWhereAskedTo() throws Exception {
        try (HttpRig rig = HttpRig.start((request, response) -> stream(response.stream(6)));
                Client client = Client.connect(rig.port())) {
            for (int i = 0; i < 2; i++) {
                client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
                Answer received = client.answer();
                assertThat(received.field("Connection")).isEqualTo("keep-alive");
                assertThat(received.body()).isEqualTo("abcdef");
            }
            client.send("GET / HTTP/1.0\r\n\r\n");
            assertThat(client.answer().closes()).isTrue();
            assertThat(client.untilEnd()).isEmpty();
        }
    }

    // ---- exceptions

    @Test
    void takesBackWhatHasNotLeftTheBuffer() throws Exception {
        Handler handler =
                (request, response) -> {
                    if (request.path().contentEquals("/ok")) {
                        response.body("fine");
                        return;
                    }
                    response.contentType(MediaType.JSON).header(X, "secret").stream();
                    response.write(Bytes.of("secret"));
                    throw new IllegalArgumentException("on purpose");
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            // Behind another response in the same buffer, which has to stay.
            String ok = "GET /ok HTTP/1.1\r\nHost: a\r\n\r\n";
            client.send(ok + "GET / HTTP/1.1\r\nHost: a\r\n\r\n" + ok);
            assertThat(client.answer().body()).isEqualTo("fine");
            Answer received = client.answer();
            assertThat(received.status()).isEqualTo(500);
            assertThat(received.fields()).hasSize(6).contains("Vary: Accept");
            assertThat(received.body()).isEqualTo("500 Internal Server Error\n");
            assertThat(received.closes()).isTrue();
            assertThat(client.untilEnd()).isEmpty();
            assertThat(rig.failures()).hasSize(1);
            assertThat(rig.counters().errors()).isEqualTo(1);
        }
    }

    /** No 500, no last chunk, nothing that could be taken for the end of the response. */
    @Test
    void closesWithoutAnEndWherePartHasLeftTheBuffer() throws Exception {
        String large = text(100_000);
        Handler handler =
                (request, response) -> {
                    response.stream();
                    response.write(Bytes.of(large));
                    throw new IllegalArgumentException("on purpose");
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            client.ask("/").ask("/").head();
            String rest = client.untilEndOrReset();
            assertThat(rest).isNotEmpty().doesNotContain("HTTP/1.1");
            assertThat(rest).doesNotEndWith("0\r\n\r\n");
            assertThat(rig.failures()).hasSize(1);
        }
    }

    /** The same, where it was the loop that sent it, in a turn before. */
    @Test
    void closesWithoutAnEndWhereAnEarlierTurnSentPart() throws Exception {
        AtomicReference<Suspended> suspended = new AtomicReference<>();
        Handler handler =
                (request, response) -> {
                    response.stream();
                    response.write(Bytes.of("part"));
                    suspended.set(response.suspend());
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            client.ask("/").head();
            assertThat(client.chunk()).isEqualTo("part");
            suspended
                    .get()
                    .resume(
                            (request, response) -> {
                                response.write(Bytes.of("more"));
                                throw new IllegalArgumentException("on purpose");
                            });
            assertThat(client.untilEndOrReset()).isIn("", "4\r\nmore\r\n");
            assertThat(rig.failures()).hasSize(1);
        }
    }

    /** Behind responses of the same turn, the place where this one began means nothing later. */
    @Test
    void closesWithoutAnEndWhereItBeganBehindOthers() throws Exception {
        AtomicReference<Suspended> suspended = new AtomicReference<>();
        Handler handler =
                (request, response) -> {
                    if (request.path().contentEquals("/ok")) {
                        response.body(text(3000));
                        return;
                    }
                    suspended.set(response.status(Status.OK).stream(100).suspend());
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            String ok = "GET /ok HTTP/1.1\r\nHost: a\r\n\r\n";
            client.send(ok + ok + "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            client.answer();
            client.answer();
            assertThat(client.head().field("Content-Length")).isEqualTo("100");
            suspended
                    .get()
                    .resume(
                            (request, response) -> {
                                throw new IllegalArgumentException("on purpose");
                            });
            assertThat(client.untilEndOrReset()).isEmpty();
        }
    }

    @Test
    void closesWithoutAnEndWhereABodyThatComesInPiecesIsRefusedLate() throws Exception {
        StreamHandler handler =
                new StreamHandler() {
                    @Override
                    public void begin(Request request, Response response) {
                        response.stream();
                    }

                    @Override
                    public void piece(Request request, Response response, ByteView piece) {
                        if (piece.at(0) == '!') {
                            throw new HttpException(Status.BAD_REQUEST, "too late");
                        }
                        response.write(piece);
                    }

                    @Override
                    public void end(Request request, Response response) {
                        response.end();
                    }
                };
        try (HttpRig rig = HttpRig.start(handler)) {
            try (Client client = Client.connect(rig.port())) {
                client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc").head();
                assertThat(client.chunk()).isEqualTo("abc");
                client.send("!");
                assertThat(client.untilEndOrReset()).isEmpty();
            }
            try (Client client = Client.connect(rig.port())) {
                client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
                client.head();
                client.send("1\r\na\r\n");
                assertThat(client.chunk()).isEqualTo("a");
                client.send("malformed");
                assertThat(client.untilEndOrReset()).isEmpty();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 404, 409, 422, 429, 500, 503})
    void answersWithTheStatusOfAnHttpException(int code) throws Exception {
        Handler handler =
                (request, response) -> {
                    response.contentType(MediaType.JSON);
                    throw new HttpException(Status.of(code), "because");
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            Answer received = client.get("/");
            String reason = Status.of(code).reason();
            assertThat(received.status()).isEqualTo(code);
            assertThat(received.body()).isEqualTo(code + " " + reason + ": because\n");
            assertThat(received.field("Content-Type")).startsWith("text/plain");
            assertThat(received.closes()).isEqualTo(code >= 500);
            if (code < 500) {
                assertThat(client.get("/").status()).isEqualTo(code);
            }
            // It is no failure: nobody needs to hear of it.
            assertThat(rig.failures()).isEmpty();
            assertThat(rig.counters().errors()).isZero();
        }
    }

    @Test
    void keepsTheConnectionBehindARefusedBodyWhereThatIsSafe() throws Exception {
        Handler handler =
                (request, response) -> {
                    throw new HttpException(Status.CONFLICT, null);
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            for (int i = 0; i < 3; i++) {
                Answer received = client.post("/", text(1000)).answer();
                assertThat(received.status()).isEqualTo(409);
                assertThat(received.body()).isEqualTo("409 Conflict\n");
                assertThat(received.closes()).isFalse();
            }
        }
    }

    /** The piece's handler refuses; what it did not wait for is skipped, up to a bound. */
    @ParameterizedTest
    @ValueSource(ints = {0, 300_000})
    void skipsTheRestOfARefusedBody(int ahead) throws Exception {
        StreamHandler refusing =
                new StreamHandler() {
                    @Override
                    public void begin(Request request, Response response) {
                        request.attach(new long[1]);
                    }

                    @Override
                    public void piece(Request request, Response response, ByteView piece) {
                        long[] seen = (long[]) request.attachment();
                        seen[0] += piece.length();
                        if (seen[0] > ahead) {
                            throw new HttpException(Status.BAD_REQUEST, "enough");
                        }
                    }

                    @Override
                    public void end(Request request, Response response) {
                        response.body("not reached");
                    }
                };
        try (HttpRig rig = HttpRig.start(refusing);
                Client client = Client.connect(rig.port())) {
            for (int i = 0; i < 2; i++) {
                client.post("/", text(ahead + 100_000));
                Answer received = client.answer();
                assertThat(received.status()).isEqualTo(400);
                assertThat(received.closes()).isFalse();
            }
        }
    }

    @Test
    void closesBehindABodyThatIsNotWorthSkipping() throws Exception {
        Handler refused = (request, response) -> response.body("not reached");
        Limits limits = Limits.builder().bodyBytesMax(100).build();
        try (HttpRig rig = HttpRig.start(limits, Timeouts.defaults(), refused)) {
            try (Client client = Client.connect(rig.port())) {
                Answer received = client.post("/", text(101)).answer();
                assertThat(received.status()).isEqualTo(413);
                assertThat(received.closes()).isFalse();
                assertThat(client.post("/", text(100)).answer().status()).isEqualTo(200);
            }
            try (Client client = Client.connect(rig.port())) {
                client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 262145\r\n\r\n");
                Answer received = client.answer();
                assertThat(received.status()).isEqualTo(413);
                assertThat(received.closes()).isTrue();
                assertThat(client.untilEnd()).isEmpty();
            }
        }
    }

    @Test
    void survivesStackOverflow() throws Exception {
        Handler handler =
                (request, response) -> {
                    if (request.path().length() > 1) {
                        recurse(0);
                    }
                    response.body("ok");
                };
        try (HttpRig rig = HttpRig.start(handler)) {
            try (Client client = Client.connect(rig.port())) {
                assertThat(client.get("/deep").status()).isEqualTo(500);
            }
            try (Client client = Client.connect(rig.port())) {
                assertThat(client.get("/").status()).isEqualTo(200);
            }
            assertThat(rig.failures()).hasSize(1).first().isInstanceOf(StackOverflowError.class);
        }
    }

    @Test
    void survivesAHandlerThatAsksForTooMuchMemory() throws Exception {
        Handler handler =
                (request, response) -> {
                    if (request.path().length() > 1) {
                        throw new OutOfMemoryError("on purpose");
                    }
                    response.body("ok");
                };
        try (HttpRig rig = HttpRig.start(handler)) {
            try (Client client = Client.connect(rig.port())) {
                assertThat(client.get("/large").status()).isEqualTo(500);
            }
            try (Client client = Client.connect(rig.port())) {
                assertThat(client.get("/").status()).isEqualTo(200);
            }
            assertThat(rig.failures()).hasSize(1).first().isInstanceOf(OutOfMemoryError.class);
        }
    }

    @SuppressWarnings("InfiniteRecursion")
    private static int recurse(int depth) {
        return recurse(depth + 1) + 1;
    }

    @Test
    void closesAConnectionWhoseHandlerWritesOnRegardless() throws Exception {
        Handler handler =
                (request, response) -> {
                    response.stream();
                    while (true) {
                        response.write(new byte[50_000]);
                    }
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port(), 4096)) {
            client.ask("/");
            assertThat(HttpRig.await(1, rig.failures()::size)).isEqualTo(1);
            assertThat(rig.failures().get(0)).hasMessageContaining("does not read");
            assertThatCode(client::untilEndOrReset).doesNotThrowAnyException();
            assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
        }
    }

    /** Closing on unread bytes would reset the connection, and take the response with it. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void deliversARefusalToAClientThatSendsOn(boolean endsOutput) throws Exception {
        Handler handler = (request, response) -> response.body("ok");
        try (HttpRig rig = HttpRig.start(handler)) {
            for (int i = 0; i < 20; i++) {
                try (Client client = Client.connect(rig.port())) {
                    client.send("GET / HTTP/9.9\r\n\r\n" + text(200_000));
                    if (endsOutput) {
                        client.endOutput();
                    }
                    assertThat(client.answer().status()).isEqualTo(505);
                    assertThat(client.untilEnd()).isEmpty();
                }
            }
        }
    }

    private static String text(int length) {
        StringBuilder text = new StringBuilder(length);
        for (int i = 0; text.length() < length; i++) {
            text.append(i).append(' ');
        }
        text.setLength(length);
        return text.toString();
    }
}
