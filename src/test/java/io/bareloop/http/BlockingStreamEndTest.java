package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.rig.Bytes;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import io.bareloop.server.CpuSet;
import io.bareloop.server.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How streams of a blocking handler end: by failures, by clients that leave, by the server. */
@Timeout(60)
class BlockingStreamEndTest {
    private final BlockingQueue<String> told = new LinkedBlockingQueue<>();
    private final Semaphore go = new Semaphore(0);
    private final CountDownLatch begun = new CountDownLatch(1);

    private String told() throws InterruptedException {
        return told.poll(10, TimeUnit.SECONDS);
    }

    /** Runs {@code work}, and says what it threw. */
    private Blocking telling(BlockingStreamHandler work) {
        return Blocking.streaming(
                (request, exchange) -> {
                    begun.countDown();
                    try {
                        work.handle(request, exchange);
                        told.add("returned");
                    } catch (Exception failure) {
                        told.add(failure.toString());
                        throw failure;
                    }
                });
    }

    private static void assertNothingIsLeft(HttpRig rig, Blocking handler) throws Exception {
        assertThat(HttpRig.await(0L, rig::open)).isZero();
        assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
        assertThat(HttpRig.await(0, handler::underWay)).isZero();
    }

    // ---- failures of the handler

    /** It closes the stream quietly, as many do: what it has not handed over will never come. */
    @Test
    void anInterruptInWhichTheEndIsLostEndsTheConnection() throws Exception {
        Blocking handler =
                Blocking.streaming(
                        (request, exchange) -> {
                            OutputStream out = exchange.stream();
                            out.write(new byte[1000]);
                            out.flush();
                            Thread.currentThread().interrupt();
                            while (!closesInVain(out)) {
                                Thread.onSpinWait();
                            }
                            told.add("returned");
                        });
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            client.ask("/");
            assertThat(told()).isEqualTo("returned");
            assertThat(client.untilEndOrReset()).doesNotEndWith("0\r\n\r\n");
            assertNothingIsLeft(rig, handler);
        }
    }

    /** Writes until the buffer is with the loop, and interrupted finds no room; then closes. */
    private static boolean closesInVain(OutputStream out) {
        byte[] much = new byte[1 << 20];
        try (out) {
            while (true) {
                out.write(much);
            }
        } catch (IOException interrupted) {
            return true;
        }
    }

    @Test
    void beforeAnythingWasSentItIsAnAnswer() throws Exception {
        Blocking handler =
                Blocking.streaming(
                        (request, exchange) -> {
                            exchange.status(Status.CREATED).stream().write(new byte[100]);
                            if (request.path().contentEquals("/http")) {
                                throw new HttpException(Status.NOT_FOUND, "not here");
                            }
                            throw new IOException("on purpose");
                        });
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            assertThat(client.get("/http").status()).isEqualTo(404);
            assertThat(rig.failures()).isEmpty();
            assertThat(client.get("/").status()).isEqualTo(500);
            assertThat(rig.failures()).hasSize(1);
            assertThat(rig.failures().get(0)).hasMessage("on purpose");
            client.untilEnd();
            assertNothingIsLeft(rig, handler);
        }
    }

    @Test
    void behindThatItIsTheEndOfTheConnection() throws Exception {
        Blocking handler =
                Blocking.streaming(
                        (request, exchange) -> {
                            OutputStream out = exchange.stream();
                            out.write(Bytes.of("some"));
                            out.flush();
                            out.write(Bytes.of("more"));
                            throw new IOException("on purpose");
                        });
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port()).ask("/")) {
            assertThat(client.untilEnd()).endsWith("4\r\nsome\r\n");
            assertThat(HttpRig.await(1, () -> rig.failures().size())).isEqualTo(1);
            assertNothingIsLeft(rig, handler);
        }
    }

    /** Its answer is right: only the log can tell. */
    @ParameterizedTest
    @ValueSource(strings = {"/reply", "/stream"})
    void behindTheEndItIsTheLogs(String path) throws Exception {
        Blocking handler =
                Blocking.streaming(
                        (request, exchange) -> {
                            if (request.path().contentEquals("/reply")) {
                                exchange.send(Reply.text("whole"));
                            } else {
                                OutputStream out = exchange.stream();
                                out.write(Bytes.of("whole"));
                                out.close();
                                out.close();
                                assertThatThrownBy(() -> out.write(1))
                                        .hasMessageContaining("closed");
                            }
                            throw new IllegalStateException("on purpose");
                        });
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            assertThat(client.get(path).body()).isEqualTo("whole");
            assertThat(HttpRig.await(1, () -> rig.failures().size())).isEqualTo(1);
            assertThat(rig.failures().get(0)).hasMessage("on purpose");
            assertThat(client.get(path).body()).isEqualTo("whole");
        }
    }

    @Test
    void withoutAResponseItIs500() throws Exception {
        try (HttpRig rig = HttpRig.start(Blocking.streaming((request, exchange) -> {}));
                Client client = Client.connect(rig.port())) {
            assertThat(client.get("/").status()).isEqualTo(500);
            assertThat(rig.failures().get(0)).hasMessageContaining("without a response");
        }
    }

    @Test
    void fewerBytesThanAnnouncedEndTheConnection() throws Exception {
        Blocking handler =
                telling(
                        (request, exchange) -> {
                            OutputStream out = exchange.stream(10);
                            out.write(new byte[4]);
                            out.close();
                        });
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port()).ask("/")) {
            assertThat(client.head().field("Content-Length")).isEqualTo("10");
            assertThat(client.untilEnd()).hasSize(4);
            assertThat(told()).contains("6 bytes are missing");
        }
    }

    @Test
    void whatMayNotBeIsSaidAtOnce() throws Exception {
        Blocking handler =
                Blocking.streaming(
                        (request, exchange) -> {
                            assertThatThrownBy(() -> exchange.header(HeaderName.ETAG, "a\r\nb"))
                                    .isInstanceOf(IllegalArgumentException.class);
                            assertThatThrownBy(
                                            () ->
                                                    exchange.header(
                                                            HeaderName.of("Content-Length"), "1"))
                                    .isInstanceOf(IllegalArgumentException.class);
                            assertThatThrownBy(() -> exchange.stream(-1))
                                    .isInstanceOf(IllegalArgumentException.class);
                            exchange.status(Status.OK);
                            assertThatThrownBy(() -> exchange.send(Reply.text("")))
                                    .isInstanceOf(IllegalStateException.class);
                            exchange.stream().write(33);
                            assertThatThrownBy(() -> exchange.status(Status.OK))
                                    .isInstanceOf(IllegalStateException.class);
                        });
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            assertThat(client.get("/").body()).isEqualTo("!");
            assertThat(rig.failures()).isEmpty();
        }
    }

    // ---- bodies that do not come to their end

    @ParameterizedTest
    @CsvSource({
        "Transfer-Encoding: chunked, xyz, 400",
        "Transfer-Encoding: chunked, 20000, 413",
        "Content-Length: 5, abc, 408"
    })
    void aBodyThatIsRefusedIsSaidSo(String framing, String sent, int status) throws Exception {
        Blocking handler = telling((request, exchange) -> exchange.body().readAllBytes());
        Limits limits = Limits.builder().streamedBytesMax(100_000).build();
        Timeouts timeouts = Timeouts.builder().body(Duration.ofMillis(300)).build();
        try (HttpRig rig = HttpRig.start(limits, timeouts, handler);
                Client client = Client.connect(rig.port())) {
            client.send(Client.request("POST", "/", framing));
            begun.await();
            client.send(sent);
            if (status != 408) {
                client.send("\r\n");
            }
            if (status == 413) {
                client.send(new byte[0x20000]);
            }
            assertThat(client.answer().status()).isEqualTo(status);
            assertThat(told()).startsWith("java.io.IOException: the body was refused: " + status);
            client.endOutput();
            assertThat(rig.failures()).isEmpty();
            assertNothingIsLeft(rig, handler);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aClientThatLeavesIsNoticedByTheReader(boolean resets) throws Exception {
        Blocking handler = telling((request, exchange) -> exchange.body().readAllBytes());
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            client.send(Client.request("POST", "/", "Content-Length: 5") + "abc");
            begun.await();
            if (resets) {
                client.reset();
            } else {
                client.endOutput();
            }
            assertThat(told()).startsWith("java.io.IOException: the client is gone");
            assertThat(rig.failures()).isEmpty();
            assertNothingIsLeft(rig, handler);
        }
    }

    /** A file that is not whole is no file. */
    @Test
    void aBodyGoesToAFileAsAWhole(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("upload");
        Blocking handler =
                telling(
                        (request, exchange) ->
                                exchange.send(Reply.text(exchange.transferTo(file) + " bytes")));
        try (HttpRig rig = HttpRig.start(handler)) {
            try (Client client = Client.connect(rig.port())) {
                client.send(Client.request("POST", "/", "Content-Length: 9") + "half");
                begun.await();
                assertThat(HttpRig.await(true, () -> Files.exists(file))).isTrue();
                client.reset();
                assertThat(told()).startsWith("java.io.IOException");
                assertThat(file).doesNotExist();
            }
            try (Client client = Client.connect(rig.port())) {
                client.send(Client.request("POST", "/", "Content-Length: 5") + "whole");
                assertThat(client.answer().body()).isEqualTo("5 bytes");
                assertThat(file).hasContent("whole");
                client.send(Client.request("POST", "/", "Content-Length: 5") + "other");
                assertThat(client.answer().status()).isEqualTo(500);
                assertThat(file).hasContent("whole");
            }
        }
    }

    /** And is nobody's failure, though the stream is closed as it should be. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aClientThatLeavesIsNoticedByTheWriter(boolean closes) throws Exception {
        Blocking handler =
                telling(
                        (request, exchange) -> {
                            OutputStream out = exchange.stream();
                            try {
                                while (true) {
                                    out.write(new byte[5000]);
                                }
                            } finally {
                                if (closes) {
                                    out.close();
                                }
                            }
                        });
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port(), 64 << 10).ask("/")) {
            begun.await();
            assertThat(client.head().status()).isEqualTo(200);
            Thread.sleep(50);
            client.reset();
            assertThat(told()).startsWith("java.io.IOException: the client is gone");
            assertThat(rig.failures()).isEmpty();
            assertNothingIsLeft(rig, handler);
        }
    }

    /** Whatever it waits for, and though requests behind this one are not read. */
    @Test
    void aThreadThatWaitsElsewhereIsInterrupted() throws Exception {
        BlockingQueue<BlockingExchange> exchanges = new LinkedBlockingQueue<>();
        Blocking handler =
                telling(
                        (request, exchange) -> {
                            exchanges.add(exchange);
                            go.acquire();
                        });
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port()).ask("/")) {
            BlockingExchange exchange = exchanges.poll(10, TimeUnit.SECONDS);
            client.ask("/next");
            client.endOutput();
            assertThat(HttpRig.await(true, exchange::isHalfClosed)).isTrue();
            assertThat(exchange.isGone()).isFalse();
            client.reset();
            assertThat(told()).startsWith("java.lang.InterruptedException");
            assertThat(exchange.isGone()).isTrue();
            assertThat(rig.failures()).isEmpty();
            assertNothingIsLeft(rig, handler);
        }
    }

    @Test
    void anInterruptOfOthersEndsAWait() throws Exception {
        Blocking handler =
                telling(
                        (request, exchange) -> {
                            Thread me = Thread.currentThread();
                            Thread.ofVirtual().start(me::interrupt);
                            exchange.body().read();
                        });
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            client.send(Client.request("POST", "/", "Content-Length: 5"));
            assertThat(client.answer().status()).isEqualTo(500);
            assertThat(told()).startsWith("java.io.InterruptedIOException");
        }
    }

    // ---- what is not read

    @ParameterizedTest
    @CsvSource({"1000, false", "200000, false", "5000000, true"})
    void whatIsNotReadIsDiscardedOrEndsTheConnection(int length, boolean closes) throws Exception {
        Blocking handler =
                telling(
                        (request, exchange) -> {
                            InputStream body = exchange.body();
                            if (request.path().contentEquals("/close")) {
                                body.close();
                                assertThatThrownBy(body::read).hasMessageContaining("closed");
                            } else if (request.contentLength() > 0) {
                                assertThat(body.read()).isZero();
                            }
                            OutputStream out = exchange.stream();
                            out.write(Bytes.of("early"));
                            out.close();
                            if (request.contentLength() > 200_000) {
                                assertThatThrownBy(body::readAllBytes)
                                        .hasMessageContaining("closed");
                            }
                        });
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            client.send(Client.request("POST", "/close", "Content-Length: " + length));
            client.send(new byte[Math.min(length, 300_000)]);
            var answer = client.answer();
            assertThat(answer.body()).isEqualTo("early");
            assertThat(answer.closes()).isEqualTo(closes);
            assertThat(told()).isEqualTo("returned");
            if (!closes) {
                client.send(Client.request("POST", "/", "Content-Length: " + length));
                client.send(new byte[length]);
                assertThat(client.answer().body()).isEqualTo("early");
                assertThat(client.get("/").body()).isEqualTo("early");
                assertThat(told()).isEqualTo("returned");
            }
            client.endOutput();
            assertNothingIsLeft(rig, handler);
        }
    }

    // ---- the end of the server

    private final List<String> log = new CopyOnWriteArrayList<>();

    private HttpServer serve(Handler handler) throws IOException {
        return HttpServer.builder()
                .listen("127.0.0.1", 0)
                .cpus(CpuSet.unpinned(1))
                .log(log::add)
                .handler(handler)
                .start();
    }

    @Test
    void aDrainWaitsForIt() throws Exception {
        Blocking handler =
                telling(
                        (request, exchange) -> {
                            byte[] body = exchange.body().readAllBytes();
                            OutputStream out = exchange.stream();
                            out.flush();
                            go.acquire();
                            out.write(body);
                        });
        try (HttpServer server = serve(handler);
                Client client = Client.connect(server.port())) {
            client.send(Client.request("POST", "/", "Content-Length: 5") + "ab");
            begun.await();
            Thread draining =
                    Thread.ofPlatform()
                            .start(
                                    () -> {
                                        try {
                                            told.add(
                                                    "drained "
                                                            + server.drain(Duration.ofSeconds(20)));
                                        } catch (InterruptedException e) {
                                            told.add(e.toString());
                                        }
                                    });
            Thread.sleep(100);
            client.send("cde");
            client.head();
            go.release();
            assertThat(client.untilEnd()).startsWith("5\r\nabcde\r\n0\r\n\r\n");
            draining.join();
            assertThat(List.of(told(), told())).contains("returned", "drained true");
        }
        assertThat(log).isEmpty();
    }

    /** The time of the drain is over, or the server is closed: whatever they wait for, they end. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void itDoesNotOutliveTheServer(boolean drains) throws Exception {
        Blocking handler =
                telling(
                        (request, exchange) -> {
                            switch (request.path().toString()) {
                                case "/read" -> exchange.body().readAllBytes();
                                case "/write" -> {
                                    OutputStream out = exchange.stream();
                                    while (true) {
                                        out.write(new byte[1000]);
                                    }
                                }
                                default -> go.acquire();
                            }
                        });
        HttpServer server = serve(handler);
        try (Client reading = Client.connect(server.port());
                Client writing = Client.connect(server.port(), 64 << 10);
                Client waiting = Client.connect(server.port())) {
            reading.send(Client.request("POST", "/read", "Content-Length: 5") + "ab");
            writing.ask("/write");
            waiting.ask("/wait");
            assertThat(HttpRig.await(3, handler::underWay)).isEqualTo(3);
            writing.head();
            if (drains) {
                assertThat(server.drain(Duration.ofMillis(300))).isFalse();
            }
            server.close();
            List<String> all = List.of(told(), told(), told());
            assertThat(all).filteredOn(s -> s.contains("InterruptedException")).hasSize(1);
            assertThat(all)
                    .filteredOn(s -> s.contains("IOException: the client is gone"))
                    .hasSize(2);
            assertThat(HttpRig.await(0, handler::underWay)).isZero();
        }
    }
}
