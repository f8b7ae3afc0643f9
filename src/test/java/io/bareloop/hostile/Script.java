package io.bareloop.hostile;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.bareloop.http.Status;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * Makes requests at random, each with what it may be answered. The random numbers of a connection
 * decide all of it.
 */
final class Script {
    /** What a request is for. */
    enum Purpose {
        /** Anything that is answered soon. */
        ANY,
        /**
         * More bytes of response than the kernel takes from a server whose client does not read.
         */
        LARGE,
        /** A response that others write, or that comes later. */
        LIVE,
        /** A request with a body. */
        UPLOAD
    }

    private static final Set<HandlerKind> LARGES =
            EnumSet.of(
                    HandlerKind.LARGE,
                    HandlerKind.NATIVE,
                    HandlerKind.NATIVE_CLOSED,
                    HandlerKind.STREAM,
                    HandlerKind.SIZED,
                    HandlerKind.FLOOD,
                    HandlerKind.FILE);
    private static final Set<HandlerKind> LIVES =
            EnumSet.of(
                    HandlerKind.EVENTS,
                    HandlerKind.HOLD,
                    HandlerKind.SUSPEND,
                    HandlerKind.OTHER_THREAD,
                    HandlerKind.RACE,
                    HandlerKind.BLOCKING);
    private static final Set<HandlerKind> UPLOADS =
            EnumSet.of(
                    HandlerKind.BLOCKING,
                    HandlerKind.COLLECT,
                    HandlerKind.ECHO,
                    HandlerKind.ECHO_BLOCKING,
                    HandlerKind.FAIL,
                    HandlerKind.FORM,
                    HandlerKind.PAUSE,
                    HandlerKind.UPLOAD);

    /** HEAD is asked of these too, which answer it as they answer GET. */
    private static final Set<HandlerKind> HEADS =
            EnumSet.of(
                    HandlerKind.FILE,
                    HandlerKind.HOLD,
                    HandlerKind.LARGE,
                    HandlerKind.NATIVE,
                    HandlerKind.PREPARED,
                    HandlerKind.SIZED,
                    HandlerKind.STREAM,
                    HandlerKind.SUSPEND,
                    HandlerKind.WHOLE);

    private static final int[] STATUSES = {403, 404, 409, 410, 422, 429, 503};

    private final SplittableRandom random;
    private final Set<String> without;
    private final String connection;
    private int requests;

    /**
     * Creates the script of one connection.
     *
     * @param without names of kinds, places and troubles that are left out
     * @param connection what its markers begin with
     */
    Script(SplittableRandom random, Set<String> without, String connection) {
        this.random = random;
        this.without = without;
        this.connection = connection;
    }

    String marker() {
        return connection + "-" + requests++ + "-" + Long.toHexString(random.nextLong());
    }

    // ---- what to ask for

    Ask next(Purpose purpose) {
        List<HandlerKind> kinds = new ArrayList<>();
        for (HandlerKind kind : HandlerKind.values()) {
            boolean suits =
                    switch (purpose) {
                        case ANY -> true;
                        case LARGE -> LARGES.contains(kind);
                        case LIVE -> LIVES.contains(kind);
                        case UPLOAD -> UPLOADS.contains(kind);
                    };
            if (suits && !without.contains(kind.name())) {
                kinds.add(kind);
            }
        }
        if (kinds.isEmpty()) {
            return whole();
        }
        HandlerKind kind = kinds.get(random.nextInt(kinds.size()));
        boolean large = purpose == Purpose.LARGE;
        boolean upload = purpose == Purpose.UPLOAD;
        return switch (kind) {
            case AFTER_END, HOARD, INTERRUPT, NAP, POKE, POKE_ENDED, RACE, WHOLE, WRONG_LOOP ->
                    sized(kind, size(2_000), "&later=" + coin() + "&first=" + coin());
            case BLOCKING -> upload || coin() != 0 ? upload(kind) : blocking();
            case COLLECT, ECHO, ECHO_BLOCKING, PAUSE, UPLOAD -> upload(kind);
            case EVENTS, EVENTS_HEAD -> events(kind);
            case FAIL -> fail(upload);
            case FILE -> file(large);
            case FLOOD -> sized(kind, 300_000 + random.nextInt(1_700_000), "").may(Ask.Way.CUT);
            case FORM -> form();
            case HOLD -> sized(kind, size(20_000), "&chunked=" + coin());
            case HTTP_EXCEPTION -> httpException();
            case LARGE -> sized(kind, 60_000 + random.nextInt(240_000), "");
            case NATIVE -> nativeMemory();
            case NATIVE_CLOSED -> nativeClosed();
            case NATIVE_CLOSED_ELSEWHERE ->
                    sized(kind, 70_000 + random.nextInt(300_000), "").may(Ask.Way.CUT).error(500);
            case NOTHING -> get(kind, "").error(500);
            case OTHER_THREAD -> sized(kind, size(2_000), "&stream=" + coin());
            case PREPARED -> prepared();
            case QUERY -> query();
            case SHORT_STREAM -> sized(kind, size(40_000), "").may(Ask.Way.ALWAYS_CUT);
            case SIZED, STREAM ->
                    sized(kind, large ? 100_000 + random.nextInt(300_000) : size(100_000), "");
            case SUSPEND -> suspend();
        };
    }

    private int coin() {
        return random.nextInt(2);
    }

    /** Small as a rule. */
    private int size(int max) {
        return random.nextInt(1 + (random.nextInt(3) == 0 ? max : max / 20));
    }

    private Ask ask(HandlerKind kind) {
        return new Ask(kind.name(), marker());
    }

    private String target(Ask ask, HandlerKind kind, String query) {
        return "/" + kind.segment() + "/" + ask.marker() + (query.isEmpty() ? "" : "?" + query);
    }

    private Ask get(HandlerKind kind, String query) {
        return get(ask(kind), kind, query);
    }

    private Ask get(Ask ask, HandlerKind kind, String query) {
        return ask.bytes(head(method(kind), target(ask, kind, query), kind, ""), new byte[0]);
    }

    private String method(HandlerKind kind) {
        return kind == HandlerKind.EVENTS_HEAD || (HEADS.contains(kind) && random.nextInt(10) == 0)
                ? "HEAD"
                : "GET";
    }

    private String head(String method, String target, HandlerKind kind, String fields) {
        // In HTTP/1.0 the end of the connection may end a body, and a body that is cut off then
        // looks whole.
        boolean tells =
                kind != HandlerKind.FAIL
                        && kind != HandlerKind.SHORT_STREAM
                        && kind != HandlerKind.FLOOD;
        String version = tells && random.nextInt(15) == 0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n";
        if (version.equals(" HTTP/1.0\r\n") && fields.contains("Transfer-Encoding")) {
            version = " HTTP/1.1\r\n";
        }
        StringBuilder head = new StringBuilder(method).append(' ').append(target).append(version);
        head.append("Host: hostile\r\n").append(fields);
        for (int i = random.nextInt(4); i > 1; i--) {
            String noise = MarkedBytes.letters(random.nextLong(), 1 + random.nextInt(200));
            head.append("X-Noise-").append(i).append(": ").append(noise).append("\r\n");
        }
        if (random.nextInt(12) == 0) {
            head.append(coin() == 0 ? "Connection: close\r\n" : "Connection: keep-alive\r\n");
        }
        return head.append("\r\n").toString();
    }

    /** Of which the response is so many of the marker's bytes. */
    private Ask sized(HandlerKind kind, int size, String more) {
        Ask ask = ask(kind);
        long key = MarkedBytes.key(ask.marker());
        return get(ask, kind, "n=" + size + more).answer(200, () -> BodyCheck.marked(key, 0, size));
    }

    /** What a server has to answer in any state. */
    Ask whole() {
        return sized(HandlerKind.WHOLE, size(2_000), "");
    }

    private Ask prepared() {
        int index = random.nextInt(HostileHandler.PREPARED_COUNT);
        byte[] body = HostileHandler.preparedBytes(index);
        long key = MarkedBytes.key("prepared " + index);
        return get(HandlerKind.PREPARED, "index=" + index)
                .may(Ask.Way.UNMARKED)
                .answer(200, () -> BodyCheck.marked(key, 0, body.length));
    }

    private Ask nativeMemory() {
        int at = random.nextInt(HostileHandler.NATIVE_BYTES / 2);
        int size = random.nextInt(HostileHandler.NATIVE_BYTES / 2);
        long key = MarkedBytes.key(HostileHandler.NATIVE_NAME);
        return get(HandlerKind.NATIVE, "at=" + at + "&n=" + size)
                .answer(200, () -> BodyCheck.marked(key, at, size));
    }

    private Ask nativeClosed() {
        int size = 70_000 + random.nextInt(300_000);
        if (coin() == 0) {
            // Behind what is unsent nobody looks at the memory before the head is on its way.
            return sized(HandlerKind.NATIVE_CLOSED, size, "&before=1")
                    .may(Ask.Way.ALWAYS_CUT)
                    .error(500);
        }
        return sized(HandlerKind.NATIVE_CLOSED, size, "").may(Ask.Way.CUT);
    }

    private Ask suspend() {
        int size = 1 + size(4_000);
        int first = coin() == 0 ? 0 : random.nextInt(size);
        return sized(HandlerKind.SUSPEND, size, "&pause=" + random.nextInt(60) + "&first=" + first);
    }

    private Ask events(HandlerKind kind) {
        Ask ask = ask(kind);
        return get(ask, kind, "n=" + (1 + random.nextInt(6)) + "&at-once=" + coin())
                .answer(200, () -> BodyCheck.events(ask.marker()));
    }

    private Ask file(boolean large) {
        List<MarkedFiles.MarkedFile> files = MarkedFiles.FILES;
        int from = large ? files.size() - 3 : 0;
        MarkedFiles.MarkedFile file = files.get(from + random.nextInt(files.size() - from));
        Ask ask = ask(HandlerKind.FILE).may(Ask.Way.UNMARKED);
        String range = "";
        if (file.size() > 0 && random.nextInt(3) == 0) {
            int first = random.nextInt(file.size());
            int last = first + random.nextInt(file.size() - first);
            range = "Range: bytes=" + first + "-" + last + "\r\n";
            int length = last - first + 1;
            ask.answer(206, () -> BodyCheck.marked(file.key(), first, length));
        }
        String head =
                head(method(HandlerKind.FILE), "/file/" + file.name(), HandlerKind.FILE, range);
        return ask.bytes(head, new byte[0])
                .answer(200, () -> BodyCheck.marked(file.key(), 0, file.size()));
    }

    private Ask httpException() {
        int status = STATUSES[random.nextInt(STATUSES.length)];
        Ask ask = ask(HandlerKind.HTTP_EXCEPTION);
        String text = status + " " + Status.of(status).reason() + ": " + ask.marker() + "\n";
        return get(ask, HandlerKind.HTTP_EXCEPTION, "status=" + status)
                .answer(status, () -> BodyCheck.text(text));
    }

    private Ask query() {
        Ask ask = ask(HandlerKind.QUERY);
        String value = MarkedBytes.letters(MarkedBytes.key(ask.marker()), size(4_000));
        String pad = MarkedBytes.letters(random.nextLong(), random.nextInt(2_000));
        String text = HostileHandler.digest(ask.marker(), value.getBytes(ISO_8859_1));
        return get(ask, HandlerKind.QUERY, "pad=" + pad + "&value=" + value + "&+%41=%42")
                .answer(200, () -> BodyCheck.text(text));
    }

    // ---- requests with bodies

    private Ask blocking() {
        Ask ask = ask(HandlerKind.BLOCKING);
        String text = HostileHandler.digest(ask.marker(), new byte[0]);
        return get(ask, HandlerKind.BLOCKING, "sleep=" + random.nextInt(20))
                .answer(200, () -> BodyCheck.text(text));
    }

    Ask upload(HandlerKind kind) {
        return upload(kind, size(random.nextInt(20) == 0 ? 240_000 : 30_000));
    }

    /** With a body of {@code size} bytes of the marker's. */
    Ask upload(HandlerKind kind, int size) {
        Ask ask = ask(kind);
        long key = MarkedBytes.key(ask.marker());
        byte[] body = MarkedBytes.of(key, 0, size);
        post(ask, kind, "sleep=" + random.nextInt(10), body, "");
        if (kind == HandlerKind.ECHO || kind == HandlerKind.ECHO_BLOCKING) {
            return ask.answer(200, () -> BodyCheck.marked(key, 0, size));
        }
        String text = HostileHandler.digest(ask.marker(), body);
        return ask.answer(200, () -> BodyCheck.text(text));
    }

    private Ask form() {
        Ask ask = ask(HandlerKind.FORM);
        String value = MarkedBytes.letters(MarkedBytes.key(ask.marker()), size(100_000));
        String pad = MarkedBytes.letters(random.nextLong(), random.nextInt(120_000));
        String text = HostileHandler.digest(ask.marker(), value.getBytes(ISO_8859_1));
        String form = "pad=" + pad + "&value=" + value + "&and=%41+%42";
        return post(
                        ask,
                        HandlerKind.FORM,
                        "",
                        form.getBytes(ISO_8859_1),
                        "Content-Type: application/x-www-form-urlencoded\r\n")
                .answer(200, () -> BodyCheck.text(text));
    }

    private Ask post(Ask ask, HandlerKind kind, String query, byte[] body, String fields) {
        boolean chunked = coin() == 0;
        String framing =
                chunked
                        ? "Transfer-Encoding: chunked\r\n"
                        : "Content-Length: " + body.length + "\r\n";
        boolean expects = random.nextInt(5) == 0;
        String more = fields + framing + (expects ? "Expect: 100-continue\r\n" : "");
        String head = head("POST", target(ask, kind, query), kind, more);
        return ask.bytes(head, chunked ? chunks(body) : body);
    }

    private byte[] chunks(byte[] body) {
        ByteArrayOutputStream framed = new ByteArrayOutputStream(body.length + 100);
        int sizeMax = 2 << random.nextInt(15);
        for (int at = 0; at < body.length; ) {
            int size =
                    Math.min(
                            body.length - at,
                            Math.max(body.length / 500, 1 + random.nextInt(sizeMax)));
            String extension = random.nextInt(8) == 0 ? ";a=\"b\"" : "";
            framed.writeBytes(
                    (Integer.toHexString(size) + extension + "\r\n").getBytes(ISO_8859_1));
            framed.write(body, at, size);
            framed.writeBytes("\r\n".getBytes(ISO_8859_1));
            at += size;
        }
        String trailer = coin() == 0 ? "" : "X-Trailer: t\r\n";
        framed.writeBytes(("0\r\n" + trailer + "\r\n").getBytes(ISO_8859_1));
        return framed.toByteArray();
    }

    // ---- failures

    private Ask fail(boolean upload) {
        List<Place> places = new ArrayList<>();
        for (Place place : Place.values()) {
            if (place != Place.AT_ABORT
                    && place != Place.AT_ABORTED
                    && !without.contains(place.name())
                    && (!upload || place.needsBody())) {
                places.add(place);
            }
        }
        return places.isEmpty() ? whole() : fail(places.get(random.nextInt(places.size())));
    }

    Ask fail(Place place) {
        List<Trouble> troubles = new ArrayList<>();
        for (Trouble trouble : Trouble.values()) {
            if (!without.contains(trouble.name())) {
                troubles.add(trouble);
            }
        }
        if (troubles.isEmpty()
                || without.contains(place.name())
                || without.contains(HandlerKind.FAIL.name())) {
            return whole();
        }
        Trouble trouble = troubles.get(random.nextInt(troubles.size()));
        Ask ask = new Ask("FAIL " + place + " " + trouble, marker());
        long key = MarkedBytes.key(ask.marker());
        int size = size(place == Place.AT_WRITABLE ? 2_000_000 : 100_000);
        int stream = coin();
        String query =
                "place=" + place + "&trouble=" + trouble + "&n=" + size + "&stream=" + stream;
        if (place.needsBody()) {
            byte[] body = MarkedBytes.of(key, 0, 1 + size(20_000));
            return post(ask, HandlerKind.FAIL, query, body, "").error(500);
        }
        get(ask, HandlerKind.FAIL, query);
        return switch (place) {
            case AT_ABORT -> ask.may(Ask.Way.UNANSWERED);
            case AT_EXECUTE ->
                    ask.may(Ask.Way.ALWAYS_CUT).answer(200, () -> BodyCheck.events(ask.marker()));
            case AT_LATE ->
                    ask.error(500)
                            .may(Ask.Way.CUT)
                            .may(Ask.Way.LAST)
                            .answer(200, () -> BodyCheck.marked(key, 0, size));
            case AT_MIDWAY, AT_WRITABLE ->
                    ask.error(500)
                            .may(Ask.Way.ALWAYS_CUT)
                            .answer(200, () -> BodyCheck.marked(key, 0, size));
            case AT_TICK ->
                    stream == 0
                            ? ask.error(500)
                            : ask.may(Ask.Way.ALWAYS_CUT)
                                    .answer(200, () -> BodyCheck.marked(key, 0, 0));
            default -> ask.error(500);
        };
    }

    // ---- what no client should send

    /** Too much of something. */
    Ask oversized() {
        Ask ask = new Ask("OVERSIZED", marker());
        String long1 = MarkedBytes.letters(random.nextLong(), 9_000);
        String begin = "GET /whole/" + ask.marker() + " HTTP/1.1\r\nHost: hostile\r\n";
        return switch (random.nextInt(6)) {
            case 0 ->
                    ask.error(414)
                            .bytes(
                                    "GET /whole/" + long1 + " HTTP/1.1\r\nHost: a\r\n\r\n",
                                    new byte[0]);
            case 1 ->
                    ask.error(431)
                            .bytes(
                                    begin + ("X-Large: " + long1 + "\r\n").repeat(3) + "\r\n",
                                    new byte[0]);
            case 2 -> ask.error(431).bytes(begin + "X: y\r\n".repeat(101) + "\r\n", new byte[0]);
            case 3 -> tooLarge(ask, HandlerKind.COLLECT, HostileServer.BODY_BYTES_MAX);
            case 4 -> tooLarge(ask, HandlerKind.UPLOAD, HostileServer.STREAMED_BYTES_MAX);
            default -> tooLarge(ask, HandlerKind.BLOCKING, HostileServer.BODY_BYTES_MAX);
        };
    }

    private Ask tooLarge(Ask ask, HandlerKind kind, int max) {
        byte[] body = new byte[max + 1 + random.nextInt(max)];
        return post(ask, kind, "", body, "").error(413);
    }

    private record Malformed(String text, List<Integer> statuses) {
        Malformed(String text, Integer... statuses) {
            this(text, List.of(statuses));
        }
    }

    private static final String POST =
            "POST /collect/MARKER HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    private static final List<Malformed> MALFORMED =
            List.of(
                    new Malformed("GET /whole/MARKER HTTP/1.1\r\n\r\n", 400),
                    new Malformed("GET /whole/MARKER HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
                    new Malformed("GET /whole/MARKER HTTP/1.1\r\nHost: a\r\nNo colon\r\n\r\n", 400),
                    new Malformed("GET /whole/MARKER HTTP/1.1\r\nHost : a\r\n\r\n", 400),
                    new Malformed("GET /whole/MARKER HTTP/1.1\r\nHost: a\r\n fold\r\n\r\n", 400),
                    new Malformed("GET /whole/MARKER HTTP/1.1\r\nHost: a\0b\r\n\r\n", 400),
                    new Malformed("GET /whole/MARKER HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400),
                    new Malformed("GET  /whole/MARKER HTTP/1.1\r\nHost: a\r\n\r\n", 400),
                    new Malformed("GET /whole/MARKER\r\n\r\n", 400),
                    new Malformed("GET /whole/MARKER HTTP/3.0\r\nHost: a\r\n\r\n", 400, 505),
                    new Malformed("PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n", 400, 405, 501),
                    new Malformed("\0\1\2\3\r\n\r\n", 400),
                    new Malformed("\r\n\r\n\r\n\u00ff\u00fe\r\n\r\n", 400),
                    new Malformed(
                            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
                                    + "Content-Length: 2\r\n\r\nab",
                            400),
                    new Malformed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1x\r\n\r\na", 400),
                    new Malformed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\na", 400),
                    new Malformed(
                            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                                    + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                            400),
                    new Malformed(
                            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
                            400,
                            501),
                    new Malformed(POST + "zz\r\n", 400),
                    new Malformed(POST + "3\r\nabcd\r\n0\r\n\r\n", 400),
                    new Malformed(POST + "fffffffffffffffff\r\nabc", 400, 413));

    Ask malformed() {
        Malformed one = MALFORMED.get(random.nextInt(MALFORMED.size()));
        Ask ask = new Ask("MALFORMED", marker());
        for (int status : one.statuses()) {
            ask.error(status);
        }
        return ask.bytes(one.text().replace("MARKER", ask.marker()), new byte[0]);
    }

    /** A request whose head takes 9,000 bytes. */
    Ask longHead() {
        Ask ask = new Ask("LONG_HEAD", marker());
        long key = MarkedBytes.key(ask.marker());
        String head =
                "GET /whole/"
                        + ask.marker()
                        + "?n=100 HTTP/1.1\r\nHost: hostile\r\nX-Long: "
                        + MarkedBytes.letters(key, 9_000)
                        + "\r\n\r\n";
        return ask.bytes(head, new byte[0])
                .error(408)
                .answer(200, () -> BodyCheck.marked(key, 0, 100));
    }
}
