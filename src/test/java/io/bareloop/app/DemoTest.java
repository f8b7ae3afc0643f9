package io.bareloop.app;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.server.CpuSet;
import io.bareloop.server.HttpServer;
import io.bareloop.server.Setting;
import java.io.IOException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What serve serves, on the wire. */
@Timeout(30)
class DemoTest {
    private static final String DATE =
            "(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3][0-9] [A-Z][a-z][a-z] 20[0-9][0-9]"
                    + " [0-2][0-9]:[0-5][0-9]:[0-6][0-9] GMT";

    private HttpServer server;
    private Client client;

    @BeforeEach
    void start() throws IOException {
        server =
                HttpServer.builder()
                        .listen("127.0.0.1", 0)
                        .cpus(CpuSet.unpinned(2))
                        .busyPoll(Setting.OFF)
                        .handlerPerLoop(Demo::newApplication)
                        .start();
        client = Client.connect(server.port());
    }

    @AfterEach
    void close() throws IOException {
        client.close();
        server.close();
    }

    /** The reference's bytes on the wire are these 146. */
    @Test
    void jsonIs146Bytes() throws IOException {
        client.send(Client.request("GET", "/json", "Connection: keep-alive"));
        assertThat(new String(client.exactly(146), ISO_8859_1))
                .matches(
                        "HTTP/1\\.1 200 OK\r\nServer: B\r\nDate: "
                                + DATE
                                + "\r\nContent-Type: application/json\r\nContent-Length: 27"
                                + "\r\n\r\n\\{\"message\":\"Hello, World!\"\\}");
        assertThat(client.isSilentFor(50)).isTrue();
    }

    @Test
    void plaintextIsExactlyThis() throws IOException {
        client.send(Client.request("GET", "/plaintext"));
        assertThat(new String(client.exactly(126), ISO_8859_1))
                .matches(
                        "HTTP/1\\.1 200 OK\r\nServer: B\r\nDate: "
                                + DATE
                                + "\r\nContent-Type: text/plain\r\nContent-Length: 13"
                                + "\r\n\r\nHello, World!");
        assertThat(client.isSilentFor(50)).isTrue();
    }

    @Test
    void theQueryIsNoPartOfThePath() throws IOException {
        assertThat(client.get("/json?a=b").status()).isEqualTo(200);
        assertThat(client.get("/plaintext?").body()).isEqualTo("Hello, World!");
        assertThat(client.get("http://any.example/plaintext").status()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/json", "/plaintext"})
    void headHasTheFieldsOfGet(String path) throws IOException {
        Answer get = client.get(path);
        client.send(Client.request("HEAD", path));
        Answer head = client.answerToHead();
        assertThat(head.statusLine()).isEqualTo(get.statusLine());
        assertThat(head.field("Content-Length")).isEqualTo(get.field("Content-Length"));
        assertThat(head.field("Content-Type")).isEqualTo(get.field("Content-Type"));
        assertThat(client.get(path).status()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/JSON", "/json/", "/jsonx", "/plaintex", "/%6Ason", "//json"})
    void anyOtherPathIsNotFound(String path) throws IOException {
        Answer reply = client.get(path);
        assertThat(reply.statusLine()).isEqualTo("HTTP/1.1 404 Not Found");
        assertThat(reply.field("Content-Type")).isEqualTo("text/plain; charset=utf-8");
        assertThat(reply.body())
                .isEqualTo(
                        "404 Not Found: there are GET /plaintext, /json, /sse, /pipeline,"
                                + " /baseline11?a=1&b=2; POST /echo, /baseline11\n");
        assertThat(client.get("/json").status()).isEqualTo(200);
    }

    @Test
    void browsersAreShownPages() throws IOException {
        String html = "Accept: text/html,application/xhtml+xml,*/*;q=0.8";
        client.send(Client.request("GET", "/", html));
        Answer notFound = client.answer();
        assertThat(notFound.status()).isEqualTo(404);
        assertThat(notFound.field("Content-Type")).isEqualTo("text/html; charset=utf-8");
        assertThat(notFound.field("Vary")).isEqualTo("Accept");
        assertThat(notFound.body()).contains("<title>404 Not Found</title>");
        Matcher links = Pattern.compile("<a href=\"([^\"]*)\"").matcher(notFound.body());
        int count = 0;
        while (links.find()) {
            String path = links.group(1).replace("&amp;", "&");
            // The event stream never ends; that it is there is tested below.
            if (!path.equals("/sse")) {
                assertThat(client.get(path).status()).as(path).isEqualTo(200);
            }
            count++;
        }
        assertThat(count).isEqualTo(5);
        client.send(Client.request("DELETE", "/json", html));
        Answer notAllowed = client.answer();
        assertThat(notAllowed.status()).isEqualTo(405);
        assertThat(notAllowed.field("Allow")).isEqualTo("GET, HEAD, OPTIONS");
        assertThat(notAllowed.body()).contains("<title>405 Method Not Allowed</title>");
    }

    @ParameterizedTest
    @ValueSource(strings = {"POST", "PUT", "DELETE", "PATCH", "TRACE"})
    void anyOtherMethodIsNotAllowed(String method) throws IOException {
        for (String path : new String[] {"/json", "/plaintext"}) {
            client.send(Client.request(method, path));
            Answer reply = client.answer();
            assertThat(reply.statusLine()).isEqualTo("HTTP/1.1 405 Method Not Allowed");
            assertThat(reply.field("Allow")).isEqualTo("GET, HEAD, OPTIONS");
            assertThat(reply.body()).isEqualTo("405 Method Not Allowed: GET, HEAD, OPTIONS\n");
        }
        assertThat(client.get("/json").status()).isEqualTo(200);
    }

    @Test
    void aBodyThatNobodyReadsIsSkipped() throws IOException {
        String body = Client.request("GET", "/smuggled");
        client.send(
                Client.request("POST", "/json", "Content-Length: " + body.length())
                        + body
                        + Client.request("GET", "/plaintext"));
        assertThat(client.answer().status()).isEqualTo(405);
        assertThat(client.answer().body()).isEqualTo("Hello, World!");
        assertThat(client.isSilentFor(50)).isTrue();
    }

    @Test
    void itsResponsesKeepTheirOrder() throws IOException {
        String three =
                Client.request("GET", "/json")
                        + Client.request("GET", "/nowhere")
                        + Client.request("GET", "/plaintext");
        client.send(three.repeat(200));
        for (int i = 0; i < 200; i++) {
            assertThat(client.answer().body()).isEqualTo("{\"message\":\"Hello, World!\"}");
            assertThat(client.answer().status()).isEqualTo(404);
            assertThat(client.answer().body()).isEqualTo("Hello, World!");
        }
    }

    @Test
    void headOfTheEventStreamEnds() throws IOException {
        client.send(
                Client.request("HEAD", "/sse")
                        + Client.request("GET", "/json", "Connection: close"));
        assertThat(client.untilEnd())
                .contains("text/event-stream")
                .endsWith("{\"message\":\"Hello, World!\"}");
    }
}
