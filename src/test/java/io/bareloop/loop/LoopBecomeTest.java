package io.bareloop.loop;

import static io.bareloop.loop.LoopRig.get;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.Client;
import io.bareloop.rig.PlainProtocol;
import io.bareloop.rig.Prelude;
import io.bareloop.wire.Protocol;
import io.bareloop.wire.Transport;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Connections that begin with one protocol and go on with another. */
@Timeout(60)
class LoopBecomeTest {
    private static final long LONG = 20_000_000_000L;

    private final List<Prelude> preludes = new ArrayList<>();
    private final List<Transport> opened = new ArrayList<>();

    /** What had its turn, in order. */
    private final List<String> events = new ArrayList<>();

    // ---- a line, and HTTP behind it

    @Test
    void whatStandsBehindTheLineIsAnswered() throws IOException {
        try (LoopRig rig = behindPrelude()) {
            Client client = rig.connect();
            client.send(Prelude.LINE + get("/1") + get("/2"));
            rig.settle();
            client.send(get("/3"));
            rig.settle();
            assertThat(client.bodies()).containsExactly("/1", "/2", "/3");
            assertThat(preludes.getFirst().lines()).containsExactly(Prelude.LINE);
            rig.assertLeft(1);
        }
    }

    /** Each connection has the slot of the one before: it begins with the line again. */
    @Test
    void theLineIsTakenWhereverItIsCut() throws IOException {
        byte[] bytes = Bytes.of(Prelude.LINE + get("/1"));
        try (LoopRig rig = behindPrelude()) {
            for (int cut = 1; cut < bytes.length; cut++) {
                try (Client client = rig.connect()) {
                    client.send(Bytes.toString(bytes).substring(0, cut));
                    rig.settle();
                    client.send(Bytes.toString(bytes).substring(cut));
                    rig.until(() -> !client.answers().isEmpty());
                    assertThat(client.bodies()).as("cut at %s", cut).containsExactly("/1");
                }
                rig.until(() -> rig.loop.openConnections() == 0);
            }
            assertThat(preludes).hasSize(1);
            assertThat(preludes.getFirst().lines()).hasSize(bytes.length - 1);
            assertThat(preludes.getFirst().closes()).isZero();
            rig.assertNothingLeft();
        }
    }

    /** Served together: what a batch has received goes from one protocol to the next as well. */
    @Test
    void soItIsForManyInOneTurn() throws IOException {
        try (LoopRig rig = behindPrelude()) {
            List<Client> clients = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                clients.add(rig.connectAndAccept());
            }
            for (Client client : clients) {
                client.send(Prelude.LINE + get("/1"));
            }
            rig.deliver();
            rig.turn();
            rig.settle();
            for (Client client : clients) {
                assertThat(client.bodies()).containsExactly("/1");
            }
            rig.assertLeft(50);
        }
    }

    @Test
    void aConnectionLostBeforeTheLineIsWholeEndsWithThePrelude() throws IOException {
        try (LoopRig rig = behindPrelude()) {
            Client half = rig.connectAndAccept();
            half.send("PROXY TCP4 ");
            rig.settle();
            half.endOutput();
            rig.until(half::ended);
            assertThat(half.wasReset()).isFalse();
            assertThat(preludes.getFirst().closes()).isEqualTo(1);

            Client crashed = rig.connectAndAccept();
            crashed.send("PROXY TCP4 ");
            rig.settle();
            crashed.reset();
            rig.until(() -> rig.loop.openConnections() == 0);
            assertThat(preludes.getFirst().closes()).isEqualTo(2);

            Client whole = rig.connect();
            whole.send(Prelude.LINE + get("/1"));
            rig.settle();
            assertThat(whole.bodies()).containsExactly("/1");
            assertThat(preludes).hasSize(1);
        }
    }

    @Test
    void aDrainThatBeganBeforeTheLineWasWholeIsToldToTheNext() throws IOException {
        try (LoopRig rig = behindPrelude()) {
            Client asking = rig.connectAndAccept();
            Client silent = rig.connectAndAccept();
            asking.send("PROXY TCP4 ");
            silent.send("PROXY TCP4 ");
            rig.settle();
            rig.loop.drain(LONG, () -> {});
            rig.turn();
            assertThat(preludes).extracting(Prelude::drains).containsExactly(1, 1);
            asking.send("rest\r\n" + get("/1") + get("/2"));
            silent.send("rest\r\n");
            rig.start();
            // As a new connection does, the silent one has a second for its first request.
            rig.awaitEnd();
            rig.until(() -> asking.ended() && silent.ended());
            List<Answer> answers = asking.answers();
            assertThat(answers.getLast().closes()).isTrue();
            assertThat(asking.wasReset()).isFalse();
            assertThat(silent.receivedBytes()).isZero();
            assertThat(rig.loop.forced()).isZero();
        }
    }

    private LoopRig behindPrelude() {
        return new LoopRig(
                LoopRig.OPTIONS,
                before(
                        inside -> {
                            Prelude prelude = new Prelude(inside);
                            preludes.add(prelude);
                            return prelude;
                        }));
    }

    /** HTTP, and what {@code first} puts before each of its connections. */
    private static LoopRig.Protocols before(UnaryOperator<Protocol> first) {
        return (arena, out, slab) ->
                new Before(
                        LoopRig.http(LoopRig.PATIENT, LoopRig::answer).make(arena, out, slab),
                        first);
    }

    private record Before(Protocol.Factory http, UnaryOperator<Protocol> first)
            implements Protocol.Factory {
        @Override
        public Protocol newProtocol() {
            return first.apply(http.newProtocol());
        }

        @Override
        public void turn(long nowNanos) {
            http.turn(nowNanos);
        }

        @Override
        public void ended() {
            http.ended();
        }
    }

    // ---- what the one before has asked for

    /** Takes one byte, becomes another protocol, and does something in the same call. */
    private final class FirstByte extends PlainProtocol {
        private final Protocol next;
        private final Consumer<Transport> action;

        FirstByte(Protocol next, Consumer<Transport> action) {
            super(opened);
            this.next = next;
            this.action = action;
        }

        @Override
        public int receive(MemorySegment in, int from, int to) {
            transport.become(next);
            action.accept(transport);
            return from + 1;
        }

        @Override
        public void closed() {
            events.add("closed first");
        }
    }

    /** Says what it is called for, and takes all. */
    private final class Next extends PlainProtocol {
        private final Consumer<Transport> onOpen;

        Next(Consumer<Transport> onOpen) {
            super(opened);
            this.onOpen = onOpen;
        }

        @Override
        public void open(Transport newTransport) {
            super.open(newTransport);
            events.add("open");
            onOpen.accept(newTransport);
        }

        @Override
        public int receive(MemorySegment in, int from, int to) {
            assertThat(transport.unsentBytes()).isZero();
            events.add("receive " + (to - from));
            return to;
        }

        @Override
        public void writable() {
            events.add("writable");
        }

        @Override
        public void expired() {
            events.add("expired");
        }

        @Override
        public void closed() {
            events.add("closed");
        }
    }

    private LoopRig rig(Consumer<Transport> inTheFirst, Consumer<Transport> onOpen) {
        return new LoopRig(
                LoopRig.OPTIONS, before(http -> new FirstByte(new Next(onOpen), inTheFirst)));
    }

    private static void nothing(Transport transport) {}

    /** Who closes stays the one that is closed: nobody answers behind that. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whereTheSameCallClosesNothingBecomesOfIt(boolean linger) throws IOException {
        try (LoopRig rig =
                rig(transport -> transport.closeWhenSent(linger), LoopBecomeTest::nothing)) {
            for (int i = 1; i <= 2; i++) {
                Client client = rig.connect();
                client.send("xyz");
                rig.until(client::ended);
                client.close();
                rig.until(() -> rig.loop.openConnections() == 0);
                assertThat(events).hasSize(i).containsOnly("closed first");
            }
            rig.assertNothingLeft();
        }
    }

    @Test
    void norWhereItAborts() throws IOException {
        try (LoopRig rig = rig(Transport::abort, LoopBecomeTest::nothing)) {
            Client client = rig.connect();
            client.send("xyz");
            rig.until(client::ended);
            assertThat(events).containsExactly("closed first");
            rig.assertNothingLeft();
        }
    }

    /** Nothing is presented behind closeWhenSent, wherever that was called. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theNextMayCloseAtOnce(boolean linger) throws IOException {
        try (LoopRig rig =
                rig(LoopBecomeTest::nothing, transport -> transport.closeWhenSent(linger))) {
            Client client = rig.connect();
            client.send("xyz");
            rig.until(client::ended);
            client.close();
            rig.until(() -> rig.loop.openConnections() == 0);
            assertThat(events).containsExactly("open", "closed");
            rig.assertNothingLeft();
        }
    }

    @Test
    void thatTheOneBeforeHadPausedIsForgotten() throws IOException {
        try (LoopRig rig = rig(Transport::pause, LoopBecomeTest::nothing)) {
            Client client = rig.connect();
            client.send("xyz");
            rig.settle();
            assertThat(events).containsExactly("open", "receive 2");
        }
    }

    @Test
    void theNextMayPauseAtOnce() throws IOException {
        try (LoopRig rig = rig(LoopBecomeTest::nothing, Transport::pause)) {
            Client client = rig.connect();
            client.send("xyz");
            rig.settle();
            assertThat(events).containsExactly("open");
            rig.loop.execute(opened.getLast()::resume);
            rig.settle();
            assertThat(events).containsExactly("open", "receive 2");
        }
    }

    @Test
    void theDeadlineOfTheOneBeforeIsForgotten() throws IOException {
        try (LoopRig rig =
                rig(
                        transport -> transport.deadline(transport.now() + 1_000_000),
                        LoopBecomeTest::nothing)) {
            Client client = rig.connect();
            client.send("xyz");
            rig.turnFor(200);
            assertThat(events).containsExactly("open", "receive 2");
        }
    }

    /** What the one before has written goes first; no input is presented meanwhile. */
    @Test
    void whatIsUnsentComesBeforeWhatIsLeft() throws IOException {
        int bytes = 64 << 10;
        try (LoopRig rig =
                rig(
                        transport -> {
                            for (int i = 0; i < 64; i++) {
                                transport.output().put(new byte[bytes], 0, bytes);
                                transport.flush();
                            }
                        },
                        transport -> transport.output().put((byte) 'n'))) {
            rig.limitSendBuffers(8 << 10);
            Client client = rig.connect(8 << 10);
            rig.hold(client);
            client.send("xyz");
            rig.settle();
            assertThat(events).containsExactly("open");
            rig.letGo(client);
            rig.until(() -> client.receivedBytes() == 64 * bytes + 1);
            rig.settle();
            assertThat(events).containsExactly("open", "writable", "receive 2");
            assertThat(client.text()).endsWith("\0n");
        }
    }

    /** On a connection that begins with it, as on one that it is handed. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aProtocolMaySpeakFirst(boolean handed) throws IOException {
        UnaryOperator<Protocol> speaking =
                http -> {
                    Protocol next =
                            new Next(transport -> transport.output().put(Bytes.of("hello"), 0, 5));
                    return handed ? new FirstByte(next, LoopBecomeTest::nothing) : next;
                };
        try (LoopRig rig = new LoopRig(LoopRig.OPTIONS, before(speaking))) {
            Client client = rig.connectAndAccept();
            if (handed) {
                client.send("x");
            }
            rig.settle();
            assertThat(client.text()).isEqualTo("hello");
        }
    }
}
