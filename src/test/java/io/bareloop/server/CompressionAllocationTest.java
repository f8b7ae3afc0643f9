package io.bareloop.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.ByteView;
import io.bareloop.http.Compression;
import io.bareloop.http.Fields;
import io.bareloop.http.Handler;
import io.bareloop.http.HeaderName;
import io.bareloop.http.Limits;
import io.bareloop.http.MediaType;
import io.bareloop.http.Prepared;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Status;
import io.bareloop.http.StreamHandler;
import io.bareloop.rig.Answer;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.Client;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Responses that are compressed allocate nothing on the loop, once all is compiled. */
@Timeout(120)
class CompressionAllocationTest {
    private static final int WINDOW = 10_000;
    private static final int DEPTH = 4;

    /** C2 may have to wait for a CPU of its own; windows are measured until it has come. */
    private static final long COMPILED_NANOS_MAX = 30_000_000_000L;

    private static final com.sun.management.ThreadMXBean THREADS =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static final byte[] BODY = Bytes.of("{\"answer\": 42, \"all\": true}, ".repeat(100));
    private static final MemorySegment MEMORY = Bytes.nativeSegment(BODY);

    private static final Fields FIELDS =
            Fields.NONE
                    .with(MediaType.JSON)
                    .with(HeaderName.CACHE_CONTROL, "no-cache")
                    .with(HeaderName.of("ETag"), "W/\"7\"");

    private static final Prepared PREPARED = Prepared.of(Status.OK, FIELDS, BODY);

    private static final String[] BROWSER = {
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101",
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "Accept-Encoding: gzip, deflate, br, zstd",
        "Connection: keep-alive"
    };

    enum Kind {
        ARRAY,
        MEMORY,
        PREPARED,
        PREPARED_WITH_FIELDS,
        STREAM
    }

    @ParameterizedTest
    @EnumSource
    void compressedResponsesAllocateNothing(Kind kind) throws IOException {
        Handler handler =
                switch (kind) {
                    case ARRAY -> (request, response) -> response.fields(FIELDS).body(BODY);
                    case MEMORY ->
                            (request, response) ->
                                    response.fields(FIELDS).body(MEMORY, 0, BODY.length);
                    case PREPARED -> PREPARED;
                    case PREPARED_WITH_FIELDS ->
                            (request, response) ->
                                    response.always(HeaderName.CACHE_CONTROL, "private")
                                            .send(PREPARED);
                    case STREAM ->
                            (request, response) -> {
                                response.fields(FIELDS).stream().write(BODY);
                                response.write(MEMORY, 0, BODY.length);
                                response.end();
                            };
                };
        byte[] batch = Bytes.of(Client.request("GET", "/", BROWSER).repeat(DEPTH));
        try (HttpServer server = start(handler);
                Client client = Client.connect(server.port())) {
            int length = lengthOfReplies(client, batch);
            assertThat(
                            least(
                                    WINDOW / DEPTH,
                                    () -> {
                                        client.send(batch);
                                        client.skip(length);
                                    }))
                    .as(kind.name().toLowerCase(Locale.ROOT))
                    .isZero();
        }
    }

    private static int lengthOfReplies(Client client, byte[] batch) throws IOException {
        client.send(batch);
        int length = 0;
        for (int i = 0; i < DEPTH; i++) {
            Answer answer = client.answer();
            assertThat(answer.field("Content-Encoding")).isEqualTo("gzip");
            length += answer.statusLine().length() + 4 + answer.body().length();
            length += answer.fields().stream().mapToInt(field -> field.length() + 2).sum();
            if (answer.has("Transfer-Encoding")) {
                length += "0\r\n\r\n".length();
                for (int chunk : answer.chunks()) {
                    length += Integer.toHexString(chunk).length() + 4;
                }
            }
        }
        return length;
    }

    /** Answers each piece of the body at once: what is written in a turn leaves with it. */
    private static final class Conversation implements StreamHandler {
        @Override
        public void begin(Request request, Response response) {
            response.contentType(MediaType.TEXT).stream();
        }

        @Override
        public void piece(Request request, Response response, ByteView piece) {
            response.write(BODY);
            response.write(piece);
        }

        @Override
        public void end(Request request, Response response) {
            response.end();
        }
    }

    @Test
    void whatLeavesPieceByPieceAllocatesNothing() throws IOException {
        byte[] piece = Bytes.of("10\r\n0123456789abcdef\r\n");
        try (HttpServer server = start(new Conversation());
                Client client = Client.connect(server.port())) {
            client.send(
                    Client.request(
                            "POST", "/", "Accept-Encoding: gzip", "Transfer-Encoding: chunked"));
            assertThat(client.head().field("Content-Encoding")).isEqualTo("gzip");
            assertThat(
                            least(
                                    WINDOW,
                                    () -> {
                                        client.send(piece);
                                        assertThat(client.chunk()).isNotEmpty();
                                    }))
                    .isZero();
        }
    }

    private static HttpServer start(Handler handler) throws IOException {
        return HttpServer.builder()
                .listen("127.0.0.1", 0)
                .cpus(CpuSet.unpinned(1))
                .busyPoll(Setting.OFF)
                .limits(Limits.builder().streamedBytesMax(1L << 40).build())
                .compression(Compression.defaults())
                .handler(handler)
                .start();
    }

    private interface Batch {
        void run() throws IOException;
    }

    /** The least that a window made the loop's thread allocate, in bytes. */
    private static long least(int window, Batch batch) throws IOException {
        long loop = loopThread();
        long least = Long.MAX_VALUE;
        long deadline = System.nanoTime() + COMPILED_NANOS_MAX;
        while (least > 0 && System.nanoTime() - deadline < 0) {
            long before = THREADS.getThreadAllocatedBytes(loop);
            assertThat(before).isPositive();
            for (int i = 0; i < window; i++) {
                batch.run();
            }
            least = Math.min(least, THREADS.getThreadAllocatedBytes(loop) - before);
        }
        return least;
    }

    private static long loopThread() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("bareloop-0"))
                .findAny()
                .orElseThrow()
                .threadId();
    }
}
