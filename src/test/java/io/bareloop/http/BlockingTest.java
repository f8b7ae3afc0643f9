package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import io.bareloop.server.CpuSet;
import io.bareloop.server.HttpServer;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Handlers that wait, on virtual threads. */
@Timeout(60)
class BlockingTest {
    @Test
    void answersFromAVirtualThread() throws Exception {
        AtomicReference<Thread> thread = new AtomicReference<>();
        Blocking handler =
                Blocking.blocking(
                        request -> {
                            thread.set(Thread.currentThread());
                            Thread.sleep(5);
                            return Reply.of(Status.ACCEPTED)
                                    .header(HeaderName.ETAG, request.query().toString())
                                    .body(
                                            MediaType.TEXT,
                                            Bytes.of(
                                                    request.method()
                                                            + " "
                                                            + request.target()
                                                            + " "
                                                            + request.header(HeaderName.HOST)
                                                            + " "
                                                            + request.body()));
                        });
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            Answer received = client.get("/path?query");
            assertThat(received.status()).isEqualTo(202);
            assertThat(received.field("ETag")).isEqualTo("query");
            assertThat(received.field("Content-Type")).isEqualTo("text/plain; charset=utf-8");
            assertThat(received.body()).isEqualTo("GET /path?query test ");
            assertThat(thread.get().isVirtual()).isTrue();
            assertThat(client.post("/p", "the body").answer().body())
                    .isEqualTo("POST /p test the body");
            assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
            assertThat(handler.underWay()).isZero();
        }
    }

    /**
     * The thread may look at the request at any time, from before the loop's handler has returned
     * to long after the loop has received other requests into the same buffer.
     */
    @Test
    void readsTheRequestOfItsOwnAllTheTime() throws Exception {
        Blocking handler =
                Blocking.blocking(
                        request -> {
                            ByteView early = request.path();
                            String first = early.toString();
                            for (int i = 0; i < 50; i++) {
                                LockSupport.parkNanos(20_000);
                                String again = early.toString();
                                if (!again.equals(first)) {
                                    throw new AssertionError(first + " became " + again);
                                }
                            }
                            Thread.sleep(1);
                            return Reply.text(first + early + request.body());
                        });
        try (HttpRig rig = HttpRig.start(handler);
                ExecutorService pool = Executors.newFixedThreadPool(4)) {
            List<Future<?>> clients = new ArrayList<>();
            for (int c = 0; c < 4; c++) {
                int number = c;
                clients.add(
                        pool.submit(
                                () -> {
                                    try (Client client = Client.connect(rig.port())) {
                                        for (int i = 0; i < 100; i++) {
                                            String path = "/" + "abcdefgh".repeat(number + 1) + i;
                                            String body = i % 2 == 0 ? "" : "-" + i;
                                            Answer received =
                                                    i % 2 == 0
                                                            ? client.get(path)
                                                            : client.post(path, body).answer();
                                            assertThat(received.body())
                                                    .isEqualTo(path + path + body);
                                        }
                                    }
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

    @Test
    void answersPipelinedRequestsInOrder() throws Exception {
        AtomicInteger atOnce = new AtomicInteger();
        Blocking handler =
                Blocking.blocking(
                        request -> {
                            assertThat(atOnce.incrementAndGet()).isOne();
                            String path = request.path().toString();
                            Thread.sleep((path.length() * 7) % 3);
                            atOnce.decrementAndGet();
                            return Reply.text(path + request.body());
                        });
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            StringBuilder all = new StringBuilder();
            for (int i = 0; i < 100; i++) {
                all.append("POST /" + i + " HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nxyz");
                all.append("GET /" + i + " HTTP/1.1\r\nHost: a\r\n\r\n");
            }
            client.send(all.toString());
            for (int i = 0; i < 100; i++) {
                assertThat(client.answer().body()).isEqualTo("/" + i + "xyz");
                assertThat(client.answer().body()).isEqualTo("/" + i);
            }
            assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
        }
    }

    @Test
    void answers503WhereTooMuchIsUnderWay() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        Blocking handler =
                Blocking.blocking(
                        2,
                        request -> {
                            go.await();
                            return Reply.text("done");
                        });
        try (HttpRig rig = HttpRig.start(handler);
                Client first = Client.connect(rig.port());
                Client second = Client.connect(rig.port());
                Client third = Client.connect(rig.port())) {
            first.ask("/");
            second.ask("/");
            assertThat(HttpRig.await(2, handler::underWay)).isEqualTo(2);
            for (int i = 0; i < 3; i++) {
                Answer busy = third.get("/");
                assertThat(busy.status()).isEqualTo(503);
                assertThat(busy.field("Retry-After")).isEqualTo("1");
                assertThat(busy.closes()).isFalse();
                assertThat(handler.underWay()).isEqualTo(2);
            }
            go.countDown();
            assertThat(first.answer().body()).isEqualTo("done");
            assertThat(second.answer().body()).isEqualTo("done");
            assertThat(third.get("/").body()).isEqualTo("done");
            assertThat(HttpRig.await(0, handler::underWay)).isZero();
        }
        assertThatThrownBy(() -> Blocking.blocking(0, request -> Reply.text("")))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void answersWhateverTheHandlerThrows() throws Exception {
        Blocking handler =
                Blocking.blocking(
                        request -> {
                            switch (request.path().toString()) {
                                case "/http" -> throw new HttpException(Status.CONFLICT, "taken");
                                case "/checked" -> throw new InterruptedException("on purpose");
                                case "/unchecked" -> throw new IllegalStateException("on purpose");
                                case "/assert" -> throw new AssertionError("on purpose");
                                case "/link" -> throw new NoClassDefFoundError("on purpose");
                                case "/deep" -> recurse(0);
                                case "/other" -> throw new ThisToo();
                                case "/null" -> {
                                    return null;
                                }
                                case "/header" -> {
                                    return Reply.text("a").header(HeaderName.ETAG, "a\r\nB: c");
                                }
                                case "/server" -> {
                                    return Reply.text("a").header(HeaderName.of("Date"), "now");
                                }
                                default -> {}
                            }
                            return Reply.text("fine");
                        });
        try (HttpRig rig = HttpRig.start(handler)) {
            try (Client client = Client.connect(rig.port())) {
                Answer conflict = client.get("/http");
                assertThat(conflict.status()).isEqualTo(409);
                assertThat(conflict.body()).isEqualTo("409 Conflict: taken\n");
                assertThat(client.get("/").body()).isEqualTo("fine");
                assertThat(rig.failures()).isEmpty();
            }
            List<String> paths =
                    List.of(
                            "/checked",
                            "/unchecked",
                            "/assert",
                            "/link",
                            "/deep",
                            "/other",
                            "/null",
                            "/header",
                            "/server");
            for (String path : paths) {
                try (Client client = Client.connect(rig.port())) {
                    Answer failed = client.get(path);
                    assertThat(failed.status()).as(path).isEqualTo(500);
                    assertThat(failed.has("ETag")).isFalse();
                    assertThat(client.untilEnd()).isEmpty();
                }
            }
            assertThat(rig.failures()).hasSize(paths.size());
            assertThat(handler.underWay()).isZero();
            assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
        }
    }

    private static final class ThisToo extends Error {
        private static final long serialVersionUID = 1;
    }

    @SuppressWarnings("InfiniteRecursion")
    private static int recurse(int depth) {
        return recurse(depth + 1) + 1;
    }

    /** The memory is used again only when the thread is done with it. */
    @Test
    void keepsTheRequestWhereItsClientIsGone() throws Exception {
        Semaphore started = new Semaphore(0);
        CountDownLatch go = new CountDownLatch(1);
        AtomicInteger wrong = new AtomicInteger();
        Blocking handler =
                Blocking.blocking(
                        request -> {
                            if (request.path().contentEquals("/quick")) {
                                return Reply.text("quick " + request.body());
                            }
                            String before = request.path() + " " + request.body();
                            started.release();
                            go.await();
                            if (!before.equals(request.path() + " " + request.body())) {
                                wrong.incrementAndGet();
                            }
                            return Reply.text("nobody gets this");
                        });
        try (HttpRig rig = HttpRig.start(handler);
                Client other = Client.connect(rig.port())) {
            int gone = 20;
            for (int i = 0; i < gone; i++) {
                Client client = Client.connect(rig.port());
                client.post("/slow/" + i, "body " + i);
                assertThat(started.tryAcquire(10, TimeUnit.SECONDS)).isTrue();
                client.reset();
            }
            assertThat(HttpRig.await(1L, rig::open)).isOne();
            assertThat(handler.underWay()).isEqualTo(gone);
            assertThat(rig.slicesInUse()).isEqualTo(gone);
            // These would be put into the same slices, if those were free.
            for (int i = 0; i < 100; i++) {
                assertThat(other.post("/quick", "other" + i).answer().body())
                        .isEqualTo("quick other" + i);
            }
            go.countDown();
            assertThat(HttpRig.await(0, handler::underWay)).isZero();
            assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
            assertThat(wrong).hasValue(0);
            assertThat(rig.failures()).isEmpty();
            assertThat(other.post("/quick", "a").answer().body()).isEqualTo("quick a");
        }
    }

    @Test
    void servesManyAtOnce() throws Exception {
        Blocking handler =
                Blocking.blocking(
                        request -> {
                            Thread.sleep(2);
                            return Reply.text(request.path().toString() + request.body().length());
                        });
        int clients = 100;
        try (HttpRig rig = HttpRig.start(handler)) {
            List<Client> open = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                open.add(Client.connect(rig.port()));
            }
            for (int round = 0; round < 5; round++) {
                for (int i = 0; i < clients; i++) {
                    open.get(i).post("/" + i + "/" + round, "x".repeat(i * 50));
                }
                for (int i = 0; i < clients; i++) {
                    assertThat(open.get(i).answer().body())
                            .isEqualTo("/" + i + "/" + round + i * 50);
                }
            }
            for (Client client : open) {
                client.close();
            }
            assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
            assertThat(rig.failures()).isEmpty();
        }
    }

    @Test
    void sendsALargeReplyToAClientThatTakesItsTime() throws Exception {
        byte[] body = Bytes.of("0123456789".repeat(300_000));
        Blocking handler =
                Blocking.blocking(request -> Reply.of(Status.OK).body(MediaType.OCTETS, body));
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port(), 8192)) {
            client.ask("/").ask("/");
            Thread.sleep(50);
            assertThat(client.answer().body()).hasSize(body.length);
            assertThat(client.answer().body().equals(Bytes.toString(body))).isTrue();
            assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
        }
    }

    /**
     * No memory for the request, so that no thread may have it: 503, and the next one is served.
     */
    @Test
    void answers503WhereThereIsNoMemoryToKeepTheRequest() throws Exception {
        AtomicInteger calls = new AtomicInteger();
        CountDownLatch go = new CountDownLatch(1);
        Blocking handler =
                Blocking.blocking(
                        request -> {
                            calls.incrementAndGet();
                            int length = request.body().length();
                            go.await();
                            return Reply.text("" + length);
                        });
        try (HttpServer server =
                HttpServer.builder()
                        .listen("127.0.0.1", 0)
                        .cpus(CpuSet.unpinned(1))
                        .limits(Limits.builder().bodyBytesMax(400_000).build())
                        .pendingBytesMax(1 << 20)
                        .handler(handler)
                        .start()) {
            List<Socket> sockets = new ArrayList<>();
            int served = 0;
            int refused = 0;
            for (int i = 0; i < 6; i++) {
                Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
                socket.setSoTimeout(10_000);
                sockets.add(socket);
                socket.getOutputStream()
                        .write(
                                Bytes.of(
                                        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n"
                                                + "Connection: close\r\n\r\n"
                                                + "x".repeat(200_000)));
            }
            HttpRig.await(0, () -> handler.underWay() > 0 ? 0 : 1);
            Thread.sleep(100);
            go.countDown();
            for (Socket socket : sockets) {
                String response =
                        new String(
                                socket.getInputStream().readAllBytes(),
                                StandardCharsets.ISO_8859_1);
                if (response.startsWith("HTTP/1.1 200 ")) {
                    served++;
                    assertThat(response).endsWith("\r\n200000");
                } else {
                    refused++;
                    assertThat(response).startsWith("HTTP/1.1 503 ");
                }
                socket.close();
            }
            assertThat(served).isPositive();
            assertThat(refused).isPositive();
            assertThat(calls).hasValue(served);
            assertThat(HttpRig.await(0, handler::underWay)).isZero();
        }
    }

    @Test
    void endsWithTheServer() throws Exception {
        int requests = 20;
        Semaphore started = new Semaphore(0);
        CountDownLatch go = new CountDownLatch(1);
        AtomicInteger ended = new AtomicInteger();
        Blocking handler =
                Blocking.blocking(
                        request -> {
                            started.release();
                            go.await();
                            // The loop's memory has gone with the loop, the request's has not.
                            if (request.path().contentEquals(request.target().toString())
                                    && request.header(HeaderName.HOST).contentEquals("test")) {
                                ended.incrementAndGet();
                            }
                            return Reply.text("nobody gets this");
                        });
        List<Client> clients = new ArrayList<>();
        try (HttpRig rig = HttpRig.start(handler)) {
            for (int i = 0; i < requests; i++) {
                clients.add(Client.connect(rig.port()).ask("/" + i));
            }
            assertThat(started.tryAcquire(requests, 10, TimeUnit.SECONDS)).isTrue();
        }
        go.countDown();
        assertThat(HttpRig.await(requests, ended::get)).isEqualTo(requests);
        assertThat(HttpRig.await(0, handler::underWay)).isZero();
        for (Client client : clients) {
            assertThat(client.untilEndOrReset()).isEmpty();
            client.close();
        }
    }
}
