package io.bareloop.loop;

import static io.bareloop.loop.LoopRig.get;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.FileBody;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Suspended;
import io.bareloop.http.Timeouts;
import io.bareloop.rig.Answer;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.Client;
import io.bareloop.rig.FaultySyscalls.Call;
import io.bareloop.rig.XorLayer;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Syscalls;
import io.bareloop.wire.FileSource;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * HTTP inside a protocol that is itself its transport, as in TLS, over real sockets: bodies that
 * cannot be sent from where they are, a client that does not read, answers that come late.
 */
@Timeout(60)
class LoopLayerTest {
    private static final int LARGE = 3_000_000;
    private static final int SMALL_BUFFER = 8 << 10;
    private static final String CONTENT = LoopRig.bytes(LARGE);

    @TempDir Path directory;

    private final Arena arena = Arena.ofShared();
    private final Syscalls sys = new Syscalls(arena);
    private final List<Suspended> suspended = new ArrayList<>();
    private final AtomicInteger releases = new AtomicInteger();
    private int fd;

    @BeforeEach
    void open() throws IOException {
        Path path = Files.writeString(directory.resolve("file"), CONTENT);
        fd = sys.openat(Linux.AT_FDCWD, arena.allocateFrom(path.toString()), Linux.O_CLOEXEC);
        assertThat(fd).isNotNegative();
    }

    @AfterEach
    void close() {
        sys.close(fd);
        arena.close();
    }

    private LoopRig rig(Timeouts timeouts) {
        return new LoopRig(
                LoopRig.OPTIONS,
                (memory, out, slab) ->
                        new XorLayer.Factory(
                                memory,
                                slab,
                                sys,
                                plain ->
                                        LoopRig.http(timeouts, this::answer)
                                                .make(memory, plain, slab)));
    }

    private LoopRig rig() {
        return rig(LoopRig.PATIENT);
    }

    private void answer(Request request, Response response) {
        switch (request.path().toString()) {
            case "/file" -> response.body(new FileBody(new OpenFile()), 0, LARGE);
            case "/short" -> response.body(new FileBody(new OpenFile()), 0, LARGE + 1L);
            case "/tail" -> response.body(new FileBody(new OpenFile()), LARGE - 10, 20);
            case "/suspended" -> suspended.add(response.suspend());
            case "/closed" -> {
                Arena closed = Arena.ofShared();
                MemorySegment memory = closed.allocate(LARGE);
                closed.close();
                response.body(memory, 0, LARGE);
            }
            default -> LoopRig.answer(request, response);
        }
    }

    /** A client that codes what it sends, and decodes what it receives. */
    private static final class Coded {
        private final Client client;
        private final ByteArrayOutputStream received = new ByteArrayOutputStream();
        private long sent;

        Coded(Client client) {
            this.client = client;
        }

        void send(String text) throws IOException {
            client.send(XorLayer.code(Bytes.of(text), sent));
            sent += text.length();
        }

        /** The whole answers so far. */
        List<Answer> answers() throws IOException {
            received.writeBytes(client.exactly(client.receivedBytes()));
            return Client.of(XorLayer.code(received.toByteArray(), 0)).answers();
        }

        List<String> bodies() throws IOException {
            return answers().stream().map(Answer::body).toList();
        }

        /** How many bytes have come. */
        int receivedBytes() {
            return received.size() + client.receivedBytes();
        }
    }

    // ---- bodies that are not sent from where they are

    @ParameterizedTest
    @ValueSource(strings = {"/native/3000000", "/bytes/3000000", "/file"})
    void aLargeBodyIsCopied(String path) throws IOException {
        try (LoopRig rig = rig()) {
            Coded client = new Coded(rig.connect());
            client.send(get(path) + get("/behind"));
            rig.until(() -> client.receivedBytes() > LARGE);
            rig.settle();
            assertThat(client.bodies()).containsExactly(CONTENT, "/behind");
            assertThat(rig.sys.count(Call.SENDFILE)).isZero();
            rig.assertLeft(1);
        }
        assertThat(releases).hasValue(path.equals("/file") ? 1 : 0);
    }

    /** What the kernel does not take waits in the slab; it is not more than a buffer's worth. */
    @ParameterizedTest
    @ValueSource(strings = {"/native/3000000", "/bytes/3000000", "/file"})
    void soItIsForAClientThatDoesNotRead(String path) throws IOException {
        try (LoopRig rig = rig()) {
            rig.limitSendBuffers(SMALL_BUFFER);
            Client socket = rig.connect(SMALL_BUFFER);
            Coded client = new Coded(socket);
            rig.hold(socket);
            client.send(get(path) + get("/behind"));
            rig.settle();
            assertThat(rig.loop.slab().bytesTouched()).isBetween(1L, 512L << 10);
            rig.letGo(socket);
            rig.until(() -> client.receivedBytes() > LARGE);
            rig.settle();
            assertThat(client.bodies()).containsExactly(CONTENT, "/behind");
            rig.assertLeft(1);
        }
    }

    /** Others have their turn between two parts, though the kernel would take all. */
    @Test
    void aTurnSendsAPartOnly() throws IOException {
        int partMax = 600 << 10;
        try (LoopRig rig = rig()) {
            Client socket = rig.connectAndAccept();
            Coded client = new Coded(socket);
            client.send(get("/native/3000000"));
            rig.deliver();
            int turns = 0;
            while (client.receivedBytes() < LARGE) {
                long before = rig.loop.counters().bytesSent();
                rig.turn();
                assertThat(rig.loop.counters().bytesSent() - before).isLessThan(partMax);
                socket.receive();
                turns++;
            }
            assertThat(turns).isGreaterThanOrEqualTo(LARGE / partMax);
            rig.settle();
            assertThat(client.bodies()).containsExactly(CONTENT);
        }
    }

    /** The file has become shorter: what was announced cannot come, and the connection ends. */
    @ParameterizedTest
    @ValueSource(strings = {"/short", "/tail"})
    void aFileThatEndsEarlyEndsTheConnection(String path) throws IOException {
        try (LoopRig rig = rig()) {
            Client socket = rig.connect();
            Coded client = new Coded(socket);
            client.send(get(path));
            rig.until(socket::ended);
            assertThat(client.bodies()).isEmpty();
            rig.assertNothingLeft();
        }
        assertThat(releases).hasValue(1);
    }

    /** Memory refuses before its head has gone: there is another answer. */
    @Test
    void memoryThatIsClosedIsAnsweredAsAFailure() throws IOException {
        try (LoopRig rig = rig()) {
            Client socket = rig.connect();
            Coded client = new Coded(socket);
            client.send(get("/closed"));
            rig.until(socket::ended);
            assertThat(client.answers()).extracting(Answer::status).containsExactly(500);
            socket.close();
            rig.until(() -> rig.loop.openConnections() == 0);
            rig.assertNothingLeft();
        }
    }

    @Test
    void aClientThatIsLostAmidABodyLeavesNothing() throws IOException {
        try (LoopRig rig = rig()) {
            rig.limitSendBuffers(SMALL_BUFFER);
            Client socket = rig.connect(SMALL_BUFFER);
            Coded client = new Coded(socket);
            rig.hold(socket);
            client.send(get("/file"));
            rig.settle();
            socket.reset();
            rig.until(() -> rig.loop.openConnections() == 0);
            rig.assertNothingLeft();
        }
        assertThat(releases).hasValue(1);
    }

    // ---- what is left over, and what comes late

    /** More than a turn answers: what HTTP leaves for the next waits in the layer, decoded. */
    @Test
    void requestsThatWaitForTheirTurnAreAnsweredInOrder() throws IOException {
        int requests = 2000;
        try (LoopRig rig = rig()) {
            Coded client = new Coded(rig.connect());
            client.send(LoopTest.getAll(requests));
            rig.until(() -> rig.loop.counters().requests() == requests);
            rig.settle();
            assertThat(client.bodies()).isEqualTo(LoopTest.paths(requests));
            rig.assertLeft(1);
        }
    }

    /** The answer is written in a turn that the engine knows nothing of. */
    @Test
    void anAnswerThatComesLateIsSentAndWhatWaitedBehindItGoesOn() throws IOException {
        try (LoopRig rig = rig()) {
            Coded client = new Coded(rig.connect());
            client.send(get("/suspended") + get("/1") + get("/suspended") + get("/2"));
            for (int i = 1; i <= 2; i++) {
                int count = i;
                rig.until(() -> suspended.size() == count);
                rig.settle();
                client.send(get("/more"));
                rig.settle();
                suspended.getLast().resume((request, response) -> response.body("late " + count));
                rig.settle();
            }
            assertThat(client.bodies())
                    .containsExactly("late 1", "/1", "late 2", "/2", "/more", "/more");
            rig.assertLeft(1);
        }
    }

    @Test
    void theLastAnswerMayComeLate() throws IOException {
        try (LoopRig rig = rig()) {
            Client socket = rig.connect();
            Coded client = new Coded(socket);
            client.send("GET /suspended HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            rig.until(() -> !suspended.isEmpty());
            suspended.getLast().resume((request, response) -> response.body(CONTENT));
            rig.until(socket::ended);
            assertThat(socket.wasReset()).isFalse();
            assertThat(client.bodies()).containsExactly(CONTENT);
            rig.assertNothingLeft();
        }
    }

    // ---- the end

    /** The peer still sends, and reads only then: a reset would take the answer along. */
    @Test
    void aRefusalLingers() throws IOException {
        try (LoopRig rig = rig()) {
            Client socket = rig.connect();
            Coded client = new Coded(socket);
            client.send("NONSENSE\r\n\r\n");
            rig.until(() -> client.receivedBytes() > 0);
            client.send("x".repeat(100_000));
            rig.settle();
            socket.endOutput();
            rig.until(socket::ended);
            assertThat(socket.wasReset()).isFalse();
            assertThat(client.answers()).extracting(Answer::status).containsExactly(400);
            rig.until(() -> rig.loop.openConnections() == 0);
            rig.assertNothingLeft();
        }
    }

    @Test
    void deadlinesAreThoseOfTheProtocolInside() throws IOException {
        try (LoopRig rig = rig(LoopRig.timeouts(300, 600))) {
            Client socket = rig.connect();
            Coded client = new Coded(socket);
            client.send("GET / HT");
            long start = System.nanoTime();
            rig.until(() -> client.receivedBytes() > 0);
            assertThat((System.nanoTime() - start) / 1_000_000).isBetween(250L, 5000L);
            assertThat(client.answers()).extracting(Answer::status).containsExactly(408);
        }
    }

    @Test
    void aDrainReachesTheProtocolInside() throws IOException {
        try (LoopRig rig = rig()) {
            Client idle = rig.connectAndAccept();
            Coded used = new Coded(idle);
            Coded begun = new Coded(rig.connectAndAccept());
            used.send(get("/used"));
            begun.send("GET /begun HT");
            rig.settle();
            rig.loop.drain(20_000_000_000L, () -> {});
            rig.until(idle::ended);
            begun.send("TP/1.1\r\nHost: a\r\n\r\n");
            rig.start();
            rig.awaitEnd();
            rig.until(() -> begun.client.ended());
            assertThat(used.bodies()).containsExactly("/used");
            assertThat(begun.answers().getLast().closes()).isTrue();
            assertThat(rig.loop.forced()).isZero();
        }
    }

    /** Always in the kernel's cache. */
    private final class OpenFile implements FileSource {
        @Override
        public int descriptor() {
            return fd;
        }

        @Override
        public void warm(long offset, int length, Runnable then) {
            throw new AssertionError();
        }

        @Override
        public boolean isWarm(long end, long nanos) {
            return true;
        }

        @Override
        public void release() {
            releases.incrementAndGet();
        }
    }
}
