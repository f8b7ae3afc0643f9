package io.bareloop.app;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.bareloop.http.ByteView;
import io.bareloop.http.ErrorPage;
import io.bareloop.http.EventStream;
import io.bareloop.http.Fields;
import io.bareloop.http.FormReader;
import io.bareloop.http.Handler;
import io.bareloop.http.HeaderName;
import io.bareloop.http.HttpException;
import io.bareloop.http.MediaType;
import io.bareloop.http.Prepared;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Router;
import io.bareloop.http.Status;
import io.bareloop.http.StreamHandler;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;

/**
 * What {@code serve} serves. One per loop, so that its scratch memory needs no locks.
 *
 * <p>/plaintext and /json as the TechEmpower benchmarks define them: both responses are composed
 * for each request, and the JSON is serialised for each. /baseline11 and /pipeline are those of the
 * HttpArena benchmarks.
 */
final class Demo {
    /** Targets without side effects, to warm up with. */
    static final List<String> WARM_UP =
            List.of("/plaintext", "/json", "/pipeline", "/baseline11?a=1&b=2", "/nowhere");

    /** As the servers that it is measured against have it, byte for byte. */
    private static final MediaType PLAIN = MediaType.of("text/plain");

    private static final Prepared HELLO = Prepared.of(Status.OK, PLAIN, ascii("Hello, World!"));
    private static final byte[] PIPELINED = ascii("ok");
    private static final ErrorPage NOT_FOUND =
            ErrorPage.of(
                    Status.NOT_FOUND,
                    Fields.NONE,
                    "there are GET /plaintext, /json, /sse, /pipeline, /baseline11?a=1&b=2; POST"
                            + " /echo, /baseline11",
                    """
                    <p>This server demonstrates Bareloop. It answers here:</p>
                    <ul>
                    <li><a href="/plaintext">/plaintext</a> <span class="soft">hello</span></li>
                    <li><a href="/json">/json</a> <span class="soft">the same as JSON</span></li>
                    <li><a href="/sse">/sse</a> <span class="soft">the time, each second</span></li>
                    <li><a href="/pipeline">/pipeline</a> <span class="soft">two letters</span></li>
                    <li><a href="/baseline11?a=1&amp;b=2">/baseline11?a=1&amp;b=2</a>
                    <span class="soft">a sum; also by POST</span></li>
                    <li>/echo <span class="soft">by POST: what was sent</span></li>
                    </ul>
                    """);
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final MemorySegment json = Arena.ofAuto().allocate(256);
    private final MemorySegment number = Arena.ofAuto().allocate(32);
    private final FormReader form = new FormReader();

    private Demo() {}

    /** Returns the application of one loop. */
    static Handler newApplication() {
        Demo demo = new Demo();
        return Router.builder()
                .get("/plaintext", HELLO)
                .get("/json", (request, response) -> demo.json(response))
                .get("/pipeline", (request, response) -> pipeline(response))
                .get("/baseline11", demo::baseline)
                .post("/baseline11", demo::baseline)
                .post("/echo", new Echo())
                .get("/sse", (request, response) -> clock(response))
                .notFound(NOT_FOUND)
                .build();
    }

    private void json(Response response) {
        int length = JsonMessage.write("Hello, World!", json);
        response.contentType(MediaType.JSON).body(json, 0, length);
    }

    private static void pipeline(Response response) {
        response.contentType(PLAIN).body(PIPELINED);
    }

    /** The sum of all numbers in the query and, where there is a body, of the number in it. */
    private void baseline(Request request, Response response) {
        long sum = 0;
        form.start(request.query());
        while (form.next()) {
            sum += number(form.value());
        }
        if (!request.body().isEmpty()) {
            sum += number(request.body());
        }
        response.contentType(PLAIN).body(number, 0, writeDecimal(sum, number));
    }

    private static void clock(Response response) {
        EventStream[] stream = new EventStream[1];
        stream[0] =
                EventStream.open(
                        response,
                        SECOND,
                        () ->
                                stream[0].send(
                                        "time",
                                        Instant.now().truncatedTo(ChronoUnit.SECONDS).toString()));
    }

    /** The decimal number, with a sign or without, that is all of {@code text}. */
    private static long number(ByteView text) {
        boolean negative = text.length() > 1 && text.at(0) == '-';
        long number = 0;
        int digits = 0;
        for (int i = negative ? 1 : 0; i < text.length(); i++) {
            int digit = text.at(i) - '0';
            digits++;
            if (digit < 0 || digit > 9 || digits > 18) {
                throw new HttpException(Status.BAD_REQUEST, "not a number");
            }
            number = number * 10 + digit;
        }
        if (digits == 0) {
            throw new HttpException(Status.BAD_REQUEST, "not a number");
        }
        return negative ? -number : number;
    }

    /** Writes {@code number} at the front of {@code to}; returns its length. */
    private static int writeDecimal(long number, MemorySegment to) {
        int digits = 1;
        for (long left = number / 10; left != 0; left /= 10) {
            digits++;
        }
        int sign = number < 0 ? 1 : 0;
        long left = number;
        for (int at = sign + digits - 1; at >= sign; at--) {
            to.set(JAVA_BYTE, at, (byte) ('0' + Math.abs(left % 10)));
            left /= 10;
        }
        if (sign == 1) {
            to.set(JAVA_BYTE, 0, (byte) '-');
        }
        return sign + digits;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** Sends the body back as it comes, with its Content-Type. */
    private static final class Echo implements StreamHandler {
        /** The head waits for the body: a client may be waiting for "100 Continue" first. */
        @Override
        public void begin(Request request, Response response) {}

        @Override
        public void piece(Request request, Response response, ByteView piece) {
            beginOnce(request, response);
            response.write(piece);
        }

        @Override
        public void end(Request request, Response response) {
            beginOnce(request, response);
            response.end();
        }

        private static void beginOnce(Request request, Response response) {
            if (response.hasBegun()) {
                return;
            }
            ByteView type = request.header(HeaderName.CONTENT_TYPE);
            if (type == null) {
                response.contentType(MediaType.OCTETS);
            } else {
                response.header(HeaderName.CONTENT_TYPE, type);
            }
            if (request.contentLength() >= 0) {
                response.stream(request.contentLength());
            } else {
                response.stream();
            }
        }
    }
}
