package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** 103 before a response, as it arrives at a client. */
class EarlyHintsTest {
    private static final HeaderName LINK = HeaderName.of("Link");
    private static final Fields HINT = Fields.NONE.with(LINK, "</a.css>; rel=preload; as=style");
    private static final Fields OTHER = Fields.NONE.with(LINK, "</b.js>; rel=preload; as=script");

    private final AtomicReference<Suspended> suspended = new AtomicReference<>();

    private void hint(Request request, Response response) {
        response.earlyHints(HINT);
        switch (request.path().toString()) {
            case "/two" -> response.earlyHints(OTHER).body("two");
            case "/fails" -> throw new IllegalStateException("after the hint");
            case "/refused" -> throw new HttpException(Status.CONFLICT, "after the hint");
            case "/taken-back" -> {
                response.status(Status.CREATED).header(LINK, "x").body("never seen");
                throw new HttpException(Status.CONFLICT, "after the body");
            }
            case "/prepared" -> response.send(Prepared.text("prepared"));
            case "/none" -> response.status(Status.NO_CONTENT);
            case "/later" -> suspended.set(response.suspend());
            case "/nine" -> {
                for (int i = 0; i < 8; i++) {
                    response.earlyHints(OTHER);
                }
            }
            case "/late" -> response.status(Status.OK).earlyHints(OTHER);
            case "/very-late" -> {
                response.body("x");
                response.earlyHints(OTHER);
            }
            case "/long" -> response.earlyHints(Fields.NONE.with(LINK, "x".repeat(16_384)));
            default -> response.body("one");
        }
    }

    private static void isHint(Answer received, String link) {
        assertThat(received.statusLine()).isEqualTo("HTTP/1.1 103 Early Hints");
        assertThat(received.fields()).containsExactly("Link: " + link);
    }

    private static void isHint(Answer received) {
        isHint(received, "</a.css>; rel=preload; as=style");
    }

    @Test
    void comesBeforeTheResponse() throws Exception {
        try (HttpRig rig = HttpRig.start(this::hint);
                Client client = Client.connect(rig.port())) {
            for (int i = 0; i < 3; i++) {
                isHint(client.get("/"));
                assertThat(client.answer().body()).isEqualTo("one");
                isHint(client.get("/two"));
                isHint(client.answer(), "</b.js>; rel=preload; as=script");
                assertThat(client.answer().body()).isEqualTo("two");
                isHint(client.get("/prepared"));
                assertThat(client.answer().body()).isEqualTo("prepared");
                isHint(client.get("/none"));
                assertThat(client.answer().status()).isEqualTo(204);
            }
            client.send(Client.request("HEAD", "/"));
            isHint(client.answer());
            assertThat(client.answerToHead().field("Content-Length")).isEqualTo("3");
            assertThat(rig.failures()).isEmpty();
        }
    }

    @Test
    void staysBetweenItsNeighboursOfAPipeline() throws Exception {
        try (HttpRig rig = HttpRig.start(this::hint);
                Client client = Client.connect(rig.port())) {
            client.send(
                    (Client.request("GET", "/")
                                    + Client.request("GET", "/refused")
                                    + Client.request("GET", "/taken-back")
                                    + Client.request("GET", "/two"))
                            .repeat(5));
            for (int i = 0; i < 5; i++) {
                isHint(client.answer());
                assertThat(client.answer().body()).isEqualTo("one");
                isHint(client.answer());
                assertThat(client.answer().body()).isEqualTo("409 Conflict: after the hint\n");
                isHint(client.answer());
                Answer error = client.answer();
                assertThat(error.body()).isEqualTo("409 Conflict: after the body\n");
                assertThat(error.has("Link")).isFalse();
                isHint(client.answer());
                isHint(client.answer(), "</b.js>; rel=preload; as=script");
                assertThat(client.answer().body()).isEqualTo("two");
            }
        }
    }

    @Test
    void theHandlerMayFailAfterIt() throws Exception {
        try (HttpRig rig = HttpRig.start(this::hint);
                Client client = Client.connect(rig.port())) {
            isHint(client.get("/fails"));
            Answer error = client.answer();
            assertThat(error.status()).isEqualTo(500);
            assertThat(error.has("Link")).isFalse();
            assertThat(client.untilEnd()).isEmpty();
            assertThat(rig.failures()).hasSize(1).first().asString().contains("after the hint");
        }
    }

    /** It arrives while nobody has written anything of the response. */
    @Test
    void leavesAtOnce() throws Exception {
        CountDownLatch seen = new CountDownLatch(1);
        Handler busy =
                (request, response) -> {
                    response.earlyHints(HINT);
                    assertThat(seen.await(10, TimeUnit.SECONDS)).isTrue();
                    response.body("at last");
                };
        try (HttpRig rig = HttpRig.start(busy);
                Client client = Client.connect(rig.port())) {
            isHint(client.get("/"));
            seen.countDown();
            assertThat(client.answer().body()).isEqualTo("at last");
        }
    }

    @Test
    void comesBeforeAResponseThatIsSuspended() throws Exception {
        try (HttpRig rig = HttpRig.start(this::hint);
                Client client = Client.connect(rig.port())) {
            isHint(client.get("/later"));
            HttpRig.await(true, () -> suspended.get() != null);
            suspended.get().resume((request, response) -> response.earlyHints(OTHER));
            isHint(client.answer(), "</b.js>; rel=preload; as=script");
            suspended.get().resume((request, response) -> response.body("later"));
            assertThat(client.answer().body()).isEqualTo("later");
            isHint(client.get("/"));
            assertThat(client.answer().body()).isEqualTo("one");
        }
    }

    @Test
    void isNothingToHttp10() throws Exception {
        try (HttpRig rig = HttpRig.start(this::hint);
                Client client = Client.connect(rig.port())) {
            client.send("GET / HTTP/1.0\r\n\r\n");
            assertThat(client.answer().body()).isEqualTo("one");
            assertThat(client.untilEnd()).isEmpty();
        }
    }

    @Test
    void isRefusedOnceTheResponseHasBegun() throws Exception {
        refuses("/late", 1, "the response has begun: earlyHints() comes before status()");
        refuses("/very-late", 1, "the response has ended: ");
    }

    @Test
    void isBounded() throws Exception {
        refuses("/nine", 8, "more than 8 earlyHints() before one response");
        refuses("/long", 1, "exceed 16384 bytes");
    }

    private void refuses(String target, int hints, String message) throws Exception {
        try (HttpRig rig = HttpRig.start(this::hint);
                Client client = Client.connect(rig.port())) {
            client.ask(target);
            for (int i = 0; i < hints; i++) {
                assertThat(client.answer().status()).isEqualTo(103);
            }
            assertThat(client.answer().status()).isEqualTo(500);
            assertThat(rig.failures()).hasSize(1);
            assertThat(rig.failures().get(0))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining(message);
        }
    }

    /** A client that does not take them does not pile them up. */
    @Test
    void isLeftOutWhereTheClientIsBehind() throws Exception {
        Fields large = Fields.NONE.with(LINK, "x".repeat(16_000));
        Handler handler =
                (request, response) -> {
                    for (int i = 0; i < 8; i++) {
                        response.earlyHints(large);
                    }
                    response.body("end");
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port(), 4 << 10)) {
            int requests = 200;
            client.send(Client.request("GET", "/").repeat(requests));
            Thread.sleep(200);
            assertThat(rig.slabBytes()).isLessThan(1 << 20);
            int ends = 0;
            while (ends < requests) {
                Answer received = client.answer();
                ends += received.status() == 103 ? 0 : 1;
            }
            assertThat(rig.failures()).isEmpty();
        }
    }
}
