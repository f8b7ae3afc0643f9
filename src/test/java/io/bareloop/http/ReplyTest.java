package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Responses as values, and the prepared ones. */
@Timeout(60)
class ReplyTest {
    private static final HeaderName X = HeaderName.of("X-Y");

    private static Answer sent(Handler handler) throws Exception {
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            client.ask("/").ask("/");
            Answer first = client.answer();
            Answer second = client.answer();
            assertThat(second.statusLine()).isEqualTo(first.statusLine());
            assertThat(second.body()).isEqualTo(first.body());
            return first;
        }
    }

    private static Answer sent(Reply reply) throws Exception {
        return sent((request, response) -> response.send(reply));
    }

    @Test
    void isTextInUtf8() throws Exception {
        Answer received = sent(Reply.text("gr\u00fc\u00df"));
        assertThat(received.status()).isEqualTo(200);
        assertThat(received.field("Content-Type")).isEqualTo("text/plain; charset=utf-8");
        assertThat(received.body()).isEqualTo("gr\u00c3\u00bc\u00c3\u009f");
        assertThat(received.field("Content-Length")).isEqualTo("6");
    }

    @Test
    void isJson() throws Exception {
        Answer received = sent(Reply.json("{\"a\":\"\u00e9\"}"));
        assertThat(received.field("Content-Type")).isEqualTo("application/json");
        assertThat(received.body()).isEqualTo("{\"a\":\"\u00c3\u00a9\"}");
    }

    @Test
    void hasStatusFieldsAndBody() throws Exception {
        Answer received =
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
        Answer empty = sent(Reply.of(Status.OK));
        assertThat(empty.field("Content-Length")).isEqualTo("0");
        assertThat(empty.has("Content-Type")).isFalse();
        Answer bodiless = sent(Reply.of(Status.NO_CONTENT).header(X, "1"));
        assertThat(bodiless.has("Content-Length")).isFalse();
        assertThat(bodiless.field("X-Y")).isEqualTo("1");
    }

    @Test
    void refusesFieldsThatAreNotAllowed() {
        Reply reply = Reply.text("a");
        for (String value : new String[] {"a\r\nB: c", "\u00e9", "\0"}) {
            assertThatThrownBy(() -> reply.header(X, value))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("X-Y: character U+");
        }
        assertThatThrownBy(() -> reply.header(HeaderName.of("Content-Length"), "1"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Content-Length is written by the server");
    }

    @Test
    void hasCookiesAndLocationsAndFileNames() throws Exception {
        Answer received =
                sent(
                        Reply.redirect(Status.SEE_OTHER, "/gr\u00fc\u00df e")
                                .cookie(Cookie.builder("a", "b").path("/").build())
                                .cookie(Cookie.expire("c").build())
                                .attachment("a.txt"));
        assertThat(received.status()).isEqualTo(303);
        assertThat(received.body()).isEmpty();
        assertThat(received.fields())
                .containsSubsequence(
                        "Location: /gr%C3%BC%C3%9F%20e",
                        "Set-Cookie: a=b; Path=/",
                        "Set-Cookie: c=; Max-Age=0",
                        "Content-Disposition: attachment; filename=\"a.txt\"");
        assertThatThrownBy(() -> Reply.redirect(Status.OK, "/"))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void preparedIsSentAsItIs() throws Exception {
        Answer text = sent(Prepared.text("\u00e9"));
        assertThat(text.field("Content-Type")).isEqualTo("text/plain; charset=utf-8");
        assertThat(text.body()).isEqualTo("\u00c3\u00a9");
        Answer json = sent(Prepared.json("[]"));
        assertThat(json.field("Content-Type")).isEqualTo("application/json");
        assertThat(json.body()).isEqualTo("[]");
        byte[] bytes = Bytes.of("abc");
        Prepared copied = Prepared.of(Status.GONE, MediaType.OCTETS, bytes);
        bytes[0] = 'x';
        Answer gone = sent(copied);
        assertThat(gone.status()).isEqualTo(410);
        assertThat(gone.body()).isEqualTo("abc");
        Answer bodiless = sent(Prepared.of(Status.NOT_MODIFIED, MediaType.TEXT, bytes));
        assertThat(bodiless.status()).isEqualTo(304);
        assertThat(bodiless.body()).isEmpty();
    }

    /** It does not wait for the body, but what follows it is still found. */
    @Test
    void preparedAnswersBeforeTheBody() throws Exception {
        try (HttpRig rig = HttpRig.start(Prepared.text("early"));
                Client client = Client.connect(rig.port())) {
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
            assertThat(client.answer().body()).isEqualTo("early");
            client.send("defghij").ask("/");
            assertThat(client.answer().body()).isEqualTo("early");
            client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").ask("/");
            assertThat(client.answerToHead().field("Content-Length")).isEqualTo("5");
            assertThat(client.answer().body()).isEqualTo("early");
        }
    }
}
