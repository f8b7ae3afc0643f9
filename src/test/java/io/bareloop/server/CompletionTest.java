package io.bareloop.server;

import static io.bareloop.http.Blocking.blocking;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.files.StaticFiles;
import io.bareloop.http.ByteView;
import io.bareloop.http.Completion;
import io.bareloop.http.CompletionListener;
import io.bareloop.http.EventStream;
import io.bareloop.http.Handler;
import io.bareloop.http.HeaderName;
import io.bareloop.http.HttpException;
import io.bareloop.http.Limits;
import io.bareloop.http.MediaType;
import io.bareloop.http.Method;
import io.bareloop.http.Prepared;
import io.bareloop.http.Reply;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Router;
import io.bareloop.http.Status;
import io.bareloop.http.StreamHandler;
import io.bareloop.http.Suspended;
import io.bareloop.http.Timeouts;
import io.bareloop.rig.Client;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The end of requests over real sockets: each once, in order, whole or not. */
@Timeout(60)
class CompletionTest {
    private static final int LARGE = 8 << 20;
    private static final byte[] LARGE_ARRAY = new byte[LARGE];
    private static final MemorySegment LARGE_MEMORY = Arena.ofAuto().allocate(LARGE);

    @TempDir private Path directory;

    private final List<Done> done = new CopyOnWriteArrayList<>();
    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final CountDownLatch release = new CountDownLatch(1);
    private final AtomicReference<EventStream> events = new AtomicReference<>();
    private StaticFiles files;
    private HttpServer server;
    private Client client;

    /** What a completion has said, copied. */
    private record Done(
            Method method,
            String target,
            int minorVersion,
            int status,
            long bytes,
            boolean whole,
            String client,
            String agent,
            long startMillis,
            long nanos) {
        static Done of(Completion it) {
            return new Done(
                    it.method(),
                    it.target().toString(),
                    it.minorVersion(),
                    it.status(),
                    it.bodyBytes(),
                    it.isWhole(),
                    it.client().toString(),
                    String.valueOf(it.header(HeaderName.USER_AGENT)),
                    it.startMillis(),
                    it.durationNanos());
        }

        /** As {@code GET /a 200 5 whole}. */
        String brief() {
            return method + " " + target + " " + status + " " + bytes + (whole ? " whole" : " cut");
        }
    }

    /** Wants the User-Agent. */
    private final class Recorder implements CompletionListener {
        @Override
        public void completed(Completion completion) {
            done.add(Done.of(completion));
        }

        @Override
        public List<HeaderName> fields() {
            return List.of(HeaderName.USER_AGENT);
        }
    }

    @BeforeEach
    void start() throws IOException {
        Files.write(directory.resolve("large"), LARGE_ARRAY);
        server =
                HttpServer.builder()
                        .listen("127.0.0.1", 0)
                        .cpus(CpuSet.unpinned(1))
                        .busyPoll(Setting.OFF)
                        .log(lines::add)
                        .limits(Limits.builder().bodyBytesMax(1 << 20).build())
                        .timeouts(
                                Timeouts.builder()
                                        .head(Duration.ofSeconds(1))
                                        .body(Duration.ofSeconds(1))
                                        .build())
                        .handler(application())
                        .onCompletion(new Recorder())
                        .start();
        client = Client.connect(server.port());
    }

    @AfterEach
    void stop() throws IOException {
        release.countDown();
        client.close();
        server.close();
        files.close();
    }

    private Handler application() throws IOException {
        files = StaticFiles.builder(directory).log(lines::add).build();
        return Router.builder()
                .get("/hello", Prepared.text("hello"))
                .get("/composed", (request, response) -> response.body("composed"))
                .post("/echo", (request, response) -> response.body(request.body()))
                .get("/none", (request, response) -> response.status(Status.NO_CONTENT).body(""))
                .get("/fails", (request, response) -> fail(response, false))
                .get("/fails-late", (request, response) -> fail(response, true))
                .get(
                        "/teapot",
                        (request, response) -> {
                            throw new HttpException(Status.NOT_FOUND, "no teapot");
                        })
                .get("/stack", (request, response) -> recurse(1))
                .get("/array", (request, response) -> response.body(LARGE_ARRAY))
                .get("/memory", (request, response) -> response.body(LARGE_MEMORY, 0, LARGE))
                .get(
                        "/stream",
                        (request, response) -> {
                            response.contentType(MediaType.TEXT).stream().write(new byte[10]);
                            response.write(new byte[20]);
                            response.end();
                        })
                .get(
                        "/short",
                        (request, response) -> {
                            response.stream(100).write(new byte[10]);
                            response.end();
                        })
                .get("/large", files)
                .get("/blocking", blocking(request -> Reply.text("blocked")))
                .get(
                        "/waits",
                        blocking(
                                request -> {
                                    release.await(20, TimeUnit.SECONDS);
                                    return Reply.text("at last");
                                }))
                .get(
                        "/suspended",
                        (request, response) -> {
                            Suspended later = response.suspend();
                            Thread.ofVirtual()
                                    .start(() -> later.resume((asked, out) -> out.body("later")));
                        })
                .get("/never", (request, response) -> response.suspend())
                .get(
                        "/events",
                        (request, response) ->
                                events.set(EventStream.open(response, Duration.ofMinutes(1))))
                .post("/pieces", new Pieces())
                .build();
    }

    private static void fail(Response response, boolean late) throws Exception {
        if (late) {
            response.stream().write(new byte[200 << 10]);
        }
        throw new IOException("on purpose");
    }

    private static int recurse(int depth) {
        return depth == 0 ? 0 : depth + recurse(depth + 1);
    }

    /** Answers with the number of bytes. */
    private static final class Pieces implements StreamHandler {
        private long bytes;

        @Override
        public void begin(Request request, Response response) {
            bytes = 0;
        }

        @Override
        public void piece(Request request, Response response, ByteView piece) {
            bytes += piece.length();
        }

        @Override
        public void end(Request request, Response response) {
            response.body(bytes + " bytes");
        }
    }

    private void expect(String... briefs) throws InterruptedException {
        await(briefs.length);
        assertThat(done).extracting(Done::brief).containsExactly(briefs);
    }

    private void expectOne() throws InterruptedException {
        await(1);
        assertThat(done).hasSize(1);
    }

    /** Waits for as many as there should be, and a moment for one too many. */
    private void await(int count) throws InterruptedException {
        long end = System.nanoTime() + 10_000_000_000L;
        while (done.size() < count && System.nanoTime() - end < 0) {
            Thread.sleep(2);
        }
        Thread.sleep(20);
    }

    // ---- whole

    @Test
    void tellsWhatWasAskedAndAnswered() throws Exception {
        long before = System.currentTimeMillis();
        client.send(Client.request("GET", "/hello?a=%20b", "user-agent: me & you")).answer();
        client.send("GET /composed HTTP/1.0\r\nHost: a\r\n\r\n").answer();
        expect("GET /hello?a=%20b 200 5 whole", "GET /composed 200 8 whole");
        Done first = done.get(0);
        assertThat(first.minorVersion()).isEqualTo(1);
        assertThat(first.client()).isEqualTo("127.0.0.1");
        assertThat(first.agent()).isEqualTo("me & you");
        assertThat(first.startMillis()).isBetween(before - 1, System.currentTimeMillis());
        assertThat(first.nanos()).isBetween(1L, 10_000_000_000L);
        assertThat(done.get(1).minorVersion()).isZero();
        assertThat(done.get(1).agent()).isEqualTo("null");
    }

    @Test
    void pipelinedRequestsComeInTheirOrder() throws Exception {
        StringBuilder all = new StringBuilder();
        List<String> briefs = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            all.append(Client.request(i % 3 == 0 ? "HEAD" : "GET", "/hello?" + i));
            briefs.add(
                    (i % 3 == 0 ? "HEAD" : "GET")
                            + " /hello?"
                            + i
                            + " 200 "
                            + (i % 3 == 0 ? 0 : 5)
                            + " whole");
        }
        client.send(all.toString());
        for (int i = 0; i < 200; i++) {
            if (i % 3 == 0) {
                client.answerToHead();
            } else {
                client.answer();
            }
        }
        expect(briefs.toArray(String[]::new));
    }

    @Test
    void bodiesOfAllKinds() throws Exception {
        client.send(Client.request("POST", "/echo", "Content-Length: 3") + "abc").answer();
        client.send(Client.request("POST", "/pieces", "Content-Length: 4", "Expect: 100-continue"));
        assertThat(client.line()).startsWith("HTTP/1.1 100");
        client.line();
        client.send("abcd").answer();
        client.get("/none");
        client.ask("/stream").head();
        assertThat(client.chunk()).hasSize(10);
        assertThat(client.chunk()).hasSize(20);
        assertThat(client.chunk()).isEmpty();
        client.get("/suspended");
        client.get("/blocking");
        client.get("/teapot");
        client.get("/nowhere");
        expect(
                "POST /echo 200 3 whole",
                "POST /pieces 200 7 whole",
                "GET /none 204 0 whole",
                "GET /stream 200 30 whole",
                "GET /suspended 200 5 whole",
                "GET /blocking 200 7 whole",
                "GET /teapot 404 25 whole",
                "GET /nowhere 404 14 whole");
    }

    @Test
    void aConnectionThatEndsWithItsResponse() throws Exception {
        client.send(Client.request("GET", "/hello", "Connection: close")).untilEnd();
        expect("GET /hello 200 5 whole");
    }

    /**
     * Only when all of it is with the kernel, which takes a while where the client does not read.
     */
    @Test
    void largeBodiesComeToTheirEndWhenTheyAreSent() throws Exception {
        for (String path : List.of("/array", "/memory", "/large")) {
            done.clear();
            try (Client slow = Client.connect(server.port(), 4096)) {
                slow.ask(path).head();
                Thread.sleep(100);
                assertThat(done).as(path).isEmpty();
                slow.skip(LARGE);
                expect("GET " + path + " 200 " + LARGE + " whole");
                assertThat(done.get(0).nanos()).as(path).isGreaterThan(90_000_000);
            }
        }
    }

    /** The last responses of a connection are sent before it ends, and are told of then. */
    @Test
    void whatIsSentSlowlyBeforeTheEndIsWhole() throws Exception {
        try (Client slow = Client.connect(server.port(), 4096)) {
            String body = "x".repeat(1 << 20);
            slow.send(
                    Client.request("POST", "/echo", "Content-Length: " + body.length())
                            + body
                            + "NONSENSE\r\n\r\n");
            slow.answer();
            slow.answer();
            // The peer has not ended its side: the server lingers, and need not be waited for.
            expect("POST /echo 200 1048576 whole", "null NONSENSE 400 16 whole");
        }
    }

    @Test
    void anEventStreamEndsWhenItEnds() throws Exception {
        client.ask("/events").head();
        for (int i = 0; i < 3; i++) {
            events.get().execute(() -> events.get().send("n", "abc"));
            client.chunk();
        }
        assertThat(done).isEmpty();
        events.get().execute(events.get()::end);
        client.chunk();
        expect("GET /events 200 60 whole");
    }

    // ---- refused

    @Test
    void whatIsNoRequestIsToldOfByItsFirstLine() throws Exception {
        client.send("\r\nGET /\u00e9 \"x\" HTTP/1.1\r\nHost: a\r\n\r\n").untilEndOrReset();
        expect("null GET /\uFFFD \"x\" HTTP/1.1 400 16 whole");
        assertThat(done.get(0).minorVersion()).isEqualTo(-1);
        assertThat(done.get(0).client()).isEqualTo("127.0.0.1");
        done.clear();
        try (Client other = Client.connect(server.port())) {
            other.send("GET / HTTP/1.1\r\nHost: a\r\nA: " + "x".repeat(20_000)).untilEndOrReset();
            expect("null GET / HTTP/1.1 431 36 whole");
        }
        done.clear();
        try (Client other = Client.connect(server.port())) {
            other.send("X".repeat(9000)).untilEndOrReset();
            expectOne();
            assertThat(done.get(0).target()).isEqualTo("X".repeat(1024));
        }
    }

    @Test
    void aHeadThatDoesNotComeToItsEndInTime() throws Exception {
        client.get("/hello");
        client.send("GET /hel");
        Thread.sleep(50);
        client.send("lo HTTP/1.1\r\nHost");
        client.untilEndOrReset();
        expect("GET /hello 200 5 whole", "null GET /hello HTTP/1.1 408 20 whole");
    }

    @Test
    void aHeadInPiecesIsOneRequest() throws Exception {
        String request = Client.request("GET", "/hello");
        for (int i = 0; i < request.length(); i++) {
            client.send(request.substring(i, i + 1));
        }
        client.answer();
        // No request has begun.
        client.send("GET /").close();
        expect("GET /hello 200 5 whole");
    }

    @Test
    void bodiesThatAreRefused() throws Exception {
        client.send(Client.request("POST", "/echo", "Content-Length: 9999999")).untilEndOrReset();
        expect("POST /echo 413 22 whole");
        done.clear();
        try (Client other = Client.connect(server.port())) {
            other.send(Client.request("POST", "/echo", "Transfer-Encoding: chunked") + "zz\r\n");
            other.untilEndOrReset();
            expect("POST /echo 400 16 whole");
        }
        done.clear();
        try (Client other = Client.connect(server.port())) {
            other.send(Client.request("POST", "/echo", "Content-Length: 4") + "a");
            other.untilEndOrReset();
            expect("POST /echo 408 20 whole");
        }
    }

    // ---- failed

    @Test
    void aHandlerThatFails() throws Exception {
        client.ask("/fails").untilEndOrReset();
        expect("GET /fails 500 26 whole");
        done.clear();
        try (Client other = Client.connect(server.port())) {
            other.ask("/stack").untilEndOrReset();
            expect("GET /stack 500 26 whole");
        }
        done.clear();
        try (Client other = Client.connect(server.port())) {
            other.ask("/fails-late").untilEndOrReset();
            expectOne();
            assertThat(done.get(0).brief()).startsWith("GET /fails-late 200 ").endsWith(" cut");
        }
        done.clear();
        try (Client other = Client.connect(server.port())) {
            other.ask("/short").untilEndOrReset();
            expect("GET /short 200 10 cut");
        }
    }

    // ---- cut off

    @Test
    void aClientThatLeavesInItsOwnBody() throws Exception {
        client.send(Client.request("POST", "/echo", "Content-Length: 4") + "a").close();
        expect("POST /echo 0 0 cut");
        done.clear();
        try (Client other = Client.connect(server.port())) {
            other.send(Client.request("POST", "/pieces", "Content-Length: 4") + "a");
            Thread.sleep(100);
            other.reset();
            expect("POST /pieces 0 0 cut");
        }
    }

    @Test
    void aClientThatLeavesBeforeTheLastByte() throws Exception {
        for (String path : List.of("/array", "/memory", "/large")) {
            done.clear();
            try (Client other = Client.connect(server.port(), 4096)) {
                other.ask(path).head();
                other.skip(1000);
                other.reset();
            }
            expectOne();
            Done last = done.get(0);
            assertThat(last.whole()).as(path).isFalse();
            assertThat(last.status()).as(path).isEqualTo(200);
            assertThat(last.client()).as(path).isEqualTo("127.0.0.1");
            assertThat(last.bytes()).as(path).isBetween(1000L, LARGE - 1L);
        }
    }

    @Test
    void aClientThatLeavesWhileItWaits() throws Exception {
        client.ask("/never");
        // A reset that comes too soon takes the request along.
        Thread.sleep(100);
        client.reset();
        expect("GET /never 0 0 cut");
        done.clear();
        try (Client other = Client.connect(server.port())) {
            other.send(Client.request("GET", "/waits", "User-Agent: waiting"));
            Thread.sleep(100);
            other.reset();
            expect("GET /waits 0 0 cut");
            assertThat(done.get(0).agent()).isEqualTo("waiting");
            release.countDown();
        }
        done.clear();
        try (Client other = Client.connect(server.port())) {
            other.ask("/events").head();
            other.reset();
            expect("GET /events 200 0 cut");
        }
    }

    /** Of what was pipelined, the first were sent, and the others were not. */
    @Test
    void ofPipelinedResponsesTheFirstAreWhole() throws Exception {
        try (Client slow = Client.connect(server.port(), 4096)) {
            String body = "x".repeat(60_000);
            String request =
                    Client.request("POST", "/echo", "Content-Length: " + body.length()) + body;
            Thread sender = Thread.ofVirtual().start(() -> sendQuietly(slow, request.repeat(200)));
            slow.answer();
            slow.answer();
            Thread.sleep(200);
            slow.reset();
            sender.join();
        }
        Thread.sleep(200);
        assertThat(done).hasSizeGreaterThan(3);
        boolean cut = false;
        for (Done it : done) {
            assertThat(it.whole() && cut).as("whole behind one that was cut off").isFalse();
            cut |= !it.whole();
        }
        assertThat(done.get(0).whole()).isTrue();
        assertThat(cut).isTrue();
    }

    private static void sendQuietly(Client client, String text) {
        try {
            client.send(text);
        } catch (IOException e) {
            // It was reset meanwhile.
        }
    }

    @Test
    void whatTheEndOfTheServerCutsOff() throws Exception {
        client.ask("/never");
        try (Client other = Client.connect(server.port(), 4096)) {
            other.ask("/array").head();
            server.drain(Duration.ofMillis(100));
        }
        assertThat(done).hasSize(2);
        assertThat(done).extracting(Done::whole).containsOnly(false);
        assertThat(done).extracting(Done::status).containsExactlyInAnyOrder(0, 200);
    }

    @Test
    void aDrainFinishesWhatIsInFlight() throws Exception {
        client.ask("/waits");
        Thread.sleep(100);
        Thread drain = Thread.ofVirtual().start(this::drain);
        Thread.sleep(50);
        release.countDown();
        client.answer();
        drain.join();
        expect("GET /waits 200 7 whole");
    }

    private void drain() {
        try {
            server.drain(Duration.ofSeconds(10));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    // ---- many at once

    /** Served by the ring where the kernel has one: none is missing, and none comes twice. */
    @Test
    void manyConnectionsAtTheSameTime() throws Exception {
        int connections = 40;
        int rounds = 50;
        List<Client> clients = new ArrayList<>();
        for (int i = 0; i < connections; i++) {
            clients.add(Client.connect(server.port()));
        }
        for (int round = 0; round < rounds; round++) {
            for (int i = 0; i < connections; i++) {
                clients.get(i).send(Client.request("GET", "/hello?" + i + "." + round));
            }
            for (Client each : clients) {
                each.answer();
            }
        }
        for (Client each : clients) {
            each.close();
        }
        await(connections * rounds);
        assertThat(done).hasSize(connections * rounds);
        assertThat(done).extracting(Done::target).doesNotHaveDuplicates();
        assertThat(done).allMatch(Done::whole);
    }

    // ---- listeners

    @Test
    void aListenerThatFailsHurtsNobody() throws Exception {
        List<String> others = new CopyOnWriteArrayList<>();
        List<Throwable> failures = new CopyOnWriteArrayList<>();
        try (HttpServer other =
                        HttpServer.builder()
                                .listen("127.0.0.1", 0)
                                .cpus(CpuSet.unpinned(1))
                                .handler(Prepared.text("hello"))
                                .onFailure((request, failure) -> failures.add(failure))
                                .onCompletion(
                                        it -> {
                                            throw new AssertionError("on purpose");
                                        })
                                .onCompletion(it -> others.add(it.target().toString()))
                                .onCompletion(it -> it.header(HeaderName.COOKIE))
                                .start();
                Client asking = Client.connect(other.port())) {
            for (int i = 0; i < 3; i++) {
                assertThat(asking.get("/" + i).body()).isEqualTo("hello");
            }
        }
        assertThat(others).containsExactly("/0", "/1", "/2");
        assertThat(failures).hasSize(3);
        assertThat(failures.get(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Cookie");
    }
}
