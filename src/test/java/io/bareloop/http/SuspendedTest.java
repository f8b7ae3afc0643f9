package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Responses that go on after their handler has returned: suspended, ticking, streaming. */
@Timeout(60)
class SuspendedTest {
    private final BlockingQueue<Suspended> suspended = new ArrayBlockingQueue<>(1000);

    private final Handler suspending =
            (request, response) -> {
                if (request.path().contentEquals("/now")) {
                    response.body("now");
                } else {
                    suspended.add(response.suspend());
                }
            };

    private Suspended next() throws InterruptedException {
        Suspended next = suspended.poll(10, TimeUnit.SECONDS);
        assertThat(next).isNotNull();
        return next;
    }

    @Test
    void answersLaterFromAnotherThread() throws Exception {
        try (HttpRig rig = HttpRig.start(suspending);
                Client client = Client.connect(rig.port())) {
            for (int i = 0; i < 3; i++) {
                client.send(
                        "POST /later?q=%d HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
                                .formatted(i));
                // Meanwhile it has to wait; and what it sent is received into the same buffer.
                client.ask("/now");
                Suspended one = next();
                assertThat(client.isSilentFor(20)).isTrue();
                assertThat(one.isGone()).isFalse();
                one.resume(
                        (request, response) ->
                                response.body(
                                        request.target()
                                                + " "
                                                + request.header(HeaderName.HOST)
                                                + " "
                                                + request.body()));
                assertThat(client.answer().body()).isEqualTo("/later?q=" + i + " a body");
                assertThat(client.answer().body()).isEqualTo("now");
                assertThat(one.isGone()).isTrue();
            }
            client.ask("/later");
            next().resume((request, response) -> response.body(request.path()));
            assertThat(client.answer().body()).isEqualTo("/later");
            assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
        }
    }

    @Test
    void resumesFromManyThreadsUntilTheEnd() throws Exception {
        int threads = 8;
        int each = 100;
        try (HttpRig rig = HttpRig.start(suspending);
                Client client = Client.connect(rig.port())) {
            AtomicInteger afterTheEnd = new AtomicInteger();
            for (int round = 0; round < 5; round++) {
                client.ask("/");
                Suspended one = next();
                one.resume((request, response) -> response.stream());
                AtomicInteger written = new AtomicInteger();
                List<Thread> running = new ArrayList<>();
                for (int t = 0; t < threads; t++) {
                    Thread thread =
                            new Thread(
                                    () -> {
                                        for (int i = 0; i < each; i++) {
                                            one.resume(
                                                    (request, response) -> {
                                                        response.write(Bytes.of("x"));
                                                        if (written.incrementAndGet()
                                                                == threads * each / 2) {
                                                            response.end();
                                                        } else if (response.hasEnded()) {
                                                            afterTheEnd.incrementAndGet();
                                                        }
                                                    });
                                        }
                                    });
                    running.add(thread);
                    thread.start();
                }
                assertThat(client.answer().body()).isEqualTo("x".repeat(threads * each / 2));
                for (Thread thread : running) {
                    thread.join();
                }
                // The next request uses the same objects; nothing of the last may meet it.
                one.resume((request, response) -> afterTheEnd.incrementAndGet());
                assertThat(client.get("/now").body()).isEqualTo("now");
                assertThat(written).hasValue(threads * each / 2);
                assertThat(one.isGone()).isTrue();
            }
            assertThat(afterTheEnd).hasValue(0);
            assertThat(rig.failures()).isEmpty();
            assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
        }
    }

    @Test
    void doesNothingForAConnectionThatIsGone() throws Exception {
        AtomicInteger run = new AtomicInteger();
        try (HttpRig rig = HttpRig.start(suspending)) {
            Client gone = Client.connect(rig.port());
            gone.ask("/");
            Suspended one = next();
            gone.reset();
            assertThat(HttpRig.await(true, one::isGone)).isTrue();
            one.resume((request, response) -> run.incrementAndGet());
            // The same slot, the same protocol, another connection with a request under way.
            try (Client client = Client.connect(rig.port())) {
                client.ask("/");
                Suspended other = next();
                one.resume((request, response) -> run.incrementAndGet());
                other.resume((request, response) -> response.body("other"));
                one.resume((request, response) -> run.incrementAndGet());
                assertThat(client.answer().body()).isEqualTo("other");
            }
            assertThat(run).hasValue(0);
            assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
        }
    }

    @Test
    void treatsExceptionsOfActionsAsOnesOfHandlers() throws Exception {
        try (HttpRig rig = HttpRig.start(suspending)) {
            try (Client client = Client.connect(rig.port())) {
                client.ask("/");
                next().resume(
                                (request, response) -> {
                                    throw new HttpException(Status.NOT_FOUND, "later");
                                });
                assertThat(client.answer().body()).isEqualTo("404 Not Found: later\n");
                client.ask("/");
                next().resume(
                                (request, response) -> {
                                    throw new IllegalStateException("on purpose");
                                });
                Answer failed = client.answer();
                assertThat(failed.status()).isEqualTo(500);
                assertThat(failed.closes()).isTrue();
                assertThat(client.untilEnd()).isEmpty();
            }
            assertThat(rig.failures()).hasSize(1);
        }
    }

    /** A head that has been written in part has been sent in part. */
    @Test
    void goesOnWithAHeadThatWasBegunBefore() throws Exception {
        Handler handler =
                (request, response) -> {
                    response.status(Status.ACCEPTED).contentType(MediaType.TEXT);
                    suspended.add(response.suspend());
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            client.ask("/");
            next().resume((request, response) -> response.header(HeaderName.ETAG, "e").body("b"));
            Answer received = client.answer();
            assertThat(received.status()).isEqualTo(202);
            assertThat(received.field("ETag")).isEqualTo("e");
            assertThat(received.body()).isEqualTo("b");

            client.ask("/");
            next().resume(
                            (request, response) -> {
                                throw new HttpException(Status.NOT_FOUND, "too late");
                            });
            assertThat(client.untilEndOrReset()).startsWith("HTTP/1.1 202").doesNotContain("404");
        }
    }

    @Test
    void cannotBeSuspendedTwiceOrLate() throws Exception {
        AtomicReference<Response> kept = new AtomicReference<>();
        Handler handler =
                (request, response) -> {
                    kept.set(response);
                    suspended.add(response.suspend());
                    assertThatThrownBy(response::suspend).isInstanceOf(IllegalStateException.class);
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            client.ask("/");
            next().resume((request, response) -> response.body("once"));
            assertThat(client.answer().body()).isEqualTo("once");
            assertThatThrownBy(() -> kept.get().suspend())
                    .isInstanceOf(IllegalStateException.class);
            assertThat(rig.failures()).isEmpty();
        }
    }

    /** The client has said that it will send no more, and still waits for the answer. */
    @Test
    void answersAClientThatHasEndedItsOutput() throws Exception {
        try (HttpRig rig = HttpRig.start(suspending);
                Client client = Client.connect(rig.port())) {
            client.ask("/").ask("/now").endOutput();
            Suspended one = next();
            Thread.sleep(20);
            one.resume((request, response) -> response.body("later"));
            assertThat(client.answer().body()).isEqualTo("later");
            assertThat(client.answer().body()).isEqualTo("now");
            assertThat(client.untilEnd()).isEmpty();
        }
    }

    /** A body in pieces, whose response another thread ends while there is more to come. */
    @Test
    void discardsTheBodyOfAResponseEndedBefore() throws Exception {
        List<String> pieces = new CopyOnWriteArrayList<>();
        StreamHandler handler =
                new StreamHandler() {
                    @Override
                    public void begin(Request request, Response response) {
                        suspended.add(response.suspend());
                    }

                    @Override
                    public void piece(Request request, Response response, ByteView piece) {
                        pieces.add(piece.toString());
                    }

                    @Override
                    public void end(Request request, Response response) {
                        pieces.add("the end");
                    }

                    @Override
                    public void aborted(Request request) {
                        pieces.add("aborted");
                    }
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            for (int i = 0; i < 3; i++) {
                pieces.clear();
                client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
                assertThat(HttpRig.await(List.of("abc"), () -> pieces)).containsExactly("abc");
                Suspended one = next();
                one.resume((request, response) -> response.body("enough"));
                assertThat(client.answer().body()).isEqualTo("enough");
                assertThat(one.isGone()).isTrue();
                client.send("defghi");
                assertThat(pieces).containsExactly("abc");
            }
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
            next().resume((request, response) -> response.body("all"));
            assertThat(client.answer().body()).isEqualTo("all");
            assertThat(rig.failures()).isEmpty();
            assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
        }
    }

    // ---- aborts

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void tellsOnceOfALostConnection(boolean streams) throws Exception {
        AtomicInteger aborts = new AtomicInteger();
        AtomicReference<Thread> thread = new AtomicReference<>();
        Handler handler =
                (request, response) -> {
                    response.onAbort(
                            () -> {
                                aborts.incrementAndGet();
                                thread.set(Thread.currentThread());
                                assertThat(response.hasEnded()).isTrue();
                                assertThat(response.isWritable()).isFalse();
                            });
                    suspended.add(response.suspend());
                    if (streams) {
                        response.stream().write(new byte[10]);
                    }
                };
        try (HttpRig rig = HttpRig.start(handler)) {
            for (int i = 1; i <= 5; i++) {
                Client client = Client.connect(rig.port());
                client.ask("/");
                Suspended one = next();
                client.reset();
                assertThat(HttpRig.await(i, aborts::get)).isEqualTo(i);
                assertThat(HttpRig.await(true, one::isGone)).isTrue();
            }
            assertThat(HttpRig.await(0L, rig::open)).isZero();
            assertThat(aborts).hasValue(5);
            assertThat(thread.get().getName()).isEqualTo("rig");
            assertThat(rig.failures()).isEmpty();
            assertThat(rig.slicesInUse()).isZero();
        }
        assertThat(aborts).hasValue(5);
    }

    @Test
    void tellsOfNoAbortWhereTheResponseEnded() throws Exception {
        AtomicInteger aborts = new AtomicInteger();
        Handler handler =
                (request, response) ->
                        response.onAbort(aborts::incrementAndGet).status(Status.OK).body("all");
        try (HttpRig rig = HttpRig.start(handler)) {
            Client client = Client.connect(rig.port());
            assertThat(client.get("/").body()).isEqualTo("all");
            client.reset();
            assertThat(HttpRig.await(0L, rig::open)).isZero();
        }
        assertThat(aborts).hasValue(0);
    }

    @Test
    void tellsOnceWhereTheServerEnds() throws Exception {
        AtomicInteger aborts = new AtomicInteger();
        Handler handler =
                (request, response) -> {
                    response.onAbort(aborts::incrementAndGet);
                    suspended.add(response.suspend());
                };
        Suspended one;
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            client.ask("/");
            one = next();
            rig.stop();
            assertThat(aborts).hasValue(1);
            assertThat(client.untilEndOrReset()).isEmpty();
        }
        assertThat(one.isGone()).isTrue();
        one.resume((request, response) -> aborts.incrementAndGet());
        assertThat(aborts).hasValue(1);
    }

    @Test
    void survivesAnAbortThatThrows() throws Exception {
        Handler handler =
                (request, response) -> {
                    response.onAbort(
                            () -> {
                                throw new IllegalStateException("on purpose");
                            });
                    suspended.add(response.suspend());
                };
        try (HttpRig rig = HttpRig.start(handler)) {
            Client client = Client.connect(rig.port());
            client.ask("/");
            next();
            client.reset();
            assertThat(HttpRig.await(1, rig.failures()::size)).isOne();
            assertThat(HttpRig.await(0L, rig::open)).isZero();
            assertThat(rig.slicesInUse()).isZero();
        }
    }

    // ---- ticks

    @Test
    void ticksAtItsPeriod() throws Exception {
        List<Long> ticks = new CopyOnWriteArrayList<>();
        AtomicLong start = new AtomicLong();
        Handler handler =
                (request, response) -> {
                    start.set(System.nanoTime());
                    response.stream();
                    response.onTick(
                            Duration.ofMillis(150),
                            () -> {
                                ticks.add(System.nanoTime());
                                response.write(Bytes.of("t"));
                                if (ticks.size() == 4) {
                                    response.end();
                                }
                            });
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            assertThat(client.get("/").body()).isEqualTo("tttt");
            long before = start.get();
            for (long tick : ticks) {
                // At most 70 ms late, and what a busy machine adds.
                assertThat((tick - before) / 1_000_000).isBetween(150L, 150L + 70 + 250);
                before = tick;
            }
            Thread.sleep(250);
            assertThat(ticks).hasSize(4);
            assertThat(rig.failures()).isEmpty();
            // The connection goes on, and has its own deadline again.
            ticks.clear();
            assertThat(client.get("/").body()).isEqualTo("tttt");
        }
    }

    @Test
    void refusesTooShortAPeriod() throws Exception {
        Handler handler =
                (request, response) -> response.stream().onTick(Duration.ofMillis(99), () -> {});
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            assertThat(client.get("/").status()).isEqualTo(500);
        }
    }

    @Test
    void ticksNoMoreWhereTheClientIsGone() throws Exception {
        AtomicInteger ticks = new AtomicInteger();
        Handler handler =
                (request, response) ->
                        response.stream()
                                .onTick(Duration.ofMillis(100), ticks::incrementAndGet)
                                .write(new byte[1]);
        try (HttpRig rig = HttpRig.start(handler)) {
            Client client = Client.connect(rig.port());
            client.ask("/").head();
            assertThat(HttpRig.await(true, () -> ticks.get() > 0)).isTrue();
            client.reset();
            assertThat(HttpRig.await(0L, rig::open)).isZero();
            int last = ticks.get();
            Thread.sleep(250);
            assertThat(ticks).hasValue(last);
        }
    }

    // ---- streams that wait for their client

    /** Writes {@code total} bytes, numbered, as the client takes them. */
    private static final class Pump {
        private static final int PIECE = 20_000;

        private final Response response;
        private final int total;
        private int written;

        Pump(Response response, int total) {
            this.response = response;
            this.total = total;
        }

        void run() {
            while (written < total && response.isWritable()) {
                int length = Math.min(PIECE, total - written);
                response.write(bytes(written, length));
                written += length;
            }
            if (written == total) {
                response.end();
            }
        }

        static byte[] bytes(int from, int length) {
            byte[] bytes = new byte[length];
            for (int i = 0; i < length; i++) {
                bytes[i] = (byte) ((from + i) * 31 + ((from + i) >> 10));
            }
            return bytes;
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void streamsToASlowReaderInBoundedMemory(boolean chunked) throws Exception {
        int total = 10 << 20;
        Handler handler =
                (request, response) -> {
                    if (chunked) {
                        response.stream();
                    } else {
                        response.stream(total);
                    }
                    Pump pump = new Pump(response, total);
                    response.onWritable(pump::run);
                    pump.run();
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port(), 16_384)) {
            client.ask("/");
            Answer head = client.head();
            int at = 0;
            while (at < total) {
                String piece = chunked ? client.chunk() : Bytes.toString(client.exactly(131_072));
                if (!Bytes.toString(Pump.bytes(at, piece.length())).equals(piece)) {
                    throw new AssertionError("other bytes at about " + at);
                }
                at += piece.length();
                if (at % 40 == 0) {
                    Thread.sleep(1);
                }
            }
            if (chunked) {
                assertThat(client.chunk()).isEmpty();
            }
            assertThat(head.closes()).isFalse();
            // A buffer's worth at a time, and no more than what did not fit into it.
            assertThat(rig.slabBytes()).isLessThanOrEqualTo(2 << 20);
            assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
            assertThat(rig.failures()).isEmpty();
            client.ask("/");
            assertThat(client.head().status()).isEqualTo(200);
        }
    }

    /** The kernel takes everything at once: nobody is behind, and nothing may wait for that. */
    @Test
    void streamsToAFastReaderWithoutWaiting() throws Exception {
        int total = 300_000;
        Handler handler =
                (request, response) -> {
                    Pump pump = new Pump(response.stream(), total);
                    response.onWritable(pump::run);
                    pump.run();
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            for (int i = 0; i < 20; i++) {
                String body = client.get("/").body();
                assertThat(body.equals(Bytes.toString(Pump.bytes(0, total)))).isTrue();
            }
        }
    }

    @Test
    void callsOnWritableNoMoreOnceEnded() throws Exception {
        AtomicInteger late = new AtomicInteger();
        byte[] large = new byte[3_000_000];
        Handler handler =
                (request, response) -> {
                    response.onWritable(late::incrementAndGet);
                    response.body(large);
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port(), 16_384)) {
            assertThat(client.get("/").body()).hasSize(large.length);
            assertThat(client.get("/").body()).hasSize(large.length);
            assertThat(late).hasValue(0);
        }
    }

    @Test
    void echoesMoreThanItHasMemoryFor() throws Exception {
        StreamHandler echo =
                new StreamHandler() {
                    @Override
                    public void begin(Request request, Response response) {
                        response.stream(request.contentLength());
                    }

                    @Override
                    public void piece(Request request, Response response, ByteView piece) {
                        response.write(piece);
                    }

                    @Override
                    public void end(Request request, Response response) {
                        response.end();
                    }
                };
        int total = 20 << 20;
        try (HttpRig rig = HttpRig.start(echo);
                Client client = Client.connect(rig.port(), 16_384)) {
            AtomicBoolean sent = new AtomicBoolean();
            CountDownLatch done = new CountDownLatch(1);
            Thread sender =
                    new Thread(
                            () -> {
                                try {
                                    client.send(
                                            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: "
                                                    + total
                                                    + "\r\n\r\n");
                                    for (int at = 0; at < total; at += 1 << 16) {
                                        client.send(Pump.bytes(at, 1 << 16));
                                    }
                                    sent.set(true);
                                } catch (Exception e) {
                                    throw new AssertionError(e);
                                } finally {
                                    done.countDown();
                                }
                            });
            sender.start();
            // The client does not read: soon the server must stop reading too.
            Thread.sleep(200);
            assertThat(sent).isFalse();
            assertThat(rig.slabBytes()).isLessThanOrEqualTo(2 << 20);
            assertThat(client.head().field("Content-Length")).isEqualTo("" + total);
            for (int at = 0; at < total; at += 1 << 16) {
                String piece = Bytes.toString(client.exactly(1 << 16));
                assertThat(Bytes.toString(Pump.bytes(at, 1 << 16)).equals(piece)).isTrue();
            }
            done.await();
            assertThat(sent).isTrue();
            assertThat(client.untilEnd()).isEmpty();
            assertThat(rig.slabBytes()).isLessThanOrEqualTo(2 << 20);
            assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
        }
    }
}
