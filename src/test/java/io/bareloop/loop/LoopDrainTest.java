package io.bareloop.loop;

import static io.bareloop.loop.LoopRig.get;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.rig.FaultySyscalls.Call;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A loop that drains: what is in flight is finished, what is idle ends, nothing is taken on. */
@Timeout(60)
class LoopDrainTest {
    private static final long LONG = 20_000_000_000L;

    @Test
    void withoutConnectionsItEndsAtOnce() {
        try (LoopRig rig = new LoopRig()) {
            long start = System.nanoTime();
            rig.start();
            rig.loop.drain(LONG, () -> {});
            rig.awaitEnd();
            assertThat(System.nanoTime() - start).isLessThan(1_000_000_000L);
            assertThat(rig.loop.forced()).isZero();
        }
    }

    @Test
    void idleConnectionsCloseAtOnce() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            List<Client> clients = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                Client client = rig.connect();
                client.send(get("/"));
                clients.add(client);
            }
            rig.settle();
            long start = System.nanoTime();
            rig.start();
            rig.loop.drain(LONG, () -> {});
            rig.awaitEnd();
            assertThat(System.nanoTime() - start).isLessThan(1_000_000_000L);
            assertThat(rig.loop.forced()).isZero();
            for (Client client : clients) {
                rig.until(client::ended);
                assertThat(client.wasReset()).isFalse();
                assertThat(client.answers()).hasSize(1);
            }
        }
    }

    @Test
    void aRequestThatHasBegunIsAnsweredAndTheLast() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            Client fresh = rig.connectAndAccept();
            Client used = rig.connectAndAccept();
            used.send(get("/first"));
            fresh.send("GET /fresh HT");
            rig.settle();
            used.send("GET /used HT");
            rig.settle();
            rig.loop.drain(LONG, () -> {});
            rig.start();
            LoopRig.pause(50);
            assertThat(rig.isRunning()).isTrue();
            fresh.send("TP/1.1\r\nHost: a\r\n\r\n");
            used.send("TP/1.1\r\nHost: a\r\n\r\n");
            rig.awaitEnd();
            rig.until(() -> fresh.ended() && used.ended());
            assertThat(fresh.bodies()).containsExactly("/fresh");
            assertThat(used.bodies()).containsExactly("/first", "/used");
            assertThat(last(fresh).closes()).isTrue();
            assertThat(used.answers().get(0).closes()).isFalse();
            assertThat(last(used).closes()).isTrue();
            assertThat(rig.loop.forced()).isZero();
        }
    }

    /** Its request may be on the way; but it is not waited for as long as for others. */
    @Test
    void aNewConnectionIsWaitedForAMoment() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            Client quick = rig.connectAndAccept();
            Client silent = rig.connectAndAccept();
            rig.loop.drain(LONG, () -> {});
            rig.start();
            LoopRig.pause(100);
            assertThat(rig.isRunning()).isTrue();
            quick.send(get("/quick"));
            long start = System.nanoTime();
            rig.awaitEnd();
            assertThat(System.nanoTime() - start).isLessThan(LONG / 4);
            rig.until(() -> quick.ended() && silent.ended());
            assertThat(quick.bodies()).containsExactly("/quick");
            assertThat(silent.answers()).isEmpty();
            assertThat(silent.wasReset()).isFalse();
            assertThat(rig.loop.forced()).isZero();
        }
    }

    @Test
    void unsentAnswersAreSent() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            rig.limitSendBuffers(8 << 10);
            Client client = rig.connect(8 << 10);
            client.send(get("/bytes/40000"));
            while (rig.loop.slab().slicesInUse() == 0) {
                rig.loop.runOnce(1);
            }
            rig.loop.drain(LONG, () -> {});
            rig.start();
            rig.awaitEnd();
            rig.until(client::ended);
            assertThat(client.bodies()).containsExactly(LoopRig.bytes(40_000));
            assertThat(rig.loop.forced()).isZero();
        }
    }

    /** Of a body that is larger than the buffer, most has not even been written yet. */
    @Test
    void unwrittenBodiesAreSent() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            rig.limitSendBuffers(8 << 10);
            Client client = rig.connect(8 << 10);
            client.send(get("/bytes/400000"));
            while (rig.loop.slab().slicesInUse() == 0) {
                rig.loop.runOnce(1);
            }
            rig.loop.drain(LONG, () -> {});
            rig.start();
            rig.awaitEnd();
            rig.until(client::ended);
            assertThat(client.bodies()).containsExactly(LoopRig.bytes(400_000));
            assertThat(rig.loop.forced()).isZero();
        }
    }

    /** More than a turn answers had arrived: all of it is in flight. */
    @Test
    void requestsThatWaitForTheirTurnAreAnswered() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            Client client = rig.connectAndAccept();
            rig.settle();
            client.send(LoopTest.getAll(500));
            rig.turn();
            assertThat(rig.loop.counters().requests()).isLessThan(500);
            rig.loop.drain(LONG, () -> {});
            rig.start();
            rig.awaitEnd();
            rig.until(client::ended);
            int answers = client.answers().size();
            assertThat(client.bodies()).isEqualTo(LoopTest.paths(answers));
            // Some may be left out, but then the last one that is not says so.
            assertThat(last(client).closes()).isTrue();
            assertThat(client.wasReset()).isFalse();
        }
    }

    /** Established, but not accepted when the drain began: however many, they are served. */
    @ParameterizedTest
    @ValueSource(ints = {1, 64, 65, 200})
    void connectionsInTheBacklogAreServed(int backlog) throws IOException {
        try (LoopRig rig = new LoopRig()) {
            List<Client> clients = new ArrayList<>();
            for (int i = 0; i < backlog; i++) {
                Client client = rig.connect();
                client.send(get("/" + i));
                clients.add(client);
            }
            AtomicBoolean accepted = new AtomicBoolean();
            rig.loop.execute(
                    () ->
                            rig.loop.drain(
                                    LONG,
                                    () -> {
                                        accepted.set(true);
                                        rig.listeners.close();
                                    }));
            // As a task of the first turn, it comes before most are accepted.
            rig.start();
            rig.awaitEnd();
            assertThat(accepted).isTrue();
            assertThat(rig.loop.forced()).isZero();
            for (int i = 0; i < backlog; i++) {
                Client client = clients.get(i);
                rig.until(client::ended);
                assertThat(client.bodies()).containsExactly("/" + i);
                if (i >= 64) {
                    // Not of those that the first turn had accepted before.
                    assertThat(client.answers().getFirst().closes()).isTrue();
                }
            }
        }
    }

    @Test
    void nobodyIsAcceptedAfterwards() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            Client client = rig.connectAndAccept();
            client.send("GET /");
            rig.settle();
            AtomicBoolean accepted = new AtomicBoolean();
            rig.loop.drain(LONG, () -> accepted.set(true));
            rig.turn();
            assertThat(accepted).isTrue();
            long accepts = rig.sys.count(Call.ACCEPT4);
            rig.connect();
            rig.turnFor(250);
            assertThat(rig.sys.count(Call.ACCEPT4)).isEqualTo(accepts);
            assertThat(rig.loop.counters().accepted()).isEqualTo(1);
        }
    }

    @Test
    void theDeadlineForcesTheEnd() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            Client begun = rig.connect();
            Client silent = rig.connect();
            begun.send("GET / HT");
            rig.settle();
            rig.start();
            long start = System.nanoTime();
            rig.loop.drain(300_000_000L, () -> {});
            rig.awaitEnd();
            // The loop looks every 100 ms.
            assertThat((System.nanoTime() - start) / 1_000_000).isBetween(300L, 900L);
            rig.until(() -> begun.ended() && silent.ended());
            assertThat(rig.loop.forced()).isEqualTo(2);
            assertThat(rig.loop.openConnections()).isZero();
        }
    }

    private static Answer last(Client client) {
        return client.answers().get(client.answers().size() - 1);
    }
}
