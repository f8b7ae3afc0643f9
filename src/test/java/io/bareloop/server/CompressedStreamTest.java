package io.bareloop.server;

import static io.bareloop.server.Compressing.BODY;
import static io.bareloop.server.Compressing.GZIP;
import static io.bareloop.server.Compressing.TEXT;
import static io.bareloop.server.Compressing.assertCompressed;
import static io.bareloop.server.Compressing.assertCompressedOf;
import static io.bareloop.server.Compressing.assertPlain;
import static io.bareloop.server.Compressing.get;
import static io.bareloop.server.Compressing.start;
import static io.bareloop.server.Compressing.streaming;
import static io.bareloop.server.Compressing.text;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.Blocking;
import io.bareloop.http.Compression;
import io.bareloop.http.EventStream;
import io.bareloop.http.Handler;
import io.bareloop.http.MediaType;
import io.bareloop.http.Prepared;
import io.bareloop.http.Response;
import io.bareloop.http.Router;
import io.bareloop.http.Status;
import io.bareloop.rig.Answer;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.Client;
import io.bareloop.rig.Gunzip;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Streams are compressed, over sockets: what is written leaves with its turn, and all comes back.
 */
@Timeout(60)
class CompressedStreamTest {
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 100})
    void streamsAreCompressed(int pieces) throws IOException {
        try (HttpServer server = start(streaming(pieces));
                Client client = Client.connect(server.port())) {
            client.send(Client.request("GET", "/", GZIP).repeat(3));
            for (int i = 0; i < 3; i++) {
                assertCompressed(client.answer(), TEXT.repeat(pieces));
            }
        }
    }

    /** HTTP/1.0 has the end of the connection for the end of the stream. */
    @Test
    void oldClientsGetThemToo() throws IOException {
        try (HttpServer server = start(streaming(3));
                Client client = Client.connect(server.port())) {
            client.send("GET / HTTP/1.0\r\n" + GZIP + "\r\n\r\n");
            String all = client.untilEnd();
            int end = all.indexOf("\r\n\r\n") + 4;
            assertThat(all.substring(0, end)).contains("Content-Encoding: gzip");
            assertThat(Gunzip.text(all.substring(end))).isEqualTo(TEXT.repeat(3));
        }
    }

    @Test
    void anAnnouncedLengthStays() throws IOException {
        Handler handler =
                (request, response) -> {
                    text(response).stream(BODY.length).write(BODY);
                    response.end();
                };
        try (HttpServer server = start(handler)) {
            Answer answer = get(server, "/", GZIP);
            assertPlain(answer, TEXT);
            assertThat(answer.has("Vary")).isFalse();
        }
    }

    /** Whoever writes leaves, when the turn is over: nothing waits for the next piece. */
    @Test
    void eventsComeOneByOne() throws Exception {
        BlockingQueue<EventStream> streams = new LinkedBlockingQueue<>();
        Handler handler =
                (request, response) ->
                        streams.add(EventStream.open(response, Duration.ofSeconds(60)));
        try (HttpServer server = start(handler);
                Client client = Client.connect(server.port())) {
            client.send(Client.request("GET", "/", GZIP));
            EventStream stream = streams.poll(10, TimeUnit.SECONDS);
            assertThat(client.head().field("Content-Encoding")).isEqualTo("gzip");
            StringBuilder received = new StringBuilder();
            for (int i = 0; i < 20; i++) {
                String event = "event " + i;
                stream.execute(() -> stream.send(null, event));
                received.append(client.chunk());
                assertThat(Gunzip.begun(received.toString()))
                        .isEqualTo(events(i))
                        .endsWith("data: event " + i + "\n\n");
            }
            stream.execute(stream::end);
            String chunk = client.chunk();
            assertThat(chunk).isNotEmpty();
            assertThat(client.chunk()).isEmpty();
            assertThat(Gunzip.text(received + chunk)).isEqualTo(events(19));
        }
    }

    private static String events(int last) {
        StringBuilder events = new StringBuilder();
        for (int i = 0; i <= last; i++) {
            events.append("data: event ").append(i).append("\n\n");
        }
        return events.toString();
    }

    /** Deflaters are bounded; the next stream goes out as it is, and one that ends makes room. */
    @Test
    void streamsAreBounded() throws Exception {
        BlockingQueue<EventStream> streams = new LinkedBlockingQueue<>();
        Handler handler =
                (request, response) -> {
                    EventStream stream = EventStream.open(response, Duration.ofSeconds(60));
                    stream.send(null, "begun");
                    streams.add(stream);
                };
        try (HttpServer server = start(handler, Compression.builder().streamsMax(2).build());
                Client first = Client.connect(server.port());
                Client second = Client.connect(server.port());
                Client third = Client.connect(server.port());
                Client fourth = Client.connect(server.port())) {
            for (Client client : List.of(first, second, third)) {
                client.send(Client.request("GET", "/", GZIP));
                Answer head = client.head();
                assertThat(head.has("Content-Encoding")).isEqualTo(client != third);
                assertThat(head.values("Vary")).containsExactly("Accept-Encoding");
            }
            assertThat(third.chunk()).isEqualTo("data: begun\n\n");
            EventStream lost = streams.poll(10, TimeUnit.SECONDS);
            // The client leaves: what it held is free again.
            first.reset();
            while (!lost.isGone()) {
                Thread.sleep(5);
            }
            fourth.send(Client.request("GET", "/", GZIP));
            assertThat(fourth.head().field("Content-Encoding")).isEqualTo("gzip");
            assertThat(Gunzip.begun(fourth.chunk())).isEqualTo("data: begun\n\n");
        }
    }

    /** A client that reads slowly gets all of it; the handler goes on where it may write. */
    @Test
    void backPressureHolds() throws IOException {
        byte[] noise = new byte[200_000];
        new Random(2).nextBytes(noise);
        int pieces = 50;
        Handler handler =
                (request, response) -> {
                    text(response).stream();
                    int[] left = {pieces};
                    Runnable more =
                            () -> {
                                while (response.isWritable() && left[0] > 0) {
                                    response.write(noise);
                                    left[0]--;
                                }
                                if (left[0] == 0) {
                                    response.end();
                                }
                            };
                    response.onWritable(more);
                    more.run();
                };
        try (HttpServer server = start(handler);
                Client client = Client.connect(server.port(), 4096)) {
            client.send(Client.request("GET", "/", GZIP));
            assertCompressedOf(client.answer(), Bytes.toString(noise).repeat(pieces));
        }
    }

    /** What becomes next to nothing fills no buffer: the loop is there for others all the same. */
    @Test
    void muchInOneTurnGoesOnInTheNext() throws IOException {
        MemorySegment zeros = Arena.global().allocate(64 << 10);
        int pieces = 400;
        int[] turns = {0};
        Handler handler =
                (request, response) -> {
                    text(response).stream();
                    int[] left = {pieces};
                    Runnable more =
                            () -> {
                                turns[0]++;
                                while (response.isWritable() && left[0] > 0) {
                                    response.write(zeros, 0, 64 << 10);
                                    left[0]--;
                                }
                                if (left[0] == 0) {
                                    response.end();
                                }
                            };
                    response.onWritable(more);
                    more.run();
                };
        try (HttpServer server = start(handler);
                Client client = Client.connect(server.port())) {
            client.send(Client.request("GET", "/", GZIP));
            assertCompressedOf(client.answer(), "\0".repeat(pieces * (64 << 10)));
            assertThat(turns[0]).isGreaterThanOrEqualTo(pieces / 4);
        }
    }

    /** What others call on a stream leaves too, in its own turn. */
    @Test
    void whatOthersWriteLeaves() throws Exception {
        BlockingQueue<Response> open = new LinkedBlockingQueue<>();
        Router router =
                Router.builder()
                        .get("/open", (request, response) -> open.add(text(response).stream()))
                        .get(
                                "/say",
                                (request, response) -> {
                                    open.peek().write(BODY);
                                    response.body(new byte[0]);
                                })
                        .build();
        try (HttpServer server = start(router);
                Client client = Client.connect(server.port())) {
            client.send(Client.request("GET", "/open", GZIP));
            client.head();
            assertThat(open.peek()).isNotNull();
            get(server, "/say");
            assertThat(Gunzip.begun(client.chunk())).isEqualTo(TEXT);
        }
    }

    /** A thread that writes as it likes, with an end of its own or not. */
    @ParameterizedTest
    @ValueSource(ints = {1, 100, 50_000, 3_000_000})
    void whatThreadsWriteIsCompressed(int pieceBytes) throws IOException {
        byte[] piece = Bytes.of(TEXT.repeat(400).substring(0, pieceBytes));
        Handler handler =
                Blocking.streaming(
                        (request, exchange) -> {
                            exchange.contentType(MediaType.TEXT);
                            try (OutputStream out = exchange.stream()) {
                                for (int i = 0; i < 20; i++) {
                                    out.write(piece);
                                    out.flush();
                                }
                            }
                        });
        try (HttpServer server = start(handler)) {
            assertCompressedOf(get(server, "/", GZIP), Bytes.toString(piece).repeat(20));
        }
    }

    /** A log says what went over the wire. */
    @ParameterizedTest
    @ValueSource(strings = {"/whole", "/prepared", "/stream"})
    void theBytesOfTheBodyAreThoseSent(String path) throws Exception {
        BlockingQueue<Long> bytes = new LinkedBlockingQueue<>();
        Router router =
                Router.builder()
                        .get("/whole", (request, response) -> text(response).body(BODY))
                        .get("/prepared", Prepared.of(Status.OK, MediaType.TEXT, BODY))
                        .get("/stream", streaming(3))
                        .build();
        try (HttpServer server =
                Compressing.builder(router)
                        .compression(Compression.defaults())
                        .onCompletion(completion -> bytes.add(completion.bodyBytes()))
                        .start()) {
            Answer answer = get(server, path, GZIP);
            assertThat(answer.has("Content-Encoding")).isTrue();
            assertThat(bytes.poll(10, TimeUnit.SECONDS)).isEqualTo(answer.body().length());
        }
    }
}
