package io.bareloop.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.ByteView;
import io.bareloop.http.Completion;
import io.bareloop.http.CompletionListener;
import io.bareloop.http.Cookie;
import io.bareloop.http.Fields;
import io.bareloop.http.Handler;
import io.bareloop.http.HeaderName;
import io.bareloop.http.MediaType;
import io.bareloop.http.Prepared;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Router;
import io.bareloop.http.Status;
import io.bareloop.http.StreamHandler;
import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.server.AccessLog;
import io.bareloop.server.CpuSet;
import io.bareloop.server.HttpServer;
import io.bareloop.server.Setting;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The loop allocates nothing per request, by the JVM's own count of the bytes its thread has
 * allocated. "Nothing" is 0 in one window of {@value #WINDOW} requests after warm-up: until C2 has
 * compiled the path, segments and views that it will remove are still objects, and it may take a
 * wrong guess back, so there are windows until one is clean.
 */
@Timeout(60)
class AllocationTest {
    private static final int WARM_UP = 40_000;
    private static final int WINDOW = 20_000;

    /** C2 may have to wait for a CPU of its own; windows are measured until it has come. */
    private static final long COMPILED_NANOS_MAX = 30_000_000_000L;

    private static final byte[] YES = {'y', 'e', 's'};
    private static final byte[] NO = {'n', 'o'};
    private static final byte[] EMPTY = {};

    private static final com.sun.management.ThreadMXBean THREADS =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** Where the handlers that do allocate put it, lest the compiler find that nobody looks. */
    private static volatile Object escaped;

    @ParameterizedTest
    @CsvSource({
        "GET,  /plaintext, 1",
        "GET,  /plaintext, 16",
        "GET,  /json,      1",
        "GET,  /json,      16",
        "HEAD, /json,      16",
        "POST, /json,      16",
        "GET,  /nowhere,   16",
    })
    void theDemoAllocatesNothing(String method, String path, int depth) throws IOException {
        assertThat(least(Demo::newApplication, Client.request(method, path), depth)).isZero();
    }

    @Test
    void requestsOfBrowsersAllocateNothing() throws IOException {
        String request =
                Client.request(
                        "GET",
                        "/plaintext?a=b",
                        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101",
                        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                        "Accept-Language: en-US,en;q=0.5",
                        "Accept-Encoding: gzip, deflate, br, zstd",
                        "Connection: keep-alive",
                        "Cookie: session=0123456789abcdef0123456789abcdef",
                        "Priority: u=0, i");
        assertThat(least(Demo::newApplication, request, 16)).isZero();
    }

    @ParameterizedTest
    @CsvSource({"GET, 1", "GET, 16", "HEAD, 16"})
    void preparedAllocatesNothing(String method, int depth) throws IOException {
        Prepared prepared = Prepared.text("Hello, World!");
        assertThat(least(() -> prepared, Client.request(method, "/"), depth)).isZero();
    }

    @Test
    void fieldsAllocateNothing() throws IOException {
        HeaderName name = HeaderName.of("X-Answer");
        Handler handler =
                (request, response) -> {
                    boolean mozilla =
                            request.header(HeaderName.USER_AGENT).indexOf((byte) 'M', 0) == 0;
                    response.header(name, mozilla ? "yes" : "no")
                            .header(HeaderName.VARY, "User-Agent")
                            .contentType(MediaType.TEXT)
                            .body(EMPTY);
                };
        String request = Client.request("GET", "/?q=1", "User-Agent: Mozilla/5.0");
        assertThat(least(() -> handler, request, 16)).isZero();
    }

    /** The kernel's address is asked for once, what a proxy says is read each time. */
    @Test
    void theClientAllocatesNothing() throws IOException {
        Handler handler =
                (request, response) ->
                        response.header(HeaderName.ORIGIN, request.client().text()).body(EMPTY);
        String request = Client.request("GET", "/", "X-Forwarded-For: 192.0.2.1, 127.0.0.2");
        assertThat(least(() -> handler, request, 16)).isZero();
    }

    /** What is told of requests is copied into what earlier ones were told in. */
    @ParameterizedTest
    @ValueSource(ints = {1, 16})
    void completionsAllocateNothing(int depth) throws IOException {
        Prepared prepared = Prepared.text("Hello, World!");
        String request = Client.request("GET", "/?a=b", "User-Agent: me", "X-Forwarded-For: ::1");
        byte[] batch = request.repeat(depth).getBytes(StandardCharsets.US_ASCII);
        long[] sum = {0};
        CompletionListener listener =
                new CompletionListener() {
                    @Override
                    public void completed(Completion it) {
                        sum[0] += it.target().length() + it.status() + it.bodyBytes();
                        sum[0] += it.client().length() + it.header(HeaderName.USER_AGENT).length();
                        sum[0] += it.header(HeaderName.REFERER) == null ? 1 : 0;
                    }

                    @Override
                    public List<HeaderName> fields() {
                        return List.of(HeaderName.USER_AGENT, HeaderName.REFERER);
                    }
                };
        try (HttpServer server = builder(() -> prepared).onCompletion(listener).start();
                Client client = Client.connect(server.port())) {
            int length = lengthOfReply(client, request) * depth;
            assertThat(
                            least(
                                    WINDOW,
                                    depth,
                                    0,
                                    () -> {
                                        client.send(batch);
                                        client.skip(length);
                                    }))
                    .isZero();
        }
        assertThat(sum[0]).isPositive();
    }

    @ParameterizedTest
    @EnumSource
    void theAccessLogAllocatesNothing(AccessLog.Format format, @TempDir Path directory)
            throws IOException {
        AccessLog log = AccessLog.file(directory.resolve("access.log"), format);
        Prepared prepared = Prepared.text("Hello, World!");
        String request = Client.request("GET", "/?a=b", "User-Agent: me");
        byte[] batch = request.repeat(16).getBytes(StandardCharsets.US_ASCII);
        try (HttpServer server = builder(() -> prepared).accessLog(log).start();
                Client client = Client.connect(server.port())) {
            int length = lengthOfReply(client, request) * 16;
            assertThat(
                            least(
                                    WINDOW,
                                    16,
                                    0,
                                    () -> {
                                        client.send(batch);
                                        client.skip(length);
                                    }))
                    .isZero();
        }
    }

    @Test
    void requestBodiesAllocateNothing() throws IOException {
        Handler handler =
                (request, response) ->
                        response.body(request.body().contentEquals("0123456789") ? YES : EMPTY);
        String request = Client.request("POST", "/", "Content-Length: 10") + "0123456789";
        assertThat(least(() -> handler, request, 16)).isZero();
    }

    /** Also where it adds a field that is put together for each response, and to errors. */
    @ParameterizedTest
    @CsvSource({"/users/7, text/html", "/prepared, text/html", "/nowhere, text/html", "/no, */*"})
    void filtersAllocateNothing(String path, String accept) throws IOException {
        Fields constant = Fields.NONE.with(HeaderName.of("X-Frame-Options"), "DENY");
        HeaderName tag = HeaderName.of("X-Tag");
        Supplier<Handler> handlers =
                () ->
                        Router.builder()
                                .filter((request, response) -> response.always(constant))
                                .filter((request, response) -> response.always(tag, "yes"))
                                .get("/users/{id}", (request, response) -> response.body(NO))
                                .get("/prepared", Prepared.text("p"))
                                .build();
        String request = Client.request("GET", path, "Accept: " + accept);
        assertThat(least(handlers, request, 16)).isZero();
    }

    /** A body that is presented in pieces, and one that is not there. */
    @ParameterizedTest
    @CsvSource({"10, 1", "10, 16", "0, 16"})
    void handlersOfPiecesAllocateNothing(int length, int depth) throws IOException {
        StreamHandler handler =
                new StreamHandler() {
                    @Override
                    public void begin(Request request, Response response) {}

                    @Override
                    public void piece(Request request, Response response, ByteView piece) {}

                    @Override
                    public void end(Request request, Response response) {
                        response.body(YES);
                    }
                };
        String request =
                Client.request("POST", "/", "Content-Length: " + length) + "0".repeat(length);
        assertThat(least(() -> handler, request, depth)).isZero();
    }

    /** What does not fit the loop's buffer waits as a reference, not as a copy. */
    @Test
    void routesWithParametersAllocateNothing() throws IOException {
        Supplier<Handler> handlers =
                () ->
                        Router.builder()
                                .get("/users/{id}/posts", (request, response) -> response.body(NO))
                                .get(
                                        "/users/{id}",
                                        (request, response) -> {
                                            ByteView full = request.queryValue("full");
                                            response.contentType(MediaType.TEXT)
                                                    .body(
                                                            full.contentEquals("A b")
                                                                    ? request.parameter("id")
                                                                    : full);
                                        })
                                .build();
        String request = Client.request("GET", "/users/1234?x=1&full=%41%20b");
        assertThat(least(handlers, request, 16)).isZero();
    }

    @Test
    void decodedParametersAllocateNothing() throws IOException {
        Supplier<Handler> handlers =
                () ->
                        Router.builder()
                                .get(
                                        "/{name}/{id}",
                                        (request, response) -> {
                                            long sum =
                                                    request.intParameter("id")
                                                            + request.queryLong("n")
                                                            + request.queryInt("none", 1);
                                            response.body(
                                                    sum == 0
                                                            ? request.parameter("name")
                                                            : request.rawParameter("name"));
                                        })
                                .build();
        String request = Client.request("GET", "/gr%C3%BC%C3%9Fe+a/%2D43?n=%34%32");
        assertThat(least(handlers, request, 16)).isZero();
    }

    @Test
    void cookiesAllocateNothing() throws IOException {
        Cookie cookie = Cookie.builder("seen", "1").path("/").httpOnly().build();
        Handler handler =
                (request, response) -> {
                    boolean known = request.cookie("session").contentEquals("abc");
                    response.cookie(cookie).cookie(cookie);
                    response.body(known && request.cookie("none") == null ? YES : NO);
                };
        String request =
                Client.request("GET", "/", "Cookie: a=b; broken; session=\"abc\"", "Cookie: c=d");
        assertThat(least(() -> handler, request, 16)).isZero();
    }

    @Test
    void redirectsAllocateNothing() throws IOException {
        Handler handler =
                (request, response) -> response.redirect(Status.SEE_OTHER, "/users/7?full=1#top");
        assertThat(least(() -> handler, Client.request("GET", "/"), 16)).isZero();
    }

    @Test
    void earlyHintsAllocateNothing() throws IOException {
        Fields hint = Fields.NONE.with(HeaderName.of("Link"), "</a.css>; rel=preload; as=style");
        Handler handler = (request, response) -> response.earlyHints(hint).body(YES);
        byte[] batch = Client.request("GET", "/").repeat(4).getBytes(StandardCharsets.US_ASCII);
        try (HttpServer server = start(() -> handler);
                Client client = Client.connect(server.port())) {
            int length = 4 * (lengthOfReply(client, Client.request("GET", "/")) + rest(client));
            assertThat(
                            least(
                                    WINDOW,
                                    4,
                                    0,
                                    () -> {
                                        client.send(batch);
                                        client.skip(length);
                                    }))
                    .isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 8})
    void anEchoAllocatesNothing(int depth) throws IOException {
        String request = Client.request("POST", "/echo", "Content-Length: 1024") + "x".repeat(1024);
        assertThat(least(Demo::newApplication, request, depth)).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 8})
    void aChunkedEchoAllocatesNothing(int depth) throws IOException {
        String request =
                Client.request("POST", "/echo", "Transfer-Encoding: chunked")
                        + ("200\r\n" + "x".repeat(512) + "\r\n").repeat(2)
                        + "0\r\n\r\n";
        assertThat(leastChunked(Demo::newApplication, request, depth)).isZero();
    }

    @Test
    void aStreamedResponseAllocatesNothing() throws IOException {
        Handler handler =
                (request, response) -> {
                    response.contentType(MediaType.TEXT).stream().write(YES);
                    response.write(EMPTY);
                    response.write(YES);
                    response.end();
                };
        assertThat(leastChunked(() -> handler, Client.request("GET", "/"), 16)).isZero();
    }

    @Test
    void theArenaEndpointsAllocateNothing() throws IOException {
        String get = Client.request("GET", "/baseline11?a=13&b=42");
        assertThat(least(Demo::newApplication, get, 16)).isZero();
        String post = Client.request("POST", "/baseline11?a=13&b=42", "Content-Length: 2") + "20";
        assertThat(least(Demo::newApplication, post, 16)).isZero();
        assertThat(least(Demo::newApplication, Client.request("GET", "/pipeline"), 16)).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {64 << 10, 100 << 10, 1 << 20})
    void largeBodiesAllocateNothing(int size) throws IOException {
        MemorySegment body = Arena.ofAuto().allocate(size);
        Handler handler = (request, response) -> response.body(body, 0, size);
        int share = size > 1 << 18 ? 20 : 10;
        assertThat(least(() -> handler, Client.request("GET", "/"), 1, share, 0)).isZero();
        byte[] array = new byte[size];
        Handler ofArray = (request, response) -> response.body(array);
        assertThat(least(() -> ofArray, Client.request("GET", "/"), 1, share, 0)).isZero();
        Prepared prepared = Prepared.of(Status.OK, MediaType.OCTETS, array);
        assertThat(least(() -> prepared, Client.request("GET", "/"), 1, share, 0)).isZero();
    }

    /** The incomplete request moves to the slab, and its slice is used again. */
    @Test
    void requestsInPiecesAllocateNothing() throws IOException {
        Prepared prepared = Prepared.text("Hello, World!");
        String request = Client.request("GET", "/");
        try (HttpServer server = start(() -> prepared);
                Client client = Client.connect(server.port())) {
            int length = lengthOfReply(client, request);
            byte[] first = request.substring(0, 10).getBytes(StandardCharsets.US_ASCII);
            // The rest of one with the beginning of the next: each turn keeps some bytes.
            byte[] second =
                    (request.substring(10) + request.substring(0, 10))
                            .getBytes(StandardCharsets.US_ASCII);
            client.send(first);
            assertThat(
                            least(
                                    WINDOW,
                                    1,
                                    0,
                                    () -> {
                                        client.send(second);
                                        client.skip(length);
                                    }))
                    .isZero();
        }
    }

    /** The slots of connections that have closed are used again, with all that belongs to them. */
    @Test
    void connectionsAllocateNothing() throws IOException {
        byte[] request =
                Client.request("GET", "/json", "Connection: close")
                        .getBytes(StandardCharsets.US_ASCII);
        Handler handler =
                (asked, response) ->
                        response.header(HeaderName.ORIGIN, asked.client().text()).body(EMPTY);
        try (HttpServer server = start(() -> handler)) {
            assertThat(
                            least(
                                    3_000,
                                    1,
                                    0,
                                    () -> {
                                        try (Client client = Client.connect(server.port())) {
                                            client.send(request);
                                            while (client.read() >= 0) {}
                                        }
                                    }))
                    .isZero();
        }
    }

    /** The test of the tests: one object per request is seen, and so is one in a hundred. */
    @ParameterizedTest
    @CsvSource({"1", "100"})
    void oneObjectIsSeen(int every) throws IOException {
        byte[] body = {'x'};
        Supplier<Handler> handlers =
                () ->
                        new Handler() {
                            private int requests;

                            @Override
                            public void handle(Request request, Response response) {
                                if (++requests % every == 0) {
                                    escaped = new Object();
                                }
                                response.body(body);
                            }
                        };
        // The smallest object there is: 8 bytes with compact headers, 16 without.
        long fewest = 8L * WINDOW / every;
        long most = 16L * WINDOW / every;
        long allocated = least(handlers, Client.request("GET", "/"), 16, 1, most);
        assertThat(allocated).isBetween(fewest, most);
        assertThat(escaped).isNotNull();
    }

    private static long least(Supplier<Handler> handlers, String request, int depth)
            throws IOException {
        return least(handlers, request, depth, 1, 0);
    }

    /** Serves {@code request} by a server of its own, with {@code depth} of them in flight. */
    private static long least(
            Supplier<Handler> handlers, String request, int depth, int share, long enough)
            throws IOException {
        byte[] batch = request.repeat(depth).getBytes(StandardCharsets.US_ASCII);
        try (HttpServer server = start(handlers);
                Client client = Client.connect(server.port())) {
            int length = lengthOfReply(client, request) * depth;
            return least(
                    WINDOW / share,
                    depth,
                    enough,
                    () -> {
                        client.send(batch);
                        client.skip(length);
                    });
        }
    }

    /** As {@link #least}, where the response is chunked. */
    private static long leastChunked(Supplier<Handler> handlers, String request, int depth)
            throws IOException {
        byte[] batch = request.repeat(depth).getBytes(StandardCharsets.US_ASCII);
        try (HttpServer server = start(handlers);
                Client client = Client.connect(server.port())) {
            client.send(request);
            StringBuilder reply = new StringBuilder();
            while (reply.indexOf("\r\n0\r\n\r\n") < 0) {
                reply.append((char) client.read());
            }
            int length = reply.length() * depth;
            return least(
                    WINDOW,
                    depth,
                    0,
                    () -> {
                        client.send(batch);
                        client.skip(length);
                    });
        }
    }

    /** All replies have the same length: the date has a fixed one. */
    private static int lengthOfReply(Client client, String request) throws IOException {
        client.send(request);
        return length(request.startsWith("HEAD") ? client.answerToHead() : client.answer());
    }

    /** Of what has been asked for already. */
    private static int rest(Client client) throws IOException {
        return length(client.answer());
    }

    private static int length(Answer reply) {
        assertThat(reply.status()).isLessThan(500);
        int length = reply.statusLine().length() + 2 + reply.body().length() + 2;
        for (String field : reply.fields()) {
            length += field.length() + 2;
        }
        return length;
    }

    /** One batch of requests and their responses. */
    private interface Exchange {
        void run() throws IOException;
    }

    /**
     * The least that a window of requests made the loop's thread allocate, in bytes; the last one
     * is the first with no more than {@code enough}.
     */
    private static long least(int window, int depth, long enough, Exchange exchange)
            throws IOException {
        long loop = loopThread();
        for (int i = 0; i < WARM_UP / WINDOW * window; i += depth) {
            exchange.run();
        }
        long least = Long.MAX_VALUE;
        long deadline = System.nanoTime() + COMPILED_NANOS_MAX;
        while (least > enough && System.nanoTime() - deadline < 0) {
            long before = THREADS.getThreadAllocatedBytes(loop);
            for (int done = 0; done < window; done += depth) {
                exchange.run();
            }
            long allocated = THREADS.getThreadAllocatedBytes(loop) - before;
            assertThat(before).isPositive();
            least = Math.min(least, allocated);
        }
        return least;
    }

    private static long loopThread() {
        List<Long> loops = new ArrayList<>();
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().equals("bareloop-0")) {
                loops.add(thread.threadId());
            }
        }
        assertThat(loops).hasSize(1);
        return loops.get(0);
    }

    private static HttpServer start(Supplier<Handler> handlers) throws IOException {
        return builder(handlers).start();
    }

    private static HttpServer.Builder builder(Supplier<Handler> handlers) {
        return HttpServer.builder()
                .listen("127.0.0.1", 0)
                .cpus(CpuSet.unpinned(1))
                .busyPoll(Setting.OFF)
                .trustedProxies("127.0.0.0/8")
                .handlerPerLoop(handlers);
    }
}
