package io.bareloop.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http1.CorpusCase;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The corpus of raw requests over sockets: what {@code CorpusTest} does in memory, with the kernel
 * and the loop between. Many connections at a time, for most of the time is spent waiting.
 */
@Timeout(300)
class CorpusSocketTest {
    private static final int CLIENTS = 4;

    /** Connections that one client has open at a time. */
    private static final int BATCH = 32;

    /** A longer case is cut at a sample of offsets only. */
    private static final int CUT_EVERYWHERE_BYTES_MAX = 200;

    private static final int OFFSET_STEP = 13;
    private static final int CUTS_MAX = 40;

    /**
     * A body that large takes memory of the server, and of a cut in its midst little is learned.
     */
    private static final int LARGE_BYTES = 64 << 10;

    private static final int LARGE_CUTS_MAX = 3;
    private static final long PENDING_BYTES_MAX = 256L << 20;

    /** Of a longer case more than a byte is sent at a time. */
    private static final int PIECES_MAX = 1000;

    private static final int END_MILLIS_MAX = 20_000;

    /** Long enough for a close that is not wanted to show, most of the time. */
    private static final int QUIET_MILLIS = 5;

    /** How long a client waits for an answer before it sends the rest regardless. */
    private static final int PATIENCE_MILLIS = 2000;

    /** From then on a server may have ended its lingering close, and reset what still came. */
    private static final long LINGER_NANOS = 1_000_000_000L;

    private static final List<CorpusCase> CASES = CorpusCase.all();
    private static final AtomicInteger CLIENT_ADDRESSES = new AtomicInteger();

    private static HttpServer whole;
    private static HttpServer streamed;
    private static ExecutorService clients;

    @BeforeAll
    static void start() throws IOException {
        whole = start(false);
        streamed = start(true);
        clients = Executors.newFixedThreadPool(CLIENTS);
    }

    private static HttpServer start(boolean streamed) throws IOException {
        return HttpServer.builder()
                .listen("127.0.0.1", 0)
                .handler(CorpusCase.application(streamed))
                .limits(CorpusCase.limits())
                .pendingBytesMax(PENDING_BYTES_MAX)
                .log(line -> {})
                .start();
    }

    @AfterAll
    static void stop() {
        clients.shutdownNow();
        whole.close();
        streamed.close();
    }

    @Test
    void partByPart() throws Exception {
        List<Script> scripts = new ArrayList<>();
        for (CorpusCase it : CASES) {
            scripts.add(new Script(it, "part by part", it.parts(), true, true));
        }
        run(scripts, whole);
    }

    @Test
    void atOnce() throws Exception {
        List<Script> scripts = new ArrayList<>();
        for (CorpusCase it : CASES) {
            scripts.add(new Script(it, "at once", List.of(it.bytes()), false, true));
        }
        run(scripts, whole);
        run(scripts, streamed);
    }

    @Test
    void byteByByte() throws Exception {
        List<Script> scripts = new ArrayList<>();
        for (CorpusCase it : CASES) {
            byte[] bytes = it.bytes();
            int length = 1 + bytes.length / PIECES_MAX;
            List<byte[]> pieces = new ArrayList<>();
            for (int at = 0; at < bytes.length; at += length) {
                pieces.add(Arrays.copyOfRange(bytes, at, Math.min(at + length, bytes.length)));
            }
            scripts.add(new Script(it, "byte by byte", pieces, false, false));
        }
        // Those that take as long are together.
        scripts.sort((a, b) -> Integer.compare(a.pieces().size(), b.pieces().size()));
        run(scripts, whole);
        run(scripts, streamed);
    }

    @Test
    void cutInTwoAnywhere() throws Exception {
        List<Script> scripts = new ArrayList<>();
        for (CorpusCase it : CASES) {
            byte[] bytes = it.bytes();
            for (int at = 1; at < bytes.length; at += step(bytes.length)) {
                List<byte[]> halves =
                        List.of(
                                Arrays.copyOf(bytes, at),
                                Arrays.copyOfRange(bytes, at, bytes.length));
                scripts.add(new Script(it, "cut at " + at, halves, false, false));
            }
        }
        run(scripts, whole);
    }

    private static int step(int length) {
        if (length <= CUT_EVERYWHERE_BYTES_MAX) {
            return 1;
        }
        int cuts = length < LARGE_BYTES ? CUTS_MAX : LARGE_CUTS_MAX;
        return Math.max(OFFSET_STEP, length / cuts);
    }

    /**
     * What one connection sends.
     *
     * @param inParts whether each piece waits for the answer to the one before
     * @param looksTwice whether it is checked that an open connection stays open; takes a while
     */
    private record Script(
            CorpusCase it, String how, List<byte[]> pieces, boolean inParts, boolean looksTwice) {}

    private static void run(List<Script> scripts, HttpServer server) throws Exception {
        assertThat(scripts).isNotEmpty();
        List<Future<?>> batches = new ArrayList<>();
        for (int from = 0; from < scripts.size(); from += BATCH) {
            List<Script> batch = scripts.subList(from, Math.min(from + BATCH, scripts.size()));
            batches.add(
                    clients.submit(
                            () -> {
                                runBatch(batch, server);
                                return null;
                            }));
        }
        List<String> failures = new ArrayList<>();
        for (Future<?> batch : batches) {
            try {
                batch.get();
            } catch (ExecutionException e) {
                failures.add(String.valueOf(e.getCause()));
            }
        }
        assertThat(failures).isEmpty();
    }

    /** Sends the first piece of each, then the second of each: the loop sees them take turns. */
    private static void runBatch(List<Script> batch, HttpServer server) throws IOException {
        List<Client> open = new ArrayList<>();
        try {
            int pieces = 0;
            for (Script script : batch) {
                open.add(new Client(script, server));
                pieces = Math.max(pieces, script.pieces().size());
            }
            for (int i = 0; i < pieces; i++) {
                for (Client client : open) {
                    client.send(i);
                }
            }
            for (Client client : open) {
                client.finish();
            }
        } finally {
            for (Client client : open) {
                client.socket.close();
            }
        }
    }

    /** One connection. */
    private static final class Client {
        private final Script script;
        private final Socket socket = new Socket();
        private final long opened = System.nanoTime();
        private final ByteArrayOutputStream received = new ByteArrayOutputStream();
        private final byte[] buffer = new byte[16 << 10];
        private boolean ended;
        private boolean reset;

        Client(Script script, HttpServer server) throws IOException {
            this.script = script;
            // Each address has ports of its own: closed connections leave them unusable for a
            // while.
            int address = CLIENT_ADDRESSES.getAndIncrement();
            socket.bind(
                    new InetSocketAddress(
                            "127.1." + address / 250 % 250 + "." + (1 + address % 250), 0));
            socket.connect(server.address());
            socket.setTcpNoDelay(true);
        }

        void send(int piece) throws IOException {
            if (piece >= script.pieces().size() || reset) {
                return;
            }
            if (script.inParts() && piece > 0) {
                receive(PATIENCE_MILLIS);
            }
            try {
                socket.getOutputStream().write(script.pieces().get(piece));
            } catch (IOException e) {
                // Closed meanwhile; whether that is right depends on what was received before.
                reset = true;
            }
        }

        /** Receives until nothing more comes for now, or the end. */
        private void receive(int firstMillis) throws IOException {
            int millis = firstMillis;
            while (!ended) {
                socket.setSoTimeout(millis);
                try {
                    int length = socket.getInputStream().read(buffer);
                    ended = length < 0;
                    received.write(buffer, 0, Math.max(length, 0));
                } catch (SocketTimeoutException e) {
                    return;
                } catch (IOException e) {
                    ended = true;
                    reset = true;
                }
                millis = QUIET_MILLIS;
            }
        }

        void finish() throws IOException {
            CorpusCase it = script.it();
            if (!it.closes() && !reset) {
                if (script.looksTwice()) {
                    receive(QUIET_MILLIS);
                    require(!ended, "closed, though it should stay open");
                }
                socket.shutdownOutput();
            }
            while (!ended) {
                receive(END_MILLIS_MAX);
            }
            if (script.inParts()) {
                it.checkParts(received.toByteArray(), script.how() + " over a socket");
            } else {
                it.check(received.toByteArray(), script.how() + " over a socket");
            }
            boolean mayBeReset =
                    it.end() == CorpusCase.End.LAST || System.nanoTime() - opened > LINGER_NANOS;
            require(!reset || mayBeReset, "reset");
        }

        private void require(boolean condition, String otherwise) {
            if (!condition) {
                throw new AssertionError(
                        script.it() + ", sent " + script.how() + " over a socket: " + otherwise);
            }
        }
    }
}
