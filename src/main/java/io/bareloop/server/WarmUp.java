package io.bareloop.server;

import io.bareloop.http.MediaType;
import io.bareloop.http.Prepared;
import io.bareloop.http.Router;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * What a server did before it listened, for the JVM to compile what it runs on.
 *
 * @param requests how many were answered; none of them is in the server's counts
 * @param time how long that took
 */
public record WarmUp(long requests, Duration time) {
    private static final WarmUp NONE = new WarmUp(0, Duration.ZERO);

    /** Requests sent in one piece: pipelining takes other ways through the code than one alone. */
    private static final int BATCH = 16;

    private static final int ANSWER_TIMEOUT_MILLIS = 2000;
    private static final String FIELDS = " HTTP/1.1\r\nHost: 127.0.0.1\r\n";
    private static final String BROWSER_FIELDS =
            FIELDS
                    + "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101\r\n"
                    + "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
                    + "Accept-Language: en-GB,en;q=0.5\r\n"
                    + "Accept-Encoding: gzip, deflate, br\r\n"
                    + "Cookie: session=0123456789abcdef0123456789abcdef\r\n"
                    + "Connection: keep-alive\r\n";

    /**
     * Looks at what is asked for.
     *
     * @throws IllegalArgumentException as of {@link HttpServer.Builder#warmUp(Duration, List)}
     */
    static void check(Duration time, List<String> targets) {
        if (!time.isZero()
                && (time.compareTo(Duration.ofMillis(10)) < 0
                        || time.compareTo(Duration.ofSeconds(60)) > 0)) {
            throw new IllegalArgumentException(
                    "warm-up of " + time.toMillis() + " ms; it must be 0, or 10 to 60000");
        }
        for (String target : targets) {
            if (!target.startsWith("/") || !target.chars().allMatch(c -> c > ' ' && c < 127)) {
                throw new IllegalArgumentException("not a request target: \"" + target + "\"");
            }
        }
    }

    /**
     * Serves requests as a server of that configuration would, for its time of warming up. Where
     * that cannot be done, says so and returns: a server can do without.
     */
    static WarmUp run(Configuration configuration) {
        if (configuration.warmUpTime.isZero()) {
            return NONE;
        }
        long start = System.nanoTime();
        long end = start + configuration.warmUpTime.toNanos();
        List<String> targets = configuration.warmUpTargets;
        HttpServer.Builder own = configuration.forWarmUp();
        List<byte[]> requests = new ArrayList<>();
        if (targets.isEmpty()) {
            own.handler(handler());
            requests.add(ascii("GET /prepared" + FIELDS + "\r\n"));
            requests.add(ascii("GET /composed?a=1" + BROWSER_FIELDS + "\r\n"));
            requests.add(ascii("POST /body" + FIELDS + "Content-Length: 5\r\n\r\nhello"));
            requests.add(ascii("GET /users/17" + FIELDS + "\r\n"));
            requests.add(ascii("GET /nowhere" + FIELDS + "\r\n"));
        }
        for (String target : targets) {
            requests.add(ascii("GET " + target + FIELDS + "\r\n"));
            requests.add(ascii("GET " + target + BROWSER_FIELDS + "\r\n"));
        }
        long answered = 0;
        try (HttpServer server = own.start();
                Socket one = connect(server);
                Socket other = connect(server)) {
            Answers ofOne = new Answers(one.getInputStream());
            Answers ofOther = new Answers(other.getInputStream());
            // Each at least once, also where the start took all of the time.
            for (int i = 0; i < requests.size() || System.nanoTime() - end < 0; i++) {
                if (Thread.currentThread().isInterrupted()) {
                    // So the start that follows will find, and say.
                    break;
                }
                byte[] request = requests.get(i % requests.size());
                // Two that are ready together take another way than one alone.
                one.getOutputStream().write(request);
                other.getOutputStream().write(request);
                ofOne.take(1);
                ofOther.take(1);
                one.getOutputStream().write(repeated(request));
                ofOne.take(BATCH);
                answered += 2 + BATCH;
            }
        } catch (IOException | IllegalStateException e) {
            if (!Thread.currentThread().isInterrupted()) {
                configuration.log.line("warm-up ended early: " + e.getMessage());
            }
        }
        return new WarmUp(answered, Duration.ofNanos(System.nanoTime() - start));
    }

    private static Socket connect(HttpServer server) throws IOException {
        Socket socket = new Socket(server.address().getAddress(), server.port());
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(ANSWER_TIMEOUT_MILLIS);
        return socket;
    }

    /** Not the application's: what a handler does may be seen elsewhere. */
    private static Router handler() {
        byte[] text = ascii("composed for this request");
        return Router.builder()
                .get("/prepared", Prepared.text("Hello, World!"))
                .get(
                        "/composed",
                        (request, response) -> response.contentType(MediaType.JSON).body(text))
                .get(
                        "/users/{id}",
                        (request, response) ->
                                response.contentType(MediaType.TEXT).body(request.parameter("id")))
                .post(
                        "/body",
                        (request, response) ->
                                response.contentType(MediaType.OCTETS).body(request.body()))
                .build();
    }

    private static byte[] repeated(byte[] request) {
        byte[] batch = new byte[request.length * BATCH];
        for (int i = 0; i < BATCH; i++) {
            System.arraycopy(request, 0, batch, i * request.length, request.length);
        }
        return batch;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** Counts answers off a stream by their Content-Length. */
    private static final class Answers {
        private static final byte[] CONTENT_LENGTH = ascii("content-length:");

        private final InputStream in;
        private final byte[] buffer = new byte[1 << 16];
        private int from;
        private int to;

        Answers(InputStream in) {
            this.in = in;
        }

        void take(int count) throws IOException {
            for (int i = 0; i < count; i++) {
                for (int left = head(); left > 0; ) {
                    fill();
                    int taken = Math.min(left, to - from);
                    from += taken;
                    left -= taken;
                }
            }
        }

        /** Reads a head; returns its Content-Length. Makes no garbage: the heap stays small. */
        private int head() throws IOException {
            int length = -1;
            while (true) {
                // How many bytes of this line have been those of the name; -1: it is another.
                int matched = 0;
                int bytes = 0;
                int number = 0;
                for (byte b = next(); b != '\n'; b = next()) {
                    bytes += b == '\r' ? 0 : 1;
                    if (matched == CONTENT_LENGTH.length) {
                        number = b >= '0' && b <= '9' ? number * 10 + b - '0' : number;
                    } else {
                        matched =
                                matched >= 0 && (b | ' ') == CONTENT_LENGTH[matched]
                                        ? matched + 1
                                        : -1;
                    }
                }
                if (matched == CONTENT_LENGTH.length) {
                    length = number;
                } else if (bytes == 0) {
                    break;
                }
            }
            if (length < 0) {
                throw new IOException("an answer without Content-Length");
            }
            return length;
        }

        private byte next() throws IOException {
            fill();
            return buffer[from++];
        }

        private void fill() throws IOException {
            if (from < to) {
                return;
            }
            int received = in.read(buffer);
            if (received < 0) {
                throw new EOFException("the connection was closed");
            }
            from = 0;
            to = received;
        }
    }
}
