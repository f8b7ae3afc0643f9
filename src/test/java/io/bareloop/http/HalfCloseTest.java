package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients that have ended their sending side, or are gone, while their request is under way. */
@Timeout(60)
class HalfCloseTest {
    private final BlockingQueue<String> told = new LinkedBlockingQueue<>();
    private final BlockingQueue<Suspended> suspended = new LinkedBlockingQueue<>();

    private final Handler suspending =
            (request, response) -> {
                String path = request.path().toString();
                response.onHalfClose(() -> told.add("half-closed " + path));
                response.onAbort(() -> told.add("lost " + path));
                suspended.add(response.suspend());
            };

    private String told() throws InterruptedException {
        return told.poll(10, TimeUnit.SECONDS);
    }

    private Suspended next() throws InterruptedException {
        Suspended next = suspended.poll(10, TimeUnit.SECONDS);
        assertThat(next).isNotNull();
        return next;
    }

    private static void answer(Suspended one) {
        one.resume((request, response) -> response.body(request.path() + " answered"));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void isToldAndMayStillRead(boolean serveTogether) throws Exception {
        try (HttpRig rig = start(Timeouts.defaults(), suspending, serveTogether);
                Client client = Client.connect(rig.port()).ask("/one")) {
            Suspended one = next();
            assertThat(one.isHalfClosed()).isFalse();
            client.endOutput();
            assertThat(told()).isEqualTo("half-closed /one");
            assertThat(one.isHalfClosed()).isTrue();
            assertThat(one.isGone()).isFalse();
            answer(one);
            assertThat(client.answer().body()).isEqualTo("/one answered");
            assertThat(client.untilEnd()).isEmpty();
            assertThat(told).isEmpty();
            assertThat(HttpRig.await(0L, rig::open)).isZero();
        }
    }

    /** Input is paused, for requests wait: the end is known, and they are answered all the same. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void isToldBeforeWhatIsPipelinedHasBeenRead(boolean serveTogether) throws Exception {
        try (HttpRig rig = start(Timeouts.defaults(), suspending, serveTogether);
                Client client = Client.connect(rig.port()).ask("/one")) {
            Suspended one = next();
            client.ask("/two");
            assertThat(client.isSilentFor(20)).isTrue();
            client.ask("/three").endOutput();
            assertThat(told()).isEqualTo("half-closed /one");
            assertThat(one.isHalfClosed()).isTrue();

            // It waits for the handler, and not by turning round.
            long turns = rig.counters().turns();
            assertThat(client.isSilentFor(200)).isTrue();
            assertThat(rig.counters().turns() - turns).isLessThan(20);

            answer(one);
            assertThat(client.answer().body()).isEqualTo("/one answered");
            Suspended two = next();
            assertThat(two.isHalfClosed()).isTrue();
            assertThat(told()).isEqualTo("half-closed /two");
            answer(two);
            assertThat(told()).isEqualTo("half-closed /three");
            answer(next());
            assertThat(client.answer().body()).isEqualTo("/two answered");
            assertThat(client.answer().body()).isEqualTo("/three answered");
            assertThat(client.untilEnd()).isEmpty();
            assertThat(told).isEmpty();
            assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
        }
    }

    /** The same, and now it is gone: at once, though its input is not taken. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aClientThatIsGoneIsToldWhileInputIsPaused(boolean serveTogether) throws Exception {
        try (HttpRig rig = start(Timeouts.defaults(), suspending, serveTogether);
                Client client = Client.connect(rig.port()).ask("/one")) {
            Suspended one = next();
            client.ask("/two");
            assertThat(client.isSilentFor(20)).isTrue();
            client.reset();
            assertThat(told()).isEqualTo("lost /one");
            assertThat(one.isGone()).isTrue();
            assertThat(HttpRig.await(0L, rig::open)).isZero();
            assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
        }
    }

    /** Closed, it looks half-closed, until something is sent to it. */
    @Test
    void aClientThatHasClosedIsLostOnceSomethingIsSent() throws Exception {
        try (HttpRig rig = HttpRig.start(suspending)) {
            Client client = Client.connect(rig.port()).ask("/one");
            Suspended one = next();
            client.close();
            assertThat(told()).isEqualTo("half-closed /one");
            one.resume((request, response) -> response.stream().write(new byte[10]));
            assertThat(told()).isEqualTo("lost /one");
            assertThat(HttpRig.await(true, one::isGone)).isTrue();
            assertThat(HttpRig.await(0L, rig::open)).isZero();
        }
    }

    @Test
    void isToldWhileOutputIsUnsent() throws Exception {
        Handler streaming =
                (request, response) -> {
                    response.onHalfClose(() -> told.add("half-closed"));
                    response.stream();
                    while (response.isWritable()) {
                        response.write(new byte[50_000]);
                    }
                    suspended.add(response.suspend());
                };
        try (HttpRig rig = HttpRig.start(streaming);
                Client client = Client.connect(rig.port(), 64 << 10).ask("/")) {
            Suspended one = next();
            client.endOutput();
            assertThat(told()).isEqualTo("half-closed");
            one.resume((request, response) -> response.end());
            assertThat(client.untilEnd()).endsWith("0\r\n\r\n");
            assertThat(told).isEmpty();
        }
    }

    @Test
    void isAskedOnTheLoopOnly() throws Exception {
        BlockingQueue<Response> responses = new LinkedBlockingQueue<>();
        Handler handler =
                (request, response) -> {
                    assertThat(response.isHalfClosed()).isFalse();
                    responses.add(response);
                    suspended.add(response.suspend());
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port()).ask("/")) {
            Response response = responses.poll(10, TimeUnit.SECONDS);
            assertThatThrownBy(response::isHalfClosed).isInstanceOf(IllegalStateException.class);
            client.endOutput();
            assertThat(HttpRig.await(true, () -> rig.ask(response::isHalfClosed))).isTrue();
            // Whoever wants to know it later is told soon.
            next().resume((request, same) -> same.onHalfClose(() -> told.add("late")));
            assertThat(told()).isEqualTo("late");
        }
    }

    // ---- while a body is paused

    /** Takes a body, of which the first piece pauses it. */
    private final class Pausing implements StreamHandler {
        private int bytes;
        private boolean isFirst = true;

        @Override
        public void begin(Request request, Response response) {
            response.onHalfClose(() -> told.add("half-closed"));
            suspended.add(response.suspend());
        }

        @Override
        public void piece(Request request, Response response, ByteView piece) {
            bytes += piece.length();
            if (isFirst) {
                isFirst = false;
                response.pauseBody();
            }
        }

        @Override
        public void end(Request request, Response response) {
            response.body(bytes + " bytes");
        }

        @Override
        public void aborted(Request request) {
            told.add("aborted");
        }
    }

    /** More than is received in one call stands before the end, which is known all the same. */
    @ParameterizedTest
    @ValueSource(ints = {3, 100_000})
    void aPausedBodyMayStillBeTaken(int length) throws Exception {
        try (HttpRig rig = HttpRig.start(new Pausing());
                Client client = Client.connect(rig.port())) {
            client.send(Client.request("POST", "/", "Content-Length: " + length));
            Suspended one = next();
            client.send(new byte[length]).endOutput();
            assertThat(told()).isEqualTo("half-closed");
            one.resume((request, response) -> response.resumeBody());
            assertThat(client.answer().body()).isEqualTo(length + " bytes");
            assertThat(client.untilEnd()).isEmpty();
            assertThat(told).isEmpty();
        }
    }

    @Test
    void halfABodyIsNoticedWhenItIsTaken() throws Exception {
        try (HttpRig rig = HttpRig.start(new Pausing());
                Client client = Client.connect(rig.port())) {
            client.send(Client.request("POST", "/", "Content-Length: 10") + "half").endOutput();
            assertThat(told()).isEqualTo("half-closed");
            assertThat(told.poll(50, TimeUnit.MILLISECONDS)).isNull();
            next().resume((request, response) -> response.resumeBody());
            assertThat(told()).isEqualTo("aborted");
            assertThat(HttpRig.await(0L, rig::open)).isZero();
        }
    }

    /** Nobody may be left at the other end: that is waited for no longer than for a body. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aPauseBehindTheEndIsBounded(boolean endsFirst) throws Exception {
        Timeouts timeouts = Timeouts.builder().body(Duration.ofMillis(300)).build();
        try (HttpRig rig = HttpRig.start(Limits.defaults(), timeouts, new Pausing());
                Client client = Client.connect(rig.port())) {
            client.send(Client.request("POST", "/", "Content-Length: 200000"));
            Suspended one = next();
            client.send(new byte[1000]);
            if (!endsFirst) {
                // Paused alone, it has no such bound.
                assertThat(client.isSilentFor(600)).isTrue();
                assertThat(one.isGone()).isFalse();
            }
            client.endOutput();
            assertThat(told()).isEqualTo("half-closed");
            assertThat(told()).isEqualTo("aborted");
            assertThat(client.answer().status()).isEqualTo(408);
            assertThat(HttpRig.await(0L, rig::open)).isZero();
            assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
        }
    }

    private static HttpRig start(Timeouts timeouts, Handler handler, boolean serveTogether)
            throws Exception {
        return HttpRig.start(Limits.defaults(), timeouts, handler, serveTogether);
    }
}
