package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Bytes;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Handlers of pieces that take no more for a while. */
@Timeout(60)
class PausedBodyTest {
    private static final Timeouts SHORT =
            Timeouts.builder().body(Duration.ofMillis(400)).idle(Duration.ofSeconds(20)).build();

    private final BlockingQueue<Suspended> paused = new LinkedBlockingQueue<>();
    private final List<String> calls = new CopyOnWriteArrayList<>();
    private final AtomicInteger bytes = new AtomicInteger();

    /** Pauses where its target says so, and answers with what it was called. */
    private class Pausing implements StreamHandler {
        @Override
        public void begin(Request request, Response response) {
            call(request, response, "begin");
        }

        @Override
        public void piece(Request request, Response response, ByteView piece) {
            bytes.addAndGet(piece.length());
            call(request, response, "piece");
        }

        @Override
        public void end(Request request, Response response) {
            calls.add("end");
            response.body("%d bytes".formatted(bytes.get()));
        }

        @Override
        public void aborted(Request request) {
            calls.add("aborted");
        }

        private void call(Request request, Response response, String name) {
            calls.add(name);
            if (request.path().toString().contains(name)) {
                response.pauseBody();
                paused.add(response.suspend());
            }
        }
    }

    private Suspended next() throws InterruptedException {
        Suspended next = paused.poll(10, TimeUnit.SECONDS);
        assertThat(next).as("a body that is paused").isNotNull();
        return next;
    }

    private static void resume(Suspended one) {
        one.resume((request, response) -> response.resumeBody());
    }

    /** Sums up what it gets, pauses at random, and is resumed by another thread. */
    private static final class Summing implements StreamHandler {
        private final ExecutorService others;
        private final Random random = new Random(7);

        Summing(ExecutorService others) {
            this.others = others;
        }

        private static final class Sum {
            private long value;
            private int bytes;
            private Suspended suspended;
        }

        @Override
        public void begin(Request request, Response response) {
            Sum sum = new Sum();
            sum.suspended = response.suspend();
            request.attach(sum);
            maybePause(sum, response);
        }

        @Override
        public void piece(Request request, Response response, ByteView piece) {
            Sum sum = (Sum) request.attachment();
            for (byte b : piece.toByteArray()) {
                sum.value = 31 * sum.value + b;
            }
            sum.bytes += piece.length();
            maybePause(sum, response);
        }

        private void maybePause(Sum sum, Response response) {
            switch (random.nextInt(4)) {
                case 0 -> response.pauseBody().resumeBody();
                case 1 -> {
                    response.pauseBody().pauseBody();
                    others.execute(() -> resume(sum.suspended));
                }
                case 2 -> {
                    response.pauseBody();
                    others.execute(
                            () -> {
                                LockSupport.parkNanos(1_000_000);
                                resume(sum.suspended);
                            });
                }
                default -> response.resumeBody();
            }
        }

        @Override
        public void end(Request request, Response response) {
            Sum sum = (Sum) request.attachment();
            response.body(sum.bytes + " " + sum.value);
        }
    }

    private static String sumOf(byte[] body) {
        long value = 0;
        for (byte b : body) {
            value = 31 * value + b;
        }
        return body.length + " " + value;
    }

    private static byte[] chunked(byte[] body, int chunk) {
        StringBuilder out = new StringBuilder();
        for (int at = 0; at < body.length; at += chunk) {
            int length = Math.min(chunk, body.length - at);
            out.append(Integer.toHexString(length)).append("\r\n");
            for (int i = at; i < at + length; i++) {
                out.append((char) (body[i] & 0xff));
            }
            out.append("\r\n");
        }
        return Bytes.of(out.append("0\r\n\r\n").toString());
    }

    /** With pipelined requests behind each body, and several connections ready together. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void nothingIsLostWhereverItIsPaused(boolean serveTogether) throws Exception {
        try (ExecutorService others = Executors.newFixedThreadPool(2);
                ExecutorService pool = Executors.newFixedThreadPool(8);
                HttpRig rig =
                        HttpRig.start(
                                Limits.defaults(),
                                Timeouts.defaults(),
                                new Summing(others),
                                serveTogether)) {
            List<Future<?>> clients = new ArrayList<>();
            for (int c = 0; c < 8; c++) {
                int seed = c;
                clients.add(
                        pool.submit(
                                () -> {
                                    uploads(rig.port(), new Random(seed));
                                    return null;
                                }));
            }
            for (Future<?> client : clients) {
                client.get();
            }
            assertThat(rig.failures()).isEmpty();
            assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
        }
    }

    private static void uploads(int port, Random random) throws Exception {
        try (Client client = Client.connect(port)) {
            for (int i = 0; i < 12; i++) {
                byte[] body = new byte[random.nextInt(5) == 0 ? 300_000 : random.nextInt(9000)];
                random.nextBytes(body);
                boolean isChunked = random.nextBoolean();
                String framing =
                        isChunked ? "Transfer-Encoding: chunked" : "Content-Length: " + body.length;
                byte[] framed = isChunked ? chunked(body, 1 + random.nextInt(2000)) : body;
                String head = Client.request("POST", "/", framing);
                byte[] all = new byte[head.length() + framed.length];
                System.arraycopy(Bytes.of(head), 0, all, 0, head.length());
                System.arraycopy(framed, 0, all, head.length(), framed.length);
                int early = random.nextInt(all.length);
                client.send(Arrays.copyOf(all, early));
                client.send(Arrays.copyOfRange(all, early, all.length));
                client.ask("/");
                assertThat(client.answer().body()).isEqualTo(sumOf(body));
                assertThat(client.answer().body()).isEqualTo("0 0");
            }
        }
    }

    @Test
    void nothingIsCollectedMeanwhile() throws Exception {
        try (HttpRig rig = HttpRig.start(new Pausing());
                Client client = Client.connect(rig.port())) {
            int length = 64 << 20;
            client.send(Client.request("POST", "/begin", "Content-Length: " + length));
            Suspended one = next();
            ByteBuffer some = ByteBuffer.wrap(new byte[1 << 20]);
            int sent = 0;
            int idle = 0;
            while (idle < 20) {
                some.clear();
                int n = client.offer(some);
                sent += n;
                idle = n > 0 ? 0 : idle + 1;
                Thread.sleep(5);
            }
            assertThat(sent).as("what the kernels hold").isLessThan(length);
            assertThat(rig.slabBytes()).isLessThanOrEqualTo(256 << 10);
            assertThat(bytes).hasValue(0);
            resume(one);
            client.timeout(30_000);
            while (sent < length) {
                int n = Math.min(some.capacity(), length - sent);
                client.send(Arrays.copyOf(some.array(), n));
                sent += n;
            }
            assertThat(client.answer().body()).isEqualTo(length + " bytes");
            assertThat(rig.slabBytes()).isLessThanOrEqualTo(256 << 10);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Length: 3\r\n\r\nabc",
                "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
            })
    void theEndWaitsToo(String framedBody) throws Exception {
        try (HttpRig rig = HttpRig.start(new Pausing());
                Client client = Client.connect(rig.port())) {
            client.send("POST /piece HTTP/1.1\r\nHost: a\r\n" + framedBody);
            Suspended one = next();
            client.ask("/");
            assertThat(client.isSilentFor(50)).isTrue();
            assertThat(calls).containsExactly("begin", "piece");
            resume(one);
            assertThat(client.answer().body()).isEqualTo("3 bytes");
            assertThat(client.answer().body()).isEqualTo("3 bytes");
            assertThat(calls).containsExactly("begin", "piece", "end", "begin", "end");
        }
    }

    /** Where nothing comes behind the body, no input wakes the connection up. */
    @Test
    void theEndComesWithoutInput() throws Exception {
        try (HttpRig rig = HttpRig.start(new Pausing());
                Client client = Client.connect(rig.port()).post("/piece", "abc")) {
            resume(next());
            assertThat(client.answer().body()).isEqualTo("3 bytes");
        }
    }

    @Test
    void aRequestWithoutABodyWaitsForItsEnd() throws Exception {
        try (HttpRig rig = HttpRig.start(new Pausing());
                Client client = Client.connect(rig.port())) {
            client.ask("/begin").ask("/");
            Suspended one = next();
            assertThat(client.isSilentFor(50)).isTrue();
            assertThat(calls).containsExactly("begin");
            resume(one);
            assertThat(client.answer().body()).isEqualTo("0 bytes");
            assertThat(client.answer().body()).isEqualTo("0 bytes");
            assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
        }
    }

    // ---- a body that was collected

    /** A filter as it is written first: it answers 201 with what came, and not with nothing. */
    @Test
    void aCollectedBodyIsOnePiece() throws Exception {
        StreamHandler upload = new Pausing();
        Handler filter =
                (request, response) -> upload.handle(request, response.status(Status.CREATED));
        try (HttpRig rig = HttpRig.start(filter);
                Client client = Client.connect(rig.port()).post("/", "the body")) {
            var answer = client.answer();
            assertThat(answer.status()).isEqualTo(201);
            assertThat(answer.body()).isEqualTo("8 bytes");
            assertThat(calls).containsExactly("begin", "piece", "end");
        }
    }

    @Test
    void aCollectedBodyMayBePaused() throws Exception {
        StreamHandler upload = new Pausing();
        Handler filter = (request, response) -> upload.handle(request, response);
        try (HttpRig rig = HttpRig.start(filter);
                Client client = Client.connect(rig.port())) {
            client.post("/begin", "some").ask("/");
            Suspended first = next();
            assertThat(client.isSilentFor(30)).isTrue();
            assertThat(calls).containsExactly("begin");
            resume(first);
            assertThat(client.answer().body()).isEqualTo("4 bytes");
            client.answer();
            client.post("/piece", "more");
            resume(next());
            assertThat(client.answer().body()).isEqualTo("8 bytes");
            assertThat(rig.failures()).isEmpty();
            assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
        }
    }

    /** There is nothing to be paused: what is wrong with it is still said. */
    @Test
    void whoGetsNoPiecesCannotPause() throws Exception {
        Handler handler = (request, response) -> response.pauseBody();
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port()).post("/", "body")) {
            assertThat(client.answer().status()).isEqualTo(500);
            assertThat(rig.failures()).hasSize(1);
            assertThat(rig.failures().get(0)).hasMessageContaining("without a response");
        }
    }

    // ---- time

    @Test
    void theTimeOutDoesNotRunMeanwhile() throws Exception {
        try (HttpRig rig = HttpRig.start(Limits.defaults(), SHORT, new Pausing());
                Client client = Client.connect(rig.port())) {
            client.send(Client.request("POST", "/begin", "Content-Length: 2"));
            Suspended one = next();
            assertThat(client.isSilentFor(900)).isTrue();
            resume(one);
            client.send("ab");
            assertThat(client.answer().body()).isEqualTo("2 bytes");
        }
    }

    /** It is the client's time again. */
    @Test
    void resumedTheTimeOutRunsAgain() throws Exception {
        try (HttpRig rig = HttpRig.start(Limits.defaults(), SHORT, new Pausing());
                Client client = Client.connect(rig.port())) {
            client.send(Client.request("POST", "/begin", "Content-Length: 2"));
            Suspended one = next();
            Thread.sleep(600);
            resume(one);
            assertThat(client.answer().status()).isEqualTo(408);
            assertThat(HttpRig.await(true, () -> calls.contains("aborted"))).isTrue();
            assertThat(one.isGone()).isTrue();
        }
    }

    // ---- 100-continue

    @Test
    void continueIsSaidWhenItIsResumed() throws Exception {
        try (HttpRig rig = HttpRig.start(new Pausing());
                Client client = Client.connect(rig.port())) {
            client.send(
                    Client.request("POST", "/begin", "Content-Length: 2", "Expect: 100-continue"));
            Suspended one = next();
            assertThat(client.isSilentFor(50)).isTrue();
            resume(one);
            assertThat(client.line()).isEqualTo("HTTP/1.1 100 Continue");
            assertThat(client.line()).isEmpty();
            client.send("ab");
            assertThat(client.answer().body()).isEqualTo("2 bytes");
        }
    }

    // ---- the end

    /** Its rest is read and forgotten, as where it was not paused. */
    @ParameterizedTest
    @ValueSource(strings = {"/begin", "/piece"})
    void anAnswerWhilePausedIsTheEndOfIt(String path) throws Exception {
        try (HttpRig rig = HttpRig.start(new Pausing());
                Client client = Client.connect(rig.port()).post(path, "body")) {
            next().resume((request, response) -> response.body("early"));
            assertThat(client.answer().body()).isEqualTo("early");
            assertThat(client.get("/").status()).isEqualTo(200);
            assertThat(calls).doesNotContain("aborted");
            assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
        }
    }

    @Test
    void aClientThatIsLostIsNoticed() throws Exception {
        AtomicReference<String> told = new AtomicReference<>();
        StreamHandler handler =
                new Pausing() {
                    @Override
                    public void begin(Request request, Response response) {
                        response.onAbort(() -> told.set("lost"));
                        super.begin(request, response);
                    }
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            client.send(Client.request("POST", "/begin", "Content-Length: 300000"));
            Suspended one = next();
            client.send(new byte[200_000]);
            client.reset();
            assertThat(HttpRig.await(0L, rig::open)).isZero();
            assertThat(told).hasValue("lost");
            assertThat(one.isGone()).isTrue();
            assertThat(calls).containsExactly("begin", "aborted");
            resume(one);
            assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
        }
    }

    /** By the handler of another connection of the loop. */
    @Test
    void othersOfTheLoopMayPauseAndResume() throws Exception {
        AtomicReference<Response> held = new AtomicReference<>();
        StreamHandler handler =
                new Pausing() {
                    @Override
                    public void begin(Request request, Response response) {
                        if (request.path().contentEquals("/held")) {
                            held.set(response);
                        } else if (request.path().contentEquals("/stop")) {
                            held.get().pauseBody();
                        } else if (request.path().contentEquals("/go")) {
                            held.get().resumeBody();
                        }
                    }
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port());
                Client other = Client.connect(rig.port())) {
            client.send(Client.request("POST", "/held", "Content-Length: 4") + "ab");
            assertThat(HttpRig.await(2, bytes::get)).isEqualTo(2);
            other.get("/stop");
            // A call in a turn of another is done soon, not at once.
            rig.ask(() -> null);
            rig.ask(() -> null);
            client.send("cd");
            assertThat(client.isSilentFor(50)).isTrue();
            assertThat(bytes).hasValue(2);
            other.get("/go");
            assertThat(client.answer().body()).isEqualTo("4 bytes");
            assertThat(rig.failures()).isEmpty();
        }
    }
}
