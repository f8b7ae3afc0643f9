package io.bareloop.loop;

import static io.bareloop.loop.LoopRig.get;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Client;
import io.bareloop.rig.FaultySyscalls;
import io.bareloop.rig.FaultySyscalls.Call;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** A loop that cannot accept, or must not: it waits without spinning, and goes on when it can. */
@Timeout(60)
class LoopAcceptTest {
    static final List<Integer> NOTHING_LEFT =
            List.of(
                    Errno.EMFILE,
                    Errno.ENFILE,
                    Errno.ENOBUFS,
                    Errno.ENOMEM,
                    // A rule of the firewall or of a security module, and one that nobody knows.
                    Errno.EPERM,
                    Errno.ENODEV,
                    4095);

    /** What accept(2) passes on from the network. */
    static final List<Integer> ONE_IS_BAD =
            List.of(
                    Errno.ECONNABORTED,
                    Errno.EPROTO,
                    Errno.ENETDOWN,
                    Errno.EHOSTUNREACH,
                    Errno.ETIMEDOUT);

    @ParameterizedTest
    @FieldSource("NOTHING_LEFT")
    void waitsWhereNothingIsLeftAndThenGoesOn(int errno) throws IOException {
        try (LoopRig rig = new LoopRig()) {
            AtomicBoolean refuse = new AtomicBoolean(true);
            rig.sys.script(
                    Call.ACCEPT4, (fd, detail) -> refuse.get() ? -errno : FaultySyscalls.PASS);
            Client client = rig.connect();
            client.send(get("/"));
            long start = System.nanoTime();
            rig.start();
            LoopRig.pause(350);
            long tries = rig.sys.count(Call.ACCEPT4);
            long waits = rig.sys.count(Call.EPOLL_WAIT);
            // One try every 100 ms, one wait for each try and one for each pause.
            long triesMax = 2 + (System.nanoTime() - start) / 100_000_000;
            assertThat(tries).isBetween(1L, triesMax);
            assertThat(waits).isBetween(1L, 3 * triesMax);
            assertThat(rig.lines)
                    .singleElement()
                    .asString()
                    .startsWith("cannot accept connections: " + Errno.describe(errno) + "; ");
            refuse.set(false);
            rig.until(() -> !client.answers().isEmpty());
            // Level-triggered again: the next one needs no pause.
            long pauses = rig.loop.counters().acceptPauses();
            Client late = rig.connect();
            late.send(get("/late"));
            rig.until(() -> !late.answers().isEmpty());
            assertThat(rig.loop.counters().acceptPauses()).isEqualTo(pauses);
        }
    }

    /** A descriptor has become free: there is no reason to wait for the end of the pause. */
    @Test
    void acceptsAgainAsSoonAsAConnectionCloses() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            Client first = rig.connectAndAccept();
            rig.settle();
            rig.sys.next(Call.ACCEPT4, -Errno.EMFILE);
            rig.connect();
            rig.loop.runOnce(1000);
            assertThat(rig.loop.counters().acceptPauses()).isEqualTo(1);
            first.close();
            // One for the end of the first, one for the other.
            rig.loop.runOnce(1000);
            rig.loop.runOnce(1000);
            assertThat(rig.loop.counters().accepted()).isEqualTo(2);
        }
    }

    /** accept4 twice, to hear EAGAIN; recv, send, close; and nothing of epoll. */
    @Test
    void answersAConnectionOfOneRequestWithoutWatchingIt() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            rig.turn();
            Client client = rig.connect();
            client.send("GET /once HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            rig.deliver();
            rig.sys.takeTrace();
            rig.turn();
            assertThat(rig.sys.takeTrace().stream().map(call -> call.replaceAll(" .*", "")))
                    .containsExactly("ACCEPT4", "RECV", "SEND", "CLOSE", "ACCEPT4");
            rig.until(client::ended);
            assertThat(client.bodies()).containsExactly("/once");
            rig.assertNothingLeft();
        }
    }

    @Test
    void answersWhatComesBeforeAndAfterItWatches() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            Client late = rig.connect();
            Client early = rig.connect();
            early.send(get("/1") + get("/2") + "GET /3 HT");
            rig.deliver();
            rig.turn();
            early.send("TP/1.1\r\nHost: a\r\n\r\n");
            late.send(get("/late"));
            rig.settle();
            assertThat(early.bodies()).containsExactly("/1", "/2", "/3");
            assertThat(late.bodies()).containsExactly("/late");
            rig.assertLeft(2);
        }
    }

    /** They use the same slot, one after the other, and each has its own share of a turn. */
    @Test
    void answersBriefConnectionsWithLargeBodiesInTheTurnThatAcceptsThem() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            // Where others are served, too, a turn has little for bodies.
            Client other = rig.connectAndAccept();
            other.send(get("/"));
            rig.until(() -> !other.answers().isEmpty());
            List<Client> clients = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                clients.add(rig.connect(1 << 20));
                clients.get(i)
                        .send(
                                "GET /native/65500 HTTP/1.1\r\n"
                                        + "Host: a\r\nConnection: close\r\n\r\n");
            }
            rig.deliver();
            rig.turn();
            assertThat(rig.loop.counters().accepted()).isEqualTo(4);
            assertThat(rig.loop.openConnections()).isEqualTo(1);
            for (Client client : clients) {
                rig.until(client::ended);
                assertThat(client.bodies().getFirst()).hasSize(65_500);
            }
        }
    }

    /** EPOLLOUT is wanted before there is anything to modify. */
    @Test
    void goesOnWithAResponseThatFilledTheSocketBeforeItWatched() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            rig.limitSendBuffers(8 << 10);
            Client client = rig.connect(8 << 10);
            client.send(get("/bytes/1000000"));
            rig.deliver();
            rig.turn();
            assertThat(rig.loop.slab().slicesInUse()).isEqualTo(1);
            rig.until(() -> !client.answers().isEmpty());
            assertThat(client.bodies()).containsExactly(LoopRig.bytes(1_000_000));
            rig.settle();
            rig.assertLeft(1);
        }
    }

    @Test
    void answersAClientThatHadSaidAllBeforeItWasAccepted() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            Client client = rig.connect();
            client.send(get("/1") + get("/2"));
            client.endOutput();
            rig.deliver();
            rig.until(client::ended);
            assertThat(client.bodies()).containsExactly("/1", "/2");
            rig.assertNothingLeft();
        }
    }

    @ParameterizedTest
    @FieldSource("ONE_IS_BAD")
    void oneThatIsBadDoesNotKeepTheNextWaiting(int errno) {
        try (LoopRig rig = new LoopRig()) {
            rig.sys.next(Call.ACCEPT4, -errno, -errno);
            rig.connect();
            rig.connect();
            rig.turn();
            assertThat(rig.loop.counters().accepted()).isEqualTo(2);
            assertThat(rig.loop.counters().acceptPauses()).isZero();
        }
    }

    @Test
    void acceptsNoMoreThanItsMaximum() throws IOException {
        try (LoopRig rig = new LoopRig(LoopRig.options(3, 5000))) {
            List<Client> clients = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                Client client = rig.connect();
                client.send(get("/" + i));
                clients.add(client);
            }
            rig.turnFor(250);
            assertThat(rig.loop.openConnections()).isEqualTo(3);
            assertThat(rig.loop.counters().accepted()).isEqualTo(3);
            for (int i = 0; i < 3; i++) {
                assertThat(clients.get(i).bodies()).containsExactly("/" + i);
                assertThat(clients.get(i + 3).answers()).isEmpty();
            }
            for (int i = 0; i < 3; i++) {
                clients.get(i).close();
                Client next = clients.get(i + 3);
                rig.until(() -> !next.answers().isEmpty());
                assertThat(rig.loop.openConnections()).isEqualTo(3);
                assertThat(rig.loop.counters().accepted()).isEqualTo(i + 4);
            }
            rig.assertLeft(3);
        }
    }

    @Test
    void sleepsAtItsMaximum() throws IOException {
        try (LoopRig rig = new LoopRig(LoopRig.options(1, 5000))) {
            Client first = rig.connectAndAccept();
            Client second = rig.connect();
            second.send(get("/second"));
            rig.start();
            LoopRig.pause(300);
            assertThat(rig.sys.count(Call.EPOLL_WAIT)).isLessThan(10);
            first.close();
            rig.until(() -> !second.answers().isEmpty());
        }
    }

    /** Of the pause for want of descriptors it comes back even where epoll refuses at first. */
    @ParameterizedTest
    @FieldSource("NOTHING_LEFT")
    void comesBackToAListenerThatCannotBeWatched(int errno) throws IOException {
        try (LoopRig rig = new LoopRig()) {
            AtomicInteger refusals = new AtomicInteger(3);
            int listener = rig.listeners.fd(0);
            rig.sys.next(Call.ACCEPT4, -errno);
            rig.sys.script(
                    Call.EPOLL_CTL,
                    (fd, op) ->
                            fd == listener
                                            && op == Linux.EPOLL_CTL_ADD
                                            && refusals.getAndDecrement() > 0
                                    ? -Errno.ENOSPC
                                    : FaultySyscalls.PASS);
            Client client = rig.connect();
            client.send(get("/"));
            rig.start();
            rig.until(() -> !client.answers().isEmpty());
            assertThat(refusals.get()).isNegative();
            assertThat(rig.sys.count(Call.EPOLL_WAIT)).isLessThan(20);
        }
    }
}
