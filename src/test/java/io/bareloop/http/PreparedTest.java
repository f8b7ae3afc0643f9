package io.bareloop.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.server.CpuSet;
import io.bareloop.server.HttpServer;
import io.bareloop.server.Setting;
import java.io.IOException;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Responses encoded once, as clients receive them. */
@Timeout(30)
class PreparedTest {
    @Test
    void isTextInUtf8() throws IOException {
        Answer reply = get(Prepared.text("Grüße"));
        assertThat(reply.statusLine()).isEqualTo("HTTP/1.1 200 OK");
        assertThat(reply.fields()).hasSize(4).element(0).isEqualTo("Server: B");
        assertThat(reply.fields()).element(1).asString().startsWith("Date: ");
        assertThat(reply.fields()).element(2).isEqualTo("Content-Type: text/plain; charset=utf-8");
        assertThat(reply.fields()).element(3).isEqualTo("Content-Length: 7");
        assertThat(reply.body().getBytes(ISO_8859_1)).isEqualTo("Grüße".getBytes(UTF_8));
    }

    @Test
    void isJson() throws IOException {
        Answer reply = get(Prepared.json("{\"a\":\"ü\"}"));
        assertThat(reply.field("Content-Type")).isEqualTo("application/json");
        assertThat(reply.body().getBytes(ISO_8859_1)).isEqualTo("{\"a\":\"ü\"}".getBytes(UTF_8));
    }

    @Test
    void isAnyStatusAndType() throws IOException {
        byte[] body = {0, 1, (byte) 0xFF, '\r', '\n'};
        Prepared prepared = Prepared.of(Status.NOT_FOUND, MediaType.of("image/png"), body);
        // It is a copy: the response does not change with the array.
        Arrays.fill(body, (byte) 'x');
        Answer reply = get(prepared);
        assertThat(reply.statusLine()).isEqualTo("HTTP/1.1 404 Not Found");
        assertThat(reply.field("Content-Type")).isEqualTo("image/png");
        assertThat(reply.body()).isEqualTo("\0\1\u00FF\r\n");
    }

    @Test
    void mayBeEmpty() throws IOException {
        Answer reply = get(Prepared.text(""));
        assertThat(reply.field("Content-Length")).isEqualTo("0");
        assertThat(reply.body()).isEmpty();
    }

    @Test
    void hasNoBodyWhereTheStatusHasNone() throws IOException {
        for (Status status : new Status[] {Status.NO_CONTENT, Status.NOT_MODIFIED}) {
            Prepared prepared = Prepared.of(status, MediaType.TEXT, new byte[] {'x'});
            try (HttpServer server = start(prepared);
                    Client client = Client.connect(server.port())) {
                client.send(Client.request("GET", "/").repeat(2));
                // Had the first a body, the second would not be a response.
                for (int i = 0; i < 2; i++) {
                    Answer reply = client.answer();
                    assertThat(reply.status()).isEqualTo(status.code());
                    assertThat(reply.has("Content-Length")).isFalse();
                    assertThat(reply.has("Content-Type")).isFalse();
                }
            }
        }
    }

    @Test
    void answersHeadWithoutItsBody() throws IOException {
        try (HttpServer server = start(Prepared.text("Hello"));
                Client client = Client.connect(server.port())) {
            Answer get = client.get("/");
            client.send(Client.request("HEAD", "/") + Client.request("GET", "/"));
            Answer head = client.answerToHead();
            assertThat(head.statusLine()).isEqualTo(get.statusLine());
            assertThat(head.field("Content-Length")).isEqualTo("5");
            assertThat(head.field("Content-Type")).isEqualTo(get.field("Content-Type"));
            // Had the body been sent, this would not be a response.
            assertThat(client.answer().body()).isEqualTo("Hello");
        }
    }

    /** Around the size of the loop's buffer, beyond which it is sent from where it stands. */
    @Test
    void isWholeAtAnySize() throws IOException {
        int buffer = 64 << 10;
        for (int size :
                new int[] {1, 100, buffer - 1000, buffer - 100, buffer, buffer + 1, 5_000_000}) {
            byte[] body = new byte[size];
            for (int i = 0; i < size; i++) {
                body[i] = (byte) (i * 31 + (i >> 8));
            }
            Prepared prepared = Prepared.of(Status.OK, MediaType.OCTETS, body);
            try (HttpServer server = start(prepared);
                    Client client = Client.connect(server.port())) {
                client.send(Client.request("GET", "/").repeat(3));
                for (int i = 0; i < 3; i++) {
                    Answer reply = client.answer();
                    assertThat(reply.field("Content-Length")).isEqualTo(String.valueOf(size));
                    assertThat(Arrays.equals(reply.body().getBytes(ISO_8859_1), body))
                            .as("body of %d bytes", size)
                            .isTrue();
                }
                client.send(Client.request("HEAD", "/", "Connection: close"));
                client.answerToHead();
                assertThat(client.read()).isEqualTo(-1);
            }
        }
    }

    /** It is not in the memory of the server that sends it first, and ends first. */
    @Test
    void serversMayShareIt() throws IOException {
        Prepared prepared = Prepared.text("shared");
        try (HttpServer other = start(prepared);
                Client second = Client.connect(other.port())) {
            try (HttpServer one = start(prepared);
                    Client first = Client.connect(one.port())) {
                for (int i = 0; i < 3; i++) {
                    assertThat(first.get("/").body()).isEqualTo("shared");
                    assertThat(second.get("/").body()).isEqualTo("shared");
                }
            }
            assertThat(second.get("/").body()).isEqualTo("shared");
        }
    }

    /** What was sent before must not show in what is sent next. */
    @Test
    void isTheSameWhateverWasSentBefore() throws IOException {
        Prepared one = Prepared.text("one");
        Prepared two = Prepared.of(Status.NOT_FOUND, MediaType.TEXT, new byte[] {'t', 'w', 'o'});
        Router router = Router.builder().get("/one", one).notFound(two).build();
        SplittableRandom random = new SplittableRandom(5);
        try (HttpServer server = start(router);
                Client client = Client.connect(server.port())) {
            for (int batch = 0; batch < 100; batch++) {
                StringBuilder requests = new StringBuilder();
                int[] kinds = random.ints(32, 0, 10).toArray();
                for (int kind : kinds) {
                    requests.append(
                            switch (kind) {
                                case 0 -> Client.request("HEAD", "/one");
                                case 1 -> "GET /one HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
                                case 2, 3 -> Client.request("GET", "/two");
                                default -> Client.request("GET", "/one");
                            });
                }
                client.send(requests.toString());
                for (int kind : kinds) {
                    Answer reply = kind == 0 ? client.answerToHead() : client.answer();
                    boolean second = kind == 2 || kind == 3;
                    assertThat(reply.status()).isEqualTo(second ? 404 : 200);
                    assertThat(reply.field("Content-Length")).isEqualTo("3");
                    assertThat(reply.has("Connection")).isEqualTo(kind == 1);
                    assertThat(reply.fields()).hasSize(kind == 1 ? 5 : 4);
                    assertThat(reply.body()).isEqualTo(kind == 0 ? "" : second ? "two" : "one");
                }
            }
            client.send(
                    Client.request("GET", "/one").repeat(3)
                            + Client.request("GET", "/one", "Connection: close"));
            for (int i = 0; i < 3; i++) {
                assertThat(client.answer().has("Connection")).isFalse();
            }
            assertThat(client.answer().field("Connection")).isEqualTo("close");
            assertThat(client.read()).isEqualTo(-1);
        }
    }

    @Test
    void saysTheSecondInWhichItIsSent() throws IOException {
        try (HttpServer server = start(Prepared.text("now"));
                Client client = Client.connect(server.port())) {
            Set<String> dates = new HashSet<>();
            while (dates.size() < 3) {
                long before = System.currentTimeMillis() / 1000;
                String date = client.get("/").field("Date");
                long said =
                        ZonedDateTime.parse(date, DateTimeFormatter.RFC_1123_DATE_TIME)
                                .toEpochSecond();
                // A turn has one time: what came in its course is answered with that.
                assertThat(said).isBetween(before - 1, System.currentTimeMillis() / 1000);
                dates.add(date);
            }
        }
    }

    private static Answer get(Handler handler) throws IOException {
        try (HttpServer server = start(handler);
                Client client = Client.connect(server.port())) {
            return client.get("/");
        }
    }

    private static HttpServer start(Handler handler) throws IOException {
        return HttpServer.builder()
                .listen("127.0.0.1", 0)
                .cpus(CpuSet.unpinned(1))
                .busyPoll(Setting.OFF)
                .handler(handler)
                .start();
    }
}
