package io.bareloop.server;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import io.bareloop.http.Handler;
import io.bareloop.http.MediaType;
import io.bareloop.http.Timeouts;
import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.SocketException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.ToLongFunction;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The server as its users see it: how it starts, serves, and ends without leaving a trace. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HttpServerTest {
    private static final Handler HELLO = (request, response) -> response.body("hello\n");

    private final List<HttpServer> servers = new ArrayList<>();
    private final List<Client> clients = new ArrayList<>();
    private final List<String> log = new CopyOnWriteArrayList<>();
    private final ExecutorService others = Executors.newCachedThreadPool();

    private Set<String> descriptorsBefore;

    /** The first socket of a JVM makes another, which stays. */
    @BeforeAll
    static void openASocket() throws IOException {
        try (ServerSocket any = new ServerSocket(0);
                Client client = Client.connect(any.getLocalPort())) {
            assertThat(client.isSilentFor(1)).isTrue();
        }
    }

    @BeforeEach
    void countDescriptors() throws IOException {
        descriptorsBefore = descriptors();
    }

    /** Every test is one of this, too: a server that has ended has left nothing. */
    @AfterEach
    void closeAllAndFindNothingLeft() throws Exception {
        others.shutdownNow();
        assertThat(others.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
        for (Client client : clients) {
            client.close();
        }
        for (HttpServer server : servers) {
            // Bounded, for a close that hangs cannot be interrupted.
            Thread closing = new Thread(server::close);
            closing.setDaemon(true);
            closing.start();
            closing.join(10_000);
            assertThat(closing.isAlive()).isFalse();
        }
        assertThat(loopThreads()).isEmpty();
        assertThat(newDescriptors()).isEmpty();
    }

    // ---- starting

    /** The example of the class comment. */
    @Test
    void servesTheExample() throws Exception {
        HttpServer server =
                HttpServer.builder()
                        .listen("127.0.0.1", 0)
                        .handler((request, response) -> response.body("hello\n"))
                        .start();
        servers.add(server);
        Future<?> waiting = others.submit(awaitTermination(server));
        Answer reply = connect(server).get("/");
        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.body()).isEqualTo("hello\n");
        assertThat(waiting.isDone()).isFalse();
        server.close();
        waiting.get(5, TimeUnit.SECONDS);
    }

    @Test
    void tellsWhereItListens() throws IOException {
        HttpServer server = start(builder());
        int port = server.port();
        assertThat(port).isPositive();
        assertThat(server.address())
                .isEqualTo(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port));
        assertThat(server.origin()).isEqualTo("http://127.0.0.1:" + port);

        HttpServer other = start(builder().listen("0.0.0.0", 0));
        assertThat(other.port()).isNotEqualTo(port);
        assertThat(other.origin()).isEqualTo("http://0.0.0.0:" + other.port());
        assertThat(connect(other).get("/").status()).isEqualTo(200);

        HttpServer named = start(builder().listen("localhost", 0));
        assertThat(named.address().getAddress().isLoopbackAddress()).isTrue();
    }

    @Test
    void listensOnThePortItIsGiven() throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        HttpServer server = start(builder().listen("127.0.0.1", port).cpus(CpuSet.unpinned(2)));
        assertThat(server.port()).isEqualTo(port);
        assertThat(connect(server).get("/").status()).isEqualTo(200);
        server.close();
        // At once again, although connections of the first server are in TIME_WAIT.
        HttpServer next = start(builder().listen("127.0.0.1", port));
        assertThat(connect(next).get("/").status()).isEqualTo(200);
    }

    @Test
    void servesIpv6() throws IOException {
        InetAddress loopback = InetAddress.ofLiteral("::1");
        try {
            new ServerSocket(0, 1, loopback).close();
        } catch (IOException e) {
            Assumptions.abort("no IPv6 here: " + e);
        }
        HttpServer server = start(builder().listen("::1", 0));
        assertThat(server.origin()).endsWith("]:" + server.port()).startsWith("http://[");
        assertThat(connect(loopback, server).get("/").status()).isEqualTo(200);

        HttpServer any = start(builder().listen("::", 0));
        assertThat(connect(loopback, any).get("/").status()).isEqualTo(200);
        assertThat(connect(any).get("/").status()).isEqualTo(200);
    }

    @Test
    void pinsOneThreadToEachCpu() throws IOException {
        HttpServer server = start(builder().cpus(CpuSet.allowed()));
        assertThat(server.cpus()).isEqualTo(CpuSet.allowed());
        List<String> expected = new ArrayList<>();
        int[] cpus = CpuSet.allowed().toArray();
        for (int i = 0; i < cpus.length; i++) {
            expected.add("bareloop-" + i + " on " + cpus[i]);
            assertThat(server.stats().get(i).cpu()).isEqualTo(cpus[i]);
            assertThat(server.stats().get(i).loop()).isEqualTo(i);
        }
        assertThat(threadsAndCpus()).containsExactlyInAnyOrderElementsOf(expected);
    }

    @Test
    void usesAllCpusUnlessToldOtherwise() throws IOException {
        HttpServer server =
                HttpServer.builder().listen("127.0.0.1", 0).handler(HELLO).log(log::add).start();
        servers.add(server);
        assertThat(server.cpus()).isEqualTo(CpuSet.allowed());
        assertThat(loopThreads()).hasSize(CpuSet.allowed().size());
    }

    @Test
    void unpinnedThreadsMayRunAnywhere() throws IOException {
        HttpServer server = start(builder().cpus(CpuSet.unpinned(3)));
        String all = CpuSet.allowed().toString();
        assertThat(threadsAndCpus())
                .containsExactlyInAnyOrder(
                        "bareloop-0 on " + all, "bareloop-1 on " + all, "bareloop-2 on " + all);
        assertThat(server.stats()).extracting(LoopStats::cpu).containsExactly(-1, -1, -1);
        assertThat(server.featuresTaken()).noneMatch(line -> line.contains("CBPF"));
    }

    @Test
    void steeringNeedsPinnedLoops() {
        HttpServer.Builder builder =
                builder().cpus(CpuSet.unpinned(2)).handler(HELLO).steering(Setting.ON);
        assertThatThrownBy(builder::start)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("pinned");
    }

    @Test
    void refusesWhatIsNoHandlerOrHost() {
        HttpServer.Builder builder = HttpServer.builder();
        assertThatThrownBy(() -> builder.handler(null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> builder.listen("", 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("host");
        builder.listen("127.0.0.1", 0).handlerPerLoop(() -> null);
        assertThatThrownBy(builder::start).hasMessageContaining("returned null");
    }

    @Test
    void aLogThatFailsEndsNothing() throws Exception {
        HttpServer server =
                start(
                        builder()
                                .log(
                                        line -> {
                                            throw new IllegalStateException("full: " + line);
                                        })
                                .handler(
                                        (request, response) -> {
                                            throw new IllegalStateException("on purpose");
                                        }));
        for (int i = 0; i < 2; i++) {
            assertThat(connect(server).get("/").status()).isEqualTo(500);
        }
    }

    /** Whatever this kernel grants: each feature asked for is either taken or refused. */
    @Test
    void tellsWhichFeaturesTook() throws IOException {
        Assumptions.assumeTrue(CpuSet.allowed().size() > 1);
        HttpServer server =
                start(
                        builder()
                                .cpus(CpuSet.allowed())
                                .steering(Setting.AUTO)
                                .busyPoll(Setting.AUTO));
        for (String feature :
                List.of("SO_ATTACH_REUSEPORT_CBPF", "SO_BUSY_POLL 50 us", "io_uring")) {
            assertThat(server.featuresTaken().contains(feature))
                    .as(feature)
                    .isNotEqualTo(
                            server.featuresRefused().stream()
                                    .anyMatch(line -> line.startsWith(feature + ": ")));
        }
        assertThat(log).containsExactlyElementsOf(server.featuresRefused());

        HttpServer without =
                start(
                        builder()
                                .cpus(CpuSet.allowed())
                                .steering(Setting.OFF)
                                .busyPoll(Setting.OFF)
                                .ioUring(Setting.OFF));
        assertThat(without.featuresTaken()).isEmpty();
        assertThat(without.featuresRefused()).isEmpty();
    }

    @Test
    void makesOneHandlerForEachLoop() throws Exception {
        AtomicInteger made = new AtomicInteger();
        Set<String> pairs = new TreeSet<>();
        HttpServer server =
                start(
                        builder()
                                .cpus(CpuSet.unpinned(3))
                                .handlerPerLoop(
                                        () -> {
                                            int number = made.getAndIncrement();
                                            return (request, response) ->
                                                    response.body(
                                                            Thread.currentThread().getName()
                                                                    + " has "
                                                                    + number);
                                        }));
        assertThat(made).hasValue(3);
        for (int i = 0; i < 30; i++) {
            pairs.add(connect(server).get("/").body());
        }
        // Whichever loops the hash has chosen: each has one handler, and no two have the same.
        assertThat(made).hasValue(3);
        assertThat(pairs)
                .extracting(pair -> pair.replaceAll(" has .*", ""))
                .doesNotHaveDuplicates();
        assertThat(pairs)
                .extracting(pair -> pair.replaceAll(".* has ", ""))
                .doesNotHaveDuplicates();
    }

    @Test
    void refusesValuesOutOfRange() {
        HttpServer.Builder builder = HttpServer.builder();
        assertRefused(() -> builder.listen("127.0.0.1", -1), "port is -1; it must be 0 to 65535");
        assertRefused(
                () -> builder.listen("127.0.0.1", 65_536), "port is 65536; it must be 0 to 65535");
        assertRefused(() -> builder.backlog(0), "backlog is 0; it must be 1 to 65535");
        assertRefused(() -> builder.backlog(65_536), "backlog is 65536; it must be 1 to 65535");
        assertRefused(() -> builder.connectionsMax(0), "connections is 0; it must be 1 to 1048576");
        assertRefused(
                () -> builder.connectionsMax((1 << 20) + 1),
                "connections is 1048577; it must be 1 to 1048576");
        assertRefused(
                () -> builder.busyPollMicros(0),
                "busy-poll microseconds is 0; it must be 1 to 1000");
        assertRefused(
                () -> builder.busyPollMicros(1001),
                "busy-poll microseconds is 1001; it must be 1 to 1000");
        assertRefused(() -> builder.congestion(""), "not a congestion control: \"\"");
        assertRefused(
                () -> builder.congestion("sixteen_letters_"),
                "not a congestion control: \"sixteen_letters_\"");
    }

    // ---- not starting; that nothing is left of it is seen at the end of each test

    @Test
    void doesNotStartWithoutAHandler() {
        assertThatThrownBy(() -> HttpServer.builder().listen("127.0.0.1", 0).start())
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("no handler: call handler(...) before start()");
    }

    @Test
    void doesNotStartWhereTheHostIsUnknown() {
        assertThatThrownBy(() -> start(builder().listen("no-such-host.invalid", 0)))
                .isInstanceOf(IOException.class)
                .hasMessage("no such host: no-such-host.invalid");
        assertNothingLeft();
    }

    @Test
    void doesNotStartOnAnAddressOfAnotherMachine() {
        // TEST-NET-1 of RFC 5737: nobody's.
        assertThatThrownBy(() -> start(builder().listen("192.0.2.1", 0)))
                .isInstanceOf(BindException.class)
                .hasMessageContaining("192.0.2.1:0")
                .hasMessageContaining("EADDRNOTAVAIL")
                .hasMessageContaining("no interface of this machine");
        assertNothingLeft();
    }

    @Test
    void doesNotStartOnAPortInUse() throws IOException {
        for (int loops : new int[] {1, 2}) {
            try (ServerSocket other = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
                int port = other.getLocalPort();
                assertThatThrownBy(
                                () ->
                                        start(
                                                builder()
                                                        .cpus(CpuSet.unpinned(loops))
                                                        .listen("127.0.0.1", port)))
                        .isInstanceOf(BindException.class)
                        .hasMessageContaining("127.0.0.1:" + port)
                        .hasMessageContaining("EADDRINUSE")
                        .hasMessageContaining("another process listens there");
            }
            assertNothingLeft();
        }
    }

    /** SO_REUSEPORT alone would let it, and it would take half of the other's connections. */
    @Test
    void doesNotJoinAnotherServersGroup() throws IOException {
        for (int loops : new int[] {1, 2}) {
            HttpServer first = start(builder().cpus(CpuSet.unpinned(2)));
            int port = first.port();
            assertThatThrownBy(
                            () ->
                                    start(
                                            builder()
                                                    .cpus(CpuSet.unpinned(loops))
                                                    .listen("127.0.0.1", port)))
                    .isInstanceOf(BindException.class);
            for (int i = 0; i < 10; i++) {
                assertThat(connect(first).get("/").body()).isEqualTo("hello\n");
            }
        }
    }

    @Test
    void doesNotStartWhereAHandlerCannotBeMade() {
        for (int good : new int[] {0, 1}) {
            AtomicInteger made = new AtomicInteger();
            assertThatThrownBy(
                            () ->
                                    start(
                                            builder()
                                                    .cpus(CpuSet.unpinned(3))
                                                    .handlerPerLoop(
                                                            () -> {
                                                                if (made.getAndIncrement()
                                                                        == good) {
                                                                    throw new SecurityException(
                                                                            "on purpose");
                                                                }
                                                                return HELLO;
                                                            })))
                    .isInstanceOf(SecurityException.class)
                    .hasMessage("on purpose");
            assertNothingLeft();
        }
    }

    @Test
    void doesNotStartWithoutAFeatureThatMustBeOn() {
        assertThatThrownBy(() -> start(builder().congestion("no_such_thing")))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageStartingWith("TCP_CONGESTION no_such_thing: ENOENT")
                .hasMessageContaining("net.ipv4.tcp_available_congestion_control");
        assertNothingLeft();
    }

    @Test
    void startsAfterAFailure() throws IOException {
        HttpServer.Builder builder = builder().listen("192.0.2.1", 0);
        assertThatThrownBy(builder::start).isInstanceOf(BindException.class);
        HttpServer server = start(builder.listen("127.0.0.1", 0));
        assertThat(connect(server).get("/").status()).isEqualTo(200);
    }

    // ---- handlers that fail

    @Test
    void anExceptionBecomesA500() throws IOException {
        HttpServer server =
                serve(
                        (request, response) -> {
                            if (request.path().contentEquals("/bad")) {
                                response.contentType(MediaType.JSON);
                                throw new IOException("on purpose");
                            }
                            response.body("good");
                        });
        Client client = connect(server);
        // The responses before it are not lost, those after it are never given.
        client.send(
                Client.request("GET", "/good")
                        + Client.request("GET", "/bad")
                        + Client.request("GET", "/good"));
        assertThat(client.answer().body()).isEqualTo("good");
        Answer reply = client.answer();
        assertThat(reply.statusLine()).isEqualTo("HTTP/1.1 500 Internal Server Error");
        assertThat(reply.field("Connection")).isEqualTo("close");
        assertThat(reply.field("Content-Type")).isEqualTo("text/plain; charset=utf-8");
        assertThat(reply.body()).isEqualTo("500 Internal Server Error\n");
        assertThat(client.untilEnd()).isEmpty();
        assertThat(log)
                .singleElement(STRING)
                .startsWith("GET /bad failed: java.io.IOException: on purpose\n\tat io.bareloop.");

        assertThat(connect(server).get("/good").body()).isEqualTo("good");
        assertThat(total(server, LoopStats::errors)).isEqualTo(1);
        assertThat(total(server, LoopStats::requests)).isEqualTo(3);
    }

    @Test
    void anExceptionAfterTheBodyTakesItBack() throws IOException {
        HttpServer server =
                serve(
                        (request, response) -> {
                            response.body("all of it");
                            throw new IllegalStateException("on purpose");
                        });
        Client client = connect(server);
        Answer reply = client.get("/");
        assertThat(reply.status()).isEqualTo(500);
        assertThat(reply.body()).doesNotContain("all of it");
        assertThat(client.untilEnd()).isEmpty();
    }

    /** What has been sent cannot be taken back. */
    @Test
    void anExceptionAfterBytesWereSentEndsTheConnection() throws IOException {
        byte[] body = new byte[20 << 20];
        HttpServer server =
                serve(
                        (request, response) -> {
                            response.body(body);
                            throw new IllegalStateException("on purpose");
                        });
        Client client = connect(server);
        client.send(Client.request("GET", "/"));
        String all = client.untilEnd();
        assertThat(all).startsWith("HTTP/1.1 200 OK\r\n").doesNotContain("HTTP/1.1 500");
        assertThat(log)
                .singleElement(STRING)
                .startsWith("GET / failed: java.lang.IllegalStateException: on purpose\n\tat ");
    }

    /** Closing on unread bytes would reset the connection, and take the 500 along. */
    @Test
    void aClientThatIsStillSendingReadsThe500() throws IOException {
        HttpServer server =
                serve(
                        (request, response) -> {
                            throw new IOException("on purpose");
                        });
        String requests = Client.request("GET", "/").repeat(5000);
        for (int round = 0; round < 20; round++) {
            Client client = connect(server).send(requests);
            assertThat(client.answer().status()).isEqualTo(500);
            assertThat(client.untilEnd()).isEmpty();
        }
    }

    @Test
    void noResponseIsA500() throws IOException {
        HttpServer server = serve((request, response) -> {});
        Client client = connect(server);
        Answer reply = client.get("/");
        assertThat(reply.status()).isEqualTo(500);
        assertThat(reply.field("Connection")).isEqualTo("close");
        assertThat(client.untilEnd()).isEmpty();
        assertThat(log)
                .singleElement(STRING)
                .startsWith(
                        "GET / failed: java.lang.IllegalStateException: the handler returned"
                                + " without a response");
    }

    // ---- closing

    @Test
    void closeEndsEverything() throws Exception {
        HttpServer server = start(builder().cpus(CpuSet.unpinned(2)));
        Client idle = connect(server);
        assertThat(idle.get("/").status()).isEqualTo(200);
        Client fresh = connect(server);
        Client half = connect(server).send("GET / HTTP/1.1\r\nHo");
        assertThat(loopThreads()).hasSize(2);
        server.close();
        assertThat(loopThreads()).isEmpty();
        assertThat(idle.untilEnd()).isEmpty();
        assertThat(endOrReset(fresh)).isTrue();
        assertThat(endOrReset(half)).isTrue();
        assertThatThrownBy(() -> connect(server)).isInstanceOf(ConnectException.class);
        server.awaitTermination();
        closeClients();
        assertNothingLeft();
    }

    @Test
    void closeMayBeCalledAgain() throws Exception {
        HttpServer server = start(builder().cpus(CpuSet.unpinned(2)));
        assertThat(connect(server).get("/").status()).isEqualTo(200);
        server.close();
        closeClients();
        // Descriptors of another, which now have the numbers of the first: not to be touched.
        HttpServer other = start(builder().cpus(CpuSet.unpinned(2)));
        server.close();
        server.close();
        assertThat(server.drain(Duration.ofSeconds(1))).isTrue();
        server.awaitTermination();
        for (int i = 0; i < 10; i++) {
            assertThat(connect(other).get("/").status()).isEqualTo(200);
        }
        // What it has been stays to be read.
        assertThat(server.stats()).hasSize(2);
        assertThat(total(server, LoopStats::requests)).isEqualTo(1);
        assertThat(server.port()).isPositive();
    }

    @Test
    void closeMayBeCalledByManyAtOnce() throws Exception {
        for (int round = 0; round < 10; round++) {
            HttpServer server = start(builder().cpus(CpuSet.unpinned(2)));
            CountDownLatch go = new CountDownLatch(1);
            List<Future<?>> closing = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                boolean drains = i == 0 && round < 2;
                closing.add(
                        others.submit(
                                () -> {
                                    go.await();
                                    if (drains) {
                                        assertThat(server.drain(Duration.ofSeconds(5))).isTrue();
                                    }
                                    server.close();
                                    return null;
                                }));
            }
            go.countDown();
            for (Future<?> one : closing) {
                one.get(10, TimeUnit.SECONDS);
            }
            assertNothingLeft();
        }
    }

    @Test
    void aHandlerMayEndItsServer() throws Exception {
        AtomicReference<HttpServer> self = new AtomicReference<>();
        HttpServer server =
                start(
                        builder()
                                .cpus(CpuSet.unpinned(2))
                                .handler(
                                        (request, response) -> {
                                            self.get().close();
                                            response.body("bye");
                                        }));
        self.set(server);
        Client client = connect(server);
        assertThat(client.get("/").body()).isEqualTo("bye");
        server.awaitTermination();
        assertThat(client.untilEnd()).isEmpty();
        server.close();
        closeClients();
        assertNothingLeft();
    }

    @Test
    void theInterruptOfACloserIsNotLost() throws Exception {
        CountDownLatch blocked = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        HttpServer server =
                serve(
                        (request, response) -> {
                            blocked.countDown();
                            release.await();
                            response.body("late");
                        });
        connect(server).send(Client.request("GET", "/"));
        blocked.await();
        Future<Boolean> interrupted =
                others.submit(
                        () -> {
                            Thread.currentThread().interrupt();
                            server.close();
                            return Thread.interrupted();
                        });
        // Nor does it end the wait: close returns when all is closed.
        Thread.sleep(100);
        assertThat(interrupted.isDone()).isFalse();
        release.countDown();
        assertThat(interrupted.get(5, TimeUnit.SECONDS)).isTrue();
        closeClients();
        assertNothingLeft();
    }

    // ---- draining

    @Test
    void drainEndsIdleConnectionsAtOnce() throws Exception {
        HttpServer server = start(builder().cpus(CpuSet.unpinned(2)));
        List<Client> idle = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            idle.add(connect(server));
            assertThat(idle.get(i).get("/").status()).isEqualTo(200);
        }
        long start = System.nanoTime();
        assertThat(server.drain(Duration.ofSeconds(10))).isTrue();
        assertThat(System.nanoTime() - start).isLessThan(2_000_000_000L);
        for (Client client : idle) {
            assertThat(client.untilEnd()).isEmpty();
        }
        closeClients();
        assertNothingLeft();
    }

    @Test
    void drainFinishesWhatIsInFlight() throws Exception {
        HttpServer server = start(builder());
        String head = "GET /slow HTTP/1.1\r\nHost: a";
        String post = Client.request("POST", "/", "Content-Length: 4") + "ab";
        Client half = connect(server).send(head);
        Client body = connect(server).send(post);
        awaitReceived(server, head.length() + post.length());
        Future<Boolean> drained = others.submit(() -> server.drain(Duration.ofSeconds(10)));
        awaitRefused(server);
        assertThat(half.isSilentFor(50)).isTrue();
        assertThat(drained.isDone()).isFalse();

        for (Client client : List.of(half, body)) {
            client.send(client == half ? "\r\n\r\n" : "cd");
            Answer reply = client.answer();
            assertThat(reply.status()).isEqualTo(200);
            assertThat(reply.field("Connection")).isEqualTo("close");
            assertThat(client.untilEnd()).isEmpty();
        }
        assertThat(drained.get(5, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void drainSendsLargeResponsesToTheirEnd() throws Exception {
        byte[] body = new byte[10 << 20];
        HttpServer server = serve((request, response) -> response.body(body));
        Client client = Client.connect(server.port(), 64 << 10);
        clients.add(client);
        client.send(Client.request("GET", "/"));
        await(() -> total(server, LoopStats::bytesSent) > 0);
        Future<Boolean> drained = others.submit(() -> server.drain(Duration.ofSeconds(20)));
        awaitRefused(server);
        assertThat(drained.isDone()).isFalse();
        assertThat(client.answer().body().length()).isEqualTo(body.length);
        assertThat(client.untilEnd()).isEmpty();
        assertThat(drained.get(5, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void drainCutsOffWhatTakesTooLong() throws Exception {
        HttpServer server = start(builder().cpus(CpuSet.unpinned(2)));
        Client half = connect(server).send("GET / HTTP/1.1\r\n");
        awaitReceived(server, 10);
        long start = System.nanoTime();
        assertThat(server.drain(Duration.ofMillis(300))).isFalse();
        assertThat(System.nanoTime() - start).isBetween(300_000_000L, 2_000_000_000L);
        assertThat(endOrReset(half)).isTrue();
        closeClients();
        assertNothingLeft();
    }

    /** A loop that a handler blocks cannot keep its own deadline; the drain keeps it. */
    @Test
    void drainDoesNotWaitForABlockedHandler() throws Exception {
        CountDownLatch blocked = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        HttpServer server =
                serve(
                        (request, response) -> {
                            blocked.countDown();
                            release.await();
                            response.body("late");
                        });
        Client client = connect(server).send(Client.request("GET", "/"));
        blocked.await();
        Future<Boolean> drained = others.submit(() -> server.drain(Duration.ofMillis(100)));
        Thread.sleep(300);
        release.countDown();
        drained.get(5, TimeUnit.SECONDS);
        assertThat(client.answer().body()).isEqualTo("late");
    }

    // ---- stats

    @Test
    void countsWhatItDoes() throws Exception {
        HttpServer server = start(builder().cpus(CpuSet.unpinned(2)));
        long sent = 0;
        long received = 0;
        for (int i = 0; i < 5; i++) {
            Client client = connect(server);
            for (int j = 0; j < 3; j++) {
                Answer reply = client.get("/");
                sent += Client.request("GET", "/").length();
                received += bytes(reply);
            }
        }
        Client bad = connect(server).send("BAD\r\n\r\n");
        sent += 7;
        Answer refused = bad.answer();
        received += bytes(refused);
        assertThat(total(server, LoopStats::open)).isBetween(5L, 6L);

        server.close();
        assertThat(total(server, LoopStats::requests)).isEqualTo(16);
        assertThat(total(server, LoopStats::errors)).isEqualTo(1);
        assertThat(total(server, LoopStats::connections)).isEqualTo(6);
        assertThat(total(server, LoopStats::open)).isZero();
        assertThat(total(server, LoopStats::bytesReceived)).isEqualTo(sent);
        assertThat(total(server, LoopStats::bytesSent)).isEqualTo(received);
        assertThat(total(server, LoopStats::cpuMatches)).isZero();
        assertThat(total(server, LoopStats::cpuMismatches)).isZero();
    }

    @Test
    void countsWhoseCpuReceivedAConnection() throws Exception {
        HttpServer server = start(builder().cpus(CpuSet.allowed()));
        for (int i = 0; i < 10; i++) {
            assertThat(connect(server).get("/").status()).isEqualTo(200);
        }
        server.close();
        assertThat(total(server, LoopStats::cpuMatches) + total(server, LoopStats::cpuMismatches))
                .isEqualTo(10);
    }

    /** Of the first 1,024, and of one in sixteen after them. */
    @Test
    void asksASampleOfManyConnectionsForTheirCpu() throws Exception {
        String cpu = CpuSet.allowed().toString().split("[-,]", 2)[0];
        HttpServer server = start(builder().cpus(CpuSet.of(cpu)));
        for (int i = 0; i < 1024 + 40; i++) {
            try (Client client = Client.connect(server.port())) {
                assertThat(client.get("/").status()).isEqualTo(200);
            }
        }
        server.close();
        assertThat(total(server, LoopStats::connections)).isEqualTo(1024 + 40);
        assertThat(total(server, LoopStats::cpuMatches) + total(server, LoopStats::cpuMismatches))
                .isEqualTo(1024 + 2);
    }

    // ---- many

    @Test
    void serversDoNotMix() throws IOException {
        HttpServer one = serve((request, response) -> response.body("one"));
        HttpServer two = serve((request, response) -> response.body("two"));
        Client first = connect(one);
        Client second = connect(two);
        for (int i = 0; i < 10; i++) {
            assertThat(first.get("/").body()).isEqualTo("one");
            assertThat(second.get("/").body()).isEqualTo("two");
        }
        one.close();
        assertThat(second.get("/").body()).isEqualTo("two");
        assertThat(connect(two).get("/").body()).isEqualTo("two");
    }

    @Test
    void answersEachConnectionItsOwn() throws Exception {
        int threads = 8;
        int connections = 8;
        int requests = 1000;
        HttpServer server =
                start(
                        builder()
                                .cpus(CpuSet.unpinned(2))
                                .handler(
                                        (request, response) ->
                                                response.body(request.target().toByteArray())));
        List<Future<?>> running = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            String name = "/" + t + "?";
            running.add(others.submit(() -> converse(server, name, connections, requests)));
        }
        for (Future<?> one : running) {
            one.get(30, TimeUnit.SECONDS);
        }
        server.close();
        assertThat(total(server, LoopStats::requests))
                .isEqualTo((long) threads * connections * requests);
        assertThat(total(server, LoopStats::errors)).isZero();
        assertThat(total(server, LoopStats::connections)).isEqualTo((long) threads * connections);
    }

    /** All connections of one thread have a request in flight; now and then a few of them. */
    private static Void converse(HttpServer server, String name, int connections, int requests)
            throws IOException {
        List<Client> clients = new ArrayList<>();
        try {
            for (int i = 0; i < connections; i++) {
                clients.add(Client.connect(server.port()));
            }
            for (int i = 0; i < requests; i += 4) {
                for (int c = 0; c < connections; c++) {
                    int depth = (i + c) % 3 == 0 ? 4 : 1;
                    for (int from = i; from < i + 4; from += depth) {
                        StringBuilder batch = new StringBuilder();
                        for (int j = from; j < from + depth; j++) {
                            batch.append(Client.request("GET", name + c + "&" + j));
                        }
                        clients.get(c).send(batch.toString());
                        if (depth == 1) {
                            expect(clients.get(c), name + c + "&" + from);
                        }
                    }
                }
                for (int c = 0; c < connections; c++) {
                    for (int j = i; j < i + 4 && (i + c) % 3 == 0; j++) {
                        expect(clients.get(c), name + c + "&" + j);
                    }
                }
            }
        } finally {
            for (Client client : clients) {
                client.close();
            }
        }
        return null;
    }

    private static void expect(Client client, String body) throws IOException {
        Answer reply = client.answer();
        if (reply.status() != 200 || !reply.body().equals(body)) {
            throw new AssertionError("expected " + body + ", not " + reply);
        }
    }

    // ---- limits on connections

    @Test
    void connectionsBeyondTheMaximumWait() throws IOException {
        HttpServer server = start(builder().connectionsMax(2));
        Client first = connect(server);
        Client second = connect(server);
        assertThat(first.get("/").status()).isEqualTo(200);
        assertThat(second.get("/").status()).isEqualTo(200);
        Client third = connect(server).send(Client.request("GET", "/"));
        assertThat(third.isSilentFor(300)).isTrue();
        assertThat(total(server, LoopStats::open)).isEqualTo(2);
        first.close();
        assertThat(third.answer().status()).isEqualTo(200);
        assertThat(second.get("/").status()).isEqualTo(200);
    }

    @Test
    void connectionsThatKeepItWaitingAreClosed() throws Exception {
        Timeouts timeouts =
                Timeouts.builder()
                        .head(Duration.ofMillis(200))
                        .send(Duration.ofMillis(300))
                        .build();
        byte[] body = new byte[20 << 20];
        HttpServer server =
                start(
                        builder()
                                .timeouts(timeouts)
                                .handler((request, response) -> response.body(body)));
        long start = System.nanoTime();
        Client silent = connect(server);
        Client half = connect(server).send("GET / HTTP/1.1\r\n");
        Client deaf = connect(server).send(Client.request("GET", "/"));

        assertThat(silent.untilEnd()).isEmpty();
        assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(200_000_000L);
        Answer late = half.answer();
        assertThat(late.statusLine()).isEqualTo("HTTP/1.1 408 Request Timeout");
        assertThat(late.field("Connection")).isEqualTo("close");
        assertThat(half.untilEnd()).isEmpty();
        half.close();
        await(() -> total(server, LoopStats::open) == 0);
        assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(300_000_000L);
        // The end of it came without all of the body.
        assertThatThrownBy(deaf::answer).isInstanceOf(IOException.class);
    }

    /** The time for a head is over long before: between requests the other one counts. */
    @Test
    void idleConnectionsAreClosed() throws IOException {
        Timeouts timeouts =
                Timeouts.builder()
                        .head(Duration.ofMillis(300))
                        .idle(Duration.ofMillis(1000))
                        .build();
        HttpServer server = start(builder().timeouts(timeouts));
        Client client = connect(server);
        assertThat(client.get("/").status()).isEqualTo(200);
        long start = System.nanoTime();
        assertThat(client.isSilentFor(700)).isTrue();
        assertThat(client.untilEnd()).isEmpty();
        assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(750_000_000L);
    }

    // ---- the means

    private HttpServer.Builder builder() {
        return HttpServer.builder()
                .listen("127.0.0.1", 0)
                .cpus(CpuSet.unpinned(1))
                .busyPoll(Setting.OFF)
                .log(log::add)
                .handler(HELLO);
    }

    private HttpServer serve(Handler handler) throws IOException {
        return start(builder().handler(handler));
    }

    private HttpServer start(HttpServer.Builder builder) throws IOException {
        HttpServer server = builder.start();
        servers.add(server);
        return server;
    }

    private Client connect(HttpServer server) throws IOException {
        Client client = Client.connect(server.port());
        clients.add(client);
        return client;
    }

    private Client connect(InetAddress host, HttpServer server) throws IOException {
        Client client = Client.connect(new InetSocketAddress(host, server.port()), 0, 0);
        clients.add(client);
        return client;
    }

    private void closeClients() throws IOException {
        for (Client client : clients) {
            client.close();
        }
    }

    private static Callable<Void> awaitTermination(HttpServer server) {
        return () -> {
            server.awaitTermination();
            return null;
        };
    }

    private static void assertRefused(ThrowingCallable call, String message) {
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () -> {
                            try {
                                call.call();
                            } catch (RuntimeException e) {
                                throw e;
                            } catch (Throwable t) {
                                throw new AssertionError(t);
                            }
                        })
                .withMessage(message);
    }

    private void assertNothingLeft() {
        assertThat(loopThreads()).isEmpty();
        try {
            assertThat(newDescriptors()).isEmpty();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static long total(HttpServer server, ToLongFunction<LoopStats> what) {
        return server.stats().stream().mapToLong(what).sum();
    }

    /** The bytes of the response on the wire. */
    private static long bytes(Answer reply) {
        long bytes = reply.statusLine().length() + 4L + reply.body().length();
        for (String field : reply.fields()) {
            bytes += field.length() + 2;
        }
        return bytes;
    }

    private static void awaitReceived(HttpServer server, long bytes) throws InterruptedException {
        await(() -> total(server, LoopStats::bytesReceived) >= bytes);
    }

    /** Waits, as long as the test may run; sleeps, for only a sleep can be interrupted. */
    private static void await(BooleanSupplier condition) throws InterruptedException {
        while (!condition.getAsBoolean()) {
            Thread.sleep(1);
        }
    }

    /** Waits until the server takes no more connections: the first thing that a drain does. */
    private static void awaitRefused(HttpServer server) throws Exception {
        while (true) {
            try {
                Client.connect(server.port()).close();
            } catch (ConnectException e) {
                return;
            } catch (SocketException e) {
                // Reset: it came in the moment in which the listeners closed.
                continue;
            }
            Thread.sleep(5);
        }
    }

    /** Whether the connection ends without a byte, in whatever way. */
    private static boolean endOrReset(Client client) throws IOException {
        try {
            return client.read() < 0;
        } catch (SocketException e) {
            return true;
        }
    }

    private static List<String> loopThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.matches("bareloop-[0-9]+"))
                .toList();
    }

    private Set<String> newDescriptors() throws IOException {
        Set<String> now = descriptors();
        now.removeAll(descriptorsBefore);
        return now;
    }

    /** The descriptors of the kinds that a server opens; the JVM opens files whenever it likes. */
    private static Set<String> descriptors() throws IOException {
        Set<String> descriptors = new TreeSet<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path descriptor : all) {
                try {
                    String what = Files.readSymbolicLink(descriptor).toString();
                    if (what.startsWith("socket:") || what.startsWith("anon_inode:")) {
                        descriptors.add(descriptor.getFileName() + " " + what);
                    }
                } catch (NoSuchFileException e) {
                    // That of the directory itself, or one closed meanwhile.
                }
            }
        }
        return descriptors;
    }

    /** {@code "bareloop-0 on 0"}, as the kernel tells it. */
    private static List<String> threadsAndCpus() throws IOException {
        List<String> found = new ArrayList<>();
        try (DirectoryStream<Path> tasks = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
            for (Path task : tasks) {
                String status;
                try {
                    status = Files.readString(task.resolve("status"), US_ASCII);
                } catch (IOException e) {
                    continue; // A thread that has ended meanwhile.
                }
                String name = status.replaceAll("(?s)^Name:\\s*(\\S+).*", "$1");
                if (name.matches("bareloop-[0-9]+")) {
                    found.add(
                            name
                                    + " on "
                                    + status.replaceAll(
                                            "(?s).*Cpus_allowed_list:\\s*([-0-9,]+).*", "$1"));
                }
            }
        }
        return found;
    }
}
