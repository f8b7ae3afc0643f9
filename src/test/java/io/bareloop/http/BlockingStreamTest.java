package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.Client;
import io.bareloop.rig.FaultySyscalls;
import io.bareloop.rig.FaultySyscalls.Call;
import io.bareloop.rig.HttpRig;
import io.bareloop.sys.Errno;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Handlers that wait, with bodies as streams: what goes through them, and how much of it waits. */
@Timeout(60)
class BlockingStreamTest {
    private static final int MIB = 1 << 20;

    /** Answers with what it was sent, by the ways that streams have. */
    private static void echo(Request request, BlockingExchange exchange) throws Exception {
        InputStream in = exchange.body();
        OutputStream out = exchange.contentType(MediaType.OCTETS).stream();
        switch (request.path().toString()) {
            case "/transfer" -> in.transferTo(out);
            case "/bytes" -> {
                for (int b = in.read(); b >= 0; b = in.read()) {
                    out.write(b);
                }
            }
            case "/all" -> {
                out.write(in.readAllBytes());
                out.close();
            }
            default -> {
                byte[] some = new byte[1000];
                for (int n = in.read(some, 3, 900); n >= 0; n = in.read(some, 3, 900)) {
                    out.write(some, 3, n);
                    if (n % 7 == 0) {
                        out.flush();
                    }
                }
            }
        }
        assertThat(in.read()).isEqualTo(-1);
        assertThat(in.read(new byte[1])).isEqualTo(-1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void everyByteGoesThrough(boolean serveTogether) throws Exception {
        try (HttpRig rig =
                        HttpRig.start(
                                Limits.defaults(),
                                Timeouts.defaults(),
                                Blocking.streaming(BlockingStreamTest::echo),
                                serveTogether);
                ExecutorService pool = Executors.newFixedThreadPool(6)) {
            List<Future<?>> clients = new ArrayList<>();
            for (int c = 0; c < 6; c++) {
                int seed = c;
                clients.add(
                        pool.submit(
                                () -> {
                                    echoes(rig.port(), new Random(seed), 12);
                                    return null;
                                }));
            }
            for (Future<?> client : clients) {
                client.get();
            }
            assertThat(rig.failures()).isEmpty();
            assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
        }
    }

    /** Whatever the kernel takes and gives at a time. */
    @Test
    void everyByteGoesThroughInSmallSteps() throws Exception {
        AtomicReference<FaultySyscalls> calls = new AtomicReference<>();
        Random random = new Random(1);
        try (HttpRig rig =
                HttpRig.start(
                        Blocking.streaming(BlockingStreamTest::echo),
                        arena -> {
                            FaultySyscalls faulty = new FaultySyscalls(arena);
                            faulty.script(Call.SEND, (fd, n) -> 1 + random.nextInt(3000));
                            faulty.script(
                                    Call.RECV,
                                    (fd, n) ->
                                            random.nextInt(3) == 0
                                                    ? -Errno.EINTR
                                                    : FaultySyscalls.PASS);
                            calls.set(faulty);
                            return faulty;
                        })) {
            echoes(rig.port(), new Random(2), 12);
            assertThat(calls.get().count(Call.SEND)).isGreaterThan(20);
            assertThat(rig.failures()).isEmpty();
            assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
        }
    }

    private static void echoes(int port, Random random, int count) throws Exception {
        String[] paths = {"/transfer", "/bytes", "/all", "/some"};
        try (Client client = Client.connect(port)) {
            for (int i = 0; i < count; i++) {
                // What waits here and there: more than that, an echo would wait for its client.
                byte[] body = new byte[random.nextInt(3) == 0 ? 60_000 : random.nextInt(5000)];
                random.nextBytes(body);
                String path = paths[random.nextInt(paths.length)];
                if (random.nextBoolean()) {
                    client.send(Client.request("POST", path, "Content-Length: " + body.length));
                    client.send(body);
                } else {
                    client.send(Client.request("POST", path, "Transfer-Encoding: chunked"));
                    int half = body.length / 2;
                    for (byte[] chunk :
                            List.of(
                                    Arrays.copyOf(body, half),
                                    Arrays.copyOfRange(body, half, body.length))) {
                        if (chunk.length > 0) {
                            client.send(Integer.toHexString(chunk.length) + "\r\n");
                            client.send(chunk).send("\r\n");
                        }
                    }
                    client.send("0\r\n\r\n");
                }
                client.ask("/next");
                assertThat(client.answer().body()).isEqualTo(Bytes.toString(body));
                assertThat(client.answer().body()).isEmpty();
            }
        }
    }

    // ---- what a response looks like

    private static Answer answerOf(BlockingStreamHandler handler, String method) throws Exception {
        try (HttpRig rig = HttpRig.start(Blocking.streaming(handler));
                Client client = Client.connect(rig.port())) {
            client.send(Client.request(method, "/"));
            Answer answer = method.equals("HEAD") ? client.answerToHead() : client.answer();
            // And the next one is in order.
            client.send(Client.request(method, "/"));
            Answer again = method.equals("HEAD") ? client.answerToHead() : client.answer();
            assertThat(again.status()).isEqualTo(answer.status());
            assertThat(rig.failures()).isEmpty();
            return answer;
        }
    }

    @Test
    void aSmallOneHasItsLength() throws Exception {
        Answer answer =
                answerOf(
                        (request, exchange) ->
                                exchange
                                        .status(Status.ACCEPTED)
                                        .contentType(MediaType.TEXT)
                                        .header(HeaderName.ETAG, "\"1\"")
                                        .stream()
                                        .write(Bytes.of("small")),
                        "GET");
        assertThat(answer.status()).isEqualTo(202);
        assertThat(answer.field("Content-Length")).isEqualTo("5");
        assertThat(answer.field("ETag")).isEqualTo("\"1\"");
        assertThat(answer.body()).isEqualTo("small");
    }

    @Test
    void aLargeOneIsChunked() throws Exception {
        byte[] large = new byte[200_000];
        new Random(3).nextBytes(large);
        Answer answer = answerOf((request, exchange) -> exchange.stream().write(large), "GET");
        assertThat(answer.field("Transfer-Encoding")).isEqualTo("chunked");
        assertThat(answer.body()).isEqualTo(Bytes.toString(large));
    }

    @Test
    void oneOfAnnouncedLengthHasThat() throws Exception {
        byte[] large = new byte[200_000];
        Answer answer =
                answerOf(
                        (request, exchange) -> {
                            try (OutputStream out = exchange.stream(large.length)) {
                                out.write(large);
                                assertThatThrownBy(() -> out.write(1))
                                        .hasMessageContaining("0 are left of the length");
                            }
                        },
                        "GET");
        assertThat(answer.field("Content-Length")).isEqualTo("200000");
        assertThat(answer.body()).hasSize(200_000);
    }

    @Test
    void aHeadHasNoBody() throws Exception {
        Answer answer =
                answerOf((request, exchange) -> exchange.stream().write(new byte[100_000]), "HEAD");
        assertThat(answer.field("Transfer-Encoding")).isEqualTo("chunked");
    }

    @Test
    void aStatusAloneIsAnEmptyOne() throws Exception {
        Answer answer = answerOf((request, exchange) -> exchange.status(Status.CREATED), "GET");
        assertThat(answer.status()).isEqualTo(201);
        assertThat(answer.field("Content-Length")).isEqualTo("0");
    }

    @Test
    void aReplyIsSentAtOnce() throws Exception {
        Semaphore later = new Semaphore(0);
        Blocking handler =
                Blocking.streaming(
                        (request, exchange) -> {
                            exchange.send(Reply.text("at once"));
                            assertThatThrownBy(exchange::stream)
                                    .isInstanceOf(IllegalStateException.class);
                            later.acquire();
                        });
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            assertThat(client.get("/").body()).isEqualTo("at once");
            assertThat(handler.underWay()).isEqualTo(1);
            later.release();
            assertThat(HttpRig.await(0, handler::underWay)).isZero();
            assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
        }
    }

    /** What is flushed leaves, and what is not does not. */
    @Test
    void flushSendsWhatThereIs() throws Exception {
        Semaphore next = new Semaphore(0);
        Blocking handler =
                Blocking.streaming(
                        (request, exchange) -> {
                            OutputStream out = exchange.stream();
                            out.flush();
                            next.acquire();
                            out.write(Bytes.of("one"));
                            out.write(Bytes.of(" two"));
                            out.flush();
                            out.flush();
                            next.acquire();
                        });
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port()).ask("/")) {
            assertThat(client.head().status()).isEqualTo(200);
            assertThat(client.isSilentFor(30)).isTrue();
            next.release();
            assertThat(client.chunk()).isEqualTo("one two");
            assertThat(client.isSilentFor(30)).isTrue();
            next.release();
            assertThat(client.chunk()).isEmpty();
        }
    }

    // ---- how much waits

    /** Who does not read is not sent to: 128 KiB here, a buffer there, and the kernels'. */
    @Test
    void aBodyThatIsNotReadIsNotTaken() throws Exception {
        Semaphore read = new Semaphore(0);
        AtomicInteger available = new AtomicInteger();
        Blocking handler =
                Blocking.streaming(
                        (request, exchange) -> {
                            read.acquire();
                            available.set(exchange.body().available());
                            long bytes =
                                    exchange.body().transferTo(OutputStream.nullOutputStream());
                            exchange.send(Reply.text(bytes + " bytes"));
                        });
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port()).timeout(30_000)) {
            int length = 64 * MIB;
            client.send(Client.request("POST", "/", "Content-Length: " + length));
            ByteBuffer some = ByteBuffer.allocate(MIB);
            int sent = 0;
            for (int idle = 0; idle < 20; ) {
                some.clear();
                int n = client.offer(some);
                sent += n;
                idle = n > 0 ? 0 : idle + 1;
                Thread.sleep(5);
            }
            assertThat(sent).as("what the kernels hold").isLessThan(length);
            assertThat(rig.slabBytes()).isLessThanOrEqualTo(256 << 10);
            read.release();
            while (sent < length) {
                int n = Math.min(MIB, length - sent);
                client.send(new byte[n]);
                sent += n;
            }
            assertThat(client.answer().body()).isEqualTo(length + " bytes");
            assertThat(available.get()).isBetween(64 << 10, ArrivingBody.BYTES_MAX);
            assertThat(rig.slabBytes()).isLessThanOrEqualTo(256 << 10);
        }
    }

    /** Who does not read is not written to, and goes on when it does. */
    @Test
    void aClientThatDoesNotReadIsWaitedFor() throws Exception {
        AtomicLong written = new AtomicLong();
        int length = 32 * MIB;
        Blocking handler =
                Blocking.streaming(
                        (request, exchange) -> {
                            OutputStream out = exchange.stream(length);
                            byte[] some = new byte[8192];
                            for (int at = 0; at < length; at += some.length) {
                                out.write(some);
                                written.addAndGet(some.length);
                            }
                        });
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port(), 64 << 10).ask("/")) {
            long before = -1;
            while (written.get() != before) {
                before = written.get();
                Thread.sleep(100);
            }
            assertThat(before).isLessThan(length);
            // One slice, of what the client has not taken, and the copy of the request.
            assertThat(rig.slicesInUse()).isBetween(1, 2);
            assertThat(rig.slabBytes()).isLessThanOrEqualTo(128 << 10);
            long turns = rig.counters().turns();
            Thread.sleep(200);
            assertThat(rig.counters().turns() - turns).as("no turning round").isLessThan(20);
            assertThat(client.head().status()).isEqualTo(200);
            client.skip(length);
            assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
            assertThat(rig.failures()).isEmpty();
        }
    }

    @Test
    void tooManyAreTurnedAway() throws Exception {
        Semaphore go = new Semaphore(0);
        Blocking handler =
                Blocking.streaming(
                        1,
                        (request, exchange) -> {
                            go.acquire();
                            exchange.send(Reply.text(exchange.body().readAllBytes().length + ""));
                        });
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port()).post("/", "body");
                Client other = Client.connect(rig.port())) {
            assertThat(HttpRig.await(1, handler::underWay)).isEqualTo(1);
            Answer busy = other.post("/", "too many").answer();
            assertThat(busy.status()).isEqualTo(503);
            assertThat(busy.field("Retry-After")).isEqualTo("1");
            go.release(2);
            assertThat(client.answer().body()).isEqualTo("4");
            assertThat(HttpRig.await(0, handler::underWay)).isZero();
            assertThat(other.post("/", "again").answer().body()).isEqualTo("5");
        }
    }

    // ---- the request

    /** Its head is the thread's to read all the time, whatever the loop receives meanwhile. */
    @Test
    void theHeadStaysReadable() throws Exception {
        Blocking handler =
                Blocking.streaming(
                        (request, exchange) -> {
                            ByteView early = request.path();
                            String first = early.toString();
                            long bytes = 0;
                            byte[] some = new byte[100];
                            InputStream in = exchange.body();
                            for (int n = in.read(some); n >= 0; n = in.read(some)) {
                                bytes += n;
                                assertThat(early.toString()).isEqualTo(first);
                                assertThat(request.header(HeaderName.HOST).toString())
                                        .isEqualTo("test");
                                assertThat(request.query().toString()).isEqualTo("q=" + first);
                            }
                            assertThat(request.contentLength()).isEqualTo(bytes);
                            exchange.send(Reply.text(first + bytes));
                        });
        try (HttpRig rig = HttpRig.start(handler);
                ExecutorService pool = Executors.newFixedThreadPool(4)) {
            List<Future<?>> clients = new ArrayList<>();
            for (int c = 0; c < 4; c++) {
                String path = "/" + "abcdefgh".repeat(c + 1);
                clients.add(
                        pool.submit(
                                () -> {
                                    try (Client client = Client.connect(rig.port())) {
                                        for (int i = 0; i < 30; i++) {
                                            String body = path.repeat(i);
                                            client.post(path + "?q=" + path, body);
                                            assertThat(client.answer().body())
                                                    .isEqualTo(path + body.length());
                                        }
                                    }
                                    return null;
                                }));
            }
            for (Future<?> client : clients) {
                client.get();
            }
            assertThat(rig.failures()).isEmpty();
        }
    }

    /** Behind a filter, in a router, and called by another handler that has the body. */
    @Test
    void whateverStandsInFrontTheBodyArrives() throws Exception {
        Blocking upload =
                Blocking.streaming(
                        (request, exchange) ->
                                exchange.stream().write(exchange.body().readAllBytes()));
        Filter filter = (request, response) -> response.always(HeaderName.ETAG, "\"f\"");
        Handler router =
                Router.builder()
                        .post("/direct", upload)
                        .post("/filtered", filter.before(upload))
                        .post("/wrapped", (request, response) -> upload.handle(request, response))
                        .build();
        String large = "0123456789".repeat(50_000);
        try (HttpRig rig = HttpRig.start(router);
                Client client = Client.connect(rig.port())) {
            for (String path : List.of("/direct", "/filtered", "/wrapped")) {
                for (int i = 0; i < 2; i++) {
                    Answer answer = client.post(path, "the body").answer();
                    assertThat(answer.body()).isEqualTo("the body");
                    assertThat(answer.has("ETag")).isEqualTo(path.equals("/filtered"));
                }
                assertThat(client.post(path, large).answer().body()).isEqualTo(large);
            }
            assertThat(rig.failures()).isEmpty();
        }
    }

    @Test
    void continueIsSaidWhenTheBodyIsRead() throws Exception {
        Semaphore read = new Semaphore(0);
        Blocking handler =
                Blocking.streaming(
                        (request, exchange) -> {
                            read.acquire();
                            if (request.path().contentEquals("/no")) {
                                throw new HttpException(Status.FORBIDDEN, null);
                            }
                            exchange.send(Reply.text(exchange.body().readAllBytes().length + ""));
                        });
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port());
                Client refused = Client.connect(rig.port())) {
            String[] fields = {"Content-Length: 4", "Expect: 100-continue"};
            client.send(Client.request("POST", "/", fields));
            assertThat(client.isSilentFor(50)).isTrue();
            read.release();
            assertThat(client.line()).isEqualTo("HTTP/1.1 100 Continue");
            assertThat(client.line()).isEmpty();
            assertThat(client.send("body").answer().body()).isEqualTo("4");
            refused.send(Client.request("POST", "/no", fields));
            read.release();
            assertThat(refused.answer().status()).isEqualTo(403);
        }
    }
}
