package io.bareloop.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.bareloop.files.StaticFiles;
import io.bareloop.http.Blocking;
import io.bareloop.http.ErrorHandler;
import io.bareloop.http.Fields;
import io.bareloop.http.Filter;
import io.bareloop.http.Handler;
import io.bareloop.http.HeaderName;
import io.bareloop.http.HttpException;
import io.bareloop.http.MediaType;
import io.bareloop.http.Prepared;
import io.bareloop.http.Reply;
import io.bareloop.http.Router;
import io.bareloop.http.Status;
import io.bareloop.http.Timeouts;
import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What an application has in the place of the server's errors, and what is in all responses. */
@Timeout(30)
class ErrorsTest {
    private static final HeaderName ORIGIN = HeaderName.of("Access-Control-Allow-Origin");

    private final List<String> log = new CopyOnWriteArrayList<>();

    private HttpServer.Builder builder(Handler handler) {
        return HttpServer.builder()
                .listen("127.0.0.1", 0)
                .cpus(CpuSet.unpinned(1))
                .timeouts(Timeouts.builder().head(Duration.ofMillis(300)).build())
                .log(log::add)
                .handler(handler);
    }

    private static Answer send(HttpServer server, String bytes) throws IOException {
        try (Client client = Client.connect(server.port())) {
            client.send(bytes);
            return client.answer();
        }
    }

    private static final Handler FAILING =
            (request, response) -> {
                throw request.path().contentEquals("/io")
                        ? new FileNotFoundException("no file")
                        : new IllegalStateException("on purpose");
            };

    private static final Router ROUTER =
            Router.builder()
                    .get("/ok", Prepared.text("ok"))
                    .post("/body", (request, response) -> response.body(request.body()))
                    .get("/io", FAILING)
                    .get("/other", FAILING)
                    .get(
                            "/busy",
                            (request, response) -> {
                                throw new HttpException(
                                        Status.SERVICE_UNAVAILABLE,
                                        "come \"back\" soon",
                                        Fields.NONE.with(HeaderName.RETRY_AFTER, "3"));
                            })
                    .build();

    private static final List<String> ERRORS =
            List.of(
                    "NONSENSE\r\n\r\n",
                    "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n",
                    "PUT /ok HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
                    "GET /ok HT",
                    "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n",
                    "GET /" + "x".repeat(9000) + " HTTP/1.1\r\nHost: a\r\n\r\n",
                    "GET / HTTP/1.1\r\nHost: a\r\n" + "X: y\r\n".repeat(200) + "\r\n",
                    "GET /other HTTP/1.1\r\nHost: a\r\n\r\n",
                    "BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
                    "GET /busy HTTP/1.1\r\nHost: a\r\n\r\n",
                    "GET / HTTP/3.0\r\nHost: a\r\n\r\n");

    private static final int[] STATUSES = {400, 404, 405, 408, 413, 414, 431, 500, 501, 503, 505};

    /** Encoded once, beside Date: in every response, whoever makes it. */
    @Test
    void fieldsOfAllResponses() throws IOException {
        Fields security = Fields.NONE.with(HeaderName.of("Strict-Transport-Security"), "max-age=1");
        try (HttpServer server =
                builder(ROUTER)
                        .fields(security)
                        .fields(Fields.NONE.with(ORIGIN, "*"))
                        .onFailure((request, failure) -> {})
                        .start()) {
            assertThat(send(server, Client.request("GET", "/ok")).field(ORIGIN.toString()))
                    .isEqualTo("*");
            for (int i = 0; i < STATUSES.length; i++) {
                Answer answer = send(server, ERRORS.get(i));
                assertThat(answer.status()).isEqualTo(STATUSES[i]);
                assertThat(answer.field(ORIGIN.toString())).isEqualTo("*");
                assertThat(answer.field("Strict-Transport-Security")).isEqualTo("max-age=1");
            }
        }
    }

    /** What a filter adds is in whatever a directory answers, and a handler that has no room. */
    @Test
    void aFilterInFrontOfFilesAndOfFullHandlers(@TempDir Path root) throws Exception {
        Files.writeString(root.resolve("a.txt"), "abc");
        Filter cors = (request, response) -> response.always(ORIGIN, "*");
        CountDownLatch done = new CountDownLatch(1);
        Blocking full =
                Blocking.blocking(
                        1,
                        request -> {
                            done.await();
                            return Reply.text("done");
                        });
        Router routes =
                Router.builder().get("/full", full).any("/{path...}", StaticFiles.of(root)).build();
        try (HttpServer server = builder(routes).filter(cors).start();
                Client waiting = Client.connect(server.port())) {
            List<String> requests =
                    List.of(
                            Client.request("GET", "/a.txt"),
                            Client.request("GET", "/a.txt", "Range: bytes=1-1"),
                            Client.request("GET", "/a.txt", "If-None-Match: *"),
                            Client.request("GET", "/none"),
                            Client.request("POST", "/a.txt", "Content-Length: 0"),
                            Client.request("GET", "/a.txt", "Accept-Encoding: identity;q=0"),
                            Client.request("GET", "/a.txt", "If-Match: \"x\""),
                            Client.request("GET", "/a.txt", "Range: bytes=7-9"));
            int[] statuses = {200, 206, 304, 404, 405, 406, 412, 416};
            for (int i = 0; i < statuses.length; i++) {
                Answer answer = send(server, requests.get(i));
                assertThat(answer.status()).isEqualTo(statuses[i]);
                assertThat(answer.field(ORIGIN.toString())).isEqualTo("*");
            }
            waiting.ask("/full");
            while (full.underWay() == 0) {
                Thread.sleep(1);
            }
            Answer busy = send(server, Client.request("GET", "/full"));
            assertThat(busy.status()).isEqualTo(503);
            assertThat(busy.field(ORIGIN.toString())).isEqualTo("*");
            assertThat(busy.field("Retry-After")).isEqualTo("1");
            done.countDown();
            assertThat(waiting.answer().field(ORIGIN.toString())).isEqualTo("*");
        }
    }

    @Test
    void tooManyOfThemAreRefusedAtOnce() {
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () -> builder(ROUTER).fields(Fields.NONE.with(ORIGIN, "x".repeat(4096))))
                .withMessageContaining("4096 are the most");
    }

    /** All statuses by handlers of the application's: also of what is no request. */
    @Test
    void pagesByStatus() throws IOException {
        ErrorHandler page =
                (request, response, error) ->
                        response.contentType(MediaType.TEXT)
                                .body(
                                        "own "
                                                + error.status().code()
                                                + " "
                                                + request.method()
                                                + " "
                                                + request.path()
                                                + " "
                                                + request.headerCount());
        HttpServer.Builder builder = builder(ROUTER);
        for (int status : STATUSES) {
            builder.error(Status.of(status), page);
        }
        try (HttpServer server = builder.start()) {
            for (int i = 0; i < STATUSES.length; i++) {
                Answer answer = send(server, ERRORS.get(i));
                assertThat(answer.status()).isEqualTo(STATUSES[i]);
                assertThat(answer.body()).startsWith("own " + STATUSES[i] + " ");
            }
            assertThat(send(server, ERRORS.get(0)).body()).isEqualTo("own 400 GET / 0");
            assertThat(send(server, ERRORS.get(1)).body()).isEqualTo("own 404 GET /nowhere 1");
            Answer busy = send(server, ERRORS.get(9));
            assertThat(busy.field("Retry-After")).isEqualTo("3");
            assertThat(send(server, ERRORS.get(2)).field("Allow")).isEqualTo("GET, HEAD, OPTIONS");
        }
    }

    /** What a page leaves undone, or fails in, is the server's page. */
    @Test
    void aPageThatFails() throws IOException {
        try (HttpServer server =
                builder(ROUTER)
                        .error(
                                Status.NOT_FOUND,
                                (request, response, error) -> {
                                    response.contentType(MediaType.HTML);
                                    throw new IllegalStateException("of the page");
                                })
                        .error(
                                Status.METHOD_NOT_ALLOWED,
                                (request, response, error) -> response.stream())
                        .error(
                                Status.SERVICE_UNAVAILABLE,
                                (request, response, error) -> error.answer(request, response))
                        .start()) {
            assertThat(send(server, ERRORS.get(1)).body()).isEqualTo("404 Not Found\n");
            assertThat(log)
                    .singleElement()
                    .asString()
                    .contains("GET /nowhere failed", "of the page");
            Answer notAllowed = send(server, ERRORS.get(2));
            assertThat(notAllowed.body()).startsWith("405 Method Not Allowed");
            assertThat(notAllowed.field("Allow")).isEqualTo("GET, HEAD, OPTIONS");
            Answer busy = send(server, ERRORS.get(9));
            assertThat(busy.body()).isEqualTo("503 Service Unavailable: come \"back\" soon\n");
            assertThat(busy.field("Retry-After")).isEqualTo("3");
        }
    }

    @Test
    void byException() throws IOException {
        try (HttpServer server =
                builder(ROUTER)
                        .exception(
                                IOException.class,
                                (request, response, failure) ->
                                        response.status(Status.BAD_GATEWAY)
                                                .body("io: " + failure.getMessage()))
                        .exception(
                                RuntimeException.class,
                                (request, response, failure) -> {
                                    throw new HttpException(Status.CONFLICT, "mapped");
                                })
                        .start()) {
            Answer io = send(server, ERRORS.get(1).replace("/nowhere", "/io"));
            assertThat(io.status()).isEqualTo(502);
            assertThat(io.body()).isEqualTo("io: no file");
            Answer other = send(server, ERRORS.get(7));
            assertThat(other.status()).isEqualTo(409);
            assertThat(other.body()).isEqualTo("409 Conflict: mapped\n");
            // HttpException is an answer by itself.
            assertThat(send(server, ERRORS.get(9)).status()).isEqualTo(503);
            assertThat(log).isEmpty();
        }
    }

    /** A thread is at work with the request: others are shown an empty one. */
    @Test
    void aBodyThatIsRefusedWhileAThreadReadsIt() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        Handler reading =
                Blocking.streaming(
                        (request, exchange) -> {
                            begun.countDown();
                            exchange.body().readAllBytes();
                        });
        try (HttpServer server =
                        builder(reading)
                                .error(
                                        Status.BAD_REQUEST,
                                        (request, response, error) ->
                                                response.body("own " + request.target()))
                                .start();
                Client client = Client.connect(server.port())) {
            client.send(Client.request("POST", "/read", "Transfer-Encoding: chunked"));
            assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
            client.send("xyz\r\n");
            assertThat(client.answer().body()).isEqualTo("own /");
        }
    }

    @Test
    void acceptDecides() throws IOException {
        try (HttpServer server = builder(ROUTER).start()) {
            Answer problem =
                    send(server, Client.request("GET", "/busy", "Accept: application/json"));
            assertThat(problem.field("Content-Type")).isEqualTo("application/problem+json");
            assertThat(problem.body())
                    .isEqualTo(
                            "{\"title\":\"Service Unavailable\",\"status\":503,"
                                    + "\"detail\":\"come \\\"back\\\" soon\"}\n");
            assertThat(problem.field("Vary")).isEqualTo("Accept");
            assertThat(send(server, Client.request("GET", "/busy", "Accept: text/html")).body())
                    .contains("Come &quot;back&quot; soon.");
            String problems = "Accept: application/problem+json";
            assertThat(send(server, Client.request("GET", "/nowhere", problems)).body())
                    .isEqualTo("{\"title\":\"Not Found\",\"status\":404}\n");
            assertThat(send(server, Client.request("GET", "/busy")).body())
                    .startsWith("503 Service Unavailable: come");
        }
    }

    @Test
    void failuresAreToldWithTheirRequest() throws Exception {
        List<String> told = new CopyOnWriteArrayList<>();
        try (HttpServer server =
                builder(ROUTER)
                        .onFailure(
                                (request, failure) ->
                                        told.add(request.target() + " " + failure.getMessage()))
                        .start()) {
            assertThat(send(server, ERRORS.get(7)).status()).isEqualTo(500);
            assertThat(told).containsExactly("/other on purpose");
            assertThat(log).isEmpty();
        }
    }

    /** A client that has found a defect does not fill the disk. */
    @Test
    void theLogIsBounded() throws Exception {
        try (HttpServer server = builder(ROUTER).start()) {
            long start = System.nanoTime();
            for (int i = 0; i < 50; i++) {
                assertThat(send(server, ERRORS.get(7)).status()).isEqualTo(500);
            }
            long seconds = 1 + (System.nanoTime() - start) / 1_000_000_000L;
            assertThat(log).hasSizeBetween(10, (int) (10 * (seconds + 1)));
            assertThat(log.getFirst())
                    .startsWith("GET /other failed: java.lang.IllegalStateException: on purpose\n")
                    .contains("\tat io.bareloop.server.ErrorsTest");
            assertThat(log.get(9)).contains("one of 10 or more in this second");
        }
    }

    /** Its handler cannot answer any more: whoever hears of failures does. */
    @Test
    void anExceptionBehindWhatWasSentIsReported() throws IOException {
        List<Throwable> failures = new CopyOnWriteArrayList<>();
        Handler half =
                (request, response) -> {
                    response.stream();
                    for (int i = 0; i < 10; i++) {
                        response.write(new byte[60_000]);
                    }
                    throw new FileNotFoundException("amid the response");
                };
        try (HttpServer server =
                        builder(half)
                                .onFailure((request, failure) -> failures.add(failure))
                                .exception(
                                        IOException.class,
                                        (request, response, failure) -> response.body("handled"))
                                .start();
                Client client = Client.connect(server.port())) {
            assertThat(client.ask("/").untilEnd()).doesNotContain("handled");
        }
        assertThat(failures).singleElement().isInstanceOf(FileNotFoundException.class);
    }

    /**
     * It has lost its status on the way from another JVM: nobody would know why a client is cut.
     */
    @Test
    void anErrorThatCannotBeAnsweredIsReported() throws Exception {
        ByteArrayOutputStream sent = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(sent)) {
            out.writeObject(new HttpException(Status.CONFLICT, "elsewhere"));
        }
        HttpException received;
        try (ObjectInputStream in =
                new ObjectInputStream(new ByteArrayInputStream(sent.toByteArray()))) {
            received = (HttpException) in.readObject();
        }
        List<Throwable> failures = new CopyOnWriteArrayList<>();
        Handler throwing =
                (request, response) -> {
                    throw received;
                };
        try (HttpServer server =
                        builder(throwing)
                                .onFailure((request, failure) -> failures.add(failure))
                                .start();
                Client client = Client.connect(server.port())) {
            assertThat(client.ask("/").untilEndOrReset()).isEmpty();
        }
        assertThat(failures).hasSize(1);
    }

    @Test
    void fieldsOfAnErrorAreNotNull() {
        assertThatNullPointerException()
                .isThrownBy(() -> new HttpException(Status.CONFLICT, "no", (Fields) null))
                .withMessage("fields");
    }
}
