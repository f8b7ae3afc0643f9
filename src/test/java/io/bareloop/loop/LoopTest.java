package io.bareloop.loop;

import static io.bareloop.loop.LoopRig.get;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Client;
import io.bareloop.rig.FaultySyscalls.Call;
import io.bareloop.rig.PlainProtocol;
import io.bareloop.sys.Errno;
import io.bareloop.wire.Protocol;
import io.bareloop.wire.Transport;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a loop does where nothing fails: turns, order, fairness, ends, and no call too many. */
@Timeout(60)
class LoopTest {
    private static final int PIPELINED_PER_TURN_MAX = 64;
    private static final int RECEIVES_PER_TURN_MAX = 4;
    private static final int ACCEPTS_PER_TURN_MAX = 64;

    // ---- no call too many

    @Test
    void aBatchIsOneReceiveAndOneSend() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            Client client = rig.connectAndAccept();
            rig.settle();
            rig.sys.takeTrace();
            client.send(getAll(16));
            rig.until(() -> client.answers().size() == 16);
            rig.settle();
            int fd = rig.sys.acceptedFds().get(0);
            assertThat(rig.sys.takeTrace()).containsExactly("RECV " + fd, "SEND " + fd);
            assertThat(client.bodies()).isEqualTo(paths(16));
            assertThat(rig.loop.counters().requests()).isEqualTo(16);
            rig.assertLeft(1);
        }
    }

    /** Keep-alive costs a wait, a receive and a send; deadlines move without any call. */
    @Test
    void steadyStateIsWaitReceiveAndSend() throws IOException {
        int batches = 20_000;
        int batch = 5;
        try (LoopRig rig = new LoopRig()) {
            Client client = rig.connectAndAccept();
            client.send(getAll(batch));
            rig.until(() -> client.answers().size() == batch);
            int length = client.receivedBytes();
            Map<Call, Long> before = counts(rig);
            long turns = rig.loop.counters().turns();
            for (int i = 1; i <= batches; i++) {
                client.forget();
                client.send(getAll(batch));
                while (rig.loop.counters().requests() < batch + (long) i * batch) {
                    rig.loop.runOnce(100);
                }
                while (client.receivedBytes() < length) {
                    client.receive();
                }
            }
            Map<Call, Long> after = counts(rig);
            for (Call call : Call.values()) {
                long calls = after.get(call) - before.get(call);
                if (call == Call.RECV || call == Call.SEND) {
                    assertThat(calls).as("" + call).isEqualTo(batches);
                } else if (call == Call.EPOLL_WAIT) {
                    assertThat(calls).isEqualTo(rig.loop.counters().turns() - turns);
                    assertThat(calls).isBetween((long) batches, batches + batches / 10L);
                } else {
                    assertThat(calls).as("" + call).isZero();
                }
            }
            assertThat(rig.loop.slab().bytesTouched()).isZero();
        }
    }

    private static Map<Call, Long> counts(LoopRig rig) {
        Map<Call, Long> counts = new EnumMap<>(Call.class);
        for (Call call : Call.values()) {
            counts.put(call, rig.sys.count(call));
        }
        return counts;
    }

    @Test
    void anIdleLoopSleeps() {
        try (LoopRig rig = new LoopRig()) {
            rig.start();
            LoopRig.pause(300);
            assertThat(rig.sys.count(Call.EPOLL_WAIT)).isEqualTo(1);
        }
    }

    @Test
    void servesMoreConnectionsThanItHasRoomForAtStart() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            List<Client> clients = new ArrayList<>();
            for (int i = 0; i < 300; i++) {
                clients.add(rig.connect());
            }
            rig.settle();
            for (int i = 0; i < clients.size(); i++) {
                clients.get(i).send(get("/" + i));
            }
            rig.settle();
            for (int i = 0; i < clients.size(); i++) {
                assertThat(clients.get(i).bodies()).containsExactly("/" + i);
            }
            rig.assertLeft(300);
            for (Client client : clients) {
                client.close();
            }
            rig.settle();
            rig.assertNothingLeft();
        }
    }

    // ---- large requests and responses

    @Test
    void largeBodiesArriveWhole() throws IOException {
        int length = 1 << 20;
        try (LoopRig rig = new LoopRig()) {
            Client client = rig.connectAndAccept();
            client.send(get("/bytes/" + length) + get("/bytes/" + (length + 1)) + get("/last"));
            rig.until(() -> client.answers().size() == 3);
            assertThat(client.bodies())
                    .containsExactly(LoopRig.bytes(length), LoopRig.bytes(length + 1), "/last");
            rig.settle();
            rig.assertLeft(1);
        }
    }

    @Test
    void largeRequestsArriveWhole() throws IOException {
        String body = LoopRig.bytes(1 << 20);
        byte[] request = (post(body) + get("/last")).getBytes(StandardCharsets.ISO_8859_1);
        try (LoopRig rig = new LoopRig()) {
            Client client = rig.connectAndAccept();
            ByteBuffer rest = ByteBuffer.wrap(request);
            rig.until(
                    () -> {
                        client.offer(rest);
                        return client.answers().size() == 2;
                    });
            assertThat(client.bodies()).containsExactly(body, "/last");
            rig.settle();
            rig.assertLeft(1);
        }
    }

    // ---- fairness

    /** A connection with many requests at hand and one with a single request take turns. */
    @Test
    void manyPipelinedRequestsDoNotKeepOthersWaiting() throws IOException {
        int requests = 1000;
        try (LoopRig rig = new LoopRig()) {
            Client greedy = rig.connectAndAccept();
            Client polite = rig.connectAndAccept();
            rig.settle();
            greedy.send(getAll(requests));
            int turns = 0;
            while (rig.loop.counters().requests() < requests + turns) {
                polite.forget();
                polite.send(get("/polite"));
                long before = rig.loop.counters().requests();
                rig.loop.runOnce(100);
                turns++;
                polite.receive();
                assertThat(polite.bodies()).containsExactly("/polite");
                // Once as ready, once as left over from this turn.
                assertThat(rig.loop.counters().requests() - before)
                        .isLessThanOrEqualTo(2 * PIPELINED_PER_TURN_MAX + 1);
            }
            assertThat(turns).isGreaterThanOrEqualTo(requests / (2 * PIPELINED_PER_TURN_MAX));
            rig.settle();
            assertThat(greedy.bodies()).isEqualTo(paths(requests));
            rig.assertLeft(2);
        }
    }

    @Test
    void manyBytesDoNotKeepOthersWaiting() throws IOException {
        String body = LoopRig.bytes(40_000);
        String request = post(body);
        try (LoopRig rig = new LoopRig()) {
            Client greedy = rig.connectAndAccept();
            Client polite = rig.connectAndAccept();
            // The smallest slice, so that each receive that follows fills all the room there is.
            greedy.send(request.substring(0, 1));
            rig.settle();
            rig.sys.takeTrace();
            greedy.send(request.substring(1));
            polite.send(get("/polite"));
            rig.deliver();
            rig.turn();
            List<Integer> fds = rig.sys.acceptedFds();
            List<String> turn = rig.sys.takeTrace();
            int first = turn.indexOf("RECV " + fds.get(1));
            assertThat(first).isBetween(0, RECEIVES_PER_TURN_MAX);
            assertThat(turn.stream().filter(call -> call.equals("RECV " + fds.get(0))).count())
                    .isBetween(1L, 2L * RECEIVES_PER_TURN_MAX);
            rig.settle();
            assertThat(greedy.bodies()).containsExactly(body);
            assertThat(polite.bodies()).containsExactly("/polite");
            rig.assertLeft(2);
        }
    }

    @Test
    void manyNewConnectionsDoNotKeepOthersWaiting() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            Client early = rig.connectAndAccept();
            rig.settle();
            for (int i = 0; i < 100; i++) {
                rig.connect();
            }
            early.send(get("/early"));
            rig.deliver();
            rig.turn();
            rig.deliver();
            early.receive();
            assertThat(rig.loop.counters().accepted()).isEqualTo(1 + ACCEPTS_PER_TURN_MAX);
            assertThat(early.bodies()).containsExactly("/early");
            rig.turn();
            assertThat(rig.loop.counters().accepted()).isEqualTo(101);
        }
    }

    // ---- ends

    @Test
    void aPeerThatLeavesIsForgotten() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            Client client = rig.connectAndAccept();
            client.send(get("/"));
            rig.settle();
            client.close();
            rig.settle();
            rig.assertNothingLeft();
        }
    }

    /** More than a turn answers: what is left over is answered before the end counts. */
    @ParameterizedTest
    @ValueSource(ints = {1, 16, PIPELINED_PER_TURN_MAX, PIPELINED_PER_TURN_MAX + 1, 200, 1000})
    void whoHasEndedItsOutputStillGetsAllAnswers(int requests) throws IOException {
        try (LoopRig rig = new LoopRig()) {
            Client client = rig.connectAndAccept();
            rig.settle();
            client.send(getAll(requests));
            client.endOutput();
            rig.settle();
            assertThat(client.bodies()).isEqualTo(paths(requests));
            assertThat(client.ended()).isTrue();
            assertThat(client.wasReset()).isFalse();
            rig.assertNothingLeft();
        }
    }

    @Test
    void whoHasEndedItsOutputStillGetsALargeAnswer() throws IOException {
        int length = 3 << 20;
        try (LoopRig rig = new LoopRig()) {
            rig.limitSendBuffers(16 << 10);
            Client client = rig.connectAndAccept();
            client.send(get("/bytes/" + length) + get("/last"));
            client.endOutput();
            rig.until(client::ended);
            assertThat(client.bodies()).containsExactly(LoopRig.bytes(length), "/last");
            assertThat(client.wasReset()).isFalse();
            rig.assertNothingLeft();
        }
    }

    @Test
    void anEndWithinARequestEndsTheConnection() throws IOException {
        String request = post("0123456789");
        for (int length = 0; length < request.length(); length++) {
            try (LoopRig rig = new LoopRig()) {
                Client client = rig.connectAndAccept();
                client.send(request.substring(0, length));
                client.endOutput();
                rig.settle();
                assertThat(client.ended()).isTrue();
                assertThat(client.receivedBytes()).isZero();
                rig.assertNothingLeft();
            }
        }
    }

    @Test
    void anEndWithinALaterRequestTakesNoAnswerAlong() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            Client client = rig.connectAndAccept();
            client.send(get("/1"));
            rig.settle();
            client.send(get("/2") + "GET /3 HTT");
            rig.settle();
            client.endOutput();
            rig.settle();
            assertThat(client.bodies()).containsExactly("/1", "/2");
            assertThat(client.ended()).isTrue();
            rig.assertNothingLeft();
        }
    }

    @Test
    void aResetFreesEverything() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            rig.limitSendBuffers(4 << 10);
            Client other = rig.connectAndAccept();
            List<String> starts =
                    List.of("", "GET /", get("/"), post("").replace(": 0", ": 9"), getAll(1000));
            for (String start : starts) {
                Client client = rig.connectAndAccept();
                client.send(start);
                rig.turn();
                client.reset();
                rig.settle();
                rig.assertLeft(1);
            }
            Client slow = rig.connect(4 << 10);
            slow.send(get("/bytes/1000000"));
            // It does not receive: what is unsent stands in a slice.
            turnUntilUnsent(rig);
            slow.reset();
            rig.settle();
            rig.assertLeft(1);
            other.send(get("/other"));
            rig.settle();
            assertThat(other.bodies()).containsExactly("/other");
        }
    }

    /** However the connection before it in its slot has ended, a new one begins anew. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "hung up",
                "reset with a body unwritten",
                "failed with a body unwritten",
                "failed with an answer unsent",
                "refused and lingering",
                "left within a request",
                "reset with requests left for the next turn"
            })
    void aSlotKeepsNothingOfItsLastConnection(String end) throws IOException {
        try (LoopRig rig = new LoopRig()) {
            rig.limitSendBuffers(4 << 10);
            Client last = rig.connect(4 << 10);
            rig.turn();
            switch (end) {
                case "hung up" -> {
                    last.send(get("/"));
                    last.endOutput();
                }
                case "reset with a body unwritten" -> {
                    last.send(get("/bytes/1000000") + get("/next"));
                    turnUntilUnsent(rig);
                    last.reset();
                }
                case "failed with a body unwritten" -> {
                    rig.sys.next(Call.SEND, 10, -Errno.EPIPE);
                    last.send(get("/bytes/1000000"));
                }
                case "failed with an answer unsent" -> {
                    rig.sys.next(Call.SEND, 10, -Errno.EPIPE);
                    last.send(get("/"));
                }
                case "refused and lingering" -> {
                    last.send("no request\r\n\r\n");
                    rig.until(last::ended);
                    last.close();
                }
                case "left within a request" -> {
                    last.send(get("/") + "GET /");
                    rig.turn();
                    last.close();
                }
                default -> {
                    last.send(getAll(200));
                    rig.turn();
                    last.reset();
                }
            }
            rig.settle();
            rig.assertNothingLeft();

            Client client = rig.connectAndAccept();
            rig.settle();
            rig.sys.takeTrace();
            for (int i = 0; i < 2; i++) {
                client.send(get("/" + i));
                rig.settle();
                int fd = rig.sys.acceptedFds().get(1);
                assertThat(rig.sys.takeTrace()).containsExactly("RECV " + fd, "SEND " + fd);
            }
            rig.sys.next(Call.SEND, 10);
            client.send(get("/2"));
            rig.settle();
            assertThat(client.bodies()).isEqualTo(paths(3));
            rig.assertLeft(1);
            // It closes at once: nobody lingers after a good request.
            client.send("GET /3 HTTP/1.0\r\n\r\n");
            rig.settle();
            assertThat(client.bodies()).isEqualTo(paths(4));
            assertThat(client.ended()).isTrue();
            rig.assertNothingLeft();
        }
    }

    private static void turnUntilUnsent(LoopRig rig) {
        while (rig.loop.slab().slicesInUse() == 0) {
            rig.loop.runOnce(1);
        }
    }

    // ---- stale events

    /**
     * In one turn: the first event closes the connection that the last one is for, the one between
     * brings a connection that gets its slot and its descriptor. The last event is a hang-up; the
     * new connection must not be taken to have hung up.
     */
    @Test
    void anEventOfAClosedConnectionDoesNotReachItsSuccessor() throws IOException {
        boolean reused = false;
        SocketChannel filler = null;
        for (int attempt = 0; attempt < 20 && !reused; attempt++) {
            Bystanders protocols = new Bystanders();
            try (LoopRig rig = new LoopRig(LoopRig.ONE_BY_ONE, (arena, out, slab) -> protocols)) {
                Client killer = rig.connectAndAccept();
                Client victim = rig.connectAndAccept();
                rig.settle();
                protocols.onReceive = () -> protocols.opened.get(1).closeWhenSent(false);

                killer.send("!");
                Client successor = rig.connect();
                victim.reset();
                // Takes the number of the victim's own socket, which is free now.
                filler = SocketChannel.open();
                rig.deliver();
                rig.turn();

                assertThat(rig.loop.counters().staleEvents()).isEqualTo(1);
                assertThat(rig.loop.counters().accepted()).isEqualTo(3);
                assertThat(rig.loop.openConnections()).isEqualTo(2);
                // The slot is the same, for sure; the number of the descriptor unless another
                // thread of this JVM has opened a file just now.
                assertThat(protocols.opened.get(2)).isSameAs(protocols.opened.get(1));
                List<Integer> fds = rig.sys.acceptedFds();
                reused = fds.get(2).equals(fds.get(1));

                protocols.onReceive = () -> protocols.received++;
                successor.send("still here");
                rig.until(() -> protocols.received == 1);
                assertThat(rig.loop.openConnections()).isEqualTo(2);
            } finally {
                if (filler != null) {
                    filler.close();
                }
            }
        }
        assertThat(reused).as("descriptor was reused").isTrue();
    }

    /** A protocol that consumes all, and does what the test says when something comes. */
    private static final class Bystanders implements PlainProtocol.Factory {
        final List<Transport> opened = new ArrayList<>();
        Runnable onReceive = () -> {};
        int received;

        @Override
        public Protocol newProtocol() {
            return new PlainProtocol(opened) {
                @Override
                public int receive(MemorySegment in, int from, int to) {
                    onReceive.run();
                    return to;
                }
            };
        }
    }

    // ---- the seam

    /** What a protocol leaves comes again in front of what follows, whole and in order. */
    @Test
    void whatIsNotConsumedComesAgain() throws IOException {
        Lines protocols = new Lines();
        String text = "one\ntwo\n\nthree" + LoopRig.bytes(60_000).replace(' ', '.') + "\nend\n";
        try (LoopRig rig = new LoopRig(LoopRig.OPTIONS, (arena, out, slab) -> protocols)) {
            Client client = rig.connectAndAccept();
            for (int from = 0, step = 1; from < text.length(); from += step, step += 37) {
                client.send(text.substring(from, Math.min(from + step, text.length())));
                rig.loop.runOnce(10);
            }
            rig.settle();
            assertThat(protocols.lines).containsExactly(text.split("\n"));
            assertThat(rig.loop.slab().slicesInUse()).isZero();
        }
    }

    /** Consumes whole lines, one in each call. */
    private static final class Lines implements PlainProtocol.Factory {
        final List<String> lines = new ArrayList<>();
        final List<Transport> opened = new ArrayList<>();

        @Override
        public Protocol newProtocol() {
            return new PlainProtocol(opened) {
                @Override
                public int receive(MemorySegment in, int from, int to) {
                    StringBuilder line = new StringBuilder();
                    for (int i = from; i < to; i++) {
                        char c = (char) in.get(ValueLayout.JAVA_BYTE, i);
                        if (c == '\n') {
                            lines.add(line.toString());
                            if (i + 1 < to) {
                                transport.resume();
                            }
                            return i + 1;
                        }
                        line.append(c);
                    }
                    return from;
                }
            };
        }
    }

    /** Nothing is received from a connection that is paused; that it is gone is noticed. */
    @Test
    void aPausedConnectionIsLeftAloneUnlessItIsGone() throws IOException {
        Bystanders protocols = new Bystanders();
        protocols.onReceive =
                () -> {
                    protocols.received++;
                    protocols.opened.get(0).pause();
                };
        try (LoopRig rig = new LoopRig(LoopRig.OPTIONS, (arena, out, slab) -> protocols)) {
            Client client = rig.connectAndAccept();
            client.send("a");
            rig.until(() -> protocols.received == 1);
            long receives = rig.sys.count(Call.RECV);
            client.send("b");
            rig.settle();
            assertThat(rig.sys.count(Call.RECV)).isEqualTo(receives);
            protocols.opened.get(0).resume();
            rig.until(() -> protocols.received == 2);
            client.reset();
            rig.until(() -> rig.loop.openConnections() == 0);
        }
    }

    /**
     * Once, where input is not taken: what came before the end is presented first, all the same.
     */
    @Test
    void aHangUpIsToldWhileInputIsNotTaken() throws IOException {
        List<String> told = new ArrayList<>();
        HangingUp protocols = new HangingUp(told);
        try (LoopRig rig = new LoopRig(LoopRig.OPTIONS, (arena, out, slab) -> protocols)) {
            Client client = rig.connectAndAccept();
            client.send("ab");
            rig.until(() -> told.contains("a"));
            client.send("c");
            rig.settle();
            client.endOutput();
            rig.until(() -> told.contains("hung up"));
            rig.settle();
            assertThat(told).containsExactly("a", "hung up");
            protocols.opened.get(0).resume();
            rig.until(() -> told.contains("end"));
            assertThat(told).containsExactly("a", "hung up", "b", "c", "end");

            // Where it is taken, there is nothing to be told before the end.
            told.clear();
            Client other = rig.connectAndAccept();
            other.send("d").endOutput();
            rig.until(() -> told.contains("end"));
            assertThat(told).containsExactly("d", "end");
        }
    }

    /** Takes a byte at a time, and none behind an "a" before it is resumed. */
    private static final class HangingUp implements PlainProtocol.Factory {
        final List<Transport> opened = new ArrayList<>();
        private final List<String> told;

        HangingUp(List<String> told) {
            this.told = told;
        }

        @Override
        public Protocol newProtocol() {
            return new PlainProtocol(opened) {
                @Override
                public int receive(MemorySegment in, int from, int to) {
                    int at = from;
                    while (at < to) {
                        char c = (char) in.get(ValueLayout.JAVA_BYTE, at++);
                        told.add(String.valueOf(c));
                        if (c == 'a') {
                            transport.pause();
                            return at;
                        }
                    }
                    return at;
                }

                @Override
                public void hungUp() {
                    told.add("hung up");
                }

                @Override
                public void endOfInput() {
                    told.add("end");
                    super.endOfInput();
                }
            };
        }
    }

    // ---- what other threads ask for

    @Test
    void tasksRunOnTheLoopInOrder() throws InterruptedException {
        try (LoopRig rig = new LoopRig()) {
            rig.start();
            AtomicReference<Thread> loopThread = new AtomicReference<>();
            rig.loop.execute(() -> loopThread.set(Thread.currentThread()));
            rig.until(() -> loopThread.get() != null);
            assertThat(loopThread.get()).isNotSameAs(Thread.currentThread());

            int threads = 4;
            int tasks = 2000;
            CountDownLatch done = new CountDownLatch(threads * tasks);
            List<List<Integer>> ran = new ArrayList<>();
            List<Thread> senders = new ArrayList<>();
            List<Thread> strangers = Collections.synchronizedList(new ArrayList<>());
            for (int t = 0; t < threads; t++) {
                List<Integer> mine = new ArrayList<>();
                ran.add(mine);
                Thread sender =
                        new Thread(
                                () -> {
                                    for (int i = 0; i < tasks; i++) {
                                        int number = i;
                                        rig.loop.execute(
                                                () -> {
                                                    mine.add(number);
                                                    if (!Thread.currentThread()
                                                            .equals(loopThread.get())) {
                                                        strangers.add(Thread.currentThread());
                                                    }
                                                    done.countDown();
                                                });
                                    }
                                });
                senders.add(sender);
                sender.start();
            }
            assertThat(done.await(10, TimeUnit.SECONDS)).isTrue();
            for (List<Integer> mine : ran) {
                assertThat(mine).isEqualTo(IntStream.range(0, tasks).boxed().toList());
            }
            assertThat(strangers).isEmpty();
            // All wake-ups have been taken back: the loop sleeps again.
            LoopRig.pause(200);
            long waits = rig.sys.count(Call.EPOLL_WAIT);
            LoopRig.pause(200);
            assertThat(rig.sys.count(Call.EPOLL_WAIT)).isEqualTo(waits);
            for (Thread sender : senders) {
                sender.join();
            }
        }
    }

    @Test
    void requestsThatAreLeftForTheNextTurnKeepTheLoopAwake() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            rig.start();
            Client client = rig.connect();
            client.send(getAll(1000));
            rig.until(() -> rig.loop.counters().requests() == 1000);
        }
    }

    @Test
    void aTaskThatWaitsKeepsTheLoopAwake() {
        try (LoopRig rig = new LoopRig()) {
            List<String> ran = new ArrayList<>();
            rig.loop.execute(() -> rig.loop.execute(() -> ran.add("second")));
            rig.start();
            rig.until(() -> !ran.isEmpty());
        }
    }

    @Test
    void aTaskThatQueuesItselfForEverKeepsNobodyWaiting() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            AtomicBoolean enough = new AtomicBoolean();
            Runnable again =
                    new Runnable() {
                        @Override
                        public void run() {
                            if (!enough.get()) {
                                rig.loop.execute(this);
                            }
                        }
                    };
            rig.loop.execute(again);
            rig.start();
            Client client = rig.connect();
            client.send(get("/"));
            rig.until(() -> client.answers().size() == 1);
            enough.set(true);
        }
    }

    @Test
    void stopEndsTheLoopAndClosesAll() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            Client idle = rig.connect();
            Client busy = rig.connect();
            idle.send(get("/"));
            busy.send("GET / HT");
            rig.until(() -> rig.loop.counters().requests() == 1);
            rig.start();
            LoopRig.pause(20);
            rig.loop.stop();
            rig.awaitEnd();
            rig.until(() -> idle.ended() && busy.ended());
            assertThat(rig.loop.forced()).isEqualTo(2);
            assertThat(rig.loop.openConnections()).isZero();
            // A loop that has ended has no eventfd any more: this must not write elsewhere.
            rig.loop.execute(() -> {});
            rig.loop.stop();
        }
    }

    @Test
    void stopBeforeTheStartEndsItAtOnce() {
        try (LoopRig rig = new LoopRig()) {
            rig.loop.stop();
            rig.start();
            rig.awaitEnd();
            assertThat(rig.sys.count(Call.EPOLL_WAIT)).isZero();
        }
    }

    // ---- requests

    static String getAll(int requests) {
        StringBuilder all = new StringBuilder();
        for (int i = 0; i < requests; i++) {
            all.append(get("/" + i));
        }
        return all.toString();
    }

    static List<String> paths(int requests) {
        return IntStream.range(0, requests).mapToObj(i -> "/" + i).toList();
    }

    static String post(String body) {
        return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
    }
}
