package io.bareloop.http1;

import io.bareloop.http.ByteView;
import io.bareloop.http.Handler;
import io.bareloop.http.Limits;
import io.bareloop.http.MediaType;
import io.bareloop.http.Method;
import io.bareloop.http.Prepared;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Router;
import io.bareloop.http.Status;
import io.bareloop.http.StreamHandler;
import io.bareloop.rig.Bytes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Bytes that a client sends, and what the server has to make of them: a paragraph of a file in
 * {@code src/test/resources/corpus}, whose README.md describes the format.
 */
public final class CorpusCase {
    /** How a connection stands after a case. */
    public enum End {
        /** Open, and between requests: another request is answered. */
        NEXT,

        /** Open, in the middle of a request. */
        WAITS,

        /** Closed, as the client asked, with "Connection: close". */
        LAST,

        /** Closed by the server, with "Connection: close"; what still comes is discarded. */
        REFUSED,

        /** Closed by the server, and no response announced it. */
        CUT
    }

    /** What every case but an unfinished one is followed by. It must not be answered by mistake. */
    private static final String PROBE = "GET /next HTTP/1.1\r\nHost: n\r\n\r\n";

    private static final String PROBE_ANSWER = "200 GET /next []";

    private static final Path DIRECTORY = Path.of("src", "test", "resources", "corpus");

    /** A longer body is described in the answer, not repeated. */
    private static final int ECHOED_BYTES_MAX = 2000;

    private static final int MESSAGE_CHARS_MAX = 1000;
    private static final int BODY_BYTES_MAX = 1 << 20;

    private static final Pattern STATUS_LINE = Pattern.compile("HTTP/1\\.1 ([1-5]\\d\\d) ([ -~]+)");
    private static final Pattern FIELD =
            Pattern.compile("([A-Z][a-z]*(?:-[A-Z][a-z]*)*): ([!-~](?:[ -~]*[!-~])?)");
    private static final Pattern IMF_FIXDATE =
            Pattern.compile(
                    "(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \\d\\d"
                            + " (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
                            + " 20\\d\\d \\d\\d:\\d\\d:\\d\\d GMT");

    private final String file;
    private final String title;
    private final List<byte[]> parts;
    private final List<String> responses;
    private final End end;

    private CorpusCase(
            String file, String title, List<byte[]> parts, List<String> responses, End end) {
        this.file = file;
        this.title = title;
        this.parts = parts;
        this.responses = responses;
        this.end = end;
    }

    // ---- the application that the cases are written for

    /** The limits that the cases are written for: the same for both applications. */
    public static Limits limits() {
        return Limits.builder()
                .bodyBytesMax(BODY_BYTES_MAX)
                .streamedBytesMax(BODY_BYTES_MAX)
                .build();
    }

    /**
     * Answers with what it was asked, so that it is seen where one request ended and another began.
     *
     * @param streamed whether it takes bodies in pieces, which must make no difference
     */
    public static Handler application(boolean streamed) {
        Handler echo = streamed ? new StreamedEcho() : CorpusCase::echo;
        Router.Builder router =
                Router.builder()
                        .get("/", echo)
                        .get("/next", echo)
                        .get("/get", echo)
                        .post("/early", Prepared.text("early"))
                        .post("/first", new FirstByte());
        for (Method method : Method.values()) {
            if (method != Method.HEAD && method != Method.OPTIONS && method != Method.TRACE) {
                router.route(method, "/echo", echo);
            }
        }
        return router.build();
    }

    private static void echo(Request request, Response response) {
        answer(request, request.body().toByteArray(), response);
    }

    private static void answer(Request request, byte[] body, Response response) {
        String query = Bytes.toString(request.query().toByteArray());
        String text = Bytes.toString(body);
        if (body.length > ECHOED_BYTES_MAX) {
            text =
                    body.length
                            + " bytes from "
                            + text.charAt(0)
                            + " to "
                            + text.charAt(body.length - 1);
        }
        response.contentType(MediaType.TEXT)
                .body(
                        Bytes.of(
                                request.method()
                                        + " "
                                        + Bytes.toString(request.path().toByteArray())
                                        + (query.isEmpty() ? "" : "?" + query)
                                        + " ["
                                        + text
                                        + "]"));
    }

    /** The same, from a body that comes in pieces. */
    private static final class StreamedEcho implements StreamHandler {
        @Override
        public void begin(Request request, Response response) {
            request.attach(new ByteArrayOutputStream());
        }

        @Override
        public void piece(Request request, Response response, ByteView piece) {
            collected(request).writeBytes(piece.toByteArray());
        }

        @Override
        public void end(Request request, Response response) {
            answer(request, collected(request).toByteArray(), response);
        }

        private static ByteArrayOutputStream collected(Request request) {
            return (ByteArrayOutputStream) request.attachment();
        }
    }

    /** Answers with the first byte of a body, as soon as that is there. */
    private static final class FirstByte implements StreamHandler {
        @Override
        public void begin(Request request, Response response) {}

        @Override
        public void piece(Request request, Response response, ByteView piece) {
            response.contentType(MediaType.TEXT).body(new byte[] {piece.at(0)});
        }

        @Override
        public void end(Request request, Response response) {
            response.contentType(MediaType.TEXT).body("nothing");
        }
    }

    // ---- the files

    /** All cases of all files. */
    public static List<CorpusCase> all() {
        List<CorpusCase> cases = new ArrayList<>();
        try (Stream<Path> files = Files.list(DIRECTORY)) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith(".txt")).sorted().toList()) {
                read(file, cases);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return cases;
    }

    private static void read(Path file, List<CorpusCase> into) throws IOException {
        String name = Objects.requireNonNull(file.getFileName()).toString();
        String title = null;
        List<byte[]> parts = new ArrayList<>();
        List<String> responses = new ArrayList<>();
        StringBuilder part = new StringBuilder();
        int number = 0;
        for (String line : Files.readAllLines(file)) {
            number++;
            String at = name + ":" + number;
            if (line.isEmpty() || line.startsWith("#")) {
                if (title != null) {
                    throw new IllegalArgumentException(at + ": the case before has no end");
                }
            } else if (line.startsWith("= ")) {
                title = line.substring(2);
                parts = new ArrayList<>();
                responses = new ArrayList<>();
            } else if (title == null) {
                throw new IllegalArgumentException(at + ": a case begins with a title");
            } else if (line.startsWith("> ")) {
                part.append(line, 2, line.length());
            } else if (line.equals("...")) {
                parts.add(Bytes.of(unescape(part.toString(), at)));
                part.setLength(0);
            } else if (line.startsWith("< ")) {
                addResponse(unescape(line.substring(2), at), responses);
            } else {
                parts.add(Bytes.of(unescape(part.toString(), at)));
                part.setLength(0);
                End end = End.valueOf(line.toUpperCase(Locale.ROOT));
                into.add(new CorpusCase(name, title, parts, responses, end));
                title = null;
            }
        }
        if (title != null) {
            throw new IllegalArgumentException(name + ": the last case has no end");
        }
    }

    /** Adds a response, or several as in <code>*200 204</code>. */
    private static void addResponse(String text, List<String> to) {
        int times = 1;
        String response = text;
        if (text.startsWith("*")) {
            int space = text.indexOf(' ');
            times = Integer.parseInt(text, 1, space, 10);
            response = text.substring(space + 1);
        }
        for (int i = 0; i < times; i++) {
            to.add(response);
        }
    }

    /** Resolves escapes, and repetitions as in <code>{a*100}</code>. */
    private static String unescape(String text, String where) {
        StringBuilder plain = new StringBuilder();
        int repeated = -1;
        for (int at = 0; at < text.length(); at++) {
            char c = text.charAt(at);
            if (c == '{') {
                repeated = plain.length();
            } else if (c == '*' && repeated >= 0) {
                int close = text.indexOf('}', at);
                String unit = plain.substring(repeated);
                plain.setLength(repeated);
                plain.append(unit.repeat(Integer.parseInt(text, at + 1, close, 10)));
                at = close;
                repeated = -1;
            } else if (c == '\\') {
                at++;
                switch (text.charAt(at)) {
                    case 'r' -> plain.append('\r');
                    case 'n' -> plain.append('\n');
                    case 't' -> plain.append('\t');
                    case '0' -> plain.append('\0');
                    case '\\', '{', '*' -> plain.append(text.charAt(at));
                    case 'x' -> {
                        plain.append((char) Integer.parseInt(text, at + 1, at + 3, 16));
                        at += 2;
                    }
                    default -> throw new IllegalArgumentException(where + ": column " + at);
                }
            } else {
                plain.append(c);
            }
        }
        return plain.toString();
    }

    // ---- what is sent

    /** What the client sends, each part when it has heard all that the one before calls for. */
    public List<byte[]> parts() {
        return parts;
    }

    /** All that is sent: the case, and the probe where the case has come to an end. */
    public byte[] bytes() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        parts.forEach(bytes::writeBytes);
        bytes.writeBytes(probe());
        return bytes.toByteArray();
    }

    /** What follows the parts; empty where it would be taken for more of the case. */
    public byte[] probe() {
        return end == End.WAITS ? new byte[0] : Bytes.of(PROBE);
    }

    public End end() {
        return end;
    }

    /** Whether the server closes the connection by itself. */
    public boolean closes() {
        return end != End.NEXT && end != End.WAITS;
    }

    public String title() {
        return file + ": " + title;
    }

    @Override
    public String toString() {
        return title();
    }

    // ---- what is received

    /** Checks what came back for {@link #parts}, before the probe is sent. */
    public void checkParts(byte[] received, String how) {
        check(Bytes.toString(received), responses, true, how);
    }

    /**
     * Checks what came back for all of {@link #bytes}. Whether "100 Continue" is sent depends on
     * what has arrived by then, so that it is left out here.
     */
    public void check(byte[] received, String how) {
        check(Bytes.toString(received), expected(), false, how);
    }

    private List<String> expected() {
        List<String> expected = new ArrayList<>(responses);
        expected.removeIf("100"::equals);
        if (end == End.NEXT) {
            expected.add(PROBE_ANSWER);
        }
        return expected;
    }

    private void check(String received, List<String> expected, boolean interim, String how) {
        List<String> actual = new ArrayList<>();
        boolean closing = false;
        int at = 0;
        try {
            while (at < received.length()) {
                require(!closing, "a response behind Connection: close");
                int headEnd = received.indexOf("\r\n\r\n", at);
                require(headEnd > at, "an unfinished head");
                String[] lines = received.substring(at, headEnd).split("\r\n", -1);
                Matcher statusLine = STATUS_LINE.matcher(lines[0]);
                require(statusLine.matches(), "a malformed status line");
                int code = Integer.parseInt(statusLine.group(1));
                Map<String, String> fields = fields(lines);
                at = headEnd + 4;
                if (code < 200) {
                    require(
                            lines[0].equals("HTTP/1.1 100 Continue") && fields.isEmpty(),
                            "an interim response with more than a status line");
                    if (interim) {
                        actual.add("100");
                    }
                    continue;
                }
                Status status = Status.of(code);
                require(statusLine.group(2).equals(status.reason()), "another reason phrase");
                boolean toHead =
                        actual.size() < expected.size()
                                && expected.get(actual.size()).equals(code + " HEAD");
                int length = bodyLength(status, fields);
                String body = "";
                if (!toHead) {
                    require(at + length <= received.length(), "an unfinished body");
                    body = received.substring(at, at + length);
                    at += length;
                }
                closing = "close".equals(fields.get("Connection"));
                boolean keeping = "keep-alive".equals(fields.get("Connection"));
                actual.add(code + (keeping ? "+" : "") + described(status, toHead, body, fields));
            }
            require(actual.equals(expected), "other responses");
            // Before the probe nothing else can tell.
            require(closing == (end == End.LAST || end == End.REFUSED), "Connection: close");
        } catch (IllegalArgumentException e) {
            throw new AssertionError(
                    String.format(
                            "%s, sent %s: %s%nexpected: %s, %s%nreceived: %s%nas bytes: %s",
                            title(),
                            how,
                            e.getMessage(),
                            shortened(String.join(", ", expected)),
                            end,
                            shortened(String.join(", ", actual)),
                            shortened(received)),
                    e);
        }
    }

    private static Map<String, String> fields(String[] lines) {
        Map<String, String> fields = new HashMap<>();
        for (int i = 1; i < lines.length; i++) {
            Matcher field = FIELD.matcher(lines[i]);
            require(field.matches(), "a malformed field: " + lines[i]);
            String twin = fields.put(field.group(1), field.group(2));
            require(twin == null, "a second " + field.group(1));
        }
        return fields;
    }

    /** Checks the fields that every response has; returns Content-Length. */
    private static int bodyLength(Status status, Map<String, String> fields) {
        String date = fields.get("Date");
        require(date != null && IMF_FIXDATE.matcher(date).matches(), "no valid Date");
        require(!fields.containsKey("Transfer-Encoding"), "a chunked response");
        String connection = fields.get("Connection");
        require(
                connection == null || connection.equals("close") || connection.equals("keep-alive"),
                "another Connection");
        String length = fields.get("Content-Length");
        if (status.isBodiless()) {
            require(length == null, "a Content-Length where there is no body");
            return 0;
        }
        require(length != null && length.matches("0|[1-9]\\d{0,7}"), "no valid Content-Length");
        require(fields.containsKey("Content-Type"), "no Content-Type");
        return Integer.parseInt(length);
    }

    /** A space and the body, or nothing where it is what the status says by itself. */
    private static String described(
            Status status, boolean toHead, String body, Map<String, String> fields) {
        if (status.equals(Status.METHOD_NOT_ALLOWED)) {
            require(fields.containsKey("Allow"), "405 without Allow");
        }
        if (toHead) {
            return " HEAD";
        }
        require(status.code() < 400 || !body.isEmpty(), "an error without a body");
        String own = status.code() + " " + status.reason();
        boolean isOwn =
                body.equals(own + "\n")
                        || (status.equals(Status.METHOD_NOT_ALLOWED)
                                && body.startsWith(own + ": "));
        return body.isEmpty() || isOwn ? "" : " " + body;
    }

    private static void require(boolean condition, String otherwise) {
        if (!condition) {
            throw new IllegalArgumentException(otherwise);
        }
    }

    private static String shortened(String text) {
        int length = text.length();
        return length <= MESSAGE_CHARS_MAX
                ? Bytes.escape(text)
                : Bytes.escape(text.substring(0, MESSAGE_CHARS_MAX / 2))
                        + " ... of "
                        + length
                        + " ... "
                        + Bytes.escape(text.substring(length - MESSAGE_CHARS_MAX / 2));
    }
}
