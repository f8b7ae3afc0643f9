package io.bareloop.testkit;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads one response, and what is interim before it, from bytes as they come (RFC 9112).
 *
 * <pre>
 *   HEAD --1xx--> HEAD
 *        --no body--> DONE
 *        --Content-Length--> LENGTH --> DONE
 *        --chunked--> SIZE --> CHUNK --> SIZE ... --0--> TRAILER --> DONE
 *        --neither--> UNTIL_CLOSE --closed--> DONE
 * </pre>
 */
final class ResponseReader {
    private enum State {
        HEAD,
        LENGTH,
        SIZE,
        CHUNK,
        TRAILER,
        UNTIL_CLOSE,
        DONE
    }

    private static final String LINE_END = "\r\n";

    private final boolean ofHead;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();
    private final List<TestResponse> interim = new ArrayList<>();
    private final List<TestResponse.Field> fields = new ArrayList<>();
    private final StringBuilder head = new StringBuilder();
    private State state = State.HEAD;
    private int status;
    private long left;

    /** For a response to a HEAD where {@code ofHead}: it has no body, whatever its fields say. */
    ResponseReader(boolean ofHead) {
        this.ofHead = ofHead;
    }

    boolean isDone() {
        return state == State.DONE;
    }

    /** Whether all of the head has come. */
    boolean hasBegun() {
        return state != State.HEAD;
    }

    int bodyBytes() {
        return body.size();
    }

    /** Takes what was sent; behind the end of the response nothing must come. */
    void read(byte[] bytes) {
        int at = 0;
        while (at < bytes.length) {
            switch (state) {
                case LENGTH, CHUNK -> at += take(bytes, at);
                case UNTIL_CLOSE -> {
                    body.write(bytes, at, bytes.length - at);
                    at = bytes.length;
                }
                case HEAD, SIZE, TRAILER -> {
                    line.write(bytes[at]);
                    at++;
                    endOfLine();
                }
                case DONE ->
                        throw new AssertionError(
                                "bytes behind the end of the response: "
                                        + new String(
                                                bytes,
                                                at,
                                                bytes.length - at,
                                                StandardCharsets.ISO_8859_1));
            }
        }
    }

    private int take(byte[] bytes, int at) {
        int length = (int) Math.min(left, bytes.length - at);
        body.write(bytes, at, length);
        left -= length;
        if (left == 0) {
            state = state == State.LENGTH ? State.DONE : State.SIZE;
        }
        return length;
    }

    private void endOfLine() {
        String text = line.toString(StandardCharsets.UTF_8);
        if (!text.endsWith(LINE_END)) {
            return;
        }
        line.reset();
        String content = text.substring(0, text.length() - LINE_END.length());
        if (state == State.HEAD) {
            head.append(text);
            headLine(content);
        } else if (state == State.SIZE && !content.isEmpty()) {
            left = Long.parseLong(content, 16);
            state = left == 0 ? State.TRAILER : State.CHUNK;
        } else if (state == State.TRAILER && content.isEmpty()) {
            state = State.DONE;
        }
    }

    private void headLine(String content) {
        if (status == 0) {
            status = Integer.parseInt(content.substring(9, 12));
        } else if (!content.isEmpty()) {
            int colon = content.indexOf(':');
            fields.add(
                    new TestResponse.Field(
                            content.substring(0, colon), content.substring(colon + 1).strip()));
        } else if (status < 200 && status != 101) {
            interim.add(response(true, List.of()));
            status = 0;
            fields.clear();
            head.setLength(0);
        } else {
            state = framing();
        }
    }

    private State framing() {
        if (ofHead || status == 101 || status == 204 || status == 304) {
            return State.DONE;
        }
        TestResponse begun = response(false, List.of());
        if (begun.header("Transfer-Encoding") != null) {
            return State.SIZE;
        }
        String length = begun.header("Content-Length");
        if (length == null) {
            return State.UNTIL_CLOSE;
        }
        left = Long.parseLong(length);
        return left == 0 ? State.DONE : State.LENGTH;
    }

    /** The connection is closed. */
    void closed() {
        if (state == State.UNTIL_CLOSE) {
            state = State.DONE;
        }
    }

    /** The response as far as it has come. */
    TestResponse response(List<Throwable> failures) {
        return response(isDone(), failures);
    }

    private TestResponse response(boolean whole, List<Throwable> failures) {
        return new TestResponse(
                head.toString(), status, fields, body.toByteArray(), whole, interim, failures);
    }
}
