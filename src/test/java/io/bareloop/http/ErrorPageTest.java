package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ErrorPageTest {
    private static final String HTML = "Accept: text/html,*/*;q=0.8";

    private static Answer send(Client client, String method, String path, String... fields)
            throws IOException {
        client.send(Client.request(method, path, fields));
        return method.equals("HEAD") ? client.answerToHead() : client.answer();
    }

    @Test
    void isAPageOrALine() throws IOException {
        ErrorPage page =
                ErrorPage.of(
                        Status.GONE,
                        Fields.NONE.with(HeaderName.CACHE_CONTROL, "no-cache"),
                        "<it> was sold");
        try (HttpRig rig = HttpRig.start(page);
                Client client = Client.connect(rig.port())) {
            Answer line = send(client, "GET", "/");
            assertThat(line.body()).isEqualTo("410 Gone: <it> was sold\n");
            assertThat(line.field("Content-Type")).isEqualTo("text/plain; charset=utf-8");
            Answer html = send(client, "GET", "/", "X: y", HTML);
            assertThat(html.body())
                    .startsWith("<!DOCTYPE html>\n<html lang=\"en\">")
                    .contains("<title>410 Gone</title>", "no longer there", "&lt;it&gt; was sold.")
                    .contains("width=device-width", "prefers-color-scheme: dark")
                    .doesNotContain("<script", "http:", "https:");
            assertThat(html.field("Content-Type")).isEqualTo("text/html; charset=utf-8");
            for (Answer reply : List.of(line, html, send(client, "HEAD", "/", HTML))) {
                assertThat(reply.status()).isEqualTo(410);
                assertThat(reply.field("Vary")).isEqualTo("Accept");
                assertThat(reply.field("Cache-Control")).isEqualTo("no-cache");
            }
            Answer split = send(client, "GET", "/", "Accept: a/b", "Accept: text/html");
            assertThat(split.body()).isEqualTo(html.body());
            client.send(Client.request("POST", "/", "Content-Length: 3", HTML) + "abc");
            assertThat(client.answer().body()).isEqualTo(html.body());
        }
    }

    @Test
    void routersHaveThem() throws IOException {
        Router router = Router.builder().post("/x", Prepared.text("x")).build();
        try (HttpRig rig = HttpRig.start(router);
                Client client = Client.connect(rig.port())) {
            assertThat(send(client, "GET", "/y").body()).isEqualTo("404 Not Found\n");
            assertThat(send(client, "GET", "/y", HTML).body()).contains("<h1>", "404");
            Answer line = send(client, "GET", "/x");
            assertThat(line.body()).isEqualTo("405 Method Not Allowed: POST, OPTIONS\n");
            Answer page = send(client, "GET", "/x", HTML);
            assertThat(page.status()).isEqualTo(405);
            assertThat(page.field("Allow")).isEqualTo("POST, OPTIONS");
            assertThat(page.body()).contains("<title>405 Method Not Allowed", "POST, OPTIONS.");
        }
    }

    @Test
    void textIsNoMarkup() {
        assertThat(HtmlPage.escape("a&<b>\"'é")).isEqualTo("a&amp;&lt;b&gt;&quot;&#39;é");
        assertThat(HtmlPage.of("</title><i>", "", "")).doesNotContain("<i>");
    }
}
