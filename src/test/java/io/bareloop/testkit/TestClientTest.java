package io.bareloop.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.files.StaticFiles;
import io.bareloop.http.Blocking;
import io.bareloop.http.ByteView;
import io.bareloop.http.ErrorPage;
import io.bareloop.http.EventStream;
import io.bareloop.http.Fields;
import io.bareloop.http.Handler;
import io.bareloop.http.HeaderName;
import io.bareloop.http.HttpException;
import io.bareloop.http.Limits;
import io.bareloop.http.Reply;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Router;
import io.bareloop.http.Status;
import io.bareloop.http.StreamHandler;
import io.bareloop.http.Suspended;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Handlers of every kind, driven in memory. */
@Timeout(60)
class TestClientTest {
    private static final Duration SHORT = Duration.ofMillis(200);
    private static final Duration MINUTE = Duration.ofMinutes(1);

    // ---- whole responses

    @Test
    void aRouteIsTakenWithItsParameterAndQuery() {
        TestClient client =
                TestClient.of(
                        Router.builder()
                                .get(
                                        "/users/{id}",
                                        (request, response) ->
                                                response.header(
                                                                HeaderName.of("X-Query"),
                                                                request.query())
                                                        .body(request.parameter("id")))
                                .build());
        TestResponse response = client.get("/users/7?x=1");
        assertThat(response.status()).isEqualTo(200);
        assertThat(response.text()).isEqualTo("7");
        assertThat(response.header("x-QUERY")).isEqualTo("x=1");
        assertThat(response.header("none")).isNull();
        assertThat(response.headers("Content-Length")).containsExactly("1");
        assertThat(response.isWhole()).isTrue();
        assertThat(response.failures()).isEmpty();
        assertThat(response.toString()).startsWith("HTTP/1.1 200 OK\n").endsWith("\n\n7");
    }

    @Test
    void handlersAreCalledOnTheCallingThread() {
        AtomicReference<Thread> thread = new AtomicReference<>();
        TestClient.of(
                        (request, response) -> {
                            thread.set(Thread.currentThread());
                            response.body("");
                        })
                .get("/");
        assertThat(thread.get()).isSameAs(Thread.currentThread());
    }

    @Test
    void whatTheServerAnswersItselfIsAnswered() {
        TestClient client =
                TestClient.of(
                        Router.builder()
                                .get("/only", (request, response) -> response.body("got"))
                                .build(),
                        Limits.builder().bodyBytesMax(4).targetBytesMax(64).build());
        assertThat(client.get("/none").status()).isEqualTo(404);
        assertThat(client.send(TestRequest.delete("/only")).status()).isEqualTo(405);
        assertThat(client.get("/" + "x".repeat(100)).status()).isEqualTo(414);
        assertThat(client.send(TestRequest.get("/only").header("Host", "")).status())
                .isEqualTo(200);
        assertThat(client.send(TestRequest.get("/only").header("Host", "a b")).status())
                .isEqualTo(400);
        TestResponse head = client.send(TestRequest.head("/only"));
        assertThat(head.header("Content-Length")).isEqualTo("3");
        assertThat(head.body()).isEmpty();
    }

    @Test
    void bodiesComeWholeUpToTheLimit() {
        TestClient client =
                TestClient.of(
                        (request, response) -> response.body(request.body()),
                        Limits.builder().bodyBytesMax(4).build());
        assertThat(client.send(TestRequest.post("/").body("four")).text()).isEqualTo("four");
        assertThat(client.send(TestRequest.put("/")).text()).isEmpty();
        assertThat(client.send(TestRequest.post("/").body("more than four")).status())
                .isEqualTo(413);
        assertThat(client.send(TestRequest.post("/").body("four").chunked()).text())
                .isEqualTo("four");
        assertThat(client.send(TestRequest.patch("/").body("four").inPieces(1)).text())
                .isEqualTo("four");
    }

    @Test
    void whatAHandlerThrowsIsKept() {
        IllegalStateException failure = new IllegalStateException("on purpose");
        TestClient client =
                TestClient.of(
                        (request, response) -> {
                            if (request.path().contentEquals("/teapot")) {
                                throw new HttpException(Status.NOT_FOUND, "no tea");
                            }
                            throw failure;
                        });
        TestResponse response = client.get("/");
        assertThat(response.status()).isEqualTo(500);
        assertThat(response.failures()).containsExactly(failure);
        TestResponse refused = client.get("/teapot");
        assertThat(refused.status()).isEqualTo(404);
        assertThat(refused.text()).contains("no tea");
        assertThat(refused.failures()).isEmpty();
    }

    @Test
    void errorPagesFollowAccept() {
        TestClient client =
                TestClient.of(
                        Router.builder()
                                .notFound(
                                        ErrorPage.of(
                                                Status.NOT_FOUND,
                                                Fields.NONE,
                                                "nothing here",
                                                "<p>Nothing.</p>"))
                                .build());
        assertThat(client.get("/").header("Content-Type")).startsWith("text/plain");
        assertThat(
                        client.send(TestRequest.get("/").header("Accept", "text/html"))
                                .header("Content-Type"))
                .startsWith("text/html");
    }

    @Test
    void aClientThatExpectsSoIsToldToContinue() {
        TestResponse response =
                TestClient.of((request, answer) -> answer.body(request.body()))
                        .send(
                                TestRequest.post("/")
                                        .header("Expect", "100-continue")
                                        .body("wait for it")
                                        .inPieces(100));
        assertThat(response.text()).isEqualTo("wait for it");
        assertThat(response.interim()).extracting(TestResponse::status).containsExactly(100);
    }

    // ---- bodies in pieces

    /** Sends back each piece in brackets. */
    private static final StreamHandler BRACKETS =
            new StreamHandler() {
                @Override
                public void begin(Request request, Response response) {
                    response.stream();
                }

                @Override
                public void piece(Request request, Response response, ByteView piece) {
                    response.write(("[" + piece + "]").getBytes(UTF_8));
                }

                @Override
                public void end(Request request, Response response) {
                    response.end();
                }
            };

    @Test
    void aBodyArrivesInPiecesOfTheSizeGiven() {
        TestClient client = TestClient.of(BRACKETS);
        TestRequest request = TestRequest.post("/").body("abcdefg");
        assertThat(client.send(request.inPieces(3)).text()).isEqualTo("[abc][def][g]");
        assertThat(client.send(request.inPieces(3).chunked()).text()).isEqualTo("[abc][def][g]");
        assertThat(client.send(request).text()).isEqualTo("[abcdefg]");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aPieceMayBeAsLongAsTheInput(boolean chunked) {
        TestRequest request = TestRequest.post("/").body("x".repeat(150_000)).inPieces(65_536);
        String text = TestClient.of(BRACKETS).send(chunked ? request.chunked() : request).text();
        assertThat(text.split("\\]"))
                .extracting(String::length)
                .containsExactly(65_537, 65_537, 18_929);
    }

    @Test
    void aWriterThatWaitsForRoomComesToItsEnd() {
        int pieces = 5000;
        Handler handler =
                (request, response) -> {
                    int[] left = {pieces};
                    byte[] piece = new byte[1000];
                    response.stream();
                    Runnable more =
                            () -> {
                                while (left[0] > 0 && response.isWritable()) {
                                    response.write(piece);
                                    left[0]--;
                                }
                                if (left[0] == 0) {
                                    response.end();
                                }
                            };
                    response.onWritable(more);
                    more.run();
                    assertThat(left[0]).isBetween(1, pieces - 1000);
                };
        TestResponse response = TestClient.of(handler).get("/");
        assertThat(response.failures()).isEmpty();
        assertThat(response.body()).hasSize(pieces * 1000);
    }

    @Test
    void largeMemoryAndFilesAreSent(@TempDir Path root) throws Exception {
        byte[] bytes = new byte[3_000_000];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i * 31 + i / 251);
        }
        MemorySegment memory = Arena.ofAuto().allocate(bytes.length);
        memory.copyFrom(MemorySegment.ofArray(bytes));
        assertThat(
                        TestClient.of((request, response) -> response.body(memory, 0, bytes.length))
                                .get("/")
                                .body())
                .isEqualTo(bytes);
        Files.write(root.resolve("large.bin"), bytes);
        Files.writeString(root.resolve("small.txt"), "small");
        try (StaticFiles files = StaticFiles.builder(root).build()) {
            TestClient client = TestClient.of(files);
            assertThat(client.get("/large.bin").body()).isEqualTo(bytes);
            assertThat(client.get("/small.txt").text()).isEqualTo("small");
            assertThat(
                            client.send(TestRequest.get("/large.bin").header("Range", "bytes=5-6"))
                                    .body())
                    .containsExactly(bytes[5], bytes[6]);
        }
    }

    // ---- responses that come later

    @Test
    void aBlockingHandlerIsWaitedFor() {
        TestResponse response =
                TestClient.of(
                                Blocking.blocking(
                                        request -> {
                                            Thread.sleep(50);
                                            return Reply.text("late " + request.body());
                                        }))
                        .send(TestRequest.post("/").body("body"));
        assertThat(response.text()).isEqualTo("late body");
    }

    @Test
    void aSuspendedResponseIsWaitedFor() {
        TestResponse response =
                TestClient.of(
                                (request, suspending) -> {
                                    Suspended suspended = suspending.suspend();
                                    Thread.ofVirtual()
                                            .start(
                                                    () ->
                                                            suspended.resume(
                                                                    (again, late) ->
                                                                            late.body("resumed")));
                                })
                        .get("/");
        assertThat(response.text()).isEqualTo("resumed");
    }

    @Test
    void anEventStreamIsReadAsFarAsItIsWanted() throws Exception {
        CountDownLatch left = new CountDownLatch(1);
        Handler ticker =
                (request, response) -> {
                    EventStream[] stream = new EventStream[1];
                    response.onAbort(left::countDown);
                    List<Integer> sent = new ArrayList<>();
                    stream[0] =
                            EventStream.open(
                                    response,
                                    Duration.ofMillis(100),
                                    () -> {
                                        sent.add(sent.size());
                                        stream[0].send(null, "tick " + sent.size());
                                    });
                };
        TestResponse soFar =
                TestClient.of(ticker)
                        .sendUntil(TestRequest.get("/"), r -> r.text().contains("tick 3\n"));
        assertThat(soFar.isWhole()).isFalse();
        assertThat(soFar.header("Content-Type")).startsWith("text/event-stream");
        assertThat(soFar.text()).isEqualTo("data: tick 1\n\ndata: tick 2\n\ndata: tick 3\n\n");
        left.await();
    }

    @Test
    void whatIsNeverEndedFailsAndSaysHowFarItHasCome() {
        AtomicBoolean aborted = new AtomicBoolean();
        TestClient client =
                TestClient.of(
                                Router.builder()
                                        .get(
                                                "/begun",
                                                (request, response) -> {
                                                    response.stream()
                                                            .onAbort(() -> aborted.set(true));
                                                    response.write("half".getBytes(UTF_8));
                                                })
                                        .get("/silent", (request, response) -> response.suspend())
                                        .build())
                        .timeout(SHORT);
        assertThatThrownBy(() -> client.get("/begun"))
                .isInstanceOf(AssertionError.class)
                .hasMessage(
                        """
                        GET /begun: after PT0.2S there was no end; the handler has begun \
                        a response of status 200 and sent 4 bytes of its body, without \
                        response.end() (sendUntil(...) is for those without an end)""");
        assertThat(aborted).isTrue();
        assertThatThrownBy(() -> client.get("/silent"))
                .isInstanceOf(AssertionError.class)
                .hasMessage(
                        """
                        GET /silent: after PT0.2S there was no end; the handler has sent \
                        nothing: it has suspended the response and not resumed it, or still \
                        blocks""");
        // It goes on with the next.
        assertThat(client.get("/none").status()).isEqualTo(404);
    }

    /** Its thread comes back when nobody waits for it any more. */
    @Test
    void whatComesTooLateIsForNobody() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        TestClient client =
                TestClient.of(
                        Router.builder()
                                .get(
                                        "/slow",
                                        Blocking.blocking(
                                                request -> {
                                                    release.await();
                                                    return Reply.text("late");
                                                }))
                                .get("/fast", (request, response) -> response.body("fast"))
                                .build());
        assertThatThrownBy(() -> client.timeout(SHORT).get("/slow"))
                .isInstanceOf(AssertionError.class);
        release.countDown();
        for (int i = 0; i < 20; i++) {
            assertThat(client.get("/fast").text()).isEqualTo("fast");
            Thread.sleep(5);
        }
    }

    @Test
    void aConnectionThatIsClosedAmidTheResponseIsSeen() {
        TestResponse response =
                TestClient.of(
                                (request, begun) -> {
                                    Suspended suspended = begun.suspend();
                                    begun.stream(10).write("four".getBytes(UTF_8));
                                    suspended.resume(
                                            (again, late) -> {
                                                throw new IllegalStateException("on purpose");
                                            });
                                })
                        .get("/");
        assertThat(response.isWhole()).isFalse();
        assertThat(response.text()).isEqualTo("four");
        assertThat(response.failures()).hasSize(1);
    }

    @Test
    void aResponseThatNeverEndsHasALimit() {
        Handler endless =
                (request, response) -> {
                    byte[] piece = new byte[60_000];
                    response.stream();
                    Runnable more =
                            () -> {
                                while (response.isWritable()) {
                                    response.write(piece);
                                }
                            };
                    response.onWritable(more);
                    more.run();
                };
        assertThatThrownBy(() -> TestClient.of(endless).timeout(MINUTE).get("/"))
                .isInstanceOf(AssertionError.class)
                .hasMessageStartingWith("GET /: it is too large; the handler has begun");
    }

    @Test
    void anInterruptEndsTheWait() {
        TestClient client = TestClient.of((request, response) -> response.suspend());
        Thread self = Thread.currentThread();
        Thread.ofVirtual()
                .start(
                        () -> {
                            try {
                                Thread.sleep(200);
                            } catch (InterruptedException e) {
                                throw new AssertionError(e);
                            }
                            self.interrupt();
                        });
        assertThatThrownBy(() -> client.get("/")).isInstanceOf(IllegalStateException.class);
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void threadsSendAtTheSameTime() throws Exception {
        TestClient client = TestClient.of((request, response) -> response.body(request.path()));
        List<Thread> threads = new ArrayList<>();
        List<Throwable> failures = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            String target = "/" + i;
            threads.add(
                    Thread.ofPlatform()
                            .uncaughtExceptionHandler((thread, failure) -> failures.add(failure))
                            .start(
                                    () -> {
                                        for (int n = 0; n < 200; n++) {
                                            assertThat(client.get(target).text()).isEqualTo(target);
                                        }
                                    }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(failures).isEmpty();
    }

    // ---- mistakes

    @ParameterizedTest
    @ValueSource(strings = {"", "/a b", "/a\r\nX: y", "/\u0000"})
    void aTargetStaysOne(String target) {
        assertThatThrownBy(() -> TestRequest.get(target))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aFieldStaysOne() {
        TestRequest request = TestRequest.get("/");
        assertThatThrownBy(() -> request.header("X", "a\r\nY: b"))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> request.header("X\n", "a"))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> request.inPieces(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> request.inPieces(65_537))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> TestClient.of((q, r) -> {}).timeout(Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aHandlerThatSendsByItsOwnClientIsToldSo() {
        AtomicReference<TestClient> self = new AtomicReference<>();
        self.set(TestClient.of((request, response) -> self.get().get("/again")));
        TestResponse response = self.get().get("/");
        assertThat(response.status()).isEqualTo(500);
        assertThat(response.failures())
                .singleElement()
                .asString()
                .contains("use another TestClient");
    }
}
