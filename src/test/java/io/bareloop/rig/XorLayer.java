package io.bareloop.rig;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.bareloop.sys.Syscalls;
import io.bareloop.wire.FileSource;
import io.bareloop.wire.OutputBuffer;
import io.bareloop.wire.Peer;
import io.bareloop.wire.Pending;
import io.bareloop.wire.Protocol;
import io.bareloop.wire.Slab;
import io.bareloop.wire.Transport;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Function;

/**
 * Stands for TLS: a protocol to the engine, and a transport to the protocol inside, which sees
 * neither. Each byte is XORed with one that depends on where in its direction it is, so that what
 * is lost, doubled, swapped or not coded at all shows.
 *
 * <p>It uses nothing of the engine but {@link Transport}. What the protocol inside writes goes into
 * a buffer of the loop's that all layers share; what it leaves of its input is kept here, decoded.
 */
public final class XorLayer extends Protocol implements Transport {
    /** So much memory or file is sent before the others of the loop have their turn. */
    private static final int BYTES_PER_CALL_MAX = 256 << 10;

    /** A head that is not whole, and a region behind it. */
    private static final int KEPT_BYTES_MAX = 128 << 10;

    private static final int PLAIN_BYTES = 64 << 10;

    private final Syscalls sys;
    private final OutputBuffer plain;
    private final Protocol first;
    private Protocol protocol;
    private Protocol next;
    private Transport outer;

    /** Input that the protocol inside has not consumed. */
    private final Pending kept;

    private long received;
    private long sent;

    private boolean open;
    private boolean inProtocol;
    private boolean draining;
    private boolean closing;
    private boolean lingers;

    /** What the protocol inside wants, and what the engine was told. */
    private boolean paused;

    private boolean outerPaused;

    /** It has asked for what it has left. */
    private boolean resumed;

    /** What it has left waits for a turn of its own. */
    private boolean keptLater;

    /** The same for more to send. */
    private boolean sendsLater;

    /** What the protocol inside has set. */
    private long deadline;

    /** Layers of one loop, around protocols that {@code inside} makes for a buffer of their own. */
    public static final class Factory implements Protocol.Factory {
        private final Slab slab;
        private final Syscalls sys;
        private final OutputBuffer plain;
        private final Protocol.Factory inside;

        public Factory(
                Arena arena,
                Slab slab,
                Syscalls sys,
                Function<? super OutputBuffer, ? extends Protocol.Factory> inside) {
            this.slab = slab;
            this.sys = sys;
            plain = new OutputBuffer(arena, PLAIN_BYTES);
            this.inside = inside.apply(plain);
        }

        @Override
        public Protocol newProtocol() {
            return new XorLayer(slab, sys, plain, inside.newProtocol());
        }

        @Override
        public void turn(long nowNanos) {
            // A turn that was cut short may have left half of something: as the engine does with
            // its own buffer.
            plain.clear();
            inside.turn(nowNanos);
        }

        @Override
        public void ended() {
            inside.ended();
        }
    }

    private XorLayer(Slab slab, Syscalls sys, OutputBuffer plain, Protocol inside) {
        this.sys = sys;
        this.plain = plain;
        first = inside;
        protocol = inside;
        kept = new Pending(slab);
    }

    /** A single one, where no files are sent. */
    public static Protocol around(
            Arena arena, Slab slab, Function<? super OutputBuffer, ? extends Protocol> inside) {
        OutputBuffer plain = new OutputBuffer(arena, PLAIN_BYTES);
        return new XorLayer(slab, null, plain, inside.apply(plain));
    }

    /** A copy of {@code bytes}, coded or decoded, the first one of which is at {@code position}. */
    public static byte[] code(byte[] bytes, long position) {
        byte[] copy = bytes.clone();
        code(MemorySegment.ofArray(copy), 0, copy.length, position);
        return copy;
    }

    private static void code(MemorySegment bytes, int offset, int length, long position) {
        for (int i = 0; i < length; i++) {
            byte plainOrCoded = bytes.get(JAVA_BYTE, (long) offset + i);
            bytes.set(JAVA_BYTE, (long) offset + i, (byte) (plainOrCoded ^ key(position + i)));
        }
    }

    private static int key(long position) {
        return (int) (position * 31 + (position >> 8) * 7 + 0x5A);
    }

    // ---- towards the engine: a protocol

    @Override
    public void open(Transport transport) {
        outer = transport;
        received = 0;
        sent = 0;
        open = true;
        draining = false;
        closing = false;
        lingers = false;
        paused = false;
        outerPaused = false;
        resumed = false;
        keptLater = false;
        sendsLater = false;
        deadline = NEVER;
        next = null;
        enter();
        openInside(first);
        leave();
    }

    private void openInside(Protocol inside) {
        protocol = inside;
        protocol.open(this);
        if (draining) {
            protocol.drain();
        }
    }

    @Override
    public int receive(MemorySegment in, int from, int to) {
        code(in, from, to - from, received);
        received += to - from;
        if (kept.isEmpty()) {
            int at = present(in, from, to);
            if (at < to) {
                keep(in, at, to);
            }
        } else {
            keep(in, from, to);
            presentKept();
        }
        goOn();
        return to;
    }

    private int present(MemorySegment in, int from, int to) {
        enter();
        int at = protocol.receive(in, from, to);
        while (hasBecome()) {
            if (at < to && canReceive()) {
                at = protocol.receive(in, at, to);
            }
        }
        leave();
        return at;
    }

    private boolean hasBecome() {
        Protocol becoming = next;
        next = null;
        if (becoming == null || !open || closing) {
            return false;
        }
        paused = false;
        deadline(NEVER);
        openInside(becoming);
        return true;
    }

    private boolean canReceive() {
        return open && !closing && !paused && outer.unsentBytes() == 0;
    }

    private void keep(MemorySegment in, int from, int to) {
        if (open && !closing && !kept.append(in, from, to, KEPT_BYTES_MAX)) {
            abort();
        }
    }

    private void presentKept() {
        if (!kept.isEmpty() && canReceive()) {
            int from = kept.from();
            int at = present(kept.segment(), from, kept.to());
            if (!kept.isEmpty()) {
                kept.consume(at - from);
            }
        }
    }

    @Override
    public void hungUp() {
        enter();
        protocol.hungUp();
        leave();
        goOn();
    }

    @Override
    public void endOfInput() {
        enter();
        protocol.endOfInput();
        leave();
        goOn();
    }

    @Override
    public void writable() {
        // Another one may have had its place.
        outer.deadline(deadline);
        boolean forKept = keptLater && !sendsLater;
        keptLater = false;
        sendsLater = false;
        if (!forKept) {
            enter();
            protocol.writable();
            leave();
        }
        presentKept();
        goOn();
    }

    @Override
    public void sent() {
        protocol.sent();
    }

    @Override
    public void expired() {
        enter();
        protocol.expired();
        leave();
        goOn();
    }

    @Override
    public void drain() {
        draining = true;
        enter();
        protocol.drain();
        leave();
        goOn();
    }

    @Override
    public void closed() {
        open = false;
        kept.release();
        plain.clear();
        try {
            protocol.closed();
        } finally {
            // Nor what was written by those who were told.
            plain.clear();
        }
    }

    // ---- its turns

    private void enter() {
        inProtocol = true;
        if (plain.position() != 0) {
            throw new AssertionError("the buffer holds bytes of another connection");
        }
    }

    private void leave() {
        inProtocol = false;
        if (open) {
            codeOutput();
            if (closing) {
                kept.release();
                outer.closeWhenSent(lingers);
            }
        }
    }

    /** What the protocol inside has asked for in its turn is passed on. */
    private void goOn() {
        if (!open || closing) {
            return;
        }
        if (resumed) {
            resumed = false;
            if (!paused && !kept.isEmpty()) {
                // The engine has nothing left over, and would present nothing.
                keptLater = true;
                outer.writableLater();
            }
        }
        // What comes must not overtake what waits.
        boolean holds = paused || keptLater;
        if (holds != outerPaused) {
            outerPaused = holds;
            if (holds) {
                outer.pause();
            } else {
                outer.resume();
            }
        }
    }

    /** Moves what stands in the buffer to the engine's, coded. */
    private void codeOutput() {
        int length = plain.position();
        if (length > 0) {
            put(plain.segment(), plain.start(), length);
            plain.clear();
        }
    }

    private void put(MemorySegment from, long offset, int length) {
        OutputBuffer out = outer.output();
        for (int done = 0; done < length; ) {
            if (out.room() == 0) {
                // What is not taken is kept by the engine, and goes before all else.
                outer.flush();
            }
            int piece = Math.min(out.room(), length - done);
            out.put(from, offset + done, piece);
            codeLast(out, piece);
            done += piece;
        }
    }

    private void codeLast(OutputBuffer out, int length) {
        code(out.segment(), out.start() + out.position() - length, length, sent);
        sent += length;
    }

    // ---- towards the protocol inside: a transport

    @Override
    public OutputBuffer output() {
        return plain;
    }

    @Override
    public boolean flush() {
        codeOutput();
        return outer.flush();
    }

    @Override
    public long sendMemory(MemorySegment memory, long offset, long length) {
        // Memory that is closed refuses here, before anything has gone.
        memory.get(JAVA_BYTE, offset);
        return send(length, (done, piece) -> putMemory(memory, offset + done, piece));
    }

    private int putMemory(MemorySegment memory, long at, int length) {
        put(memory, at, length);
        return length;
    }

    @Override
    public long sendFile(FileSource file, long offset, long length) {
        return send(length, (done, piece) -> putFile(file, offset + done, piece));
    }

    private int putFile(FileSource file, long at, int length) {
        OutputBuffer out = outer.output();
        int end = out.start() + out.position();
        int read = sys.pread(file.descriptor(), out.segment(), end, length, at);
        if (read > 0) {
            out.reserve(read);
            codeLast(out, read);
        }
        return read;
    }

    /** Puts a piece of a body into the engine's buffer, which has room for it. */
    private interface Piece {
        /** Returns how much was put; 0 or less where there is no more, though there should be. */
        int put(long done, int length);
    }

    private long send(long length, Piece body) {
        if (!flush()) {
            return 0;
        }
        OutputBuffer out = outer.output();
        long done = 0;
        while (done < length) {
            if (done >= BYTES_PER_CALL_MAX) {
                writableLater();
                return done;
            }
            int put = body.put(done, (int) Math.min(out.room(), length - done));
            if (put <= 0) {
                abort();
                return done;
            }
            done += put;
            if (!outer.flush()) {
                return done;
            }
        }
        return done;
    }

    @Override
    public void writableLater() {
        sendsLater = true;
        outer.writableLater();
    }

    @Override
    public void pause() {
        paused = true;
        resumed = false;
        if (!inProtocol) {
            goOn();
        }
    }

    @Override
    public void resume() {
        paused = false;
        resumed = true;
        if (!inProtocol) {
            goOn();
        }
    }

    @Override
    public void closeWhenSent(boolean linger) {
        closing = true;
        lingers |= linger;
        if (!inProtocol) {
            leave();
        }
    }

    @Override
    public void abort() {
        plain.clear();
        outer.abort();
    }

    @Override
    public void become(Protocol newProtocol) {
        next = newProtocol;
    }

    @Override
    public void deadline(long nanos) {
        deadline = nanos;
        outer.deadline(nanos);
    }

    @Override
    public long now() {
        return outer.now();
    }

    @Override
    public void countRequest() {
        outer.countRequest();
    }

    @Override
    public void countError() {
        outer.countError();
    }

    @Override
    public int unsentBytes() {
        return outer.unsentBytes();
    }

    @Override
    public long sentBytes() {
        return outer.sentBytes();
    }

    @Override
    public long outputBytes() {
        return outer.outputBytes() + plain.position();
    }

    @Override
    public Peer peer() {
        return outer.peer();
    }

    @Override
    public void execute(Runnable task) {
        outer.execute(task);
    }
}
