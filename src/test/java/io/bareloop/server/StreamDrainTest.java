package io.bareloop.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.ByteView;
import io.bareloop.http.EventStream;
import io.bareloop.http.Handler;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.StreamHandler;
import io.bareloop.rig.Client;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What responses that are still open hear of a drain, and what their clients see. */
@Timeout(60)
class StreamDrainTest {
    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final Duration LONG = Duration.ofSeconds(30);

    /** A connection lingers for two seconds, so that its client can read the end. */
    private static final long SOON = 10_000_000_000L;

    private final List<String> told = new CopyOnWriteArrayList<>();
    private final List<String> log = new CopyOnWriteArrayList<>();
    private final CountDownLatch open = new CountDownLatch(1);

    private HttpServer server;

    @AfterEach
    void close() {
        server.close();
    }

    @Test
    void aLastEventIsSentAndTheStreamEnds() throws Exception {
        serve(
                (request, response) -> {
                    EventStream stream = EventStream.open(response, MINUTE);
                    stream.onDrain(
                            () -> {
                                told.add(Thread.currentThread().getName());
                                assertThat(stream.send("bye", "come again")).isTrue();
                            });
                    open.countDown();
                });
        try (Client client = get()) {
            drainsSoon();
            assertThat(client.untilEnd()).endsWith("event: bye\ndata: come again\n\n\r\n0\r\n\r\n");
        }
        assertThat(told).containsExactly("bareloop-0");
        assertThat(log).isEmpty();
    }

    @Test
    void anActionMayEndTheStreamItself() throws Exception {
        serve(
                (request, response) -> {
                    EventStream stream = EventStream.open(response, MINUTE);
                    stream.onDrain(stream::end);
                    open.countDown();
                });
        try (Client client = get()) {
            drainsSoon();
            assertThat(client.untilEnd()).endsWith("\r\n\r\n0\r\n\r\n");
        }
        assertThat(log).isEmpty();
    }

    /** It fails for itself: the stream ends, and the others do. */
    @Test
    void anActionThatFailsHoldsNothing() throws Exception {
        serve(
                (request, response) -> {
                    EventStream.open(response, MINUTE)
                            .onDrain(
                                    () -> {
                                        throw new IllegalStateException("on purpose");
                                    });
                    open.countDown();
                });
        try (Client client = get();
                Client other = get()) {
            until(2);
            drainsSoon();
            assertThat(client.untilEnd()).endsWith("0\r\n\r\n");
            assertThat(other.untilEnd()).endsWith("0\r\n\r\n");
        }
        assertThat(log)
                .hasSize(2)
                .allMatch(line -> line.contains("IllegalStateException: on purpose"));
    }

    /** Its head was in flight: it is answered, and then it ends like the others. */
    @Test
    void aStreamThatOpensDuringTheDrainEndsToo() throws Exception {
        serve((request, response) -> EventStream.open(response, MINUTE).send(null, "only"));
        try (Client client = Client.connect(server.port())) {
            client.send("GET / HTTP/1.1\r\n");
            until(1);
            Thread.sleep(50);
            CompletableFuture<Boolean> drained = CompletableFuture.supplyAsync(this::drain);
            awaitRefused();
            long start = System.nanoTime();
            client.send("Host: a\r\n\r\n");
            assertThat(client.untilEnd()).endsWith("data: only\n\n\r\n0\r\n\r\n");
            assertThat(drained.get(10, TimeUnit.SECONDS)).isTrue();
            assertThat(System.nanoTime() - start).isLessThan(SOON);
        }
    }

    @Test
    void toOldClientsTheEndOfTheConnectionIsTheEnd() throws Exception {
        serve(
                (request, response) -> {
                    EventStream.open(response, MINUTE).send(null, "old");
                    open.countDown();
                });
        try (Client client = Client.connect(server.port()).send("GET / HTTP/1.0\r\n\r\n")) {
            open.await();
            drainsSoon();
            assertThat(client.untilEnd()).endsWith("\r\n\r\ndata: old\n\n");
        }
    }

    /** A response of other kinds is told where it asks, and decides for itself. */
    @Test
    void anyOpenResponseMayAsk() throws Exception {
        serve(
                (request, response) -> {
                    if (request.path().contentEquals("/stream")) {
                        response.stream();
                        response.onDrain(
                                () -> {
                                    told.add("stream");
                                    response.write(new byte[] {33});
                                    response.end();
                                });
                    } else {
                        response.suspend();
                        response.onDrain(
                                () -> {
                                    told.add("suspended");
                                    response.body("not today");
                                });
                    }
                    open.countDown();
                });
        try (Client stream = get("/stream");
                Client suspended = get("/suspended")) {
            until(2);
            drainsSoon();
            assertThat(stream.untilEnd()).endsWith("!\r\n0\r\n\r\n");
            assertThat(suspended.answer().body()).isEqualTo("not today");
            assertThat(suspended.untilEnd()).isEmpty();
        }
        assertThat(told).containsExactlyInAnyOrder("stream", "suspended");
    }

    /** Told once, and left to go on: it has the time of the drain. */
    @Test
    void aResponseMayGoOnUntilTheTimeIsOver() throws Exception {
        serve(
                (request, response) -> {
                    response.stream();
                    response.onDrain(() -> told.add("told"));
                    response.onTick(Duration.ofMillis(100), () -> response.write(new byte[1]));
                    response.onAbort(() -> told.add("aborted"));
                    open.countDown();
                });
        try (Client client = get()) {
            long start = System.nanoTime();
            assertThat(server.drain(Duration.ofMillis(500))).isFalse();
            assertThat(System.nanoTime() - start).isBetween(490_000_000L, 500_000_000L + SOON);
            assertThat(told).containsExactly("told", "aborted");
            assertThat(client.untilEnd()).doesNotContain("\r\n0\r\n\r\n");
        }
    }

    /** Its handler resumes it when it hears of the drain, or not: then it has that time. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aPausedBodyHasTheTimeOfTheDrain(boolean resumed) throws Exception {
        serve(new Paused(resumed));
        try (Client client =
                Client.connect(server.port())
                        .send(Client.request("POST", "/", "Content-Length: 4") + "body")) {
            open.await();
            if (resumed) {
                drainsSoon();
                assertThat(client.answer().body()).isEqualTo("whole");
                assertThat(client.untilEnd()).isEmpty();
            } else {
                long start = System.nanoTime();
                assertThat(server.drain(Duration.ofMillis(500))).isFalse();
                assertThat(System.nanoTime() - start).isBetween(490_000_000L, 500_000_000L + SOON);
                assertThat(told).contains("aborted");
                assertThat(client.untilEndOrReset()).isEmpty();
            }
        }
        assertThat(log).isEmpty();
    }

    private final class Paused implements StreamHandler {
        private final boolean resumed;

        Paused(boolean resumed) {
            this.resumed = resumed;
        }

        @Override
        public void begin(Request request, Response response) {
            response.onDrain(
                    () -> {
                        if (resumed) {
                            response.resumeBody();
                        }
                    });
        }

        @Override
        public void piece(Request request, Response response, ByteView piece) {
            response.pauseBody();
            open.countDown();
        }

        @Override
        public void end(Request request, Response response) {
            response.body("whole");
        }

        @Override
        public void aborted(Request request) {
            told.add("aborted");
        }
    }

    // ---- the means

    private void serve(Handler handler) throws IOException {
        server =
                HttpServer.builder()
                        .listen("127.0.0.1", 0)
                        .cpus(CpuSet.unpinned(1))
                        .log(log::add)
                        .handler(handler)
                        .start();
    }

    private Client get() throws Exception {
        return get("/");
    }

    private Client get(String path) throws Exception {
        Client client = Client.connect(server.port()).send(Client.request("GET", path));
        open.await();
        return client;
    }

    /** Waits until so many connections have been accepted, and had a moment. */
    private void until(int connections) throws InterruptedException {
        while (server.stats().getFirst().connections() < connections) {
            Thread.sleep(5);
        }
        Thread.sleep(100);
    }

    private boolean drain() {
        try {
            return server.drain(LONG);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private void drainsSoon() throws InterruptedException {
        long start = System.nanoTime();
        assertThat(server.drain(LONG)).isTrue();
        assertThat(System.nanoTime() - start).isLessThan(SOON);
    }

    private void awaitRefused() throws Exception {
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
}
