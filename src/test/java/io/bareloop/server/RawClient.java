package io.bareloop.server;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;

/**
 * A blocking client that sends exactly the bytes it is given and reads exactly one response at a
 * time. Reads are strict: what is no HTTP/1.1 response is an AssertionError, and what does not come
 * in time a SocketTimeoutException.
 */
public final class RawClient implements AutoCloseable {
    private static final int TIMEOUT_MILLIS = 10_000;
    private static final int LINE_BYTES_MAX = 32 << 10;

    private final Socket socket;
    private final InputStream in;
    private final byte[] buffer = new byte[16 << 10];
    private int at;
    private int end;

    private RawClient(Socket socket) throws IOException {
        this.socket = socket;
        this.in = socket.getInputStream();
    }

    public static RawClient connect(HttpServer server) throws IOException {
        return connect(server.port());
    }

    /** Connects to {@code port} of 127.0.0.1. */
    public static RawClient connect(int port) throws IOException {
        return connect(port, 0);
    }

    /**
     * Connects with a receive buffer of about {@code receiveBytes}: 0 for the system's own. Less
     * than 64 KiB do not hold one segment of the loopback, and the kernel drops and repeats it.
     */
    public static RawClient connect(int port, int receiveBytes) throws IOException {
        return connect(InetAddress.ofLiteral("127.0.0.1"), port, receiveBytes);
    }

    /** Connects to {@code port} of {@code host}. */
    public static RawClient connect(InetAddress host, int port, int receiveBytes)
            throws IOException {
        Socket socket = new Socket();
        boolean connected = false;
        try {
            if (receiveBytes > 0) {
                socket.setReceiveBufferSize(receiveBytes);
            }
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(TIMEOUT_MILLIS);
            socket.connect(new InetSocketAddress(host, port), TIMEOUT_MILLIS);
            RawClient client = new RawClient(socket);
            connected = true;
            return client;
        } finally {
            if (!connected) {
                socket.close();
            }
        }
    }

    // ---- sending

    /** Sends {@code text}, one byte a character. */
    public RawClient send(String text) throws IOException {
        return send(text.getBytes(ISO_8859_1));
    }

    public RawClient send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        return this;
    }

    /** Shuts down the sending side: the server reads the end of input. */
    public RawClient endOutput() throws IOException {
        socket.shutdownOutput();
        return this;
    }

    /** Asks for {@code path} and reads the response. */
    public Reply get(String path) throws IOException {
        send(request("GET", path));
        return reply();
    }

    /** A request of HTTP/1.1 with {@code fields}, each as {@code "Name: value"}, and no body. */
    public static String request(String method, String path, String... fields) {
        StringBuilder request = new StringBuilder();
        request.append(method).append(' ').append(path).append(" HTTP/1.1\r\nHost: test\r\n");
        for (String field : fields) {
            request.append(field).append("\r\n");
        }
        return request.append("\r\n").toString();
    }

    // ---- receiving

    /** Reads one response: head, and as many bytes as Content-Length says. */
    public Reply reply() throws IOException {
        return reply(false);
    }

    /** Reads one response to a HEAD request, which has no body whatever its fields say. */
    public Reply replyToHead() throws IOException {
        return reply(true);
    }

    private Reply reply(boolean toHead) throws IOException {
        List<String> head = new ArrayList<>();
        String line = line();
        while (!line.isEmpty()) {
            head.add(line);
            line = line();
        }
        Reply withoutBody = Reply.of(head, new byte[0]);
        int status = withoutBody.status();
        if (withoutBody.has("Transfer-Encoding")) {
            throw new AssertionError("this client knows no Transfer-Encoding: " + head);
        }
        if (toHead || status < 200 || status == 204 || status == 304) {
            return withoutBody;
        }
        return Reply.of(head, exactly(Integer.parseInt(withoutBody.field("Content-Length"))));
    }

    /** Reads the next byte, or -1 at the end. */
    public int read() throws IOException {
        if (at == end && !fill()) {
            return -1;
        }
        return buffer[at++] & 0xFF;
    }

    /** Reads {@code length} bytes. */
    public byte[] exactly(int length) throws IOException {
        byte[] bytes = new byte[length];
        int done = 0;
        while (done < length) {
            if (at == end && !fill()) {
                throw new EOFException("the end after " + done + " of " + length + " bytes");
            }
            int piece = Math.min(end - at, length - done);
            System.arraycopy(buffer, at, bytes, done, piece);
            at += piece;
            done += piece;
        }
        return bytes;
    }

    /** Reads {@code length} bytes and forgets them. */
    public void skip(int length) throws IOException {
        int left = length;
        while (left > 0) {
            if (at == end && !fill()) {
                throw new EOFException("the end, with " + left + " of " + length + " to come");
            }
            int piece = Math.min(end - at, left);
            at += piece;
            left -= piece;
        }
    }

    /** Reads all that comes until the server closes, which it must do in an orderly way. */
    public String untilEnd() throws IOException {
        StringBuilder text = new StringBuilder();
        for (int b = read(); b >= 0; b = read()) {
            text.append((char) b);
        }
        return text.toString();
    }

    /** Whether nothing at all comes within {@code millis}. */
    public boolean isSilentFor(int millis) throws IOException {
        if (at < end) {
            return false;
        }
        socket.setSoTimeout(millis);
        try {
            fill();
            return false;
        } catch (SocketTimeoutException e) {
            return true;
        } finally {
            socket.setSoTimeout(TIMEOUT_MILLIS);
        }
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        while (true) {
            int b = read();
            if (b < 0) {
                throw new EOFException("the end within a head, after \"" + line + "\"");
            }
            if (b == '\r') {
                int next = read();
                if (next != '\n') {
                    throw new AssertionError("CR without LF after \"" + line + "\"");
                }
                return line.toString();
            }
            if ((b < ' ' && b != '\t') || b >= 0x7F || line.length() == LINE_BYTES_MAX) {
                throw new AssertionError("byte " + b + " in a head, after \"" + line + "\"");
            }
            line.append((char) b);
        }
    }

    private boolean fill() throws IOException {
        at = 0;
        end = 0; // Also where the read times out.
        end = Math.max(0, in.read(buffer));
        return end > 0;
    }

    /** Closes by resetting the connection, as a client that crashed. */
    public void reset() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    /** A response: the status line, the fields in their order, the body. */
    public record Reply(int status, String statusLine, List<String> fields, String body) {
        static Reply of(List<String> head, byte[] body) {
            if (head.isEmpty() || !head.get(0).matches("HTTP/1\\.1 [1-5][0-9][0-9] [ -~]*")) {
                throw new AssertionError("no status line: " + head);
            }
            List<String> fields = List.copyOf(head.subList(1, head.size()));
            for (String field : fields) {
                if (!field.matches("[A-Za-z-]+: .*")) {
                    throw new AssertionError("no field: \"" + field + "\"");
                }
            }
            String statusLine = head.get(0);
            return new Reply(
                    Integer.parseInt(statusLine.substring(9, 12)),
                    statusLine,
                    fields,
                    new String(body, ISO_8859_1));
        }

        public boolean has(String name) {
            return !values(name).isEmpty();
        }

        /** The value of the only field of that name. */
        public String field(String name) {
            List<String> values = values(name);
            if (values.size() != 1) {
                throw new AssertionError(
                        values.size() + " fields " + name + ": " + statusLine + " " + fields);
            }
            return values.get(0);
        }

        private List<String> values(String name) {
            List<String> values = new ArrayList<>();
            for (String field : fields) {
                if (field.regionMatches(true, 0, name + ": ", 0, name.length() + 2)) {
                    values.add(field.substring(name.length() + 2));
                }
            }
            return values;
        }
    }
}
