package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Statuses as values, and each of them as it arrives at a client. */
class StatusTest {
    private static List<Status> constants() throws IllegalAccessException {
        List<Status> constants = new ArrayList<>();
        for (Field field : Status.class.getFields()) {
            if (Modifier.isStatic(field.getModifiers()) && field.getType() == Status.class) {
                constants.add((Status) field.get(null));
            }
        }
        return constants;
    }

    @Test
    void constantsAreFoundByCode() throws Exception {
        assertThat(constants()).hasSizeGreaterThan(50).doesNotHaveDuplicates();
        for (Status status : constants()) {
            assertThat(Status.of(status.code())).isSameAs(status);
            assertThat(status.reason()).matches("[A-Z][A-Za-z' -]*");
        }
        assertThat(Status.TEAPOT).hasToString("418 I'm a teapot");
    }

    @Test
    void everyCodeFrom100To599IsAStatus() {
        for (int code = 100; code < 600; code++) {
            Status status = Status.of(code);
            assertThat(status.code()).isEqualTo(code);
            assertThat(status.reason()).isNotEmpty();
            assertThat(Status.of(code)).isSameAs(status);
            assertThat(status.isInformational()).isEqualTo(code < 200);
            assertThat(status.isBodiless()).isEqualTo(code < 200 || code == 204 || code == 304);
        }
        assertThat(Status.of(199)).hasToString("199 Informational");
        assertThat(Status.of(299)).hasToString("299 Successful");
        assertThat(Status.of(399)).hasToString("399 Redirection");
        assertThat(Status.of(499)).hasToString("499 Client Error");
        assertThat(Status.of(599)).hasToString("599 Server Error");
    }

    @ParameterizedTest
    @ValueSource(ints = {Integer.MIN_VALUE, -200, -1, 0, 99, 600, 999, 1000, Integer.MAX_VALUE})
    void otherCodesAreNone(int code) {
        String message = "no such status: " + code + "; they go from 100 to 599";
        assertThatThrownBy(() -> Status.of(code))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
        assertThatThrownBy(() -> Status.of(code, "Reason"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }

    @Test
    void isTheSameObjectForAllThreads() throws Exception {
        Set<Integer> seen = ConcurrentHashMap.newKeySet();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            threads.add(
                    Thread.ofPlatform()
                            .start(() -> seen.add(System.identityHashCode(Status.of(597)))));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(seen).hasSize(1);
    }

    @Test
    void isEqualByItsCode() {
        Status own = Status.of(404, "Gone Fishing");
        assertThat(own).hasToString("404 Gone Fishing").isNotSameAs(Status.NOT_FOUND);
        assertThat(own).isEqualTo(Status.NOT_FOUND).hasSameHashCodeAs(Status.NOT_FOUND);
        assertThat(own).isNotEqualTo(Status.GONE).isNotEqualTo(404);
        assertThat(Status.of(404)).isSameAs(Status.NOT_FOUND);
        assertThat(Status.of(499, "")).hasToString("499");
    }

    @Test
    void aReasonIsChecked() {
        for (String reason :
                List.of("a\r\nB: c", "a\n", "\0", "\u00e9", "\u007f", "x".repeat(129))) {
            assertThatThrownBy(() -> Status.of(500, reason))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("reason");
        }
        assertThat(Status.of(500, "x".repeat(128)).reason()).hasSize(128);
    }

    /** On one connection: one that were framed wrongly would take the next with it. */
    @Test
    void eachIsSentAsItIs() throws Exception {
        Handler handler =
                (request, response) ->
                        response.status(Status.of((int) request.queryValue("s").toUnsignedLong()))
                                .body("body");
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            for (int code = 200; code < 600; code++) {
                Answer received = client.get("/?s=" + code);
                Status status = Status.of(code);
                assertThat(received.statusLine())
                        .isEqualTo("HTTP/1.1 " + code + " " + status.reason());
                boolean empty = code == 204 || code == 205 || code == 304;
                assertThat(received.body()).isEqualTo(empty ? "" : "body");
                assertThat(received.has("Content-Length")).isEqualTo(!status.isBodiless());
                assertThat(received.closes()).isFalse();
            }
        }
    }

    @Test
    void a205HasNoBodyButALength() throws Exception {
        Router router =
                Router.builder()
                        .get("/whole", (request, response) -> reset(response).body("body"))
                        .get("/none", (request, response) -> reset(response))
                        .get("/counted", StatusTest::streamCounted)
                        .get("/streamed", StatusTest::stream)
                        .get("/reply", (request, response) -> response.send(resetReply()))
                        .get(
                                "/prepared",
                                Prepared.of(Status.RESET_CONTENT, MediaType.TEXT, new byte[] {'x'}))
                        .build();
        try (HttpRig rig = HttpRig.start(router);
                Client client = Client.connect(rig.port())) {
            for (String path :
                    List.of("/whole", "/none", "/counted", "/streamed", "/reply", "/prepared")) {
                Answer received = client.get(path);
                assertThat(received.status()).as(path).isEqualTo(205);
                assertThat(received.field("Content-Length")).isEqualTo("0");
                assertThat(received.body()).isEmpty();
                assertThat(received.closes()).isFalse();
            }
            assertThat(rig.failures()).isEmpty();
        }
    }

    private static Response reset(Response response) {
        return response.status(Status.RESET_CONTENT);
    }

    private static void streamCounted(Request request, Response response) {
        reset(response).stream(4).write(new byte[4]);
        response.end();
    }

    private static void stream(Request request, Response response) {
        reset(response).stream().write(new byte[4]);
        response.end();
    }

    private static Reply resetReply() {
        return Reply.of(Status.RESET_CONTENT).body(MediaType.TEXT, new byte[] {'x'});
    }

    @Test
    void ownReasonsAreSent() throws Exception {
        Status own = Status.of(404, "Gone Fishing");
        Status none = Status.of(499, "");
        Router router =
                Router.builder()
                        .get("/own", (request, response) -> response.status(own).body("x"))
                        .get("/none", (request, response) -> response.status(none).body("x"))
                        .get("/thrown", (request, response) -> fail(own))
                        .get("/usual", (request, response) -> fail(Status.NOT_FOUND))
                        .get("/bare", (request, response) -> fail(none))
                        .build();
        try (HttpRig rig = HttpRig.start(router);
                Client client = Client.connect(rig.port())) {
            assertThat(client.get("/own").statusLine()).isEqualTo("HTTP/1.1 404 Gone Fishing");
            assertThat(client.get("/none").statusLine()).isEqualTo("HTTP/1.1 499 ");
            assertThat(client.get("/thrown").body()).isEqualTo("404 Gone Fishing\n");
            assertThat(client.get("/usual").body()).isEqualTo("404 Not Found\n");
            assertThat(client.get("/thrown").body()).isEqualTo("404 Gone Fishing\n");
            assertThat(client.get("/bare").body()).isEqualTo("499\n");
        }
    }

    private static void fail(Status status) {
        throw new HttpException(status, null);
    }

    @Test
    void noResponseIsInformational() throws Exception {
        for (int code : new int[] {100, 101, 102, 103, 199}) {
            Status status = Status.of(code);
            refuses(() -> new HttpException(status, null));
            refuses(() -> Reply.of(status));
            refuses(() -> Prepared.of(status, MediaType.TEXT, new byte[0]));
            refuses(() -> Prepared.of(status, Fields.NONE, new byte[0]));
            refuses(() -> ErrorPage.of(status));
            Handler handler = (request, response) -> response.status(status).body("x");
            try (HttpRig rig = HttpRig.start(handler);
                    Client client = Client.connect(rig.port())) {
                assertThat(client.get("/").status()).isEqualTo(500);
                assertThat(rig.failures()).hasSize(1);
                refuses(
                        () -> {
                            throw rig.failures().get(0);
                        });
            }
        }
    }

    private static void refuses(ThrowingCallable mistake) {
        assertThatThrownBy(mistake)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("take one from 200 to 599. earlyHints() sends a 103");
    }
}
