package io.bareloop.http;

import io.bareloop.rig.Bytes;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A client that sends what it is told, byte for byte, and takes responses apart by the letter:
 * whatever is not exactly as RFC 9112 has it is an AssertionError.
 */
final class WireClient implements AutoCloseable {
    private static final int TIMEOUT_MILLIS = 15_000;

    private final Socket socket = new Socket();
    private final InputStream in;

    WireClient(HttpRig rig) throws IOException {
        this(rig, 0);
    }

    /** With a receive buffer of {@code receiveBytes}, where that is not 0. */
    WireClient(HttpRig rig, int receiveBytes) throws IOException {
        if (receiveBytes > 0) {
            socket.setReceiveBufferSize(receiveBytes);
        }
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), rig.port()));
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(TIMEOUT_MILLIS);
        in = new BufferedInputStream(socket.getInputStream(), 4096);
    }

    /** A response, taken apart. */
    record Received(String statusLine, List<String> fields, String body, List<Integer> chunks) {
        int status() {
            return Integer.parseInt(statusLine.substring(9, 12));
        }

        /** The value of the only field {@code name}, or null. */
        String field(String name) {
            String found = null;
            for (String field : fields) {
                if (field.toLowerCase(Locale.ROOT)
                        .startsWith(name.toLowerCase(Locale.ROOT) + ": ")) {
                    if (found != null) {
                        throw new AssertionError(name + " twice: " + fields);
                    }
                    found = field.substring(name.length() + 2);
                }
            }
            return found;
        }

        boolean closes() {
            return "close".equals(field("Connection"));
        }
    }

    WireClient send(String latin1) throws IOException {
        return send(Bytes.of(latin1));
    }

    WireClient send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        return this;
    }

    /** Sends a GET of {@code target}. */
    WireClient get(String target) throws IOException {
        return send("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
    }

    /** Sends a POST of {@code body} to {@code target}. */
    WireClient post(String target, String body) throws IOException {
        return send(
                "POST "
                        + target
                        + " HTTP/1.1\r\nHost: a\r\nContent-Length: "
                        + body.length()
                        + "\r\n\r\n"
                        + body);
    }

    /** Sends a GET of {@code target} and returns the response. */
    Received exchange(String target) throws IOException {
        return get(target).receive();
    }

    /** Takes the next response; it must have arrived as a whole, and nothing else is touched. */
    Received receive() throws IOException {
        return receive(false);
    }

    /** Takes the response to a HEAD. */
    Received receiveHead() throws IOException {
        return receive(true);
    }

    private Received receive(boolean headOnly) throws IOException {
        Received head = head();
        int status = head.status();
        String length = head.field("Content-Length");
        String coding = head.field("Transfer-Encoding");
        if (status == 204 || status == 304 || status == 100) {
            check(length == null && coding == null, "framed without a body: " + head);
            return head;
        }
        check(length == null || coding == null, "framed twice: " + head);
        if (headOnly) {
            return head;
        }
        List<Integer> chunks = new ArrayList<>();
        String body;
        if (coding != null) {
            check(coding.equals("chunked"), coding);
            body = chunkedBody(chunks);
        } else if (length != null) {
            check(length.matches("0|[1-9][0-9]*"), length);
            body = exactly(Integer.parseInt(length));
        } else {
            body = rest();
        }
        return new Received(head.statusLine(), head.fields(), body, chunks);
    }

    /** Takes status line and fields only. */
    Received head() throws IOException {
        String statusLine = line();
        check(statusLine.matches("HTTP/1\\.1 [1-5][0-9][0-9] [ -~]+"), statusLine);
        List<String> fields = new ArrayList<>();
        for (String field = line(); !field.isEmpty(); field = line()) {
            check(field.matches("[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t -~\u0080-\u00ff]*"), field);
            fields.add(field);
        }
        return new Received(statusLine, fields, "", List.of());
    }

    /** Takes one chunk; the last one is empty, and has no line break of its own. */
    String chunk() throws IOException {
        String size = line();
        check(size.matches("0|[1-9a-f][0-9a-f]*"), size);
        String data = exactly(Integer.parseInt(size, 16));
        check(line().isEmpty(), "more than a chunk of " + size);
        return data;
    }

    private String chunkedBody(List<Integer> chunks) throws IOException {
        StringBuilder body = new StringBuilder();
        while (true) {
            String data = chunk();
            if (data.isEmpty()) {
                return body.toString();
            }
            chunks.add(data.length());
            body.append(data);
        }
    }

    /** Takes {@code length} bytes. */
    String exactly(int length) throws IOException {
        byte[] bytes = in.readNBytes(length);
        check(bytes.length == length, bytes.length + " of " + length + " bytes, then the end");
        return Bytes.toString(bytes);
    }

    /** Takes one line. */
    String line() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        while (true) {
            int b = in.read();
            check(b >= 0, "the end, in the middle of a head, behind: " + line);
            if (b == '\r') {
                check(in.read() == '\n', "CR without LF");
                return Bytes.toString(line.toByteArray());
            }
            check(b != '\n', "LF without CR");
            line.write(b);
        }
    }

    /** All that comes until the server closes in an orderly way. */
    String rest() throws IOException {
        return Bytes.toString(in.readAllBytes());
    }

    /** All that comes until the server closes, if need be by a reset. */
    String restOrReset() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            for (int b = in.read(); b >= 0; b = in.read()) {
                bytes.write(b);
            }
        } catch (SocketTimeoutException e) {
            throw e;
        } catch (SocketException e) {
            // The end too.
        }
        return Bytes.toString(bytes.toByteArray());
    }

    /** Whether nothing comes for {@code millis}, and the server does not close either. */
    boolean isQuiet(int millis) throws IOException {
        socket.setSoTimeout(millis);
        try {
            in.mark(1);
            in.read();
            in.reset();
            return false;
        } catch (SocketTimeoutException e) {
            return true;
        } finally {
            socket.setSoTimeout(TIMEOUT_MILLIS);
        }
    }

    /** Says that nothing more will be sent. */
    WireClient endOutput() throws IOException {
        socket.shutdownOutput();
        return this;
    }

    /** Is gone at once, without a word: the server gets a reset. */
    void reset() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    private static void check(boolean right, String otherwise) {
        if (!right) {
            throw new AssertionError(otherwise);
        }
    }
}
