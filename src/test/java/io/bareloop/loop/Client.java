package io.bareloop.loop;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;

/** A client on a real socket that never blocks, so that one thread can be client and loop. */
final class Client implements AutoCloseable {
    private final SocketChannel channel;
    private final ByteBuffer buffer = ByteBuffer.allocate(64 << 10);
    private final ByteArrayOutputStream received = new ByteArrayOutputStream();
    private boolean held;
    private boolean ended;
    private boolean reset;

    /** One whole response. */
    record Answer(int status, String head, String body) {
        boolean announcesClose() {
            return head.contains("\r\nConnection: close\r\n");
        }
    }

    /**
     * Connects.
     *
     * @param bufferBytes about what the kernel may hold in each direction, or 0 for what it likes
     */
    Client(InetSocketAddress server, int bufferBytes) {
        try {
            channel = SocketChannel.open();
            if (bufferBytes > 0) {
                channel.setOption(StandardSocketOptions.SO_RCVBUF, bufferBytes);
                channel.setOption(StandardSocketOptions.SO_SNDBUF, bufferBytes);
            }
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            channel.connect(server);
            channel.configureBlocking(false);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A request with this target, and nothing in it that need not be. */
    static String get(String target) {
        return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
    }

    /** Sends all of {@code text}; where the kernel does not take it at once, it is no such test. */
    void send(String text) {
        byte[] bytes = text.getBytes(ISO_8859_1);
        int sent = offer(ByteBuffer.wrap(bytes));
        if (sent != bytes.length) {
            throw new IllegalStateException("took " + sent + " of " + bytes.length + " bytes");
        }
    }

    /** Sends what the kernel takes; returns how much. */
    int offer(ByteBuffer bytes) {
        try {
            return channel.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Says that no more will be sent. */
    void endOutput() {
        try {
            channel.shutdownOutput();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends the connection by RST. */
    void abort() {
        try {
            channel.setOption(StandardSocketOptions.SO_LINGER, 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        close();
    }

    /** Receives what is there; returns how many bytes. */
    int pump() {
        int sum = 0;
        try {
            while (!held && !ended && channel.isOpen()) {
                buffer.clear();
                int n = channel.read(buffer);
                if (n < 0) {
                    ended = true;
                } else if (n == 0) {
                    break;
                } else {
                    sum += n;
                    received.write(buffer.array(), 0, n);
                }
            }
        } catch (IOException e) {
            ended = true;
            reset = true;
        }
        return sum;
    }

    /** Receives nothing from now on, until {@link #go}. */
    void hold() {
        held = true;
    }

    void go() {
        held = false;
    }

    /** Whether there is nothing to come: FIN or RST was received. */
    boolean ended() {
        return ended;
    }

    /** Whether it ended by RST. */
    boolean wasReset() {
        return reset;
    }

    int receivedBytes() {
        return received.size();
    }

    /** All that was received, with dates masked: they differ from second to second. */
    String text() {
        return received.toString(ISO_8859_1)
                .replaceAll("\r\nDate: [^\r]{29}\r\n", "\r\nDate: " + "-".repeat(29) + "\r\n");
    }

    /** All that was received, as responses; an incomplete one at the end is left out. */
    List<Answer> answers() {
        String text = text();
        List<Answer> answers = new ArrayList<>();
        int at = 0;
        while (true) {
            int headEnd = text.indexOf("\r\n\r\n", at);
            if (headEnd < 0) {
                return answers;
            }
            headEnd += 4;
            String head = text.substring(at, headEnd);
            int lengthAt = head.indexOf("Content-Length: ") + "Content-Length: ".length();
            int length = Integer.parseInt(head.substring(lengthAt, head.indexOf('\r', lengthAt)));
            if (headEnd + length > text.length()) {
                return answers;
            }
            int status = Integer.parseInt(head.substring(9, 12));
            answers.add(new Answer(status, head, text.substring(headEnd, headEnd + length)));
            at = headEnd + length;
        }
    }

    List<String> bodies() {
        return answers().stream().map(Answer::body).toList();
    }

    /** Forgets what was received. */
    void forget() {
        received.reset();
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
