package io.bareloop.hostile;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** Reads responses off a {@link Wire}, strictly; what is none is {@link Astray}. */
final class AnswerReader {
    private static final int STALL_MILLIS_MAX = 15_000;
    private static final int HEAD_BYTES_MAX = 20_000;
    private static final Pattern STATUS_LINE = Pattern.compile("HTTP/1\\.1 [1-5][0-9][0-9] [ -~]+");
    private static final Pattern FIELD =
            Pattern.compile("[A-Za-z][A-Za-z0-9-]*: [!-~](?:[\\t -~]*[!-~])?");

    private final Wire wire;
    private final Tally tally;
    private final byte[] buffer = new byte[16 << 10];
    private int at;
    private int end;

    // Of the response at hand.
    private int status;
    private List<String> fields = List.of();

    AnswerReader(Wire wire, Tally tally) {
        this.wire = wire;
        this.tally = tally;
    }

    /** Thrown where the connection comes to its end, or to a stop, in the midst of something. */
    private static final class Ended extends Exception {
        private static final long serialVersionUID = 1L;
        private final boolean stalled;

        Ended(boolean stalled) {
            super(null, null, false, false);
            this.stalled = stalled;
        }
    }

    /** Reads the response to {@code ask}. */
    Answer read(Ask ask) throws IOException {
        boolean begun = false;
        BodyCheck check = null;
        status = 0;
        try {
            begun = fill();
            if (!begun) {
                return new Answer(Answer.Fate.NONE, 0, true, null);
            }
            head();
            while (status == 100) {
                if (!ask.expectsContinue() || !fields.isEmpty()) {
                    throw new Astray("100 where nobody waits: " + fields);
                }
                status = 0;
                begun = fill();
                if (!begun) {
                    return new Answer(Answer.Fate.NONE, 0, true, null);
                }
                head();
            }
            checkFields(ask);
            check = ask.check(status);
            boolean closes = body(ask, check);
            String missing = ask.isHead() || isBodiless() ? null : check.missing();
            if (missing != null) {
                return new Answer(Answer.Fate.CUT, status, true, missing);
            }
            return new Answer(Answer.Fate.WHOLE, status, closes, null);
        } catch (Ended ended) {
            String missing = check == null ? "the head" : check.missing();
            Answer.Fate fate =
                    ended.stalled
                            ? Answer.Fate.STALLED
                            : begun ? Answer.Fate.CUT : Answer.Fate.NONE;
            return new Answer(
                    fate, status, true, missing == null ? "the end of the framing" : missing);
        }
    }

    /** Reads the end of the connection; returns what came instead, or null. */
    String end(int millis) throws IOException {
        if (at < end) {
            return BodyCheck.shown(buffer, at, end);
        }
        int count = wire.read(buffer, 0, buffer.length, millis);
        if (count == Wire.TIMED_OUT) {
            return "nothing within " + millis + " ms";
        }
        return count < 0 ? null : BodyCheck.shown(buffer, 0, count);
    }

    /** What has come that nobody has asked for; or null. */
    String surplus() throws IOException {
        if (at < end) {
            return BodyCheck.shown(buffer, at, end);
        }
        int count = wire.read(buffer, 0, buffer.length, 0);
        return count > 0 ? BodyCheck.shown(buffer, 0, count) : null;
    }

    // ---- heads

    private void head() throws IOException, Ended {
        String line = line();
        if (!STATUS_LINE.matcher(line).matches()) {
            throw new Astray("no status line: " + line);
        }
        status = Integer.parseInt(line.substring(9, 12));
        List<String> lines = new ArrayList<>();
        int bytes = line.length();
        for (line = line(); !line.isEmpty(); line = line()) {
            if (!FIELD.matcher(line).matches()) {
                throw new Astray("no field: " + line);
            }
            bytes += line.length();
            if (bytes > HEAD_BYTES_MAX) {
                throw new Astray("a head without an end: " + lines);
            }
            lines.add(line);
        }
        fields = lines;
    }

    private void checkFields(Ask ask) {
        if (field("Server") == null || field("Date") == null) {
            throw new Astray("no Server, or no Date: " + status + " " + fields);
        }
        String marker = field(Target.MARKER_FIELD);
        boolean marked = ask.allows(status) && status < 300 && !ask.mayBe(Ask.Way.UNMARKED);
        if (marked ? !ask.marker().equals(marker) : marker != null) {
            throw new Astray(
                    (marked ? ask.marker() : "no marker") + " expected: " + status + " " + fields);
        }
    }

    /** The value of the only field of that name; null where there is none. */
    private String field(String name) {
        String value = null;
        String start = name.toLowerCase(Locale.ROOT) + ": ";
        for (String field : fields) {
            if (field.toLowerCase(Locale.ROOT).startsWith(start)) {
                if (value != null) {
                    throw new Astray(name + " twice: " + fields);
                }
                value = field.substring(start.length());
            }
        }
        return value;
    }

    private boolean isBodiless() {
        return status == 204 || status == 304;
    }

    // ---- bodies

    /** Reads the body; returns whether the connection ends behind it. */
    private boolean body(Ask ask, BodyCheck check) throws IOException, Ended {
        String length = field("Content-Length");
        String coding = field("Transfer-Encoding");
        String connection = field("Connection");
        boolean closes =
                ask.minorVersion() == 0
                        ? !"keep-alive".equals(connection)
                        : "close".equals(connection);
        if (length != null && coding != null) {
            throw new Astray("framed twice: " + fields);
        }
        if (ask.isHead() || isBodiless()) {
            return closes;
        }
        if (length != null) {
            bytes(check, Long.parseLong(length));
        } else if ("chunked".equals(coding) && ask.minorVersion() == 1) {
            chunks(check);
        } else if (closes && coding == null && ask.minorVersion() == 0) {
            while (fill()) {
                take(check, end - at);
            }
        } else {
            throw new Astray("a body without a frame: " + fields);
        }
        return closes;
    }

    private void bytes(BodyCheck check, long count) throws IOException, Ended {
        for (long left = count; left > 0; ) {
            need();
            int piece = (int) Math.min(left, end - at);
            take(check, piece);
            left -= piece;
        }
    }

    private void take(BodyCheck check, int piece) {
        check.bytes(buffer, at, piece);
        at += piece;
        tally.add("bytes compared", piece);
    }

    private void chunks(BodyCheck check) throws IOException, Ended {
        while (true) {
            String size = line();
            if (!size.matches("[0-9a-f]{1,8}")) {
                throw new Astray("no size of a chunk: " + size);
            }
            int length = Integer.parseInt(size, 16);
            bytes(check, length);
            String lineEnd = line();
            if (!lineEnd.isEmpty()) {
                throw new Astray("behind a chunk: " + lineEnd);
            }
            if (length == 0) {
                return;
            }
        }
    }

    // ---- bytes

    private String line() throws IOException, Ended {
        StringBuilder line = new StringBuilder();
        while (true) {
            need();
            byte b = buffer[at++];
            if (b == '\r') {
                need();
                if (buffer[at++] != '\n') {
                    throw new Astray("CR without LF behind: " + line);
                }
                return line.toString();
            }
            if (b < ' ' || line.length() > HEAD_BYTES_MAX) {
                String rest = new String(buffer, at, Math.min(end - at, 80), ISO_8859_1);
                throw new Astray(
                        "byte "
                                + b
                                + " in a line: "
                                + line
                                + " ... "
                                + rest.replaceAll("[^ -~]", "."));
            }
            line.append((char) b);
        }
    }

    private void need() throws IOException, Ended {
        if (!fill()) {
            throw new Ended(false);
        }
    }

    /** Whether there is at least a byte; false at the end. */
    private boolean fill() throws IOException, Ended {
        if (at < end) {
            return true;
        }
        int count = wire.read(buffer, 0, buffer.length, STALL_MILLIS_MAX);
        if (count == Wire.TIMED_OUT) {
            throw new Ended(true);
        }
        at = 0;
        end = Math.max(count, 0);
        return count > 0;
    }
}
