package io.bareloop.testkit;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.bareloop.wire.FileSource;
import io.bareloop.wire.OutputBuffer;
import io.bareloop.wire.Peer;
import io.bareloop.wire.Protocol;
import io.bareloop.wire.Transport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * One connection without a socket: presents what arrives to its protocol, as the loop does, and
 * hands on what that sends. The peer reads all of it at once, but the protocol is told of a full
 * socket behind {@link #TURN_BYTES_MAX}, so that a handler that writes for as long as it may comes
 * to an end. Belongs to the thread that calls {@link #turn}; only {@link #execute} is for any.
 *
 * <p>Memory of the input is overwritten as soon as it was presented: a view that is used too late
 * reads nonsense here, as it does on a loop.
 */
final class MemoryTransport implements Transport {
    /** As much as one recv of the loop takes. */
    static final int ARRIVING_BYTES_MAX = 64 << 10;

    /** The lines around a chunk, which make its piece no smaller. */
    private static final int CHUNK_LINES_BYTES = 16;

    /** An unfinished head, of 64 KiB at the most, and what arrives behind it. */
    private static final int IN_BYTES = 2 * (ARRIVING_BYTES_MAX + CHUNK_LINES_BYTES);

    /** What a socket takes in one turn; more is unsent until the next. */
    private static final int TURN_BYTES_MAX = 1 << 20;

    /** Of large bodies, in one turn. */
    private static final int PART_BYTES_MAX = 1 << 20;

    private static final byte POISON = (byte) 0xA5;

    /** A client of this machine, by a port of those that clients have. */
    private static final Peer PEER = new Peer();

    static {
        PEER.set(MemorySegment.ofArray(new byte[] {127, 0, 0, 1}), 0, Peer.IPV4_BYTES, 49_152);
    }

    private final Protocol protocol;
    private final OutputBuffer out;
    private final Consumer<byte[]> sent;
    private final MemorySegment in = Arena.ofAuto().allocate(IN_BYTES, Long.BYTES);
    private final Deque<byte[]> arriving = new ArrayDeque<>();
    private final BlockingQueue<Runnable> tasks;

    /** At the front of the input: what the protocol has left. */
    private int keptBytes;

    private long sentBytes;
    private int turnBytes;
    private int unsentBytes;
    private boolean resumed;
    private boolean paused;
    private boolean writableLater;
    private boolean closingWhenSent;
    private boolean closed;
    private long deadline = NEVER;
    private long now = System.nanoTime();

    /**
     * Before the connection begins.
     *
     * @param tasks of all connections of a loop
     * @param sent is handed what the protocol sends
     */
    MemoryTransport(
            Protocol protocol,
            OutputBuffer out,
            BlockingQueue<Runnable> tasks,
            Consumer<byte[]> sent) {
        this.tasks = tasks;
        this.protocol = protocol;
        this.out = out;
        this.sent = sent;
    }

    /** The connection begins; {@code parts} arrive, one in each turn, or in several. */
    void open(List<byte[]> parts) {
        arriving.addAll(parts);
        protocol.open(this);
        endTurn();
    }

    boolean isClosed() {
        return closed;
    }

    /**
     * One turn: what is ready, or else the task or the deadline that comes next.
     *
     * @param untilNanos of System.nanoTime: it waits no longer
     * @throws InterruptedException where the thread was interrupted while it waited
     */
    void turn(long untilNanos) throws InterruptedException {
        now = System.nanoTime();
        turnBytes = 0;
        if (ready() || runTasks()) {
            return;
        }
        long wait = Math.min(untilNanos - now, deadline == NEVER ? Long.MAX_VALUE : deadline - now);
        Runnable task = tasks.poll(Math.max(0, wait), TimeUnit.NANOSECONDS);
        now = System.nanoTime();
        if (task != null) {
            run(task);
        } else if (!closed && deadline != NEVER && deadline - now <= 0) {
            deadline = NEVER;
            protocol.expired();
            endTurn();
        }
    }

    /** Does what needs no waiting; false where there is nothing. */
    private boolean ready() {
        if (closed) {
            return false;
        }
        if (writableLater || unsentBytes > 0) {
            writableLater = false;
            unsentBytes = 0;
            if (!closingWhenSent) {
                protocol.writable();
            }
            endTurn();
            return true;
        }
        if (paused || closingWhenSent) {
            return false;
        }
        if (resumed && keptBytes > 0) {
            resumed = false;
            present(0);
            return true;
        }
        resumed = false;
        if (arriving.isEmpty()) {
            return false;
        }
        receive();
        return true;
    }

    private void receive() {
        byte[] part = arriving.poll();
        int length = Math.min(part.length, ARRIVING_BYTES_MAX + CHUNK_LINES_BYTES);
        if (keptBytes + length > IN_BYTES) {
            throw new AssertionError("the protocol has left " + keptBytes + " bytes of its input");
        }
        MemorySegment.copy(part, 0, in, JAVA_BYTE, keptBytes, length);
        if (length < part.length) {
            byte[] rest = new byte[part.length - length];
            System.arraycopy(part, length, rest, 0, rest.length);
            arriving.addFirst(rest);
        }
        present(length);
    }

    /** Presents what was kept, and {@code more} bytes behind it. */
    private void present(int more) {
        int to = keptBytes + more;
        int at = protocol.receive(in, 0, to);
        keptBytes = closed ? 0 : to - at;
        MemorySegment.copy(in, at, in, 0, keptBytes);
        in.asSlice(keptBytes).fill(POISON);
        endTurn();
    }

    /** Runs the tasks that are there now; false where there are none. */
    private boolean runTasks() {
        int count = tasks.size();
        for (int i = 0; i < count; i++) {
            run(tasks.poll());
        }
        return count > 0;
    }

    private void run(Runnable task) {
        task.run();
        endTurn();
    }

    private void endTurn() {
        if (closed) {
            out.clear();
            return;
        }
        if (flush() && closingWhenSent) {
            close();
        }
    }

    /** The connection ends, and the protocol hears of it. */
    void close() {
        if (!closed) {
            closed = true;
            protocol.closed();
            out.clear();
        }
    }

    // ---- what the protocol asks for

    @Override
    public OutputBuffer output() {
        return out;
    }

    @Override
    public boolean flush() {
        int length = out.position();
        if (length > 0) {
            byte[] bytes = new byte[length];
            MemorySegment.copy(out.segment(), JAVA_BYTE, out.start(), bytes, 0, length);
            out.clear();
            send(bytes);
            turnBytes += length;
            unsentBytes += Math.clamp(turnBytes - TURN_BYTES_MAX, 0, length);
        }
        return unsentBytes == 0;
    }

    private void send(byte[] bytes) {
        sentBytes += bytes.length;
        sent.accept(bytes);
    }

    @Override
    public long sendFile(FileSource file, long offset, long length) {
        if (!flush()) {
            return 0;
        }
        ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(length, PART_BYTES_MAX));
        // The descriptor is all that there is of it: the kernel opens the same file by that.
        try (FileChannel channel =
                FileChannel.open(Path.of("/proc/self/fd", String.valueOf(file.descriptor())))) {
            while (bytes.hasRemaining() && channel.read(bytes, offset + bytes.position()) >= 0) {
                // Until it is full, or the file has ended.
            }
        } catch (IOException e) {
            throw new UncheckedIOException("reading a file for the response", e);
        }
        int taken = bytes.position();
        if (taken == 0) {
            // It ended early: what was announced cannot come.
            abort();
            return 0;
        }
        send(Arrays.copyOf(bytes.array(), taken));
        if (taken < length) {
            writableLater = true;
        }
        return taken;
    }

    @Override
    public long sendMemory(MemorySegment memory, long offset, long length) {
        // Before anything is sent: it may be closed.
        byte[] bytes = memory.asSlice(offset, Math.min(length, PART_BYTES_MAX)).toArray(JAVA_BYTE);
        if (!flush()) {
            return 0;
        }
        send(bytes);
        if (bytes.length < length) {
            writableLater = true;
        }
        return bytes.length;
    }

    @Override
    public void writableLater() {
        writableLater = true;
    }

    @Override
    public void pause() {
        paused = true;
    }

    @Override
    public void resume() {
        paused = false;
        resumed = true;
    }

    @Override
    public void closeWhenSent(boolean linger) {
        closingWhenSent = true;
    }

    @Override
    public void abort() {
        out.clear();
        close();
    }

    @Override
    public void become(Protocol next) {
        throw new UnsupportedOperationException("a test client speaks HTTP/1.1 only");
    }

    @Override
    public void deadline(long nanos) {
        deadline = nanos;
    }

    @Override
    public long now() {
        return now;
    }

    @Override
    public void countRequest() {
        // Nobody asks.
    }

    @Override
    public void countError() {
        // Nobody asks.
    }

    @Override
    public int unsentBytes() {
        return unsentBytes;
    }

    @Override
    public long sentBytes() {
        return sentBytes;
    }

    @Override
    public long outputBytes() {
        return sentBytes + out.position();
    }

    @Override
    public Peer peer() {
        return PEER;
    }

    @Override
    public void execute(Runnable task) {
        tasks.add(task);
    }
}
