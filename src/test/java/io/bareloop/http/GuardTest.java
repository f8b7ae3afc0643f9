package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Syscalls;
import io.bareloop.wire.FileSource;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** User code may do anything: it is the matter of its request, and of nothing else. */
@Timeout(60)
class GuardTest {
    private static final Duration SOON = Duration.ofMillis(100);

    /** Says nothing of itself but another failure. */
    private static final class Unspeakable extends RuntimeException {
        private static final long serialVersionUID = 1L;

        @Override
        public String getMessage() {
            throw new StackOverflowError("of getMessage");
        }

        @Override
        public String toString() {
            throw new OutOfMemoryError("of toString");
        }
    }

    private static final List<Supplier<Throwable>> FAILURES =
            List.of(
                    () -> new RuntimeException("on purpose"),
                    () -> new Exception("on purpose"),
                    () -> new Throwable("on purpose"),
                    () -> new AssertionError("on purpose"),
                    () -> new InternalError("on purpose"),
                    () -> new OutOfMemoryError("on purpose"),
                    () -> new StackOverflowError("on purpose"),
                    () -> new LinkageError("on purpose"),
                    () -> new InterruptedException("on purpose"),
                    Unspeakable::new);

    private static void fail(int which) {
        GuardTest.<RuntimeException>sneaky(FAILURES.get(which).get());
    }

    /** Throws what the compiler would have a method declare. */
    @SuppressWarnings("unchecked")
    private static <T extends Throwable> void sneaky(Throwable failure) throws T {
        throw (T) failure;
    }

    /** The places in which user code runs, each failing with one of the failures. */
    private static Map<String, Handler> places(int which) {
        MemorySegment closed;
        try (Arena arena = Arena.ofShared()) {
            closed = arena.allocate(1 << 20);
        }
        MemorySegment ended = closed;
        Map<String, Handler> places = new TreeMap<>();
        places.put("handle", (request, response) -> fail(which));
        places.put(
                "begun",
                (request, response) -> {
                    response.status(Status.OK).contentType(MediaType.TEXT);
                    fail(which);
                });
        places.put(
                "sent",
                (request, response) -> {
                    response.stream().write(Bytes.of("x".repeat(200_000)));
                    fail(which);
                });
        places.put(
                "ended",
                (request, response) -> {
                    response.body("done");
                    fail(which);
                });
        places.put(
                "route",
                new Handler() {
                    @Override
                    public Handler route(Request request) {
                        fail(which);
                        return this;
                    }

                    @Override
                    public void handle(Request request, Response response) {
                        fail(which);
                    }
                });
        places.put("begin", new Failing("begin", which));
        places.put("piece", new Failing("piece", which));
        places.put("end", new Failing("end", which));
        places.put(
                "resumed",
                (request, response) ->
                        response.suspend().resume((same, sameResponse) -> fail(which)));
        places.put(
                "tick",
                (request, response) -> {
                    response.onTick(SOON, () -> fail(which));
                    response.suspend();
                });
        places.put(
                "writable",
                (request, response) -> {
                    response.onWritable(() -> fail(which));
                    response.stream();
                    while (response.isWritable()) {
                        response.write(new byte[60_000]);
                    }
                });
        places.put("blocking", Blocking.blocking(request -> throwing(which)));
        places.put("closed", (request, response) -> response.body(ended, 0, 1 << 20));
        for (String call : List.of("descriptor", "isWarm", "warm", "release")) {
            places.put(
                    "file " + call,
                    (request, response) ->
                            response.body(
                                    new FileBody(new FailingFile(call, which)), 0, 10_000_000));
        }
        return places;
    }

    private static Reply throwing(int which) {
        fail(which);
        return null;
    }

    private record Failing(String place, int which) implements StreamHandler {
        private void at(String here) {
            if (here.equals(place)) {
                fail(which);
            }
        }

        @Override
        public void begin(Request request, Response response) {
            at("begin");
        }

        @Override
        public void piece(Request request, Response response, ByteView piece) {
            at("piece");
        }

        @Override
        public void end(Request request, Response response) {
            at("end");
            response.body("end");
        }

        @Override
        public void aborted(Request request) {
            fail(which);
        }
    }

    /** Nothing is in the kernel's cache. */
    private static final class ColdDisk extends Syscalls {
        ColdDisk(Arena arena) {
            super(arena);
        }

        @Override
        public int preadv2Nowait(int fd, long position) {
            return -Errno.EAGAIN;
        }
    }

    private record FailingFile(String call, int which) implements FileSource {
        private void at(String here) {
            if (here.equals(call)) {
                fail(which);
            }
        }

        @Override
        public int descriptor() {
            at("descriptor");
            return -1;
        }

        @Override
        public void warm(long offset, int length, Runnable then) {
            at("warm");
            then.run();
        }

        @Override
        public boolean isWarm(long end, long nanos) {
            at("isWarm");
            return !call.equals("warm");
        }

        @Override
        public void release() {
            at("release");
        }
    }

    static List<String> names() {
        return List.copyOf(places(0).keySet());
    }

    @ParameterizedTest
    @MethodSource("names")
    void whatUserCodeThrowsEndsItsRequestAlone(String place) throws Exception {
        for (int which = 0; which < FAILURES.size(); which++) {
            Handler failing = places(which).get(place);
            Handler handler =
                    Router.builder()
                            .get("/fine", (request, response) -> response.body("fine"))
                            .post("/fail", failing)
                            .build();
            AtomicInteger told = new AtomicInteger();
            try (HttpRig rig =
                            HttpRig.reporting(
                                    handler,
                                    failure -> {
                                        told.incrementAndGet();
                                        // As a log would.
                                        throw new InternalError("of the log: " + failure);
                                    },
                                    ColdDisk::new);
                    Client beside = Client.connect(rig.port())) {
                assertThat(beside.get("/fine").body()).isEqualTo("fine");
                for (int i = 0; i < 3; i++) {
                    try (Client client = Client.connect(rig.port())) {
                        client.post("/fail", "body");
                        String all = client.untilEndOrReset();
                        if (!all.isEmpty()) {
                            assertThat(all).startsWith("HTTP/1.1 ");
                        }
                        assertThat(all).doesNotContain("fine");
                    }
                    assertThat(beside.get("/fine").body()).isEqualTo("fine");
                }
                assertThat(told.get()).isPositive();
                assertThat(HttpRig.await(1L, rig::open)).isEqualTo(1);
                assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
            }
        }
    }

    @Test
    void aHandlerOfWhichNothingWasSentIsAnswered500() throws Exception {
        for (int which = 0; which < FAILURES.size(); which++) {
            int failure = which;
            try (HttpRig rig = HttpRig.start((request, response) -> fail(failure));
                    Client client = Client.connect(rig.port())) {
                Answer received = client.get("/");
                assertThat(received.status()).isEqualTo(500);
                assertThat(received.field("Connection")).isEqualTo("close");
                assertThat(rig.failures()).hasSize(1);
            }
        }
    }

    /** A handler that has no more stack where it writes. */
    @Test
    void theStackMayEndAmidASystemCall() throws Exception {
        Handler handler =
                (request, response) -> {
                    if (request.path().contentEquals("/fine")) {
                        response.body("fine");
                    } else {
                        response.stream();
                        descend(response, 0);
                    }
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client beside = Client.connect(rig.port())) {
            for (int i = 0; i < 20; i++) {
                try (Client client = Client.connect(rig.port())) {
                    client.ask("/" + i);
                    client.untilEndOrReset();
                }
                assertThat(beside.get("/fine").body()).isEqualTo("fine");
            }
            assertThat(rig.failures())
                    .hasSizeGreaterThan(0)
                    .allMatch(failure -> failure instanceof StackOverflowError);
        }
    }

    private static int descend(Response response, int depth) {
        if (depth % 50 == 0 && response.isWritable()) {
            response.write(new byte[40_000]);
        }
        return depth < 0 ? 0 : descend(response, depth + 1) + 1;
    }

    /** One handler's interrupt is not the next one's. */
    @ParameterizedTest
    @ValueSource(strings = {"/return", "/throw", "/later", "/tick", "/upload", "/abort"})
    void anInterruptEndsWithTheHandler(String path) throws Exception {
        AtomicBoolean seen = new AtomicBoolean();
        Handler handler =
                (request, response) -> {
                    String here = request.path().toString();
                    if (here.equals("/look")) {
                        seen.set(Thread.currentThread().isInterrupted());
                        response.body("looked");
                        return;
                    }
                    switch (here) {
                        case "/return" -> response.body("interrupted");
                        case "/later" ->
                                response.suspend()
                                        .resume(
                                                (same, sameResponse) -> {
                                                    Thread.currentThread().interrupt();
                                                    sameResponse.body("interrupted");
                                                });
                        case "/tick" -> {
                            response.suspend();
                            response.onTick(
                                    SOON,
                                    () -> {
                                        Thread.currentThread().interrupt();
                                        response.body("interrupted");
                                    });
                        }
                        case "/abort" -> {
                            response.suspend();
                            response.onAbort(() -> Thread.currentThread().interrupt());
                        }
                        default -> {}
                    }
                    if (!here.equals("/abort")) {
                        Thread.currentThread().interrupt();
                    }
                    if (here.equals("/throw")) {
                        throw new IllegalStateException("on purpose");
                    }
                };
        Handler upload =
                new StreamHandler() {
                    @Override
                    public void begin(Request request, Response response) {
                        Thread.currentThread().interrupt();
                    }

                    @Override
                    public void piece(Request request, Response response, ByteView piece) {
                        seen.set(seen.get() || Thread.currentThread().isInterrupted());
                        Thread.currentThread().interrupt();
                    }

                    @Override
                    public void end(Request request, Response response) {
                        seen.set(seen.get() || Thread.currentThread().isInterrupted());
                        Thread.currentThread().interrupt();
                        response.body("interrupted");
                    }
                };
        Router router = Router.builder().post("/upload", upload).get("/{rest}", handler).build();
        try (HttpRig rig = HttpRig.start(router);
                Client client = Client.connect(rig.port());
                Client other = Client.connect(rig.port())) {
            if (path.equals("/upload")) {
                client.post(path, "body");
            } else {
                client.ask(path);
            }
            if (path.equals("/abort")) {
                HttpRig.await(1L, () -> rig.counters().accepted() - 1);
                client.reset();
                HttpRig.await(1L, rig::open);
            } else {
                client.answer();
            }
            assertThat(seen).isFalse();
            assertThat(other.get("/look").body()).isEqualTo("looked");
            assertThat(seen).isFalse();
        }
    }

    /** Pipelined requests are answered in one call: the flag is cleared between them too. */
    @Test
    void anInterruptIsNotThePipelinedNextOnes() throws Exception {
        AtomicInteger interrupted = new AtomicInteger();
        Handler handler =
                (request, response) -> {
                    interrupted.addAndGet(Thread.currentThread().isInterrupted() ? 1 : 0);
                    Thread.currentThread().interrupt();
                    response.body("x");
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(20));
            for (int i = 0; i < 20; i++) {
                assertThat(client.answer().body()).isEqualTo("x");
            }
            assertThat(interrupted).hasValue(0);
        }
    }

    /** The head has gone with a flush: nothing can be taken back, and nothing goes twice. */
    @ParameterizedTest
    @ValueSource(strings = {"descriptor", "isWarm", "warm"})
    void aFileThatFailsBehindItsHeadEndsTheConnection(String call) throws Exception {
        for (int which : new int[] {0, 4, 5}) {
            Handler handler =
                    Router.builder()
                            .get("/fine", (request, response) -> response.body("fine"))
                            .get(
                                    "/file",
                                    (request, response) ->
                                            response.body(
                                                    new FileBody(new FailingFile(call, which)),
                                                    0,
                                                    100_000))
                            .build();
            try (HttpRig rig = HttpRig.reporting(handler, failure -> {}, ColdDisk::new);
                    Client client = Client.connect(rig.port())) {
                client.send(
                        "GET /fine HTTP/1.1\r\nHost: a\r\n\r\nGET /file HTTP/1.1\r\nHost:"
                                + " a\r\n\r\nGET /fine HTTP/1.1\r\nHost: a\r\n\r\n");
                assertThat(client.answer().body()).isEqualTo("fine");
                String rest = client.untilEndOrReset();
                assertThat(rest).doesNotContain("fine").doesNotContain(" 500 ");
                assertThat(HttpRig.await(0L, rig::open)).isZero();
            }
        }
    }

    /** What is told that its connection is lost may answer as it likes: it goes nowhere. */
    @Test
    void whatIsWrittenAtTheEndOfAConnectionGoesToNobody() throws Exception {
        AtomicReference<Response> open = new AtomicReference<>();
        StreamHandler handler =
                new StreamHandler() {
                    @Override
                    public void begin(Request request, Response response) {
                        open.set(response);
                        response.suspend().resume((same, sameResponse) -> fail(5));
                    }

                    @Override
                    public void piece(Request request, Response response, ByteView piece) {}

                    @Override
                    public void end(Request request, Response response) {}

                    @Override
                    public void aborted(Request request) {
                        open.get().status(Status.BAD_REQUEST).body("stray");
                    }
                };
        Router router =
                Router.builder()
                        .post("/upload", handler)
                        .get("/fine", (request, response) -> response.body("fine"))
                        .build();
        try (HttpRig rig = HttpRig.reporting(router, failure -> {}, Syscalls::new);
                Client beside = Client.connect(rig.port())) {
            for (int i = 0; i < 10; i++) {
                try (Client client = Client.connect(rig.port())) {
                    client.send(
                            "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc");
                    if (i % 2 == 0) {
                        client.reset();
                    } else {
                        client.untilEndOrReset();
                    }
                }
                assertThat(beside.get("/fine").body()).isEqualTo("fine");
            }
        }
    }

    /** The time for sending is over when all is sent: an upload has its own again. */
    @Test
    void anUploadThatPausesHasTheTimeOfABody() throws Exception {
        AtomicInteger aborts = new AtomicInteger();
        StreamHandler handler =
                new StreamHandler() {
                    @Override
                    public void begin(Request request, Response response) {
                        response.stream();
                        while (response.isWritable()) {
                            response.write(new byte[60_000]);
                        }
                    }

                    @Override
                    public void piece(Request request, Response response, ByteView piece) {}

                    @Override
                    public void end(Request request, Response response) {
                        response.end();
                    }

                    @Override
                    public void aborted(Request request) {
                        aborts.incrementAndGet();
                    }
                };
        Timeouts timeouts = Timeouts.builder().send(Duration.ofMillis(800)).build();
        try (HttpRig rig = HttpRig.start(Limits.defaults(), timeouts, handler);
                Client client = Client.connect(rig.port())) {
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na");
            client.head();
            // All of it, and then nothing for longer than sending may take.
            while (!client.isSilentFor(100)) {
                client.chunk();
            }
            Thread.sleep(1500);
            assertThat(aborts).hasValue(0);
            client.send("bc");
            String last = client.chunk();
            while (!last.isEmpty()) {
                last = client.chunk();
            }
            assertThat(rig.failures()).isEmpty();
        }
    }

    /** Memory of a request is given back when the server has ended: nothing may read it. */
    @Test
    void aRequestThatWasKeptSaysThatItIsOver() throws Exception {
        Request[] kept = new Request[1];
        Handler handler =
                (request, response) -> {
                    kept[0] = request;
                    response.body("x");
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            client.get("/path?query=1");
            assertThat(HttpRig.await(1L, () -> rig.counters().requests())).isEqualTo(1);
            assertThat(rig.ask(() -> true)).isTrue();
            assertOver(kept[0]);
        }
        assertOver(kept[0]);
    }

    private static void assertOver(Request request) {
        Map<String, Runnable> uses = new TreeMap<>();
        uses.put("header", () -> request.header(HeaderName.HOST));
        uses.put("headerName", () -> request.headerName(0));
        uses.put("headerValue", () -> request.headerValue(0));
        uses.put("headerCount", () -> request.headerCount());
        uses.put("path", () -> request.path());
        uses.put("pathStart", () -> request.pathStartAddress());
        uses.put("pathEnd", () -> request.pathEndAddress());
        uses.put("target", () -> request.target());
        uses.put("query", () -> request.query());
        uses.put("cookie", () -> request.cookie("name"));
        uses.put("parameter", () -> request.parameter("name"));
        uses.put("queryValue", () -> request.queryValue("query"));
        uses.put("formValue", () -> request.formValue("query"));
        uses.put("body", () -> request.body());
        uses.put("method", () -> request.method());
        uses.put("contentLength", () -> request.contentLength());
        uses.forEach(
                (name, use) -> {
                    IllegalStateException refusal = null;
                    try {
                        use.run();
                    } catch (IllegalStateException e) {
                        refusal = e;
                    }
                    assertThat(refusal).as(name).hasMessageContaining("stale request");
                });
    }
}
