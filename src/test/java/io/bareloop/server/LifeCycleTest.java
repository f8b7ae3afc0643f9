package io.bareloop.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.http.Blocking;
import io.bareloop.http.EventStream;
import io.bareloop.http.Handler;
import io.bareloop.http.HeaderName;
import io.bareloop.http.Reply;
import io.bareloop.http.Response;
import io.bareloop.rig.Client;
import io.bareloop.sys.Syscalls;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.ConnectException;
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
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How a server ends: from any thread, in any order, under any handler, and in time. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LifeCycleTest {
    private static final Duration FOREVER = Duration.ofSeconds(Long.MAX_VALUE);

    /** Half a second is what is promised; the rest is for a machine that is busy. */
    private static final long SOON = 2_000_000_000L;

    private final List<Client> clients = new ArrayList<>();
    private final List<HttpServer> servers = new ArrayList<>();
    private final List<String> log = new CopyOnWriteArrayList<>();
    private final ExecutorService others = Executors.newCachedThreadPool();
    private final AtomicReference<HttpServer> self = new AtomicReference<>();
    private final CountDownLatch stuck = new CountDownLatch(1);
    private final CountDownLatch release = new CountDownLatch(1);

    private Set<String> descriptorsBefore;

    @BeforeEach
    void countDescriptors() throws IOException {
        // The first socket of a JVM makes another, which stays.
        try (HttpServer first = builder().start();
                Client client = Client.connect(first.port())) {
            assertThat(client.get("/").status()).isEqualTo(200);
        }
        descriptorsBefore = descriptors();
    }

    /** Every test is one of this, too: however a server has ended, it leaves nothing. */
    @AfterEach
    void nothingIsLeft() throws Exception {
        release.countDown();
        for (Client client : clients) {
            client.close();
        }
        servers.forEach(HttpServer::close);
        others.shutdownNow();
        assertThat(others.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
        until(() -> threads().isEmpty());
        until(() -> descriptorsBefore.containsAll(descriptors()));
    }

    // ---- in a handler

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void closeInAHandlerEndsAll(int loops) throws Exception {
        HttpServer server =
                serve(
                        builder().cpus(CpuSet.unpinned(loops)),
                        (request, response) -> {
                            self.get().close();
                            response.body("bye");
                        });
        assertThat(connect(server).get("/").body()).isEqualTo("bye");
        // Nobody waits for its end, and it comes all the same.
        awaitRefused(server);
        until(() -> threads().isEmpty());
        assertThat(server.state()).isEqualTo(ServerState.STOPPED);
        server.awaitTermination();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void drainInAHandlerBeginsAndReturns(int loops) throws Exception {
        HttpServer server =
                serve(
                        builder().cpus(CpuSet.unpinned(loops)),
                        (request, response) -> {
                            long start = System.nanoTime();
                            boolean drained = self.get().drain(Duration.ofSeconds(30));
                            response.body(drained + " " + (System.nanoTime() - start < SOON));
                        });
        Client half = connect(server).send("GET / HTTP/1.1\r\n");
        Thread.sleep(50);
        assertThat(connect(server).get("/").body()).isEqualTo("false true");
        awaitRefused(server);
        assertThat(server.state()).isEqualTo(ServerState.DRAINING);
        // What is in flight is finished.
        assertThat(half.send("Host: a\r\n\r\n").answer().body()).isEqualTo("false true");
        server.awaitTermination();
        assertThat(server.state()).isEqualTo(ServerState.STOPPED);
    }

    @Test
    void closeInATaskOfTheLoopEndsAll() throws Exception {
        HttpServer server =
                serve(
                        builder(),
                        (request, response) -> {
                            EventStream stream = EventStream.open(response, Duration.ofMinutes(1));
                            stream.execute(self.get()::close);
                        });
        Client client = connect(server).send(Client.request("GET", "/"));
        server.awaitTermination();
        assertThat(client.untilEnd()).startsWith("HTTP/1.1 200 OK");
    }

    /** No loop, so it waits: in vain, for its own request is in flight; but no longer than said. */
    @Test
    void drainInABlockingHandlerKeepsItsTime() throws Exception {
        AtomicBoolean drained = new AtomicBoolean(true);
        HttpServer server =
                serve(
                        builder(),
                        Blocking.blocking(
                                request -> {
                                    drained.set(self.get().drain(Duration.ofMillis(300)));
                                    stuck.countDown();
                                    return Reply.text("");
                                }));
        connect(server).send(Client.request("GET", "/"));
        server.awaitTermination();
        stuck.await();
        assertThat(drained).isFalse();
    }

    @Test
    void aLoopDoesNotWaitForItself() throws Exception {
        HttpServer server =
                serve(
                        builder(),
                        (request, response) -> {
                            assertThatThrownBy(self.get()::awaitTermination)
                                    .isInstanceOf(IllegalStateException.class)
                                    .hasMessageContaining("in a handler");
                            response.body("good");
                        });
        assertThat(connect(server).get("/").body()).isEqualTo("good");
    }

    // ---- beside a handler that does not return

    @ParameterizedTest
    @ValueSource(strings = {"close", "drain", "close in a handler", "drain in a handler"})
    void aHandlerThatDoesNotReturnHoldsNobody(String how) throws Exception {
        boolean byHandler = how.endsWith("in a handler");
        AtomicReference<String> late = new AtomicReference<>();
        HttpServer server =
                serve(
                        builder().cpus(CpuSet.unpinned(2)),
                        (request, response) -> {
                            if (byHandler) {
                                end(self.get(), how);
                            }
                            stuck.countDown();
                            awaitUninterruptibly(release);
                            // Its memory is still there, and so is its connection's.
                            late.set("" + request.header(HeaderName.HOST));
                            response.body(new byte[100_000]);
                        });
        connect(server).send(Client.request("GET", "/"));
        stuck.await();
        long start = System.nanoTime();
        if (!byHandler) {
            assertThat(end(server, how)).isFalse();
        }
        server.awaitTermination();
        assertThat(System.nanoTime() - start).isLessThan(SOON);
        assertThat(server.state()).isEqualTo(ServerState.STOPPED);
        assertThatThrownBy(() -> Client.connect(server.port()))
                .isInstanceOf(ConnectException.class);
        // For everybody, and again.
        server.awaitTermination();
        server.close();
        assertThat(threads()).hasSize(2);
        until(() -> !log.isEmpty());
        assertThat(log)
                .singleElement()
                .asString()
                .startsWith("the server has ended without " + threads().get(0))
                .contains("a handler does not return");
        release.countDown();
        until(() -> threads().isEmpty());
        assertThat(late.get()).isNotNull().isNotEqualTo("null");
        assertThat(log).hasSize(1);
    }

    private static boolean end(HttpServer server, String how) throws InterruptedException {
        if (how.startsWith("drain")) {
            return server.drain(Duration.ofMillis(300));
        }
        server.close();
        return false;
    }

    /** Another table of descriptors has its own listener: it must not go on listening. */
    @Test
    void aLoopWithATableOfItsOwnDoesNotKeepThePort() throws Exception {
        HttpServer server =
                serve(
                        builder().privateDescriptors(Setting.AUTO).cpus(CpuSet.unpinned(2)),
                        this::hang);
        connect(server).send(Client.request("GET", "/"));
        stuck.await();
        server.close();
        for (int i = 0; i < 20; i++) {
            assertThatThrownBy(() -> Client.connect(server.port()))
                    .isInstanceOf(ConnectException.class);
        }
        // And the port can be had again, at once.
        HttpServer next =
                start(builder().listen("127.0.0.1", server.port()).cpus(CpuSet.unpinned(2)));
        assertThat(connect(next).get("/").status()).isEqualTo(200);
    }

    /** Its listener's number belongs to somebody else only when it cannot use it any more. */
    @Test
    void aLoopThatComesBackTakesNobodysConnections() throws Exception {
        HttpServer server = serve(builder(), this::hang);
        Client client = connect(server).send(Client.request("GET", "/"));
        stuck.await();
        assertThat(server.drain(Duration.ofMillis(100))).isFalse();
        List<HttpServer> next = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            next.add(start(builder()));
        }
        release.countDown();
        until(() -> threads().size() == 2 * next.size());
        for (HttpServer other : next) {
            for (int i = 0; i < 10; i++) {
                assertThat(connect(other).get("/").status()).isEqualTo(200);
            }
        }
        assertThat(server.stats().getFirst().connections()).isEqualTo(1);
        client.close();
    }

    // ---- times

    @ParameterizedTest
    @CsvSource({"9223372036854775807", "9223372036", "9223372035", "3600"})
    void aDrainMayTakeForEver(long seconds) throws Exception {
        HttpServer server = serve(builder(), (request, response) -> response.body("late"));
        Client half = connect(server).send("GET / HTTP/1.1\r\n");
        Thread.sleep(50);
        Future<Boolean> drained = others.submit(() -> server.drain(Duration.ofSeconds(seconds)));
        awaitRefused(server);
        Thread.sleep(100);
        assertThat(drained.isDone()).isFalse();
        assertThat(half.send("Host: a\r\n\r\n").answer().body()).isEqualTo("late");
        assertThat(drained.get(10, TimeUnit.SECONDS)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MIN_VALUE})
    void noTimeIsNone(long seconds) throws Exception {
        HttpServer server = start(builder());
        connect(server).send("GET / HTTP/1.1\r\n");
        Thread.sleep(50);
        long start = System.nanoTime();
        assertThat(server.drain(Duration.ofSeconds(seconds))).isFalse();
        assertThat(System.nanoTime() - start).isLessThan(SOON);
    }

    @Test
    void closeShortensADrain() throws Exception {
        HttpServer server = start(builder().cpus(CpuSet.unpinned(2)));
        connect(server).send("GET / HTTP/1.1\r\n");
        Thread.sleep(50);
        Future<Boolean> drained = others.submit(() -> server.drain(FOREVER));
        Future<?> waiting = others.submit(awaitTermination(server));
        awaitRefused(server);
        long start = System.nanoTime();
        server.close();
        assertThat(drained.get(10, TimeUnit.SECONDS)).isFalse();
        waiting.get(10, TimeUnit.SECONDS);
        assertThat(System.nanoTime() - start).isLessThan(SOON);
    }

    /** The shortest of all that were asked for counts. */
    @Test
    void aSecondDrainShortensTheFirstAndNeverTheOtherWay() throws Exception {
        HttpServer server = start(builder().cpus(CpuSet.unpinned(2)));
        connect(server).send("GET / HTTP/1.1\r\n");
        Thread.sleep(50);
        Future<Boolean> first = others.submit(() -> server.drain(Duration.ofMinutes(1)));
        awaitRefused(server);
        long start = System.nanoTime();
        assertThat(server.drain(Duration.ofMillis(300))).isFalse();
        assertThat(System.nanoTime() - start).isBetween(290_000_000L, 300_000_000L + SOON);
        assertThat(first.get(10, TimeUnit.SECONDS)).isFalse();

        HttpServer other = start(builder());
        connect(other).send("GET / HTTP/1.1\r\n");
        Thread.sleep(50);
        Future<Boolean> shorter = others.submit(() -> other.drain(Duration.ofMillis(500)));
        awaitRefused(other);
        start = System.nanoTime();
        assertThat(other.drain(FOREVER)).isFalse();
        assertThat(System.nanoTime() - start).isLessThan(500_000_000L + SOON);
        assertThat(shorter.get(10, TimeUnit.SECONDS)).isFalse();
    }

    @Test
    void anInterruptedDrainGoesOn() throws Exception {
        HttpServer server = serve(builder(), (request, response) -> response.body("late"));
        Client half = connect(server).send("GET / HTTP/1.1\r\n");
        Thread.sleep(50);
        Future<?> interrupted =
                others.submit(
                        () -> {
                            Thread.currentThread().interrupt();
                            assertThatThrownBy(() -> server.drain(FOREVER))
                                    .isInstanceOf(InterruptedException.class);
                        });
        interrupted.get(10, TimeUnit.SECONDS);
        awaitRefused(server);
        assertThat(server.state()).isEqualTo(ServerState.DRAINING);
        assertThat(half.send("Host: a\r\n\r\n").answer().body()).isEqualTo("late");
        server.awaitTermination();
    }

    @Test
    void drainAfterCloseHasNothingToDo() throws Exception {
        HttpServer server = start(builder());
        assertThat(server.state()).isEqualTo(ServerState.RUNNING);
        server.close();
        assertThat(server.drain(FOREVER)).isTrue();
        assertThat(server.state()).isEqualTo(ServerState.STOPPED);
    }

    @Test
    void manyMayEndItAtTheSameTime() throws Exception {
        for (int round = 0; round < 20; round++) {
            HttpServer server = start(builder().cpus(CpuSet.unpinned(2)));
            List<Future<?>> ending = new ArrayList<>();
            CountDownLatch go = new CountDownLatch(1);
            for (int i = 0; i < 6; i++) {
                int kind = (i + round) % 3;
                ending.add(
                        others.submit(
                                () -> {
                                    go.await();
                                    if (kind == 0) {
                                        server.close();
                                    } else if (kind == 1) {
                                        assertThat(server.drain(FOREVER)).as("%s", log).isTrue();
                                    } else {
                                        server.awaitTermination();
                                    }
                                    assertThat(server.state()).isEqualTo(ServerState.STOPPED);
                                    return null;
                                }));
            }
            go.countDown();
            for (Future<?> one : ending) {
                one.get(10, TimeUnit.SECONDS);
            }
            assertThat(threads()).isEmpty();
        }
    }

    // ---- a start that fails

    @Test
    void anInterruptedStartLeavesNothing() throws Exception {
        Future<?> interrupted =
                others.submit(
                        () -> {
                            Thread.currentThread().interrupt();
                            assertThatThrownBy(() -> start(builder().cpus(CpuSet.unpinned(2))))
                                    .isInstanceOf(IllegalStateException.class)
                                    .hasMessage("interrupted while starting");
                            assertThat(Thread.interrupted()).isTrue();
                        });
        interrupted.get(10, TimeUnit.SECONDS);
        assertThat(threads()).isEmpty();
        assertThat(descriptorsBefore).containsAll(descriptors());
    }

    @Test
    void anInterruptEndsTheWarmUp() throws Exception {
        Thread[] starting = new Thread[1];
        CountDownLatch begun = new CountDownLatch(1);
        Future<?> interrupted =
                others.submit(
                        () -> {
                            starting[0] = Thread.currentThread();
                            begun.countDown();
                            assertThatThrownBy(
                                            () -> start(builder().warmUp(Duration.ofSeconds(50))))
                                    .hasMessage("interrupted while starting");
                        });
        begun.await();
        Thread.sleep(300);
        starting[0].interrupt();
        interrupted.get(10, TimeUnit.SECONDS);
        assertThat(threads()).isEmpty();
    }

    // ---- a loop that fails

    enum LogOf {
        LINES,
        ERRORS
    }

    /** Nobody waits for its end; but its port is closed, its loops have ended, and it says why. */
    @ParameterizedTest
    @EnumSource
    void aBrokenInvariantEndsTheServerVisibly(LogOf how) throws Exception {
        AtomicBoolean broken = new AtomicBoolean();
        HttpServer server =
                start(
                        builder()
                                .cpus(CpuSet.unpinned(3))
                                .ioUring(Setting.OFF)
                                .log(
                                        line -> {
                                            log.add(line);
                                            if (how == LogOf.ERRORS) {
                                                throw new AssertionError("the log, on purpose");
                                            }
                                        })
                                .syscalls(
                                        arena ->
                                                new Syscalls(arena) {
                                                    @Override
                                                    public int recv(
                                                            int fd,
                                                            MemorySegment buffer,
                                                            int offset,
                                                            int length) {
                                                        if (broken.get()) {
                                                            throw new AssertionError("on purpose");
                                                        }
                                                        return super.recv(
                                                                fd, buffer, offset, length);
                                                    }
                                                }));
        assertThat(connect(server).get("/").status()).isEqualTo(200);
        Client idle = connect(server);
        assertThat(idle.get("/").status()).isEqualTo(200);
        broken.set(true);
        idle.send(Client.request("GET", "/"));
        awaitRefused(server);
        until(() -> threads().isEmpty());
        assertThat(server.state()).isEqualTo(ServerState.STOPPED);
        assertThat(log.getFirst())
                .startsWith(
                        "a loop of the server failed, which ends the server:"
                                + " java.lang.AssertionError: on purpose\n\tat ")
                .contains("LifeCycleTest");
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(server::awaitTermination)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("a loop of the server failed: java.lang.AssertionError: on purpose")
                    .hasRootCauseMessage("on purpose");
        }
        server.close();
    }

    /** It cannot even say what it is. */
    @Test
    void aFailureWithoutAMessageIsToldByItsClass() throws Exception {
        AtomicBoolean broken = new AtomicBoolean();
        HttpServer server =
                start(
                        builder()
                                .syscalls(
                                        arena ->
                                                new Syscalls(arena) {
                                                    @Override
                                                    public int accept4(int fd, int flags) {
                                                        if (broken.get()) {
                                                            throw new Unspeakable();
                                                        }
                                                        return super.accept4(fd, flags);
                                                    }
                                                }));
        broken.set(true);
        try {
            connect(server);
        } catch (SocketException ended) {
            // The loop has met it, and the listeners have closed, before connect has come back.
            assertThat(ended).hasMessageContaining("reset");
        }
        assertThatThrownBy(server::awaitTermination)
                .hasMessageContaining("LifeCycleTest$Unspeakable");
        assertThat(log)
                .containsExactly(
                        "a loop of the server failed, which ends the server: "
                                + Unspeakable.class.getName());
    }

    private static final class Unspeakable extends RuntimeException {
        private static final long serialVersionUID = 1;

        @Override
        public String getMessage() {
            throw new IllegalStateException("no message");
        }
    }

    // ---- the means

    private HttpServer.Builder builder() {
        return HttpServer.builder()
                .listen("127.0.0.1", 0)
                .cpus(CpuSet.unpinned(1))
                .busyPoll(Setting.OFF)
                .log(log::add)
                .handler((request, response) -> response.body("hello\n"));
    }

    private HttpServer serve(HttpServer.Builder builder, Handler handler) throws IOException {
        HttpServer server = start(builder.handler(handler));
        self.set(server);
        return server;
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

    private void hang(Object request, Response response) {
        stuck.countDown();
        awaitUninterruptibly(release);
        response.body("late");
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        while (true) {
            try {
                latch.await();
                return;
            } catch (InterruptedException e) {
                // The handler that nothing stops.
            }
        }
    }

    private static Callable<Void> awaitTermination(HttpServer server) {
        return () -> {
            server.awaitTermination();
            return null;
        };
    }

    private static void until(Callable<Boolean> condition) throws Exception {
        long limit = System.nanoTime() + 20_000_000_000L;
        while (!condition.call()) {
            assertThat(System.nanoTime()).isLessThan(limit);
            Thread.sleep(5);
        }
    }

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

    /** The threads of servers, that of their end among them, by name. */
    private static List<String> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.startsWith("bareloop-"))
                .sorted()
                .toList();
    }

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
}
