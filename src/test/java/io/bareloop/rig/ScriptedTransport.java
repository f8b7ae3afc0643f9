package io.bareloop.rig;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.bareloop.wire.FileSource;
import io.bareloop.wire.OutputBuffer;
import io.bareloop.wire.Peer;
import io.bareloop.wire.Protocol;
import io.bareloop.wire.Slab;
import io.bareloop.wire.Transport;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The engine of {@code io.bareloop.loop} without a kernel: it presents the bytes it is given as
 * often and as long as {@code Connection} would, and keeps what the protocol answers.
 *
 * <p>It breaks what a protocol must not rely on: memory of a region is overwritten as soon as
 * {@code receive} has returned. It is used for one connection after another.
 */
public final class ScriptedTransport implements Transport {
    /** How a kernel takes what is flushed. */
    public enum Kernel {
        /** At once, as far as the peer's window goes: send(2). */
        CALLS,

        /**
         * In a later turn, as a completion tells: a flush takes nothing by itself, and says so.
         * What does not fit into the peer's window takes more than one such turn.
         */
        RING
    }

    private static final int IN_BYTES = 64 << 10;
    private static final byte POISON = (byte) 0xA5;

    private final MemorySegment in = Arena.ofAuto().allocate(IN_BYTES, Long.BYTES);
    private final OutputBuffer out;
    private final Slab slab;
    private final Kernel kernel;
    private final Protocol first;
    private Protocol protocol;
    private Protocol next;

    private byte[] arrived = {};
    private int arrivedAt;
    private int window = Integer.MAX_VALUE;

    private Slab.Slice kept;
    private int keptBytes;
    private final ByteArrayOutputStream unsent = new ByteArrayOutputStream();
    private final ByteArrayOutputStream sent = new ByteArrayOutputStream();
    private final Deque<Runnable> tasks = new ArrayDeque<>();

    private boolean paused;
    private boolean scheduled;
    private boolean writableLater;
    private boolean closingWhenSent;
    private boolean lingers;
    private boolean closed = true;
    private boolean inProtocol;
    private long deadline = NEVER;
    private int requests;
    private int errors;

    /** None, until a test says who it is. */
    private final Peer peer = new Peer();

    /** Over a kernel that takes what there is at once. */
    public ScriptedTransport(Protocol protocol, OutputBuffer out, Slab slab) {
        this(protocol, out, slab, Kernel.CALLS);
    }

    public ScriptedTransport(Protocol protocol, OutputBuffer out, Slab slab, Kernel kernel) {
        this.kernel = kernel;
        this.first = protocol;
        this.protocol = protocol;
        this.out = out;
        this.slab = slab;
    }

    /** Begins a connection whose peer takes {@code newWindow} bytes at a time. */
    public void open(int newWindow) {
        if (!closed) {
            throw new IllegalStateException("the connection before is still open");
        }
        window = newWindow;
        arrived = new byte[0];
        arrivedAt = 0;
        unsent.reset();
        sent.reset();
        paused = false;
        scheduled = false;
        writableLater = false;
        closingWhenSent = false;
        lingers = false;
        closed = false;
        deadline = NEVER;
        requests = 0;
        errors = 0;
        protocol = first;
        next = null;
        protocol.open(this);
    }

    /** Has {@code bytes} arrive, together, and goes on until nothing is left to be done. */
    public void arrive(byte[] bytes) {
        if (arrivedAt < arrived.length) {
            byte[] all = new byte[arrived.length - arrivedAt + bytes.length];
            System.arraycopy(arrived, arrivedAt, all, 0, arrived.length - arrivedAt);
            System.arraycopy(bytes, 0, all, arrived.length - arrivedAt, bytes.length);
            arrived = all;
        } else {
            arrived = bytes;
        }
        arrivedAt = 0;
        run();
    }

    /** The peer sends no more. */
    public void endOfInput() {
        if (!closed && !closingWhenSent) {
            inProtocol = true;
            protocol.endOfInput();
            inProtocol = false;
            sendOutput();
            run();
        }
    }

    /** The connection is lost. */
    public void lose() {
        if (!closed) {
            close();
        }
        runTasks();
    }

    public byte[] sent() {
        return sent.toByteArray();
    }

    public boolean isClosed() {
        return closed;
    }

    /** Whether it was closed so that the peer can read what was sent, whatever it still sends. */
    public boolean hasLingered() {
        return lingers;
    }

    public int requests() {
        return requests;
    }

    public int errors() {
        return errors;
    }

    // ---- the turns of the loop, as far as they concern this connection

    /** Turns, until there is nothing left to be done. */
    private void run() {
        boolean worked = true;
        while (worked) {
            worked = !closed && serve();
            worked |= runTasks();
        }
        if (!closed && deadline == NEVER) {
            throw new AssertionError("an open connection without a deadline");
        }
    }

    /** What one turn does for the connection; false where there is nothing to do. */
    private boolean serve() {
        if (unsent.size() > 0) {
            sendUnsent();
        } else if (writableLater) {
            writableLater = false;
            tellWritable();
        } else if (scheduled) {
            scheduled = false;
            if (keptBytes > 0 && canReceive()) {
                consume(kept.segment(), keptBytes, true);
            }
        } else if (arrivedAt < arrived.length && canReceive()) {
            receive();
        } else {
            return false;
        }
        return true;
    }

    /** Those that a task makes have their turn in the next. */
    private boolean runTasks() {
        int count = tasks.size();
        for (int i = 0; i < count; i++) {
            tasks.remove().run();
        }
        return count > 0;
    }

    private boolean canReceive() {
        return !closed && !paused && unsent.size() == 0 && !closingWhenSent;
    }

    private void receive() {
        MemorySegment to = in;
        int at = 0;
        if (keptBytes > 0) {
            growKept();
            to = kept.segment();
            at = keptBytes;
        }
        int received = Math.min((int) to.byteSize() - at, arrived.length - arrivedAt);
        MemorySegment.copy(arrived, arrivedAt, to, JAVA_BYTE, at, received);
        arrivedAt += received;
        consume(to, at + received, at > 0);
    }

    private void consume(MemorySegment region, int to, boolean isKept) {
        inProtocol = true;
        int at = protocol.receive(region, 0, to);
        while (hasBecome()) {
            if (at < to && canReceive()) {
                at = protocol.receive(region, at, to);
            }
        }
        inProtocol = false;
        if (at < 0 || at > to) {
            throw new AssertionError("consumed " + at + " of " + to);
        }
        sendOutput();
        if (closed) {
            return;
        }
        if (at == to || closingWhenSent) {
            if (isKept) {
                releaseKept();
            }
        } else {
            keep(region, at, to, isKept);
        }
        if (!isKept) {
            region.asSlice(0, to).fill(POISON);
        }
    }

    private boolean hasBecome() {
        Protocol becoming = next;
        next = null;
        if (becoming == null || closed || closingWhenSent) {
            return false;
        }
        protocol = becoming;
        paused = false;
        deadline = NEVER;
        protocol.open(this);
        return true;
    }

    private void keep(MemorySegment region, int from, int to, boolean isKept) {
        int length = to - from;
        if (!isKept) {
            kept = slab.take(length);
        }
        MemorySegment.copy(region, from, kept.segment(), 0, length);
        keptBytes = length;
        kept.segment().asSlice(length).fill(POISON);
    }

    private void growKept() {
        if (keptBytes < kept.length()) {
            return;
        }
        if (kept.length() >= IN_BYTES) {
            throw new AssertionError("the protocol keeps more than a head can have");
        }
        Slab.Slice larger = slab.take(kept.length() * 2);
        MemorySegment.copy(kept.segment(), 0, larger.segment(), 0, keptBytes);
        slab.give(kept);
        kept = larger;
    }

    private void releaseKept() {
        if (kept != null) {
            kept.segment().fill(POISON);
            slab.give(kept);
            kept = null;
        }
        keptBytes = 0;
    }

    private void sendOutput() {
        flush();
        if (closingWhenSent && unsent.size() == 0 && !closed) {
            close();
        }
    }

    private void sendUnsent() {
        byte[] all = unsent.toByteArray();
        int taken = Math.min(all.length, window);
        sent.write(all, 0, taken);
        unsent.reset();
        unsent.write(all, taken, all.length - taken);
        if (unsent.size() > 0) {
            return;
        }
        if (closingWhenSent) {
            close();
            return;
        }
        tellWritable();
        scheduled = true;
    }

    private void tellWritable() {
        inProtocol = true;
        protocol.writable();
        inProtocol = false;
        sendOutput();
    }

    private void close() {
        closed = true;
        releaseKept();
        unsent.reset();
        protocol.closed();
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
            MemorySegment.copy(out.segment(), JAVA_BYTE, 0, bytes, 0, length);
            out.clear();
            boolean atOnce = kernel == Kernel.CALLS && unsent.size() == 0;
            int taken = atOnce ? Math.min(length, window) : 0;
            sent.write(bytes, 0, taken);
            unsent.write(bytes, taken, length - taken);
        }
        return unsent.size() == 0;
    }

    @Override
    public long sendFile(FileSource file, long offset, long length) {
        throw new AssertionError("no handler of the corpus sends files");
    }

    @Override
    public long sendMemory(MemorySegment memory, long offset, long length) {
        throw new AssertionError("no handler of the corpus sends as much");
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
        scheduled = true;
    }

    @Override
    public void closeWhenSent(boolean linger) {
        closingWhenSent = true;
        lingers |= linger;
        if (!inProtocol) {
            sendOutput();
        }
    }

    @Override
    public void abort() {
        out.clear();
        close();
    }

    @Override
    public void become(Protocol newProtocol) {
        next = newProtocol;
    }

    @Override
    public void deadline(long nanos) {
        deadline = nanos;
    }

    @Override
    public long now() {
        return 0;
    }

    @Override
    public void countRequest() {
        requests++;
    }

    @Override
    public void countError() {
        errors++;
    }

    @Override
    public int unsentBytes() {
        return unsent.size();
    }

    @Override
    public long sentBytes() {
        return sent.size();
    }

    @Override
    public long outputBytes() {
        return (long) sent.size() + unsent.size() + out.position();
    }

    @Override
    public Peer peer() {
        return peer;
    }

    @Override
    public void execute(Runnable task) {
        tasks.add(task);
    }
}
