package io.bareloop.hostile;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.Queue;

/**
 * One connection of a client, from an address of its own, by which the server can name it. Sends
 * while it waits for input, as slowly as it is told. Of one thread.
 */
final class Wire implements AutoCloseable {
    /** Nothing has come in time. */
    static final int TIMED_OUT = -2;

    /** The peer has ended its output, or the connection is gone: {@link #wasReset}. */
    static final int END = -1;

    private static final long NANOS_PER_MILLI = 1_000_000;
    private static final int CONNECT_MILLIS_MAX = 10_000;
    private static final int WHOLE = Integer.MAX_VALUE;

    private final SocketChannel channel;
    private final SelectionKey key;
    private final Queue<ByteBuffer> output = new ArrayDeque<>();
    private int sendPiece = WHOLE;
    private int sendPauseMillis;
    private int readPiece = WHOLE;
    private int readPauseMillis;
    private long sendAgainNanos = System.nanoTime();
    private boolean endsOutput;
    private boolean outputEnded;
    private boolean outputBroken;
    private boolean reset;

    /**
     * Connects.
     *
     * @param address this client's own, of 127.0.0.0/8, as a number
     * @param receiveBytes of the kernel's buffer; 0 for its own choice
     */
    Wire(Selector selector, int address, int port, int receiveBytes) throws IOException {
        channel = SocketChannel.open();
        boolean connected = false;
        try {
            channel.configureBlocking(false);
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            if (receiveBytes > 0) {
                channel.setOption(StandardSocketOptions.SO_RCVBUF, receiveBytes);
            }
            channel.bind(new InetSocketAddress(inet(address), 0));
            channel.connect(new InetSocketAddress(inet(0x7F00_0001), port));
            key = channel.register(selector, SelectionKey.OP_CONNECT);
            long limit = System.nanoTime() + CONNECT_MILLIS_MAX * NANOS_PER_MILLI;
            while (!channel.finishConnect()) {
                if (System.nanoTime() - limit > 0) {
                    throw new IOException("no connection within " + CONNECT_MILLIS_MAX + " ms");
                }
                await(SelectionKey.OP_CONNECT, 100);
            }
            connected = true;
        } finally {
            if (!connected) {
                channel.close();
            }
        }
    }

    private static InetAddress inet(int address) throws IOException {
        return InetAddress.getByAddress(ByteBuffer.allocate(4).putInt(address).array());
    }

    /** Sends at the most so many bytes at a time, with so long a pause behind them. */
    Wire sendSlowly(int bytes, int pauseMillis) {
        sendPiece = bytes;
        sendPauseMillis = pauseMillis;
        return this;
    }

    /** Reads at the most so many bytes at a time, after so long a pause. */
    Wire readSlowly(int bytes, int pauseMillis) {
        readPiece = bytes;
        readPauseMillis = pauseMillis;
        return this;
    }

    /** Sends {@code bytes} behind what is queued, when there is time: in the other methods. */
    Wire send(byte[] bytes) {
        if (bytes.length > 0) {
            output.add(ByteBuffer.wrap(bytes));
        }
        return this;
    }

    /** Ends the output behind what is queued. */
    Wire endOutput() {
        endsOutput = true;
        return this;
    }

    /** Whether the peer has refused what was sent, or all that is queued has gone. */
    boolean isSent() {
        return outputBroken || output.isEmpty();
    }

    /** Whether the peer has refused what was sent: most clients would not read then any more. */
    boolean isOutputBroken() {
        return outputBroken;
    }

    /** Whether the connection did not end, but broke. */
    boolean wasReset() {
        return reset;
    }

    /** Sends what is queued, and reads nothing; returns whether that was done in time. */
    boolean sendAll(int millis) throws IOException {
        long limit = System.nanoTime() + millis * NANOS_PER_MILLI;
        flush();
        while (!isSent()) {
            long left = (limit - System.nanoTime()) / NANOS_PER_MILLI;
            if (left <= 0) {
                return false;
            }
            awaitOutput((int) left, 0);
            flush();
        }
        return true;
    }

    /**
     * Reads what is there, and waits for at least a byte; sends meanwhile.
     *
     * @return the number of bytes; or {@link #END} or {@link #TIMED_OUT}
     */
    int read(byte[] into, int from, int length, int millis) throws IOException {
        long limit = System.nanoTime() + millis * NANOS_PER_MILLI;
        if (readPauseMillis > 0) {
            sleep(readPauseMillis);
        }
        ByteBuffer buffer = ByteBuffer.wrap(into, from, Math.min(length, readPiece));
        while (true) {
            flush();
            try {
                int count = channel.read(buffer);
                if (count != 0) {
                    return count;
                }
            } catch (IOException broken) {
                reset = true;
                return END;
            }
            long left = (limit - System.nanoTime()) / NANOS_PER_MILLI;
            if (left <= 0) {
                return TIMED_OUT;
            }
            awaitOutput((int) left, SelectionKey.OP_READ);
        }
    }

    /** Waits for room, or for the end of a pause, or for {@code more}. */
    private void awaitOutput(int millis, int more) throws IOException {
        long pause = (sendAgainNanos - System.nanoTime()) / NANOS_PER_MILLI;
        if (isSent()) {
            await(more, millis);
        } else if (pause > 0) {
            await(more, (int) Math.min(pause, millis));
        } else {
            await(more | SelectionKey.OP_WRITE, millis);
        }
    }

    private void await(int operations, int millis) throws IOException {
        key.interestOps(operations);
        key.selector().select(Math.max(1, millis));
        key.selector().selectedKeys().clear();
    }

    private void flush() throws IOException {
        while (!isSent() && System.nanoTime() - sendAgainNanos >= 0) {
            ByteBuffer bytes = output.element();
            int end = bytes.limit();
            bytes.limit(Math.min(end, bytes.position() + Math.min(sendPiece, end)));
            int count;
            try {
                count = channel.write(bytes);
            } catch (IOException refused) {
                // What the peer has said before that may still be there to be read.
                outputBroken = true;
                return;
            }
            bytes.limit(end);
            if (!bytes.hasRemaining()) {
                output.remove();
            }
            if (sendPauseMillis > 0) {
                sendAgainNanos = System.nanoTime() + sendPauseMillis * NANOS_PER_MILLI;
            }
            if (count == 0) {
                return;
            }
        }
        if (endsOutput && !outputEnded && !outputBroken && output.isEmpty()) {
            outputEnded = true;
            try {
                channel.shutdownOutput();
            } catch (IOException gone) {
                outputBroken = true;
            }
        }
    }

    static void sleep(int millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Ends the connection as a client that has crashed does. */
    void reset() throws IOException {
        channel.setOption(StandardSocketOptions.SO_LINGER, 0);
        close();
    }

    @Override
    public void close() throws IOException {
        key.cancel();
        channel.close();
        key.selector().selectNow();
    }
}
