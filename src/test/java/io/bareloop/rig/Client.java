package io.bareloop.rig;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * An HTTP client that sends exactly the bytes it is told, and takes responses apart by the letter
 * of RFC 9112. Owns one connection and what was received on it. One thread reads; another may send
 * at the same time.
 *
 * <p>No wait lasts longer than {@link #timeout}: then it is a SocketTimeoutException. A connection
 * that ends too early is an EOFException, one that breaks a SocketException, and what is no
 * response an AssertionError. Each tells what had been received by then.
 *
 * <p>{@link #offer}, {@link #receive} and {@link #answers} never wait, so that one thread can be
 * the client and the server.
 */
public final class Client implements AutoCloseable {
    private static final int TIMEOUT_MILLIS = 15_000;
    private static final int BUFFER_BYTES = 16 << 10;
    private static final int LINE_BYTES_MAX = 32 << 10;
    private static final int SHOWN_BYTES_MAX = 500;

    // Null where this only takes apart what another client has received.
    private final SocketChannel channel;
    private int timeoutMillis = TIMEOUT_MILLIS;

    // Received and not taken: from at to end. The response at hand begins at begun.
    private byte[] buffer;
    private int begun;
    private int at;
    private int end;

    private boolean ended;
    private boolean reset;

    private Client(SocketChannel channel, byte[] received) {
        this.channel = channel;
        this.buffer = received;
        this.end = received.length;
    }

    /** Takes apart {@code received}, and has no connection. */
    public static Client of(byte[] received) {
        return new Client(null, received);
    }

    /** Connects to {@code port} of 127.0.0.1. */
    public static Client connect(int port) throws IOException {
        return connect(port, 0);
    }

    /**
     * Connects with a receive buffer of about {@code receiveBytes}: 0 for the system's own. Less
     * than 64 KiB do not hold one segment of the loopback, and the kernel drops and repeats it.
     */
    public static Client connect(int port, int receiveBytes) throws IOException {
        return connect(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), port), receiveBytes, 0);
    }

    /** Connects, with buffers in the kernel of about these sizes: 0 for the system's own. */
    public static Client connect(InetSocketAddress server, int receiveBytes, int sendBytes)
            throws IOException {
        return connect(server, null, receiveBytes, sendBytes);
    }

    /** As above, from the address {@code own}, which may be null for the system's choice. */
    public static Client connect(
            InetSocketAddress server, InetAddress own, int receiveBytes, int sendBytes)
            throws IOException {
        SocketChannel channel = SocketChannel.open();
        boolean connected = false;
        try {
            if (receiveBytes > 0) {
                channel.setOption(StandardSocketOptions.SO_RCVBUF, receiveBytes);
            }
            if (sendBytes > 0) {
                channel.setOption(StandardSocketOptions.SO_SNDBUF, sendBytes);
            }
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            if (own != null) {
                channel.bind(new InetSocketAddress(own, 0));
            }
            channel.socket().connect(server, TIMEOUT_MILLIS);
            channel.configureBlocking(false);
            connected = true;
            return new Client(channel, new byte[0]);
        } finally {
            if (!connected) {
                channel.close();
            }
        }
    }

    /** From now on no wait is longer than {@code millis}. */
    public Client timeout(int millis) {
        timeoutMillis = millis;
        return this;
    }

    // ---- sending

    /** Sends {@code latin1}, one byte a character. */
    public Client send(String latin1) throws IOException {
        return send(Bytes.of(latin1));
    }

    /** Sends all of {@code bytes}. */
    public Client send(byte[] bytes) throws IOException {
        ByteBuffer rest = ByteBuffer.wrap(bytes);
        offer(rest);
        while (rest.hasRemaining()) {
            if (!await(SelectionKey.OP_WRITE, timeoutMillis)) {
                throw new SocketTimeoutException(
                        "no room within %d ms, after %d of %d bytes; %s"
                                .formatted(
                                        timeoutMillis, rest.position(), bytes.length, received()));
            }
            offer(rest);
        }
        return this;
    }

    /** Sends what the kernel takes at once; returns how many bytes. */
    public int offer(ByteBuffer bytes) throws IOException {
        try {
            return channel.write(bytes);
        } catch (IOException e) {
            throw broken("cannot send: " + e, e);
        }
    }

    /** A request of HTTP/1.1 with {@code fields}, each as {@code "Name: value"}, and no body. */
    public static String request(String method, String target, String... fields) {
        StringBuilder request = new StringBuilder();
        request.append(method).append(' ').append(target).append(" HTTP/1.1\r\nHost: test\r\n");
        for (String field : fields) {
            request.append(field).append("\r\n");
        }
        return request.append("\r\n").toString();
    }

    /** Sends a GET of {@code target}. */
    public Client ask(String target) throws IOException {
        return send(request("GET", target));
    }

    /** Sends a POST of {@code body} to {@code target}. */
    public Client post(String target, String body) throws IOException {
        return send(request("POST", target, "Content-Length: " + body.length()) + body);
    }

    /** Sends a GET of {@code target} and takes the response. */
    public Answer get(String target) throws IOException {
        return ask(target).answer();
    }

    /** Ends the output: the server reads the end of its input. */
    public Client endOutput() throws IOException {
        channel.shutdownOutput();
        return this;
    }

    // ---- responses

    /** Takes the next response. */
    public Answer answer() throws IOException {
        return answer(false);
    }

    /** Takes the response to a HEAD, which has no body whatever its fields say. */
    public Answer answerToHead() throws IOException {
        return answer(true);
    }

    private Answer answer(boolean toHead) throws IOException {
        Answer head = head();
        int status = head.status();
        boolean counted = head.has("Content-Length");
        boolean coded = head.has("Transfer-Encoding");
        if (status < 200 || status == 204 || status == 304) {
            check(!counted && !coded, "framed without a body: " + head);
            return head;
        }
        check(!counted || !coded, "framed twice: " + head);
        if (toHead) {
            return head;
        }
        if (coded) {
            check(head.field("Transfer-Encoding").equals("chunked"), "coded: " + head);
            return withChunks(head);
        }
        if (counted) {
            String length = head.field("Content-Length");
            check(length.matches("0|[1-9][0-9]*"), "no length: " + head);
            return head.with(Bytes.toString(exactly(Integer.parseInt(length))), List.of());
        }
        check(head.closes(), "a body without a frame: " + head);
        return head.with(untilEnd(), List.of());
    }

    /** Takes status line and fields only. */
    public Answer head() throws IOException {
        begun = at;
        String statusLine = line();
        List<String> fields = new ArrayList<>();
        for (String field = line(); !field.isEmpty(); field = line()) {
            fields.add(field);
        }
        return Answer.ofHead(statusLine, fields);
    }

    private Answer withChunks(Answer head) throws IOException {
        StringBuilder body = new StringBuilder();
        List<Integer> chunks = new ArrayList<>();
        for (String data = chunk(); !data.isEmpty(); data = chunk()) {
            chunks.add(data.length());
            body.append(data);
        }
        return head.with(body.toString(), chunks);
    }

    /** Takes one chunk and returns its data; the last one is empty. */
    public String chunk() throws IOException {
        String size = line();
        check(size.matches("0|[1-9a-f][0-9a-f]{0,6}"), "no size of a chunk: " + size);
        String data = Bytes.toString(exactly(Integer.parseInt(size, 16)));
        check(next() == '\r' && next() == '\n', "more than a chunk of " + size);
        return data;
    }

    // ---- bytes

    /** Takes one line, and leaves out its break. */
    public String line() throws IOException {
        StringBuilder line = new StringBuilder();
        while (true) {
            int b = next();
            if (b == '\r') {
                check(next() == '\n', "CR without LF");
                return line.toString();
            }
            check((b >= ' ' || b == '\t') && b != 0x7F, "byte " + b + " in a line");
            check(line.length() < LINE_BYTES_MAX, "a line without an end");
            line.append((char) b);
        }
    }

    /** Takes one byte; returns -1 at the end. */
    public int read() throws IOException {
        return fill() ? buffer[at++] & 0xFF : -1;
    }

    private int next() throws IOException {
        int b = read();
        if (b < 0) {
            throw new EOFException("the end, in a line; " + received());
        }
        return b;
    }

    /** Takes {@code length} bytes. */
    public byte[] exactly(int length) throws IOException {
        byte[] bytes = new byte[length];
        for (int done = 0; done < length; ) {
            int piece = piece(done, length);
            System.arraycopy(buffer, at, bytes, done, piece);
            at += piece;
            done += piece;
        }
        return bytes;
    }

    /** Takes {@code length} bytes and forgets them. */
    public void skip(int length) throws IOException {
        for (int done = 0; done < length; ) {
            int piece = piece(done, length);
            at += piece;
            done += piece;
        }
    }

    /** How many of the missing bytes are there; at least one. */
    private int piece(int done, int length) throws IOException {
        if (!fill()) {
            throw new EOFException(
                    "the end, after " + done + " of " + length + " bytes; " + received());
        }
        return Math.min(end - at, length - done);
    }

    /** Takes all that comes until the server closes, which it must do in an orderly way. */
    public String untilEnd() throws IOException {
        StringBuilder text = new StringBuilder();
        for (int b = read(); b >= 0; b = read()) {
            text.append((char) b);
        }
        return text.toString();
    }

    /** Takes all that comes until the server closes, if need be by a reset. */
    public String untilEndOrReset() throws IOException {
        StringBuilder text = new StringBuilder();
        while (at < end || !reset) {
            int b;
            try {
                b = read();
            } catch (SocketException e) {
                break;
            }
            if (b < 0) {
                break;
            }
            text.append((char) b);
        }
        return text.toString();
    }

    /** Whether nothing at all comes within {@code millis}, and neither does the end. */
    public boolean isSilentFor(int millis) throws IOException {
        return at == end && !ended && !await(SelectionKey.OP_READ, millis);
    }

    /** Whether there is a byte to take, for which it waits; false at the end. */
    private boolean fill() throws IOException {
        while (at == end && receiveOnce() == 0) {
            if (reset) {
                throw broken("the connection broke", null);
            }
            if (ended) {
                return false;
            }
            if (channel == null) {
                throw new EOFException("all that was received");
            }
            if (!await(SelectionKey.OP_READ, timeoutMillis)) {
                throw new SocketTimeoutException(
                        "nothing within " + timeoutMillis + " ms; " + received());
            }
        }
        return true;
    }

    /** Waits until the socket is ready for {@code operations}; returns whether it is. */
    private boolean await(int operations, int millis) throws IOException {
        // A selector for each wait, so that a client at rest has one descriptor.
        try (Selector selector = Selector.open()) {
            channel.register(selector, operations);
            return selector.select(millis) > 0;
        } catch (ClosedChannelException e) {
            throw broken("closed by this client", e);
        }
    }

    // ---- what never waits

    /** Receives what has arrived; returns how many bytes. */
    public int receive() {
        int sum = 0;
        for (int count = receiveOnce(); count > 0; count = receiveOnce()) {
            sum += count;
        }
        return sum;
    }

    private int receiveOnce() {
        if (ended || channel == null || !channel.isOpen()) {
            return 0;
        }
        makeRoom();
        try {
            int count = channel.read(ByteBuffer.wrap(buffer, end, buffer.length - end));
            ended = count < 0;
            end += Math.max(count, 0);
            return Math.max(count, 0);
        } catch (IOException e) {
            ended = true;
            reset = true;
            return 0;
        }
    }

    private void makeRoom() {
        if (end < buffer.length) {
            return;
        }
        int kept = end - at;
        byte[] from = buffer;
        if (kept > buffer.length / 2 || buffer.length == 0) {
            buffer = new byte[Math.max(BUFFER_BYTES, 2 * buffer.length)];
        }
        System.arraycopy(from, at, buffer, 0, kept);
        begun = Math.max(0, begun - at);
        at = 0;
        end = kept;
    }

    /** How many bytes were received and not taken. */
    public int receivedBytes() {
        return end - at;
    }

    /**
     * What was received and not taken, with dates masked: they differ from second to second. Takes
     * nothing.
     */
    public String text() {
        return Bytes.toString(Arrays.copyOfRange(buffer, at, end))
                .replaceAll("\r\nDate: [^\r]{29}\r\n", "\r\nDate: " + "-".repeat(29) + "\r\n");
    }

    /** The whole responses in what was received and not taken. Takes nothing. */
    public List<Answer> answers() {
        Client copy = new Client(null, Arrays.copyOfRange(buffer, at, end));
        copy.ended = ended;
        List<Answer> answers = new ArrayList<>();
        try {
            while (copy.at < copy.end) {
                answers.add(copy.answer());
            }
        } catch (IOException e) {
            // The last one is incomplete.
        }
        return answers;
    }

    /** The bodies of {@link #answers}. */
    public List<String> bodies() {
        return answers().stream().map(Answer::body).toList();
    }

    /** Takes all that was received. */
    public void forget() {
        at = end;
    }

    /** Whether nothing more can be received: the server has closed or reset the connection. */
    public boolean ended() {
        return ended;
    }

    /** Whether the connection ended by a reset. */
    public boolean wasReset() {
        return reset;
    }

    // ---- the end

    /** Closes by a reset, as a client that has crashed. */
    public void reset() throws IOException {
        channel.setOption(StandardSocketOptions.SO_LINGER, 0);
        channel.close();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    // ---- failures

    private void check(boolean right, String otherwise) {
        if (!right) {
            throw new AssertionError(Bytes.escape(otherwise) + "; " + received());
        }
    }

    private SocketException broken(String what, IOException why) {
        SocketException broken = new SocketException(what + "; " + received());
        broken.initCause(why);
        return broken;
    }

    /** What there is of the response at hand, for people. */
    private String received() {
        String all = Bytes.toString(Arrays.copyOfRange(buffer, begun, end));
        if (all.length() > SHOWN_BYTES_MAX) {
            int half = SHOWN_BYTES_MAX / 2;
            all = all.substring(0, half) + " ... " + all.substring(all.length() - half);
        }
        return "received so far: \"" + Bytes.escape(all) + '"';
    }
}
