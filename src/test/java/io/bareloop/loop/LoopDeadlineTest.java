package io.bareloop.loop;

import static io.bareloop.loop.LoopRig.get;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.Timeouts;
import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.rig.FaultySyscalls.Call;
import io.bareloop.sys.Errno;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whoever keeps a loop waiting is let go of in time, not before, and with a word where one fits.
 */
@Timeout(60)
class LoopDeadlineTest {
    private static final int HEAD_MILLIS = 600;
    private static final int IDLE_MILLIS = 400;
    private static final int SEND_MILLIS = 400;

    /** A tick of the wheel, and what a busy machine may add. */
    private static final int LATE_MILLIS = 68 + 1000;

    private static final Timeouts TIMEOUTS = LoopRig.timeouts(HEAD_MILLIS, IDLE_MILLIS);

    private static LoopRig newRig() {
        return new LoopRig(LoopRig.options(100, SEND_MILLIS), TIMEOUTS);
    }

    // ---- waiting for a request

    @Test
    void whoSaysNothingIsLetGo() {
        try (LoopRig rig = newRig()) {
            long start = System.nanoTime();
            Client client = rig.connect();
            rig.until(client::ended);
            assertMillis(start, HEAD_MILLIS);
            assertThat(client.receivedBytes()).isZero();
            assertThat(client.wasReset()).isFalse();
            rig.assertNothingLeft();
        }
    }

    /** The loop wakes by itself, each time anew, and only for that. */
    @Test
    void aSleepingLoopWakesInTime() {
        try (LoopRig rig = newRig()) {
            rig.start();
            for (int i = 1; i <= 3; i++) {
                long start = System.nanoTime();
                Client client = rig.connect();
                rig.until(client::ended);
                assertMillis(start, HEAD_MILLIS);
                assertThat(rig.loop.counters().turns()).isLessThan(10L * i);
            }
            // Nobody is left to wake for.
            long turns = rig.loop.counters().turns();
            LoopRig.pause(200);
            assertThat(rig.loop.counters().turns()).isBetween(turns, turns + 1);
        }
    }

    /** A time-out of epoll_wait, or a timer set for each request, would cost more CPU time. */
    @Test
    void aRequestSetsNoTimer() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            Client client = rig.connect();
            rig.start();
            for (int i = 1; i <= 500; i++) {
                int asked = i;
                client.send(get("/"));
                rig.until(() -> client.answers().size() == asked);
            }
            assertThat(rig.sys.timeouts()).contains(-1).isSubsetOf(-1, 0);
            // For the head, for the next request; and each time that it has come.
            assertThat(rig.sys.count(Call.TIMERFD_SETTIME)).isBetween(1L, 5L);
        }
    }

    @Test
    void whoIsIdleIsLetGo() throws IOException {
        try (LoopRig rig = newRig()) {
            Client client = rig.connect();
            long start = 0;
            // As long as it keeps asking it may stay.
            for (int i = 0; i < 6; i++) {
                rig.turnFor(IDLE_MILLIS / 4);
                int asked = i;
                start = System.nanoTime();
                client.send(get("/"));
                rig.until(() -> client.answers().size() == asked + 1);
            }
            rig.until(client::ended);
            assertMillis(start, IDLE_MILLIS);
            assertThat(client.answers()).hasSize(6);
            assertThat(client.wasReset()).isFalse();
            rig.assertNothingLeft();
        }
    }

    /** A byte now and then does not extend the time for a head. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whoSendsAHeadTooSlowlyIsToldSo(boolean afterAnother) throws IOException {
        try (LoopRig rig = new LoopRig(LoopRig.OPTIONS, LoopRig.timeouts(HEAD_MILLIS, 60_000))) {
            Client client = rig.connectAndAccept();
            if (afterAnother) {
                client.send(get("/"));
                rig.settle();
                client.forget();
            }
            String head = "GET / HTTP/1.1\r\nX: " + "x".repeat(1000);
            long start = System.nanoTime();
            int sent = 0;
            while (client.answers().isEmpty()) {
                assertThat(sent).isLessThan(head.length());
                client.send(head.substring(sent, sent + 1));
                sent++;
                rig.turnFor(10);
            }
            assertMillis(start, HEAD_MILLIS);
            Answer answer = client.answers().get(0);
            assertThat(answer.status()).isEqualTo(408);
            assertThat(answer.closes()).isTrue();
            rig.until(client::ended);
            assertThat(client.answers()).hasSize(1);
            assertThat(client.wasReset()).isFalse();
            client.close();
            rig.settle();
            rig.assertNothingLeft();
        }
    }

    /** What has arrived takes longer than any of the times: the connection is busy, not idle. */
    @Test
    void whoHasMoreToAskThanATurnAnswersMayStay() throws IOException {
        int requests = 1900;
        try (LoopRig rig = newRig()) {
            Client client = rig.connectAndAccept();
            client.send(LoopTest.getAll(requests));
            while (rig.loop.counters().requests() < requests) {
                rig.turn();
                LoopRig.pause(HEAD_MILLIS / 10);
                client.receive();
                assertThat(client.ended()).isFalse();
            }
            rig.settle();
            assertThat(client.bodies()).isEqualTo(LoopTest.paths(requests));
            rig.assertLeft(1);
        }
    }

    // ---- waiting for room

    @Test
    void whoDoesNotReadIsLetGo() throws IOException {
        // No other deadline comes first.
        try (LoopRig rig = new LoopRig(LoopRig.options(100, SEND_MILLIS))) {
            rig.limitSendBuffers(8 << 10);
            Client client = rig.connect(8 << 10);
            client.send(get("/bytes/1000000"));
            while (rig.loop.slab().slicesInUse() == 0) {
                rig.loop.runOnce(1);
            }
            long start = System.nanoTime();
            while (rig.loop.openConnections() > 0) {
                rig.loop.runOnce(1);
            }
            // The last byte that its kernel took may have been taken before.
            assertMillis(start, SEND_MILLIS - 50);
            rig.assertNothingLeft();
        }
    }

    /** That it might take some, says the kernel, but it takes none: that is no progress. */
    @Test
    void whoTakesNothingIsLetGo() throws IOException {
        try (LoopRig rig = new LoopRig(LoopRig.options(100, SEND_MILLIS))) {
            Client client = rig.connectAndAccept();
            rig.sys.next(Call.SEND, 10);
            rig.sys.script(Call.SEND, (fd, length) -> -Errno.EAGAIN);
            long start = System.nanoTime();
            client.send(get("/"));
            rig.until(client::ended);
            assertMillis(start, SEND_MILLIS);
            assertThat(rig.sys.count(Call.SEND)).isGreaterThan(10);
            rig.assertNothingLeft();
        }
    }

    /** It takes longer than the time without progress, but there is progress. */
    @ParameterizedTest
    @CsvSource({"10, 20", "300000, 30000"})
    void whoTakesALittleNowAndThenMayStay(int length, int bytesAtOnce) throws IOException {
        try (LoopRig rig = new LoopRig(LoopRig.options(100, SEND_MILLIS))) {
            Client client = rig.connectAndAccept();
            long start = System.nanoTime();
            long[] nextTake = {start};
            rig.sys.script(
                    Call.SEND,
                    (fd, most) -> {
                        if (System.nanoTime() - nextTake[0] < 0) {
                            return -Errno.EAGAIN;
                        }
                        nextTake[0] = System.nanoTime() + SEND_MILLIS * 1_000_000L / 4;
                        return bytesAtOnce;
                    });
            client.send(get("/bytes/" + length));
            rig.until(() -> client.ended() || !client.answers().isEmpty());
            assertThat(client.bodies()).containsExactly(LoopRig.bytes(length));
            assertThat((System.nanoTime() - start) / 1_000_000).isGreaterThan(SEND_MILLIS + 68);
        }
    }

    // ---- lingering

    private static final String BAD = "GET / HTTP/1.1\r\nno colon\r\n\r\n";

    /** More than it needs to be refused is on its way, or comes later: the answer arrives whole. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 1000, 60_000, 150_000})
    void whoIsRefusedCanReadWhy(int more) throws IOException {
        for (boolean endsOutput : List.of(false, true)) {
            try (LoopRig rig = newRig()) {
                rig.enlargeReceiveBuffers(400 << 10);
                Client client = rig.connectAndAccept();
                // In one turn, so that the end may have arrived before the first byte is received.
                client.send(BAD);
                sendMore(client, more);
                if (endsOutput) {
                    client.endOutput();
                }
                for (int i = 0; i < 10; i++) {
                    rig.loop.runOnce(1);
                }
                assertRefused(rig, client);
                client.close();
                rig.settle();
                rig.assertNothingLeft();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 1000, 60_000})
    void whoGoesOnSendingCanReadWhy(int more) throws IOException {
        for (boolean endsOutput : List.of(false, true)) {
            try (LoopRig rig = newRig()) {
                Client client = rig.connectAndAccept();
                client.send(BAD);
                for (int i = 0; i < 3; i++) {
                    rig.loop.runOnce(1);
                }
                sendMore(client, more);
                if (endsOutput) {
                    client.endOutput();
                }
                for (int i = 0; i < 3; i++) {
                    rig.loop.runOnce(1);
                }
                assertRefused(rig, client);
                client.close();
                rig.settle();
                rig.assertNothingLeft();
            }
        }
    }

    private static void sendMore(Client client, int bytes) throws IOException {
        assertThat(client.offer(ByteBuffer.allocate(bytes))).isEqualTo(bytes);
    }

    private static void assertRefused(LoopRig rig, Client client) {
        rig.until(client::ended);
        assertThat(client.wasReset()).isFalse();
        assertThat(client.answers()).hasSize(1);
        assertThat(client.answers().get(0).status()).isEqualTo(400);
        assertThat(client.answers().get(0).closes()).isTrue();
    }

    /** It has its answer and its end; that it does not leave holds nothing for ever. */
    @Test
    void lingeringEnds() throws IOException {
        try (LoopRig rig = newRig()) {
            Client client = rig.connectAndAccept();
            long start = System.nanoTime();
            client.send(BAD);
            rig.until(client::ended);
            assertThat(rig.loop.openConnections()).isEqualTo(1);
            while (rig.loop.openConnections() > 0) {
                client.send("x");
                rig.turnFor(20);
            }
            assertMillis(start, LoopRig.LINGER_MILLIS);
            rig.assertNothingLeft();
        }
    }

    /** However much a peer sends: what it sends is discarded, others are served, and it ends. */
    @Test
    void lingeringDoesNotReceiveForEver() throws IOException {
        try (LoopRig rig = newRig()) {
            Client client = rig.connectAndAccept();
            Client other = rig.connect();
            long start = System.nanoTime();
            client.send(BAD);
            rig.settle();
            ByteBuffer chunk = ByteBuffer.allocate(1 << 20);
            long offered = 0;
            int answers = 0;
            while (rig.loop.openConnections() > 1) {
                chunk.clear();
                offered += client.offer(chunk);
                if (other.answers().size() == answers) {
                    other.send(get("/" + ++answers));
                }
                rig.turn();
                other.receive();
            }
            client.receive();
            // By its bytes or by its time, whichever comes first.
            assertThat(offered).isBetween(8L << 20, (1L << 30) + (64 << 20));
            assertThat(answers).isGreaterThan(10);
            assertThat((System.nanoTime() - start) / 1_000_000)
                    .isLessThan(LoopRig.LINGER_MILLIS + LATE_MILLIS);
            assertThat(client.answers()).hasSize(1);
        }
    }

    // ---- a client that does not take what is sent

    /** EPOLLOUT comes when a third of the buffer is free; what it acknowledges counts before. */
    @Test
    void whoReadsSlowlyButSteadilyIsNotLetGo() throws IOException {
        try (LoopRig rig = newRig()) {
            rig.limitSendBuffers(64 << 10);
            Client client = rig.connect(64 << 10);
            int length = 3 << 20;
            rig.hold(client);
            client.send(get("/native/" + length));
            rig.turnFor(100);
            AtomicInteger left = new AtomicInteger(1 << 20);
            rig.sys.unacknowledged(fd -> left.addAndGet(-1000));
            rig.turnFor(4 * SEND_MILLIS);
            assertThat(rig.loop.openConnections()).isEqualTo(1);
            rig.letGo(client);
            rig.until(() -> !client.answers().isEmpty());
            assertThat(client.bodies().get(0)).hasSize(length);
        }
    }

    /** As long as nothing is acknowledged, and not longer. */
    @Test
    void whoAcknowledgesNothingIsLetGo() throws IOException {
        try (LoopRig rig = newRig()) {
            rig.limitSendBuffers(64 << 10);
            Client client = rig.connect(64 << 10);
            rig.hold(client);
            client.send(get("/native/" + (4 << 20)));
            long start = System.nanoTime();
            rig.sys.unacknowledged(fd -> 1000);
            rig.until(() -> rig.loop.counters().accepted() == 1);
            rig.until(() -> rig.loop.openConnections() == 0);
            long millis = (System.nanoTime() - start) / 1_000_000;
            assertThat(millis)
                    .isBetween((long) SEND_MILLIS, SEND_MILLIS * 5 / 4 + (long) LATE_MILLIS);
        }
    }

    private static void assertMillis(long start, int expected) {
        assertThat((System.nanoTime() - start) / 1_000_000)
                .isBetween((long) expected, (long) expected + LATE_MILLIS);
    }
}
