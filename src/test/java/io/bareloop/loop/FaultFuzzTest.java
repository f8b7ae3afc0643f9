package io.bareloop.loop;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.Blocking;
import io.bareloop.http.ByteView;
import io.bareloop.http.Handler;
import io.bareloop.http.HttpException;
import io.bareloop.http.MediaType;
import io.bareloop.http.Reply;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Router;
import io.bareloop.http.Status;
import io.bareloop.http.StreamHandler;
import io.bareloop.rig.HttpRig;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Syscalls;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A whole connection of many requests over faults of the kernel's kind: whatever the pieces in
 * which recv and send take the bytes, the client gets the same ones.
 *
 * <p>{@code -Dbareloop.fuzz.seed} and {@code -Dbareloop.fuzz.connections} make it another run.
 */
@Timeout(120)
class FaultFuzzTest {
    private static final long SEED = Long.getLong("bareloop.fuzz.seed", 9112);
    private static final int CONNECTIONS = Integer.getInteger("bareloop.fuzz.connections", 600);

    private static final String CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";
    private static final byte[] CONTINUE_BYTES = ascii(CONTINUE);
    private static final String DATE = "\r\nDate: ";
    private static final byte[] LARGE = largeBody();
    private static final MemorySegment NATIVE =
            Arena.ofAuto().allocate(LARGE.length).copyFrom(MemorySegment.ofArray(LARGE));

    /** Up to the head of a request whose body waits for "100 Continue". */
    private static final byte[] FIRST =
            ascii(
                    get("/a")
                            + "HEAD /large HTTP/1.1\r\nHost: a\r\n\r\n"
                            + post("/whole", "a body of which the handler gets all")
                            + get("/none?a=b")
                            + post("/none", "a body that nobody waits for")
                            + post("/stream", "a body that goes back as it comes, piece by piece")
                            + chunked("/whole", "5;ext=\"a\\\"b\"\r\nabcde\r\n1;x\r\nf\r\n")
                            + get("/large")
                            + chunked("/count", "3\r\nabc\r\n10\r\n0123456789abcdef\r\n")
                            + get("/native")
                            + get("/chunks")
                            + post("/refuse", "a body that is refused at its first piece")
                            + get("/blocking/1")
                            + post("/blocking/2", "body")
                            + get("/blocking/3")
                            + "POST /whole HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                            + "Content-Length: 10\r\n\r\n");

    private static final byte[] REST =
            ascii(
                    "0123456789"
                            + get("/a")
                            + post("/whole", "")
                            + "GET /a HTTP/1.1\r\nHost: a\r\nNo colon here\r\nX: y\r\n\r\n");

    private final Queue<Faults> planned = new ConcurrentLinkedQueue<>();
    private HttpRig rig;
    private final byte[] received = new byte[1 << 20];
    private String expected;

    @BeforeEach
    void runWithoutFaults() throws Exception {
        rig = HttpRig.start(application(), arena -> new FaultyCalls(arena, planned));
        expected = exchange(new Faults(), false);
        assertThat(exchange(new Faults(), true)).isEqualTo(expected);
        // What it is worth: every response is there.
        assertThat(expected.split("HTTP/1.1 200 OK", -1).length - 1).isEqualTo(15);
        assertThat(expected.split("HTTP/1.1 404 ", -1).length - 1).isEqualTo(2);
        assertThat(expected).contains("HTTP/1.1 409 ", CONTINUE, "3\r\none\r\n", "/blocking/2body");
        assertThat(expected.substring(expected.length() - 400)).contains("HTTP/1.1 400 ");
        assertThat(expected).hasSizeGreaterThan(2 * LARGE.length);
    }

    @AfterEach
    void giveEverythingBack() throws Exception {
        assertThat(HttpRig.await(0L, rig::open)).isZero();
        assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
        assertThat(rig.failures()).isEmpty();
        rig.close();
    }

    @Test
    void receivesInTwoPartsSplitAnywhere() throws Exception {
        int length = FIRST.length + REST.length;
        int splits = 0;
        for (int at = 1; at < length; at++) {
            SplitAt faults = new SplitAt(at, 0, false);
            same(faults, at % 2 == 0);
            splits += faults.count.get();
        }
        assertThat(splits).isGreaterThan(length * 3 / 4).isLessThan(length);
    }

    /** The end of the client's output is known before the last of it has been received. */
    @Test
    void receivesInTwoPartsBehindTheEnd() throws Exception {
        for (int at = FIRST.length + 1; at < FIRST.length + REST.length; at++) {
            same(new SplitAt(at, 0, true), true);
        }
    }

    @Test
    void sendsInTwoPartsSplitAnywhere() throws Exception {
        int length = expected.length();
        int splits = 0;
        int runs = 0;
        for (int at = 1; at < length; at++) {
            // Of the large bodies a few places will do.
            if (at % 1009 == 0 || !isInLargeBody(at)) {
                SplitAt faults = new SplitAt(0, at, false);
                same(faults, at % 2 == 0);
                splits += faults.count.get();
                runs++;
            }
        }
        assertThat(runs).isGreaterThan(1000);
        // All but those places where a send ends anyway.
        assertThat(splits).isGreaterThan(runs * 3 / 4);
    }

    @Test
    void takesAnySeriesOfFaults() throws Exception {
        long faults = 0;
        for (int i = 0; i < CONNECTIONS; i++) {
            RandomFaults random = new RandomFaults(SEED * 1_000_003 + i);
            same(random, i % 2 == 0);
            faults += random.count.get();
        }
        assertThat(faults).isGreaterThan(CONNECTIONS * 10L);
    }

    private boolean isInLargeBody(int at) {
        int from = Math.max(0, at - 50);
        String around = expected.substring(from, Math.min(expected.length(), at + 50));
        return around.chars().allMatch(c -> c >= 'a' && c <= 'z');
    }

    private void same(Faults faults, boolean endsOutput) throws Exception {
        String actual;
        try {
            actual = exchange(faults, endsOutput);
        } catch (IOException e) {
            throw new AssertionError(faults + ", ends output " + endsOutput + ": " + e, e);
        }
        if (!actual.equals(expected)) {
            int at = Arrays.mismatch(ascii(actual), ascii(expected));
            throw new AssertionError(
                    String.format(
                            "%s, ends output %s: differs at %d of %d%nexpected ...%s%nactual ...%s",
                            faults,
                            endsOutput,
                            at,
                            expected.length(),
                            expected.substring(
                                    Math.max(0, at - 80), Math.min(expected.length(), at + 80)),
                            actual.substring(
                                    Math.max(0, at - 80), Math.min(actual.length(), at + 80))));
        }
    }

    /** Runs the script on a connection of its own; returns what came, with other dates. */
    private String exchange(Faults faults, boolean endsOutput) throws IOException {
        planned.add(faults);
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), rig.port())) {
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(FIRST);
            InputStream in = socket.getInputStream();
            int size = 0;
            while (!endsWithContinue(size)) {
                int count = in.read(received, size, received.length - size);
                if (count < 0) {
                    throw new IOException("the end, after " + size + " bytes");
                }
                size += count;
            }
            socket.getOutputStream().write(REST);
            if (endsOutput) {
                socket.shutdownOutput();
            }
            size += in.readNBytes(received, size, received.length - size);
            return withoutDates(new String(received, 0, size, StandardCharsets.US_ASCII));
        }
    }

    private boolean endsWithContinue(int size) {
        int from = size - CONTINUE.length();
        return from >= 0 && Arrays.equals(received, from, size, CONTINUE_BYTES, 0, size - from);
    }

    private static String withoutDates(String text) {
        StringBuilder same = new StringBuilder(text.length());
        int at = 0;
        int date = text.indexOf(DATE);
        while (date >= 0) {
            same.append(text, at, date + DATE.length());
            at = text.indexOf('\r', date + DATE.length());
            date = text.indexOf(DATE, at);
        }
        return same.append(text, at, text.length()).toString();
    }

    // ---- the application, and what is asked of it

    private static Handler application() {
        Handler whole = (request, response) -> response.body(request.body());
        Handler blocking =
                Blocking.blocking(request -> Reply.text(request.path() + "" + request.body()));
        return Router.builder()
                .get("/a", (request, response) -> response.contentType(MediaType.TEXT).body("A"))
                .get("/large", (request, response) -> response.body(LARGE))
                .get("/native", (request, response) -> response.body(NATIVE, 0, LARGE.length))
                .get("/chunks", (request, response) -> chunks(response))
                .post("/whole", whole)
                .post("/stream", new Echo())
                .post("/count", new Count())
                .post("/refuse", new Refuse())
                .get("/blocking/{n}", blocking)
                .post("/blocking/{n}", blocking)
                .build();
    }

    private static void chunks(Response response) {
        response.stream();
        for (String piece : new String[] {"one", "two", "", "three"}) {
            response.write(ascii(piece));
        }
        response.end();
    }

    private static class Echo implements StreamHandler {
        @Override
        public void begin(Request request, Response response) throws Exception {
            response.stream(request.contentLength());
        }

        @Override
        public void piece(Request request, Response response, ByteView piece) {
            response.write(piece);
        }

        @Override
        public void end(Request request, Response response) {
            response.end();
        }
    }

    private static final class Count extends Echo {
        @Override
        public void begin(Request request, Response response) {
            request.attach(new int[1]);
        }

        @Override
        public void piece(Request request, Response response, ByteView piece) {
            ((int[]) request.attachment())[0] += piece.length();
        }

        @Override
        public void end(Request request, Response response) {
            response.body(((int[]) request.attachment())[0] + " bytes of " + request.path());
        }
    }

    private static final class Refuse extends Echo {
        @Override
        public void begin(Request request, Response response) {}

        @Override
        public void piece(Request request, Response response, ByteView piece) {
            throw new HttpException(Status.CONFLICT, null);
        }
    }

    private static String get(String target) {
        return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
    }

    private static String post(String target, String body) {
        return "POST "
                + target
                + " HTTP/1.1\r\nHost: a\r\nContent-Length: "
                + body.length()
                + "\r\n\r\n"
                + body;
    }

    private static String chunked(String target, String chunks) {
        return "POST "
                + target
                + " HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: a\r\n\r\n"
                + chunks
                + "0\r\nTrailer: x\r\n\r\n";
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** 200 KB in which a lost, doubled or swapped piece shows. */
    private static byte[] largeBody() {
        byte[] body = new byte[200_000];
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < body.length; i++) {
            body[i] = (byte) ('a' + random.nextInt(26));
        }
        return body;
    }

    // ---- faults

    /** What the kernel does for one connection: here, what it is asked to. Used by the loop. */
    private static class Faults {
        final AtomicInteger count = new AtomicInteger();

        /** How many bytes a recv at {@code offset} of the stream may give; or -errno. */
        int recv(long offset, int length) {
            return length;
        }

        /** How many bytes a send at {@code offset} of the stream may take; or -errno. */
        int send(long offset, int length) {
            return length;
        }

        boolean interruptsWait() {
            return false;
        }
    }

    /** A recv or a send ends at a certain place of the stream. */
    private static final class SplitAt extends Faults {
        private final int received;
        private final int sent;
        private boolean late;

        SplitAt(int received, int sent, boolean late) {
            this.received = received;
            this.sent = sent;
            this.late = late;
        }

        @Override
        int recv(long offset, int length) {
            if (late && offset >= FIRST.length) {
                late = false;
                // The client has time to send all of it, and its end.
                LockSupport.parkNanos(2_000_000);
                return -Errno.EAGAIN;
            }
            return upTo(received, offset, length);
        }

        @Override
        int send(long offset, int length) {
            return upTo(sent, offset, length);
        }

        private static int upTo(int end, long offset, int length) {
            return offset < end && offset + length > end ? (int) (end - offset) : length;
        }

        @Override
        public String toString() {
            return "recv split at " + received + ", send at " + sent;
        }
    }

    /** Any fault at any time, as often as this connection has it. */
    private static final class RandomFaults extends Faults {
        private final long seed;
        private final SplittableRandom random;
        private final int rarity;

        RandomFaults(long seed) {
            this.seed = seed;
            random = new SplittableRandom(seed);
            rarity = 1 + random.nextInt(3);
        }

        @Override
        int recv(long offset, int length) {
            return fault(length, 700);
        }

        @Override
        int send(long offset, int length) {
            return fault(length, 40_000);
        }

        @Override
        boolean interruptsWait() {
            return random.nextInt(8 * rarity) == 0;
        }

        private int fault(int length, int bytesMax) {
            if (random.nextInt(rarity) > 0) {
                return length;
            }
            return switch (random.nextInt(6)) {
                case 0 -> -Errno.EINTR;
                case 1 -> -Errno.EAGAIN;
                case 2 -> Math.min(length, 1 + random.nextInt(4));
                default -> Math.min(length, 1 + random.nextInt(bytesMax));
            };
        }

        @Override
        public String toString() {
            return "seed " + seed;
        }
    }

    /**
     * The calls of a loop whose kernel does less than it could.
     *
     * <p>A kernel that gives fewer bytes than asked for, or EAGAIN, has no more at that moment, and
     * reports an edge when it has. So here: before the next wait the descriptor is modified to what
     * it is watched for already, upon which the kernel reports what it is ready for once again. As
     * if the rest had arrived, or room had come free, in the meantime.
     */
    private static final class FaultyCalls extends Syscalls {
        private final Queue<Faults> planned;
        private final Map<Integer, Stream> streams = new HashMap<>();
        private final Set<Stream> owedAnEdge = new LinkedHashSet<>();

        FaultyCalls(Arena arena, Queue<Faults> planned) {
            super(arena);
            this.planned = planned;
        }

        private static final class Stream {
            final int fd;
            final Faults faults;
            long received;
            long sent;
            int events;
            long data;

            Stream(int fd, Faults faults) {
                this.fd = fd;
                this.faults = faults;
            }
        }

        @Override
        public int accept4(int listenerFd, int flags) {
            int fd = super.accept4(listenerFd, flags);
            if (fd >= 0) {
                streams.put(fd, new Stream(fd, planned.remove()));
            }
            return fd;
        }

        @Override
        public int close(int fd) {
            owedAnEdge.remove(streams.remove(fd));
            return super.close(fd);
        }

        @Override
        public int epollCtl(int epollFd, int op, int fd, int events, long data) {
            Stream stream = streams.get(fd);
            if (stream != null) {
                stream.events = events;
                stream.data = data;
            }
            return super.epollCtl(epollFd, op, fd, events, data);
        }

        @Override
        public int epollWait(int epollFd, MemorySegment events, int timeoutMillis) {
            for (Stream stream : owedAnEdge) {
                super.epollCtl(epollFd, Linux.EPOLL_CTL_MOD, stream.fd, stream.events, stream.data);
            }
            owedAnEdge.clear();
            for (Stream stream : streams.values()) {
                if (stream.faults.interruptsWait()) {
                    return -Errno.EINTR;
                }
            }
            return super.epollWait(epollFd, events, timeoutMillis);
        }

        @Override
        public int recv(int fd, MemorySegment buffer, int offset, int length) {
            Stream stream = streams.get(fd);
            int allowed = stream.faults.recv(stream.received, length);
            int result = allowed < 0 ? allowed : super.recv(fd, buffer, offset, allowed);
            stream.received += Math.max(result, 0);
            noteEdge(stream, allowed, result, length);
            return result;
        }

        @Override
        public int send(int fd, MemorySegment buffer, int offset, int length, int flags) {
            Stream stream = streams.get(fd);
            int allowed = stream.faults.send(stream.sent, length);
            int result = allowed < 0 ? allowed : super.send(fd, buffer, offset, allowed, flags);
            stream.sent += Math.max(result, 0);
            noteEdge(stream, allowed, result, length);
            return result;
        }

        @Override
        public int writev(
                int fd,
                MemorySegment head,
                int headOffset,
                int headLength,
                MemorySegment body,
                long offset,
                int length) {
            Stream stream = streams.get(fd);
            int allowed = stream.faults.send(stream.sent, headLength + length);
            int of = Math.min(allowed, headLength);
            int result =
                    allowed < 0
                            ? allowed
                            : super.writev(fd, head, headOffset, of, body, offset, allowed - of);
            stream.sent += Math.max(result, 0);
            noteEdge(stream, allowed, result, headLength + length);
            return result;
        }

        private void noteEdge(Stream stream, int allowed, int result, int length) {
            if (allowed < length && result == allowed) {
                // For EINTR it makes no difference.
                owedAnEdge.add(stream);
                stream.faults.count.incrementAndGet();
            }
        }
    }
}
