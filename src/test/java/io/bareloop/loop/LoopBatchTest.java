package io.bareloop.loop;

import static io.bareloop.loop.LoopRig.get;
import static io.bareloop.loop.LoopTest.post;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bareloop.net.Knob;
import io.bareloop.rig.Client;
import io.bareloop.rig.FaultySyscalls;
import io.bareloop.rig.FaultySyscalls.Call;
import io.bareloop.rig.PlainProtocol;
import io.bareloop.sys.Errno;
import io.bareloop.wire.Protocol;
import io.bareloop.wire.Transport;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * Connections that are ready in the same turn: they get what they would have got one by one, by
 * fewer system calls, and what goes wrong with one of them does not touch the others.
 */
@Timeout(60)
class LoopBatchTest {
    private static final int FUZZED_CONNECTIONS = 6;
    private static final int FUZZED_ROUNDS = Integer.getInteger("bareloop.fuzz.rounds", 60);

    static final List<Integer> TAKEN = List.of(-Errno.EAGAIN, -Errno.EBUSY, 0, 1, 3, 7);

    // ---- the calls

    @Test
    void oneCallReceivesAndOneSends() throws IOException {
        try (LoopRig rig = ringed()) {
            List<Client> clients = connected(rig, 8);
            turnAll(rig, clients);
            assertThat(rig.sys.takeTrace()).hasSize(2).allMatch(call -> call.startsWith("RING"));
            answered(clients);
        }
    }

    @Test
    void aTurnOfManyIsSeveralBatches() throws IOException {
        try (LoopRig rig = ringed()) {
            List<Client> clients = connected(rig, Batch.CONNECTIONS_MAX * 2 + 1);
            turnAll(rig, clients);
            assertThat(rig.sys.takeTrace()).filteredOn(call -> call.startsWith("RING")).hasSize(4);
            assertThat(rig.sys.count(Call.RECV)).isEqualTo(clients.size() + 1);
            answered(clients);
        }
    }

    @Test
    void oneAloneIsServedByItself() throws IOException {
        try (LoopRig rig = ringed()) {
            List<Client> clients = connected(rig, 1);
            turnAll(rig, clients);
            assertThat(rig.sys.takeTrace()).hasSize(2).noneMatch(call -> call.startsWith("RING"));
            answered(clients);
        }
    }

    /** One has a part of its head here already, one is larger than a batch receives. */
    @Test
    void thoseWithSomethingPendingAreServedByThemselves() throws IOException {
        try (LoopRig rig = ringed()) {
            List<Client> clients = connected(rig, 4);
            clients.get(0).send("GET /0");
            clients.get(1).send(post(LoopRig.bytes(9000)));
            rig.deliver();
            rig.turn();
            rig.settle();
            rig.sys.takeTrace();
            clients.get(0).send(" HTTP/1.1\r\nHost: a\r\n\r\n");
            for (int i = 1; i < 4; i++) {
                clients.get(i).send(get("/" + i));
            }
            rig.deliver();
            rig.turn();
            rig.settle();
            List<Integer> fds = rig.sys.acceptedFds();
            assertThat(rig.sys.takeTrace())
                    .contains("RECV " + fds.get(0), "RECV " + fds.get(1))
                    .doesNotContain("RECV " + fds.get(2), "RECV " + fds.get(3))
                    .filteredOn(call -> call.startsWith("RING"))
                    .hasSize(2);
            assertThat(clients.get(0).bodies()).containsExactly("/0");
            assertThat(clients.get(1).bodies()).containsExactly(LoopRig.bytes(9000), "/1");
            assertThat(clients.get(2).bodies()).containsExactly("/2");
            assertThat(clients.get(3).bodies()).containsExactly("/3");
            rig.assertLeft(4);
        }
    }

    /** The kernel reports EPOLLOUT beside EPOLLIN from then on. */
    @Test
    void thoseThatHadToWaitOnceAreServedTogetherAgain() throws IOException {
        try (LoopRig rig = ringed()) {
            rig.limitSendBuffers(8 << 10);
            List<Client> clients = connected(rig, 3);
            for (Client client : clients) {
                client.send(get("/bytes/1000000"));
                rig.until(() -> client.bodies().size() == 1);
            }
            rig.settle();
            rig.sys.takeTrace();
            turnAll(rig, clients);
            assertThat(rig.sys.takeTrace()).hasSize(2).allMatch(call -> call.startsWith("RING"));
            answered(clients);
        }
    }

    // ---- a kernel without

    @Test
    void withoutARingEachIsServedByItself() throws IOException {
        try (LoopRig rig = new LoopRig(LoopRig.OPTIONS, -Errno.EPERM)) {
            List<Client> clients = connected(rig, 8);
            turnAll(rig, clients);
            assertThat(rig.sys.count(Call.RING)).isZero();
            answered(clients);
            assertThat(rig.knobs.refused())
                    .singleElement()
                    .asString()
                    .contains("io_uring", "EPERM", "kernel.io_uring_disabled");
        }
    }

    @Test
    void aRingThatMustBeHadEndsTheStart() {
        LoopOptions must = LoopRig.options(10, 1000, 1 << 20, Knob.on(0));
        assertThatThrownBy(() -> new LoopRig(must, -Errno.ENOSYS))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("io_uring", "ENOSYS", "Linux 6.6");
    }

    /**
     * What the ring does not take is received and sent one by one: none, one, some, all but one.
     */
    @ParameterizedTest
    @FieldSource("TAKEN")
    void whatTheRingLeavesIsDoneWithout(int taken) throws IOException {
        try (LoopRig rig = ringed()) {
            rig.sys.script(Call.RING, (ring, calls) -> taken);
            List<Client> clients = connected(rig, 8);
            for (int i = 0; i < 3; i++) {
                turnAll(rig, clients);
                answered(clients);
            }
            assertThat(rig.sys.count(Call.RING)).isEqualTo(6);
        }
    }

    // ---- what may happen to one of them

    @Test
    void ofAllKindsEachGetsWhatItWouldHaveGotAlone() throws IOException {
        List<String> inputs =
                List.of(
                        get("/a"),
                        get("/a").repeat(16),
                        get("/bytes/3000") + get("/b"),
                        get("/bytes/200000"),
                        get("/native/200000") + get("/c"),
                        post(LoopRig.bytes(3000)),
                        post(LoopRig.bytes(20_000)) + get("/d"),
                        "GET /e HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                        "GET /f HTTP/1.0\r\n\r\n",
                        get("/g") + "nonsense\r\n\r\n",
                        "GET /incomplete",
                        get("/h") + "GET /i HTTP/1.1\r\n",
                        "\r\n");
        List<String> alone = new ArrayList<>();
        for (String input : inputs) {
            try (LoopRig rig = new LoopRig()) {
                Client client = rig.connect();
                client.send(input);
                rig.settle();
                alone.add(client.text());
            }
        }
        try (LoopRig rig = ringed()) {
            List<Client> clients = connected(rig, inputs.size());
            for (int i = 0; i < inputs.size(); i++) {
                clients.get(i).send(inputs.get(i));
            }
            rig.deliver();
            rig.turn();
            // To receive, to send what waits when the large body comes, and the rest.
            assertThat(rig.sys.count(Call.RING)).isEqualTo(3);
            rig.settle();
            for (int i = 0; i < inputs.size(); i++) {
                assertThat(clients.get(i).text()).as(inputs.get(i)).isEqualTo(alone.get(i));
            }
        }
    }

    @Test
    void anEndAndAResetAreOfTheirOwnConnection() throws IOException {
        try (LoopRig rig = ringed()) {
            List<Client> clients = connected(rig, 6);
            clients.get(1).endOutput();
            clients.get(2).reset();
            clients.get(3).send(get("/last"));
            clients.get(3).endOutput();
            for (int i : new int[] {0, 4, 5}) {
                clients.get(i).send(get("/" + i));
            }
            rig.deliver();
            rig.turn();
            rig.settle();
            assertThat(clients.get(1).ended()).isTrue();
            assertThat(clients.get(3).bodies()).containsExactly("/last");
            for (int i : new int[] {0, 4, 5}) {
                assertThat(clients.get(i).bodies()).containsExactly("/" + i);
            }
            rig.assertLeft(3);
        }
    }

    /** A short send, of the ring's own. */
    @Test
    void aPeerThatDoesNotReadGetsTheRestLater() throws IOException {
        try (LoopRig rig = ringed()) {
            rig.limitSendBuffers(4096);
            Client slow = rig.connect(4096);
            rig.until(() -> rig.loop.openConnections() == 1);
            List<Client> others = connected(rig, 3);
            slow.send(get("/bytes/40000"));
            for (Client client : others) {
                client.send(get("/x"));
            }
            rig.deliver();
            rig.turn();
            assertThat(rig.sys.count(Call.RING)).isEqualTo(2);
            assertThat(rig.loop.slab().slicesInUse()).isEqualTo(1);
            rig.until(() -> !slow.answers().isEmpty());
            assertThat(slow.bodies()).containsExactly(LoopRig.bytes(40_000));
            others.forEach(client -> assertThat(client.bodies()).containsExactly("/x"));
            rig.settle();
            rig.assertLeft(4);
        }
    }

    @ParameterizedTest
    @FieldSource("io.bareloop.loop.LoopFaultTest#PEER_IS_GONE")
    void aSendThatFailsEndsItsConnectionAlone(int errno) throws IOException {
        try (LoopRig rig = new LoopRig()) {
            List<Client> clients = connected(rig, 3);
            int lost = rig.sys.acceptedFds().get(1);
            rig.sys.script(Call.SEND, (fd, length) -> fd == lost ? -errno : FaultySyscalls.PASS);
            turnAll(rig, clients);
            rig.settle();
            assertThat(clients.get(0).bodies()).containsExactly("/0");
            assertThat(clients.get(1).ended()).isTrue();
            assertThat(clients.get(2).bodies()).containsExactly("/2");
            rig.assertLeft(2);
        }
    }

    /** More than the output buffer can hold: what does not fit leaves at once. */
    @Test
    void largeResponsesTogether() throws IOException {
        try (LoopRig rig = ringed()) {
            List<Client> clients = connected(rig, 12);
            for (Client client : clients) {
                client.send(get("/bytes/20000") + get("/end"));
            }
            rig.deliver();
            rig.turn();
            rig.until(() -> clients.stream().allMatch(client -> client.answers().size() == 2));
            clients.forEach(
                    client ->
                            assertThat(client.bodies())
                                    .containsExactly(LoopRig.bytes(20_000), "/end"));
            rig.settle();
            rig.assertLeft(12);
        }
    }

    /** The memory to send from is used again: there is as much of it in each turn. */
    @Test
    void manyTurnsOfMuchOutput() throws IOException {
        try (LoopRig rig = ringed()) {
            List<Client> clients = connected(rig, 8);
            for (int i = 0; i < 8; i++) {
                clients.forEach(Client::forget);
                for (Client client : clients) {
                    client.send(get("/bytes/3000"));
                }
                rig.deliver();
                rig.turn();
                assertThat(rig.sys.takeTrace()).hasSize(2);
                rig.until(() -> clients.stream().allMatch(c -> c.answers().size() == 1));
                clients.forEach(c -> assertThat(c.bodies()).containsExactly(LoopRig.bytes(3000)));
            }
        }
    }

    /** A protocol of one connection writes to others of the batch, and ends one. */
    @Test
    void whatOneConnectionDoesToAnotherKeepsItsOrder() throws IOException {
        Gossip protocols = new Gossip();
        try (LoopRig rig = new LoopRig(LoopRig.OPTIONS, (arena, out, slab) -> protocols)) {
            List<Client> clients = connected(rig, 5);
            protocols.onThird =
                    () -> {
                        protocols.say(0, "behind its own");
                        protocols.say(1, "behind its own");
                        protocols.opened.get(1).closeWhenSent(false);
                        protocols.say(3, "ahead of its own");
                        protocols.opened.get(4).closeWhenSent(false);
                    };
            for (Client client : clients) {
                client.send("?");
            }
            rig.deliver();
            rig.turn();
            rig.settle();
            assertThat(clients.get(0).text()).isEqualTo("[own][behind its own]");
            assertThat(clients.get(1).text()).isEqualTo("[own][behind its own]");
            assertThat(clients.get(1).ended()).isTrue();
            assertThat(clients.get(2).text()).isEqualTo("[own]");
            assertThat(clients.get(3).text()).isEqualTo("[ahead of its own][own]");
            assertThat(clients.get(4).text()).isEmpty();
            assertThat(clients.get(4).ended()).isTrue();
            assertThat(rig.loop.openConnections()).isEqualTo(3);
        }
    }

    /** Received already, but what another connection had sent to it must leave first. */
    @Test
    void inputOfOneThatMustNotReceiveNowIsKept() throws IOException {
        Gossip protocols = new Gossip();
        try (LoopRig rig = new LoopRig(LoopRig.OPTIONS, (arena, out, slab) -> protocols)) {
            List<Client> clients = connected(rig, 5);
            int full = rig.sys.acceptedFds().get(3);
            protocols.onThird =
                    () -> {
                        rig.sys.script(
                                Call.SEND,
                                (fd, length) -> fd == full ? -Errno.EAGAIN : FaultySyscalls.PASS);
                        protocols.say(3, "ahead of its own");
                    };
            for (Client client : clients) {
                client.send("?");
            }
            rig.deliver();
            rig.turn();
            rig.sys.script(Call.SEND, null);
            rig.settle();
            assertThat(clients.get(3).text()).isEqualTo("[ahead of its own][own]");
            for (int i : new int[] {0, 1, 2, 4}) {
                assertThat(clients.get(i).text()).isEqualTo("[own]");
            }
            assertThat(rig.loop.openConnections()).isEqualTo(5);
        }
    }

    /**
     * One that is served by itself, for it has ended its output, meets two that wait for the batch:
     * it leaves the first with something unsent, and ends the second.
     */
    @Test
    void whatHappensBetweenTheEventAndTheBatch() throws IOException {
        Gossip protocols = new Gossip();
        try (LoopRig rig = new LoopRig(LoopRig.OPTIONS, (arena, out, slab) -> protocols)) {
            List<Client> clients = connected(rig, 5);
            int full = rig.sys.acceptedFds().get(0);
            protocols.onThird =
                    () -> {
                        rig.sys.script(
                                Call.SEND,
                                (fd, length) -> fd == full ? -Errno.EAGAIN : FaultySyscalls.PASS);
                        protocols.say(0, "ahead of its own");
                        protocols.opened.get(1).closeWhenSent(false);
                    };
            for (int i : new int[] {0, 1, 3, 4}) {
                clients.get(i).send("?");
                rig.deliver();
            }
            clients.get(2).send("?");
            clients.get(2).endOutput();
            rig.deliver();
            rig.turn();
            rig.sys.script(Call.SEND, null);
            rig.settle();
            assertThat(clients.get(0).text()).isEqualTo("[ahead of its own][own]");
            assertThat(clients.get(1).text()).isEmpty();
            assertThat(clients.get(1).ended()).isTrue();
            assertThat(clients.get(2).text()).isEqualTo("[own]");
            assertThat(clients.get(3).text()).isEqualTo("[own]");
            assertThat(clients.get(4).text()).isEqualTo("[own]");
            assertThat(rig.loop.openConnections()).isEqualTo(3);
        }
    }

    /** The only one left of a batch, and it has been closed. */
    @Test
    void oneAloneThatIsClosedBeforeItsTurn() throws IOException {
        Gossip protocols = new Gossip();
        try (LoopRig rig = new LoopRig(LoopRig.OPTIONS, (arena, out, slab) -> protocols)) {
            List<Client> clients = connected(rig, 3);
            protocols.onThird = () -> protocols.opened.get(0).closeWhenSent(false);
            clients.get(0).send("?");
            rig.deliver();
            clients.get(2).send("?");
            clients.get(2).endOutput();
            rig.deliver();
            rig.turn();
            rig.settle();
            assertThat(clients.get(0).text()).isEmpty();
            assertThat(clients.get(0).ended()).isTrue();
            assertThat(clients.get(2).text()).isEqualTo("[own]");
            assertThat(rig.loop.openConnections()).isEqualTo(1);
        }
    }

    @Test
    void memoryIsSentBehindWhatIsQueued() throws IOException {
        Gossip protocols = new Gossip();
        try (LoopRig rig = new LoopRig(LoopRig.OPTIONS, (arena, out, slab) -> protocols)) {
            List<Client> clients = connected(rig, 3);
            MemorySegment memory = rig.arena.allocateFrom("[memory]");
            protocols.onThird = () -> protocols.opened.get(0).sendMemory(memory, 0, 8);
            for (Client client : clients) {
                client.send("?");
            }
            rig.deliver();
            rig.turn();
            rig.settle();
            assertThat(clients.get(0).text()).isEqualTo("[own][memory]");
            assertThat(clients.get(1).text()).isEqualTo("[own]");
        }
    }

    /** A defect of ours ends the loop; what was answered before it still leaves. */
    @Test
    void whereTheLoopDiesWhatIsQueuedIsSent() throws IOException {
        Gossip protocols = new Gossip();
        try (LoopRig rig = new LoopRig(LoopRig.OPTIONS, (arena, out, slab) -> protocols)) {
            List<Client> clients = connected(rig, 3);
            protocols.onThird =
                    () -> {
                        throw new AssertionError("on purpose");
                    };
            for (Client client : clients) {
                client.send("?");
            }
            rig.deliver();
            assertThatThrownBy(rig::turn).isInstanceOf(AssertionError.class);
            rig.loop.stop();
            rig.loop.run();
            rig.deliver();
            clients.forEach(Client::receive);
            assertThat(clients.get(0).text()).isEqualTo("[own]");
            assertThat(clients.get(1).text()).isEqualTo("[own]");
            assertThat(clients.get(0).ended()).isTrue();
        }
    }

    /** What the JVM cannot give one connection is that one's matter, amid a batch too. */
    @Test
    void whereTheJvmFailsOneConnectionItIsThatOnesEnd() throws IOException {
        for (Error error :
                List.of(
                        new NoClassDefFoundError("on purpose"),
                        new OutOfMemoryError("on purpose"),
                        new StackOverflowError("on purpose"),
                        new InternalError("on purpose"))) {
            Gossip protocols = new Gossip();
            try (LoopRig rig = new LoopRig(LoopRig.OPTIONS, (arena, out, slab) -> protocols)) {
                List<Client> clients = connected(rig, 4);
                protocols.onThird =
                        () -> {
                            protocols.opened.get(2).output().hold();
                            protocols.onThird = () -> {};
                            throw error;
                        };
                for (Client client : clients) {
                    client.send("?");
                }
                rig.deliver();
                rig.turn();
                rig.settle();
                assertThat(clients.get(2).ended()).isTrue();
                assertThat(clients.get(2).text()).isEmpty();
                for (int i : new int[] {0, 1, 3}) {
                    assertThat(clients.get(i).text()).isEqualTo("[own]");
                    assertThat(clients.get(i).ended()).isFalse();
                }
                assertThat(rig.lines).containsExactly("a connection was closed: " + error);
            }
        }
    }

    // ---- all of it, at random

    /** Whatever the pieces, the faults, and the share that the ring takes. */
    @Test
    void anySeriesOfPiecesAndFaults() throws IOException {
        String script =
                get("/a")
                        + get("/bytes/300").repeat(5)
                        + post(LoopRig.bytes(5000))
                        + get("/bytes/30000")
                        + get("/native/100000")
                        + post("x")
                        + get("/b").repeat(20);
        String expected = LoopRig.faultless(script);
        long runs = 0;
        for (int round = 0; round < FUZZED_ROUNDS; round++) {
            SplittableRandom random = new SplittableRandom(round);
            try (LoopRig rig = ringed()) {
                rig.sys.script(
                        Call.RING,
                        (ring, calls) ->
                                random.nextInt(8) == 0 ? -Errno.EAGAIN : random.nextInt(calls + 1));
                // Never less than there is: the kernel would not, without another edge.
                rig.sys.script(
                        Call.RECV,
                        (fd, length) ->
                                random.nextInt(8) == 0 ? -Errno.EINTR : FaultySyscalls.PASS);
                rig.sys.script(Call.SEND, (fd, length) -> fault(random, length));
                List<Client> clients = new ArrayList<>();
                for (int i = 0; i < FUZZED_CONNECTIONS; i++) {
                    clients.add(rig.connectAndAccept());
                }
                int[] sent = new int[FUZZED_CONNECTIONS];
                while (Arrays.stream(sent).anyMatch(at -> at < script.length())) {
                    for (int i = 0; i < FUZZED_CONNECTIONS; i++) {
                        int to = Math.min(script.length(), sent[i] + random.nextInt(600));
                        clients.get(i).send(script.substring(sent[i], to));
                        sent[i] = to;
                    }
                    rig.turn();
                    clients.forEach(Client::receive);
                }
                rig.until(
                        () ->
                                clients.stream()
                                        .allMatch(c -> c.receivedBytes() >= expected.length()));
                for (Client client : clients) {
                    assertThat(client.text()).as("round " + round).isEqualTo(expected);
                }
                rig.sys.script(Call.RECV, null);
                rig.sys.script(Call.SEND, null);
                rig.settle();
                rig.assertLeft(FUZZED_CONNECTIONS);
                runs += rig.sys.count(Call.RING);
            }
        }
        assertThat(runs).isGreaterThan(10L * FUZZED_ROUNDS);
    }

    private static int fault(SplittableRandom random, int length) {
        return switch (random.nextInt(8)) {
            case 0 -> -Errno.EINTR;
            case 1, 2 -> random.nextInt(1, length + 1);
            default -> FaultySyscalls.PASS;
        };
    }

    // ---- helpers

    /** A loop with a ring that takes all there is, or no test. */
    private static LoopRig ringed() {
        LoopRig rig = new LoopRig(LoopRig.OPTIONS);
        if (rig.knobs.taken().isEmpty()) {
            List<String> refused = rig.knobs.refused();
            rig.close();
            assertThat(refused).noneMatch(line -> line.contains("EBUSY"));
            assumeTrue(false, () -> "this kernel gives no ring: " + refused);
        }
        rig.sys.script(Call.RING, null);
        return rig;
    }

    /** Clients that have been served once, so that nothing but the next request is pending. */
    private static List<Client> connected(LoopRig rig, int count) {
        List<Client> clients = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            clients.add(rig.connectAndAccept());
        }
        rig.settle();
        rig.sys.takeTrace();
        return clients;
    }

    /** Each client asks for a path of its own, and one turn answers them all. */
    private static void turnAll(LoopRig rig, List<Client> clients) throws IOException {
        for (int i = 0; i < clients.size(); i++) {
            clients.get(i).forget();
            clients.get(i).send(get("/" + i));
        }
        rig.deliver();
        rig.turn();
        rig.deliver();
        clients.forEach(Client::receive);
    }

    private static void answered(List<Client> clients) {
        for (int i = 0; i < clients.size(); i++) {
            assertThat(clients.get(i).bodies()).containsExactly("/" + i);
        }
    }

    /** Each connection answers "[own]"; the third also does what a test wants. */
    private static final class Gossip implements PlainProtocol.Factory {
        final List<Transport> opened = new ArrayList<>();
        Runnable onThird = () -> {};

        /** Sends to another connection from the inside of this one's call. */
        void say(int index, String text) {
            Transport transport = opened.get(index);
            transport.output().putAscii("[" + text + "]");
            transport.flush();
        }

        @Override
        public Protocol newProtocol() {
            return new PlainProtocol(opened) {
                @Override
                public int receive(MemorySegment in, int from, int to) {
                    assertThat(in.get(ValueLayout.JAVA_BYTE, from)).isEqualTo((byte) '?');
                    if (index == 2) {
                        onThird.run();
                    }
                    transport.output().putAscii("[own]");
                    return to;
                }
            };
        }
    }
}
