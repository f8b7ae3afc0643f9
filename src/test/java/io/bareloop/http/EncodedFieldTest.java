package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Values of fields that are more than ASCII: encoded as their RFC says, or refused. */
class EncodedFieldTest {
    private static final HeaderName X = HeaderName.of("X-Y");

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "a.txt | filename=\"a.txt\"",
                "two words (1).txt | filename=\"two words (1).txt\"",
                "Gr\u00fc\u00dfe.txt | filename=\"Gr__e.txt\";"
                        + " filename*=UTF-8''Gr%C3%BC%C3%9Fe.txt",
                "\u20ac rates | filename=\"_ rates\"; filename*=UTF-8''%E2%82%AC%20rates",
                "\ud83d\ude00 | filename=\"_\"; filename*=UTF-8''%F0%9F%98%80",
                "100%25.txt | filename=\"100_25.txt\"; filename*=UTF-8''100%2525.txt",
                "a\"b | filename=\"a_b\"; filename*=UTF-8''a%22b",
                "a;b='c* | filename=\"a;b='c*\"",
                "\u00e9;='* | filename=\"_;='*\"; filename*=UTF-8''%C3%A9%3B%3D%27%2A",
            })
    void fileNamesAreEncoded(String name, String value) throws Exception {
        try (HttpRig rig =
                        HttpRig.start((request, response) -> response.attachment(name).body("x"));
                Client client = Client.connect(rig.port())) {
            Answer received = client.get("/");
            assertThat(received.field("Content-Disposition")).isEqualTo("attachment; " + value);
            assertThat(received.body()).isEqualTo("x");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "a/b",
                "..\\b",
                "a\r\nX: y",
                "\0",
                "\u007f",
                "\u0085",
                "\ud83d",
                "\ude00x"
            })
    void whatIsNoFileNameIsRefused(String name) {
        assertThatThrownBy(() -> ContentDisposition.attachment(name))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageNotContaining("\r");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "/ | /",
                "/a?b=c&d=%20#e | /a?b=c&d=%20#e",
                "https://[::1]:80/~a,b;c@d!$'()*+ | https://[::1]:80/~a,b;c@d!$'()*+",
                "/gr\u00fc\u00df e | /gr%C3%BC%C3%9F%20e",
                "?q=\u20ac\ud83d\ude00 | ?q=%E2%82%AC%F0%9F%98%80",
                "/\\evil.example | /%5Cevil.example",
                "/<\">{}|^` | /%3C%22%3E%7B%7D%7C%5E%60",
                "100% | 100%",
            })
    void locationsAreEncoded(String uri, String location) throws Exception {
        // The delimiter is in one of them.
        String text = uri.startsWith("/<") ? "/<\">{}|^`" : uri;
        String expected = uri.startsWith("/<") ? "/%3C%22%3E%7B%7D%7C%5E%60" : location;
        try (HttpRig rig =
                        HttpRig.start(
                                (request, response) -> response.redirect(Status.FOUND, text));
                Client client = Client.connect(rig.port())) {
            for (int i = 0; i < 2; i++) {
                Answer received = client.get("/");
                assertThat(received.status()).isEqualTo(302);
                assertThat(received.field("Location")).isEqualTo(expected);
                assertThat(received.field("Content-Length")).isEqualTo("0");
                assertThat(received.closes()).isFalse();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "/a\r\nX: y", "/\0", "\t/", "/\u007f", "/\u0085", "/\ud83d", "\udead"})
    void whatIsNoUriIsRefused(String uri) throws Exception {
        Handler handler = (request, response) -> response.redirect(Status.FOUND, uri);
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            Answer received = client.get("/");
            assertThat(received.status()).isEqualTo(500);
            assertThat(received.has("Location")).isFalse();
            assertThat(rig.failures()).hasSize(1);
            assertThat(rig.failures().get(0)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void onlyStatusesThatRedirectDo() throws Exception {
        for (int code = 200; code < 600; code++) {
            Status status = Status.of(code);
            if (List.of(301, 302, 303, 307, 308).contains(code)) {
                Reply.checkRedirect(status);
            } else {
                assertThatThrownBy(() -> Reply.checkRedirect(status))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage(status + " does not redirect: take 301, 302, 303, 307 or 308");
            }
        }
    }

    /** Before anything is sent, and with what to do; not with the value, which may be hostile. */
    @Test
    void otherValuesAreRefusedWithAdvice() throws Exception {
        Handler handler =
                (request, response) -> {
                    assertThatThrownBy(() -> response.header(X, "gr\u00fc\u00df"))
                            .isInstanceOf(IllegalArgumentException.class)
                            .hasMessage(
                                    "X-Y: character U+00FC at index 2 cannot be sent: a field value"
                                            + " has visible ASCII, spaces and tabs only. Encode it"
                                            + " as the RFC of the field says: attachment() does so"
                                            + " for file names, redirect() for Location; many"
                                            + " others take percent-escapes in UTF-8");
                    assertThatThrownBy(() -> response.header(X, "a\r\nB: c"))
                            .isInstanceOf(IllegalArgumentException.class)
                            .hasMessage(
                                    "X-Y: character U+000D at index 1 cannot be sent: a field value"
                                            + " has visible ASCII, spaces and tabs only. Remove it:"
                                            + " a line break would begin another field");
                    assertThat(response.hasBegun()).isFalse();
                    response.header(X, "ok").body("");
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            assertThat(client.get("/").field("X-Y")).isEqualTo("ok");
            assertThat(rig.failures()).isEmpty();
        }
    }
}
