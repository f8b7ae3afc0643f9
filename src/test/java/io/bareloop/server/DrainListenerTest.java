package io.bareloop.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.Status;
import io.bareloop.rig.Client;
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

/** When the application hears of a drain, and what becomes of the drain then. */
@Timeout(60)
class DrainListenerTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final long SOON = 5_000_000_000L;

    private final List<String> told = new CopyOnWriteArrayList<>();
    private final List<String> log = new CopyOnWriteArrayList<>();
    private final CountDownLatch release = new CountDownLatch(1);

    private HttpServer server;

    @AfterEach
    void close() {
        release.countDown();
        server.close();
    }

    /** A load balancer asks until it has seen the 503, and sends requests meanwhile. */
    @Test
    void theServerAcceptsUntilTheListenerReturns() throws Exception {
        serve(this::waits);
        assertThat(health()).startsWith("HTTP/1.1 200");
        CompletableFuture<Boolean> drained = drain(LONG);
        until(() -> !told.isEmpty());
        assertThat(told).containsExactly("bareloop-on-drain DRAINING");
        assertThat(health()).startsWith("HTTP/1.1 503");
        release.countDown();
        assertThat(drained.get(10, TimeUnit.SECONDS)).isTrue();
        assertThat(told).hasSize(1);
        assertThat(isRefused()).isTrue();
        assertThat(log).isEmpty();
    }

    /** Half of the time is left for what is in flight. */
    @Test
    void oneThatDoesNotReturnHasHalfOfTheTime() throws Exception {
        serve(this::waits);
        CompletableFuture<Boolean> drained;
        try (Client slow = Client.connect(server.port())) {
            slow.send("GET / HTTP/1.1\r\n");
            Thread.sleep(100);
            long start = System.nanoTime();
            drained = drain(Duration.ofSeconds(3));
            until(this::isRefused);
            assertThat(System.nanoTime() - start).isBetween(1_400_000_000L, 2_700_000_000L);
            slow.send("Host: a\r\n\r\n");
            assertThat(slow.answer().status()).isEqualTo(503);
        }
        assertThat(drained.get(10, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void whatItThrowsIsLogged() throws Exception {
        serve(
                () -> {
                    throw new IllegalStateException("on purpose");
                });
        assertThat(drain(LONG).get(10, TimeUnit.SECONDS)).isTrue();
        assertThat(log)
                .singleElement()
                .asString()
                .startsWith("onDrain failed: java.lang.IllegalStateException: on purpose\n\tat ");
    }

    @Test
    void anotherDrainShortensItAndTellsNobodyAgain() throws Exception {
        serve(this::waits);
        long start = System.nanoTime();
        CompletableFuture<Boolean> drained = drain(LONG);
        until(() -> !told.isEmpty());
        drain(Duration.ofMillis(200)).get(10, TimeUnit.SECONDS);
        drained.get(10, TimeUnit.SECONDS);
        assertThat(System.nanoTime() - start).isLessThan(SOON);
        assertThat(told).hasSize(1);
    }

    @Test
    void closingEndsTheWait() throws Exception {
        serve(this::waits);
        CompletableFuture<Boolean> drained = drain(LONG);
        until(() -> !told.isEmpty());
        long start = System.nanoTime();
        server.close();
        drained.get(10, TimeUnit.SECONDS);
        assertThat(System.nanoTime() - start).isLessThan(SOON);
    }

    @Test
    void closingAloneIsNoDrain() throws Exception {
        serve(this::waits);
        server.close();
        Thread.sleep(100);
        assertThat(told).isEmpty();
    }

    /** On a loop, which the listener does not hold up. */
    @Test
    void aHandlerMayBeginTheDrain() throws Exception {
        serve(() -> told.add(Thread.currentThread().getName()));
        try (Client client = Client.connect(server.port())) {
            client.send("GET /drain HTTP/1.1\r\nHost: a\r\n\r\n");
            assertThat(client.answer().status()).isEqualTo(200);
        }
        server.awaitTermination();
        assertThat(told).containsExactly("bareloop-on-drain");
    }

    // ---- the means

    private void waits() {
        told.add(Thread.currentThread().getName() + " " + server.state());
        try {
            release.await();
        } catch (InterruptedException e) {
            told.add("interrupted");
        }
    }

    private void serve(Runnable listener) throws Exception {
        server =
                HttpServer.builder()
                        .listen("127.0.0.1", 0)
                        .cpus(CpuSet.allowed().first())
                        .onDrain(listener)
                        .log(log::add)
                        .handler(
                                (request, response) -> {
                                    if (request.path().contentEquals("/drain")) {
                                        server.drain(LONG);
                                        response.body("draining");
                                        return;
                                    }
                                    boolean running = server.state() == ServerState.RUNNING;
                                    response.status(
                                                    running
                                                            ? Status.OK
                                                            : Status.SERVICE_UNAVAILABLE)
                                            .body("health");
                                })
                        .start();
    }

    private CompletableFuture<Boolean> drain(Duration time) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return server.drain(time);
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                });
    }

    private String health() throws Exception {
        try (Client client = Client.connect(server.port())) {
            return client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").untilEnd();
        }
    }

    private boolean isRefused() {
        try {
            Client.connect(server.port()).close();
            return false;
        } catch (SocketException e) {
            return true;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private interface Condition {
        boolean holds();
    }

    private static void until(Condition condition) throws InterruptedException {
        while (!condition.holds()) {
            Thread.sleep(5);
        }
    }
}
