package io.bareloop.loop;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.exchange.Application;
import io.bareloop.http.Handler;
import io.bareloop.http.Limits;
import io.bareloop.http.MediaType;
import io.bareloop.http.Method;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Timeouts;
import io.bareloop.http1.Http1;
import io.bareloop.net.Knob;
import io.bareloop.net.KnobLog;
import io.bareloop.net.ListenOptions;
import io.bareloop.net.ListenerGroup;
import io.bareloop.rig.Client;
import io.bareloop.rig.FaultySyscalls;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Pages;
import io.bareloop.wire.OutputBuffer;
import io.bareloop.wire.Protocol;
import io.bareloop.wire.Slab;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * A loop on a listener of its own, with clients, driven turn by turn in the test's thread or run by
 * one of its own. Closing it checks that everything was given back.
 */
final class LoopRig implements AutoCloseable {
    static final LoopOptions OPTIONS = options(1000, 60_000);

    /** Each connection is served by itself, in the order of the events. */
    static final LoopOptions ONE_BY_ONE = options(1000, 60_000, 16 << 20, Knob.OFF);

    /** Longer than {@link #until} waits: what ends in time has not ended by a deadline. */
    static final Timeouts PATIENT = timeouts(60_000, 60_000);

    static final int LINGER_MILLIS = 2000;

    /** SO_SNDBUF and SO_RCVBUF of asm-generic/socket.h; accepted sockets inherit them. */
    private static final int SO_SNDBUF = 7;

    private static final int SO_RCVBUF = 8;

    private static final long PATIENCE_NANOS = 20_000_000_000L;

    private static final MemorySegment NATIVE =
            Arena.ofAuto()
                    .allocate(4 << 20)
                    .copyFrom(MemorySegment.ofArray(bytes(4 << 20).getBytes(US_ASCII)));

    final Arena arena = Arena.ofShared();
    final FaultySyscalls sys = new FaultySyscalls(arena);
    final ListenerGroup listeners;
    final Loop loop;
    final KnobLog knobs = new KnobLog();
    final List<Throwable> failures = new ArrayList<>();

    /** What the loop has told people. */
    final List<String> lines = new CopyOnWriteArrayList<>();

    private final List<Client> clients = new ArrayList<>();
    private final Set<Client> held = new HashSet<>();
    private Thread thread;

    /** Makes the protocol of the loop under test. */
    interface Protocols {
        Protocol.Factory make(Arena arena, OutputBuffer out, Slab slab);
    }

    /** What a test waits for; it may let its clients do something meanwhile. */
    interface Condition {
        boolean holds() throws IOException;
    }

    /** Serves {@link #answer} over HTTP, with limits that no test meets unawares. */
    LoopRig() {
        this(OPTIONS);
    }

    LoopRig(LoopOptions options) {
        this(options, PATIENT);
    }

    LoopRig(LoopOptions options, Timeouts timeouts) {
        this(options, timeouts, LoopRig::answer);
    }

    LoopRig(LoopOptions options, Timeouts timeouts, Handler handler) {
        this(options, http(timeouts, handler));
    }

    /** On a kernel that has no io_uring for us, but this negated errno. */
    LoopRig(LoopOptions options, int ringRefusal) {
        this(options, http(PATIENT, LoopRig::answer), sys -> sys.refuseRing(ringRefusal));
    }

    /** On a kernel whose congestion control this is. */
    LoopRig(LoopOptions options, Handler handler, String congestion) {
        this(options, http(PATIENT, handler), sys -> sys.congestion(congestion));
    }

    LoopRig(LoopOptions options, Protocols protocols) {
        this(options, protocols, sys -> {});
    }

    static Protocols http(Timeouts timeouts, Handler handler) {
        return (arena, out, slab) ->
                new Http1(
                        arena,
                        out,
                        slab,
                        Limits.defaults(),
                        timeouts,
                        Application.of(
                                handler,
                                (request, failure) -> {
                                    throw new AssertionError(failure);
                                }));
    }

    private LoopRig(LoopOptions options, Protocols protocols, Consumer<FaultySyscalls> kernel) {
        kernel.accept(sys);
        try {
            listeners =
                    ListenerGroup.open(
                            sys,
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                            new int[] {-1},
                            new ListenOptions(Knob.OFF, Knob.OFF, null, 1024),
                            new KnobLog());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        OutputBuffer out = new OutputBuffer(arena, Loop.OUT_BYTES);
        Slab slab =
                new Slab(
                        Pages.allocate(options.unsentBytesMax(), arena)
                                .asSlice(0, options.unsentBytesMax()),
                        (offset, bytes) -> {});
        loop =
                new Loop(
                        sys,
                        arena,
                        options,
                        listeners.fd(0),
                        out,
                        slab,
                        protocols.make(arena, out, slab),
                        knobs,
                        lines::add);
        // The ring leaves all to recv and send, where a test can have them fail.
        sys.script(FaultySyscalls.Call.RING, (ring, calls) -> 0);
        try {
            loop.openBatch();
        } catch (IllegalStateException refused) {
            close();
            throw refused;
        }
    }

    static LoopOptions options(int connectionsMax, int sendMillis) {
        return options(connectionsMax, sendMillis, 16 << 20);
    }

    static LoopOptions options(int connectionsMax, int sendMillis, long pendingBytesMax) {
        return options(connectionsMax, sendMillis, pendingBytesMax, Knob.auto(0));
    }

    static LoopOptions options(
            int connectionsMax, int sendMillis, long pendingBytesMax, Knob ioUring) {
        return new LoopOptions(
                -1,
                connectionsMax,
                Knob.OFF,
                (int) pendingBytesMax,
                sendMillis * 1_000_000L,
                LINGER_MILLIS * 1_000_000L,
                ioUring,
                Knob.OFF);
    }

    static Timeouts timeouts(int headMillis, int idleMillis) {
        return Timeouts.builder()
                .head(Duration.ofMillis(headMillis))
                .idle(Duration.ofMillis(idleMillis))
                .build();
    }

    /**
     * A GET is answered with its path, of /bytes/n and /native/n with n bytes, which are an array's
     * or native memory, a POST with its body.
     */
    static void answer(Request request, Response response) {
        String path = request.path().toString();
        response.contentType(MediaType.TEXT);
        if (request.method() == Method.POST) {
            response.body(request.body().toString());
        } else if (path.startsWith("/bytes/")) {
            response.body(bytes(Integer.parseInt(path.substring("/bytes/".length()))));
        } else if (path.startsWith("/native/")) {
            response.body(NATIVE, 0, Integer.parseInt(path.substring("/native/".length())));
        } else {
            response.body(path);
        }
    }

    /** Text of this length in which a lost, doubled or swapped piece shows. */
    static String bytes(int length) {
        StringBuilder text = new StringBuilder(length + 8);
        while (text.length() < length) {
            text.append(text.length()).append(' ');
        }
        return text.substring(0, length);
    }

    /** What a server that has no faults sends in answer to {@code requests}. */
    static String faultless(String requests) throws IOException {
        try (LoopRig rig = new LoopRig()) {
            Client client = rig.connect();
            client.send(requests);
            rig.settle();
            assertThat(client.ended()).isFalse();
            return client.text();
        }
    }

    /** Accepted sockets get send buffers of about this many bytes, and do not grow them. */
    void limitSendBuffers(int bytes) {
        assertThat(sys.setsockopt(listeners.fd(0), Linux.SOL_SOCKET, SO_SNDBUF, bytes)).isZero();
    }

    /** Accepted sockets can hold about this many bytes that have not been received. */
    void enlargeReceiveBuffers(int bytes) {
        assertThat(sys.setsockopt(listeners.fd(0), Linux.SOL_SOCKET, SO_RCVBUF, bytes)).isZero();
    }

    // ---- clients

    /** Connects; the loop does not know of it before its next turn. */
    Client connect() {
        return connect(0);
    }

    /** As {@link #connect}, with buffers of about this many bytes. */
    Client connect(int bufferBytes) {
        try {
            Client client = Client.connect(listeners.address(), bufferBytes, bufferBytes);
            clients.add(client);
            return client;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A GET of this target, and nothing in it that need not be. */
    static String get(String target) {
        return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
    }

    /** The client receives nothing from now on, until {@link #letGo}. */
    void hold(Client client) {
        held.add(client);
    }

    void letGo(Client client) {
        held.remove(client);
    }

    /** The clients receive what is there; returns how many bytes. */
    private int receive() {
        int sum = 0;
        for (Client client : clients) {
            sum += held.contains(client) ? 0 : client.receive();
        }
        return sum;
    }

    /** Connects, and waits until the loop has accepted it. */
    Client connectAndAccept() {
        long accepted = loop.counters().accepted();
        Client client = connect();
        until(() -> loop.counters().accepted() > accepted);
        return client;
    }

    // ---- turns, where the loop has no thread of its own

    void turn() {
        loop.runOnce(0);
    }

    /** Gives the kernel time to deliver what was sent: the next turn has all of it at once. */
    void deliver() {
        pause(10);
    }

    /** Turns until {@code condition} holds; the clients receive meanwhile. */
    void until(Condition condition) {
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (!holds(condition)) {
            assertThat(System.nanoTime() - end).as("nanoseconds of patience left").isNegative();
            if (thread == null) {
                loop.runOnce(1);
            } else {
                pause(1);
            }
            receive();
        }
    }

    private static boolean holds(Condition condition) {
        try {
            return condition.holds();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Turns until nothing happens any more on either side. */
    void settle() {
        int quiet = 0;
        while (quiet < 5) {
            long before = sys.countOfWork() + loop.counters().requests();
            loop.runOnce(1);
            int received = receive();
            long after = sys.countOfWork() + loop.counters().requests();
            quiet = received == 0 && before == after ? quiet + 1 : 0;
        }
    }

    /** Turns for so long. */
    void turnFor(int millis) {
        long end = System.nanoTime() + millis * 1_000_000L;
        until(() -> System.nanoTime() - end >= 0);
    }

    // ---- a thread

    /** Runs the loop in a thread of its own from now on. */
    void start() {
        // A ring is its thread's own, and a thread has room for few.
        loop.closeBatch();
        thread =
                new Thread(
                        () -> {
                            loop.openBatch();
                            loop.run();
                        },
                        "loop under test");
        thread.setUncaughtExceptionHandler((t, failure) -> failures.add(failure));
        thread.start();
    }

    /** Waits until the loop's thread has ended by itself. */
    void awaitEnd() {
        until(() -> !thread.isAlive());
    }

    boolean isRunning() {
        return thread.isAlive();
    }

    static void pause(int millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    // ---- the end

    /** No connection is left, and nothing of one: descriptor, memory, deadline. */
    void assertNothingLeft() {
        assertLeft(0);
    }

    /** So many connections are open; none has anything pending. */
    void assertLeft(int connections) {
        assertThat(loop.openConnections()).as("connections").isEqualTo(connections);
        // Beside them the listener, epoll, eventfd and the timer.
        assertThat(sys.openDescriptors()).as("descriptors").isEqualTo(connections + 4);
        assertThat(loop.slab().slicesInUse()).as("slices").isZero();
        assertThat(loop.deadlines().count()).as("deadlines").isEqualTo(connections);
        assertThat(loop.counters().open()).isEqualTo(connections);
        assertThat(sys.strayCloses()).as("stray closes").isZero();
    }

    @Override
    public void close() {
        loop.stop();
        if (thread == null) {
            loop.run();
        } else {
            try {
                thread.join(5000);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            assertThat(thread.isAlive()).isFalse();
        }
        for (Client client : clients) {
            try {
                client.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        listeners.close();
        loop.close();
        assertThat(failures).isEmpty();
        assertThat(sys.openDescriptors()).as("descriptors").isZero();
        assertThat(sys.strayCloses()).as("stray closes").isZero();
        assertThat(loop.slab().slicesInUse()).as("slices").isZero();
        assertThat(loop.deadlines().count()).as("deadlines").isZero();
        assertThat(loop.output().position()).as("bytes left in the output buffer").isZero();
        arena.close();
    }
}
