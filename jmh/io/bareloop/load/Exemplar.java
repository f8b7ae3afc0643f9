package io.bareloop.load;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;

/**
 * A response that was looked at with care once: all others are to be the same, byte for byte, but
 * for the value of Date. So the receiver needs no parser, and keeps no bytes.
 */
final class Exemplar {
    private static final int LIMIT_MILLIS = 5000;
    private static final int HEAD_BYTES_MAX = 16 << 10;

    private final MemorySegment bytes;
    private final int length;

    // The value of Date; both are the length where there is none.
    private final int dateFrom;
    private final int dateTo;

    private Exemplar(byte[] response, int dateFrom, int dateTo) {
        this.bytes = Arena.ofAuto().allocate(response.length, Long.BYTES);
        MemorySegment.copy(response, 0, bytes, JAVA_BYTE, 0, response.length);
        this.length = response.length;
        this.dateFrom = dateFrom;
        this.dateTo = dateTo;
    }

    /**
     * Sends {@code request} on a connection of its own and looks at the response.
     *
     * @param bodyBytes how long the body must be
     * @param body what it must be, or null for any
     * @throws WrongResponse where it is another response than asked for
     */
    static Exemplar fetch(
            InetAddress host, int port, byte[] request, int bodyBytes, String body, boolean closes)
            throws IOException {
        try (Socket socket = new Socket(host, port)) {
            socket.setSoTimeout(LIMIT_MILLIS);
            socket.getOutputStream().write(request);
            Exemplar exemplar = read(socket.getInputStream(), bodyBytes, body);
            if (closes && socket.getInputStream().read() >= 0) {
                throw new WrongResponse("bytes after a response that was to be the last");
            }
            return exemplar;
        }
    }

    private static Exemplar read(InputStream in, int bodyBytes, String body) throws IOException {
        byte[] head = new byte[HEAD_BYTES_MAX];
        int length = 0;
        while (!endsHead(head, length)) {
            int next = length < head.length ? in.read() : -1;
            if (next < 0) {
                throw new WrongResponse("no head, but " + text(head, 0, length));
            }
            head[length++] = (byte) next;
        }
        String[] lines = text(head, 0, length).split("\r\n", 0);
        if (!lines[0].startsWith("HTTP/1.1 200 ")) {
            throw new WrongResponse("not 200, but " + lines[0]);
        }
        int dateFrom = -1;
        int dateTo = -1;
        String contentLength = null;
        int at = lines[0].length() + 2;
        for (int i = 1; i < lines.length; i++) {
            String line = lines[i].toLowerCase(Locale.ROOT);
            if (line.startsWith("date:")) {
                dateFrom = at + "date:".length();
                dateTo = at + line.length();
            } else if (line.startsWith("content-length:")) {
                contentLength = line.substring("content-length:".length()).strip();
            }
            at += line.length() + 2;
        }
        if (!String.valueOf(bodyBytes).equals(contentLength)) {
            throw new WrongResponse("Content-Length is " + contentLength + ", not " + bodyBytes);
        }
        byte[] response = Arrays.copyOf(head, length + bodyBytes);
        int got = in.readNBytes(response, length, bodyBytes);
        if (got != bodyBytes) {
            throw new WrongResponse(got + " bytes of body, not " + bodyBytes);
        }
        if (body != null && !body.equals(text(response, length, bodyBytes))) {
            throw new WrongResponse("another body: " + text(response, length, bodyBytes));
        }
        return new Exemplar(
                response,
                dateFrom < 0 ? response.length : dateFrom,
                dateFrom < 0 ? response.length : dateTo);
    }

    private static boolean endsHead(byte[] bytes, int length) {
        return length >= 4
                && bytes[length - 4] == '\r'
                && bytes[length - 3] == '\n'
                && bytes[length - 2] == '\r'
                && bytes[length - 1] == '\n';
    }

    private static String text(byte[] bytes, int from, int length) {
        return new String(bytes, from, length, StandardCharsets.ISO_8859_1);
    }

    int length() {
        return length;
    }

    /** Whether {@code count} bytes of {@code in} are those of this response from {@code at} on. */
    boolean matches(int at, MemorySegment in, int from, int count) {
        int to = at + count;
        return same(at, Math.min(to, dateFrom), in, from, at)
                && same(Math.max(at, dateTo), to, in, from, at);
    }

    private boolean same(int begin, int end, MemorySegment in, int from, int at) {
        if (begin >= end) {
            return true;
        }
        long offset = (long) from + begin - at;
        return MemorySegment.mismatch(bytes, begin, end, in, offset, offset + (end - begin)) < 0;
    }

    /** What one finds in place of what was to come. */
    static final class WrongResponse extends RuntimeException {
        private static final long serialVersionUID = 1;

        WrongResponse(String what) {
            super("wrong response: " + what);
        }
    }
}
