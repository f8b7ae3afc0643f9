package io.bareloop.loop;

import static io.bareloop.loop.LoopRig.get;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Client;
import io.bareloop.rig.FaultySyscalls.Call;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collections;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who does not receive is not received from; what is pending for it stays small. */
@Timeout(60)
class LoopBackPressureTest {
    private static final int SMALL = 8 << 10;

    @Test
    void whoDoesNotReadIsNotReadFrom() throws IOException {
        int requests = 30_000;
        ByteBuffer rest = ByteBuffer.wrap(LoopTest.getAll(requests).getBytes(ISO_8859_1));
        try (LoopRig rig = new LoopRig(LoopRig.options(100, 60_000))) {
            rig.limitSendBuffers(SMALL);
            Client other = rig.connectAndAccept();
            Client client = rig.connect(SMALL);
            sendUntilStuck(rig, client, rest);
            assertThat(rest.hasRemaining()).isTrue();

            // What it has received from then on, and how much memory that takes, stays.
            long received = rig.loop.counters().bytesReceived();
            long receives = rig.sys.count(Call.RECV);
            for (int i = 0; i < 50; i++) {
                client.offer(rest);
                rig.loop.runOnce(1);
            }
            assertThat(rig.loop.counters().bytesReceived()).isEqualTo(received);
            assertThat(rig.sys.count(Call.RECV)).isEqualTo(receives);
            // One slice of output, one of input.
            assertThat(rig.loop.slab().slicesInUse()).isBetween(1, 2);
            assertThat(rig.loop.slab().bytesTouched()).isLessThanOrEqualTo(512 << 10);

            other.send(get("/other"));
            for (int i = 0; i < 10; i++) {
                rig.turn();
            }
            other.receive();
            assertThat(other.bodies()).containsExactly("/other");

            // It reads: everything goes on where it was.
            rig.until(
                    () -> {
                        client.offer(rest);
                        return rig.loop.counters().requests() == requests + 1;
                    });
            rig.settle();
            assertThat(client.bodies()).isEqualTo(LoopTest.paths(requests));
            rig.assertLeft(2);
        }
    }

    /** It reads a little now and then: no edge is lost between full and not full. */
    @Test
    void whoReadsSlowlyGetsEverything() throws IOException {
        int requests = 5000;
        ByteBuffer rest = ByteBuffer.wrap(LoopTest.getAll(requests).getBytes(ISO_8859_1));
        try (LoopRig rig = new LoopRig(LoopRig.options(100, 60_000))) {
            rig.limitSendBuffers(SMALL);
            Client client = rig.connect(SMALL);
            while (rest.hasRemaining()) {
                sendUntilStuck(rig, client, rest);
                client.receive();
            }
            rig.until(() -> rig.loop.counters().requests() == requests);
            rig.settle();
            assertThat(client.bodies()).isEqualTo(LoopTest.paths(requests));
            rig.assertLeft(1);
        }
    }

    @Test
    void largeAnswersToWhoDoesNotReadTakeOneSlice() throws IOException {
        int length = 300_000;
        int requests = 10;
        try (LoopRig rig = new LoopRig(LoopRig.options(100, 60_000))) {
            rig.limitSendBuffers(SMALL);
            Client client = rig.connect(SMALL);
            client.send(String.join("", Collections.nCopies(requests, get("/bytes/" + length))));
            for (int i = 0; i < 50; i++) {
                rig.loop.runOnce(1);
            }
            assertThat(rig.loop.counters().requests()).isEqualTo(1);
            assertThat(rig.loop.slab().bytesTouched()).isLessThanOrEqualTo(512 << 10);
            rig.until(() -> rig.loop.counters().requests() == requests);
            rig.settle();
            assertThat(client.bodies())
                    .isEqualTo(Collections.nCopies(requests, LoopRig.bytes(length)));
            rig.assertLeft(1);
        }
    }

    /** Of native memory nothing is copied at all, however long it takes and whatever is left. */
    @Test
    void nativeMemoryForWhoDoesNotReadTakesNoSlice() throws IOException {
        int length = 300_000;
        int requests = 10;
        try (LoopRig rig = new LoopRig(LoopRig.options(100, 60_000))) {
            rig.limitSendBuffers(SMALL);
            Client client = rig.connect(SMALL);
            client.send(String.join("", Collections.nCopies(requests, get("/native/" + length))));
            for (int i = 0; i < 50; i++) {
                rig.loop.runOnce(1);
            }
            assertThat(rig.loop.counters().requests()).isEqualTo(1);
            // The requests that wait.
            assertThat(rig.loop.slab().slicesInUse()).isEqualTo(1);
            Client other = rig.connectAndAccept();
            other.send(get("/other"));
            rig.until(() -> other.answers().size() == 1);
            rig.until(() -> rig.loop.counters().requests() == requests + 1);
            rig.settle();
            assertThat(client.bodies())
                    .isEqualTo(Collections.nCopies(requests, LoopRig.bytes(length)));
            rig.assertLeft(2);
        }
    }

    /** One who takes everything at once: the others have their turn all the same. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aLargeBodyLeavesInSeveralTurns(boolean others) throws IOException {
        int length = 4 << 20;
        int perTurn = others ? BodySlices.SHARED_BYTES_PER_TURN : BodySlices.ALONE_BYTES_MAX;
        try (LoopRig rig = new LoopRig(LoopRig.options(100, 60_000))) {
            rig.limitSendBuffers(16 << 20);
            rig.enlargeReceiveBuffers(16 << 20);
            Client client = rig.connect(16 << 20);
            Client other = rig.connectAndAccept();
            if (others) {
                other.send(get("/first"));
                rig.until(() -> other.answers().size() == 1);
            }
            client.send(get("/native/" + length));
            rig.deliver();
            long sent = rig.loop.counters().bytesSent();
            long end = sent + length;
            int turns = 0;
            int most = 0;
            while (rig.loop.counters().bytesSent() < end) {
                if (others) {
                    other.send(get("/" + turns));
                    rig.deliver();
                }
                rig.turn();
                long now = rig.loop.counters().bytesSent();
                // Beside it a head and an answer.
                assertThat(now - sent).isLessThanOrEqualTo(perTurn + 1000);
                most = (int) Math.max(most, now - sent);
                sent = now;
                turns++;
                client.receive();
                other.receive();
                assertThat(other.answers()).hasSize(others ? turns + 1 : 0);
            }
            assertThat(most).isGreaterThan(perTurn / 2);
            rig.settle();
            assertThat(client.bodies()).containsExactly(LoopRig.bytes(length));
            rig.assertLeft(2);
        }
    }

    /** Head and body leave by one call, where the socket takes them. */
    @ParameterizedTest
    @ValueSource(ints = {65_000, 65_536, 200_000})
    void nativeMemoryIsSentByOneCall(int length) throws IOException {
        try (LoopRig rig = new LoopRig(LoopRig.options(100, 60_000))) {
            rig.limitSendBuffers(16 << 20);
            Client client = rig.connect(16 << 20);
            for (int i = 1; i <= 5; i++) {
                int answers = i;
                client.send(get("/native/" + length));
                rig.until(() -> client.answers().size() == answers);
                assertThat(rig.sys.count(Call.SEND)).isEqualTo(answers);
            }
            rig.settle();
            rig.assertLeft(1);
        }
    }

    /** Sends until neither the client's kernel buffer nor the loop takes any more. */
    private static void sendUntilStuck(LoopRig rig, Client client, ByteBuffer rest)
            throws IOException {
        int stuck = 0;
        while (stuck < 10 && rest.hasRemaining()) {
            long before = rig.sys.countOfWork() + rig.loop.counters().requests();
            int sent = client.offer(rest);
            rig.loop.runOnce(1);
            long after = rig.sys.countOfWork() + rig.loop.counters().requests();
            stuck = sent == 0 && before == after ? stuck + 1 : 0;
        }
    }
}
