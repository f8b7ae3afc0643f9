package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.WireClient.Received;
import io.bareloop.rig.Bytes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Responses as values, and the prepared ones. */
@Timeout(60)
class ReplyTest {
    private static final HeaderName X = HeaderName.of("X-Y");

    private static Received sent(Handler handler) throws Exception {
        try (HttpRig rig = HttpRig.start(handler);
                WireClient client = new WireClient(rig)) {
            client.get("/").get("/");
            Received first = client.receive();
            Received second = client.receive();
            assertThat(second.statusLine()).isEqualTo(first.statusLine());
            assertThat(second.body()).isEqualTo(first.body());
            return first;
        }
    }

    private static Received sent(Reply reply) throws Exception {
        return sent((request, response) -> response.send(reply));
    }

    @Test
    void isTextInUtf8() throws Exception {
        Received received = sent(Reply.text("gr\u00fc\u00df"));
        assertThat(received.status()).isEqualTo(200);
        assertThat(received.field("Content-Type")).isEqualTo("text/plain; charset=utf-8");
        assertThat(received.body()).isEqualTo("gr\u00c3\u00bc\u00c3\u009f");
        assertThat(received.field("Content-Length")).isEqualTo("6");
    }

    @Test
    void isJson() throws Exception {
        Received received = sent(Reply.json("{\"a\":\"\u00e9\"}"));
        assertThat(received.field("Content-Type")).isEqualTo("application/json");
        assertThat(received.body()).isEqualTo("{\"a\":\"\u00c3\u00a9\"}");
    }

    @Test
    void hasStatusFieldsAndBody() throws Exception {
        Received received =
                sent(
                        Reply.of(Status.CREATED)
                                .header(X, "1")
                                .header(HeaderName.LOCATION, "/a")
                                .body(MediaType.HTML, Bytes.of("<p>")));
        assertThat(received.status()).isEqualTo(201);
        assertThat(received.fields())
                .containsSubsequence("X-Y: 1", "Location: /a", "Content-Type: " + MediaType.HTML);
        assertThat(received.body()).isEqualTo("<p>");
    }

    @Test
    void mayHaveNoBody() throws Exception {
        Received empty = sent(Reply.of(Status.OK));
        assertThat(empty.field("Content-Length")).isEqualTo("0");
        assertThat(empty.field("Content-Type")).isNull();
        Received bodiless = sent(Reply.of(Status.NO_CONTENT).header(X, "1"));
        assertThat(bodiless.field("Content-Length")).isNull();
        assertThat(bodiless.field("X-Y")).isEqualTo("1");
    }

    @Test
    void answers500WhereItsFieldsAreNotAllowed() throws Exception {
        for (Reply reply :
                new Reply[] {
                    Reply.text("a").header(X, "a\r\nB: c"),
                    Reply.text("a").header(HeaderName.of("Content-Length"), "1")
                }) {
            try (HttpRig rig = HttpRig.start((request, response) -> response.send(reply));
                    WireClient client = new WireClient(rig)) {
                Received received = client.exchange("/");
                assertThat(received.status()).isEqualTo(500);
                assertThat(received.field("X-Y")).isNull();
                assertThat(client.rest()).isEmpty();
            }
        }
    }

    @Test
    void preparedIsSentAsItIs() throws Exception {
        Received text = sent(Prepared.text("\u00e9"));
        assertThat(text.field("Content-Type")).isEqualTo("text/plain; charset=utf-8");
        assertThat(text.body()).isEqualTo("\u00c3\u00a9");
        Received json = sent(Prepared.json("[]"));
        assertThat(json.field("Content-Type")).isEqualTo("application/json");
        assertThat(json.body()).isEqualTo("[]");
        byte[] bytes = Bytes.of("abc");
        Prepared copied = Prepared.of(Status.GONE, MediaType.OCTETS, bytes);
        bytes[0] = 'x';
        Received gone = sent(copied);
        assertThat(gone.status()).isEqualTo(410);
        assertThat(gone.body()).isEqualTo("abc");
        Received bodiless = sent(Prepared.of(Status.NOT_MODIFIED, MediaType.TEXT, bytes));
        assertThat(bodiless.status()).isEqualTo(304);
        assertThat(bodiless.body()).isEmpty();
    }

    /** It does not wait for the body, but what follows it is still found. */
    @Test
    void preparedAnswersBeforeTheBody() throws Exception {
        try (HttpRig rig = HttpRig.start(Prepared.text("early"));
                WireClient client = new WireClient(rig)) {
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
            assertThat(client.receive().body()).isEqualTo("early");
            client.send("defghij").get("/");
            assertThat(client.receive().body()).isEqualTo("early");
            client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").get("/");
            assertThat(client.receiveHead().field("Content-Length")).isEqualTo("5");
            assertThat(client.receive().body()).isEqualTo("early");
        }
    }
}
