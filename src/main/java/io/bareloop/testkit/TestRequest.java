package io.bareloop.testkit;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A request to send by a {@link TestClient}. Immutable: each method returns another one.
 *
 * <p>What has to be there is added where it was not given: Host, and Content-Length where there is
 * a body. Nothing else is looked at but that it stays one request, so that a test can send what the
 * server refuses.
 */
public final class TestRequest {
    private static final String CONTENT_LENGTH = "content-length";
    private static final String TRANSFER_ENCODING = "transfer-encoding";

    private record Field(String name, String value) {}

    private final String method;
    private final String target;
    private final List<Field> fields;
    private final byte[] body;
    private final int pieceBytes;

    private TestRequest(
            String method, String target, List<Field> fields, byte[] body, int pieceBytes) {
        this.method = method;
        this.target = target;
        this.fields = fields;
        this.body = body;
        this.pieceBytes = pieceBytes;
    }

    /**
     * A request without fields and body.
     *
     * @param method any token, for example PROPFIND
     * @param target as it stands in the request line, for example {@code /users/7?full=yes}
     * @return the request
     * @throws IllegalArgumentException where either is empty, or has a space or a control character
     */
    public static TestRequest of(String method, String target) {
        return new TestRequest(word(method), word(target), List.of(), null, 0);
    }

    /**
     * {@return a GET}
     *
     * @param target as of {@link #of}
     */
    public static TestRequest get(String target) {
        return of("GET", target);
    }

    /**
     * {@return a HEAD}
     *
     * @param target as of {@link #of}
     */
    public static TestRequest head(String target) {
        return of("HEAD", target);
    }

    /**
     * {@return a POST, with an empty body unless it is given one}
     *
     * @param target as of {@link #of}
     */
    public static TestRequest post(String target) {
        return of("POST", target).body(new byte[0]);
    }

    /**
     * {@return a PUT, with an empty body unless it is given one}
     *
     * @param target as of {@link #of}
     */
    public static TestRequest put(String target) {
        return of("PUT", target).body(new byte[0]);
    }

    /**
     * {@return a PATCH, with an empty body unless it is given one}
     *
     * @param target as of {@link #of}
     */
    public static TestRequest patch(String target) {
        return of("PATCH", target).body(new byte[0]);
    }

    /**
     * {@return a DELETE}
     *
     * @param target as of {@link #of}
     */
    public static TestRequest delete(String target) {
        return of("DELETE", target);
    }

    /**
     * {@return an OPTIONS}
     *
     * @param target as of {@link #of}
     */
    public static TestRequest options(String target) {
        return of("OPTIONS", target);
    }

    /**
     * With one more field, behind those that there are.
     *
     * @param name of the field
     * @param value sent as UTF-8
     * @return the request
     * @throws IllegalArgumentException where one has a line break or a NUL
     */
    public TestRequest header(String name, String value) {
        List<Field> more = new ArrayList<>(fields);
        more.add(new Field(line(name), line(value)));
        return new TestRequest(method, target, List.copyOf(more), body, pieceBytes);
    }

    /**
     * With another body.
     *
     * @param bytes copied
     * @return the request
     */
    public TestRequest body(byte[] bytes) {
        return new TestRequest(method, target, fields, bytes.clone(), pieceBytes);
    }

    /**
     * With another body.
     *
     * @param text sent as UTF-8
     * @return the request
     */
    public TestRequest body(String text) {
        return body(text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * The body arrives in pieces, one in each turn, behind the head: a {@link
     * io.bareloop.http.StreamHandler} is given just these. Without this call head and body arrive
     * together, as far as they fit into 64 KiB.
     *
     * @param bytes of each piece but the last, 1 to 65536
     * @return the request
     * @throws IllegalArgumentException where it is out of range
     */
    public TestRequest inPieces(int bytes) {
        if (bytes < 1 || bytes > MemoryTransport.ARRIVING_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "pieces of " + bytes + " bytes; it must be 1 to 65536");
        }
        return new TestRequest(method, target, fields, body, bytes);
    }

    /**
     * The body is sent with {@code Transfer-Encoding: chunked}, and no Content-Length: a chunk for
     * each piece, or one for all.
     *
     * @return the request
     */
    public TestRequest chunked() {
        return header("Transfer-Encoding", "chunked");
    }

    @Override
    public String toString() {
        return method + " " + target;
    }

    boolean isHead() {
        return method.equals("HEAD");
    }

    /** What arrives, turn by turn. */
    List<byte[]> arriving() {
        boolean isChunked = has(TRANSFER_ENCODING);
        byte[] content = body == null ? new byte[0] : body;
        List<byte[]> parts = new ArrayList<>();
        parts.add(head());
        int step = pieceBytes > 0 ? pieceBytes : Math.max(1, content.length);
        for (int at = 0; at < content.length; at += step) {
            int length = Math.min(step, content.length - at);
            ByteArrayOutputStream part = new ByteArrayOutputStream();
            if (isChunked) {
                part.writeBytes(ascii(Integer.toHexString(length) + "\r\n"));
            }
            part.write(content, at, length);
            if (isChunked) {
                part.writeBytes(ascii("\r\n"));
            }
            parts.add(part.toByteArray());
        }
        if (isChunked) {
            parts.add(ascii("0\r\n\r\n"));
        }
        return pieceBytes > 0 ? parts : List.of(joined(parts));
    }

    private byte[] head() {
        StringBuilder head = new StringBuilder(method).append(' ').append(target);
        head.append(" HTTP/1.1\r\n");
        if (!has("host")) {
            head.append("Host: localhost\r\n");
        }
        for (Field field : fields) {
            head.append(field.name).append(": ").append(field.value).append("\r\n");
        }
        if (body != null && !has(CONTENT_LENGTH) && !has(TRANSFER_ENCODING)) {
            head.append("Content-Length: ").append(body.length).append("\r\n");
        }
        return head.append("\r\n").toString().getBytes(StandardCharsets.UTF_8);
    }

    private boolean has(String lowerCaseName) {
        return fields.stream()
                .anyMatch(field -> field.name.toLowerCase(Locale.ROOT).equals(lowerCaseName));
    }

    private static byte[] joined(List<byte[]> parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        parts.forEach(all::writeBytes);
        return all.toByteArray();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static String word(String text) {
        if (text.isEmpty() || text.chars().anyMatch(c -> c <= ' ' || c == 0x7f)) {
            throw new IllegalArgumentException(
                    "\""
                            + text
                            + "\" is no word of a request line: it must not be empty, nor have"
                            + " a space or a control character; write %20 for a space");
        }
        return text;
    }

    private static String line(String text) {
        if (text.chars().anyMatch(c -> c == '\r' || c == '\n' || c == 0)) {
            throw new IllegalArgumentException(
                    "\"" + text + "\" would not be one field: it has a line break or a NUL");
        }
        return text;
    }
}
