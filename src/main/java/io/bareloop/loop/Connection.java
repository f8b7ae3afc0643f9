package io.bareloop.loop;

import io.bareloop.sys.Linux;
import io.bareloop.sys.Syscalls;
import io.bareloop.wire.FileSource;
import io.bareloop.wire.OutputBuffer;
import io.bareloop.wire.Peer;
import io.bareloop.wire.Pending;
import io.bareloop.wire.Protocol;
import io.bareloop.wire.Transport;
import java.lang.foreign.MemorySegment;

/**
 * One connection slot of a loop: a descriptor, its protocol, and what is pending in either
 * direction. With nothing pending it holds no buffer. Used for one connection after another, on the
 * loop's thread.
 *
 * <pre>
 *            open           closeWhenSent                      all is sent
 *    CLOSED ------> OPEN ----+-- and the peer is done --> CLOSING -----------------> CLOSED
 *                            |
 *                            +-- it may be sending ---> CLOSING_SLOWLY -> LINGERING -> CLOSED
 * </pre>
 *
 * <p>CLOSING becomes CLOSING_SLOWLY where that is asked for later. From each of them {@link #close}
 * leads to CLOSED at once: the peer is gone, a deadline has passed, or something has failed. Where
 * this shows at a moment when it cannot close, {@link Outgoing#isBroken} says so until it can,
 * whichever state it is in.
 */
final class Connection implements Transport {
    private static final int NONE = -1;

    private final Loop loop;
    private final Syscalls sys;
    private final int slot;

    // With which each connection of this slot begins, which it has, and which comes next, if any.
    private final Protocol first;
    private Protocol protocol;
    private Protocol next;

    private int generation;
    private int fd = NONE;
    private Life life = Life.CLOSED;

    final Incoming incoming;
    final Outgoing outgoing;

    /** Output that the kernel has not taken yet, of {@link Outgoing}. */
    private final Pending unsent;

    /** Made when first needed, so that it takes no room in the CPU's cache before. */
    private LargeBody body;

    private final Progress progress;
    private final PeerName name;

    /** The protocol has its turn: what is to be done at the end of that waits for it. */
    boolean inProtocol;

    /** The kernel tells the loop of edges. */
    boolean watched;

    /** An edge that says there is room to send may have been lost. */
    private boolean roomMissed;

    /** Stands in the loop's list of those to go on with in the next turn, and before which. */
    boolean scheduled;

    Connection nextScheduled;

    /**
     * @param generation more than that of any connection that has had this slot
     */
    Connection(Loop loop, Syscalls sys, Protocol protocol, int slot, int generation) {
        this.loop = loop;
        this.sys = sys;
        this.first = protocol;
        this.protocol = protocol;
        this.slot = slot;
        this.generation = generation;
        unsent = new Pending(loop.slab());
        progress = new Progress(loop, sys, slot);
        name = new PeerName(loop, sys);
        incoming = new Incoming(loop, sys, this, unsent);
        outgoing = new Outgoing(loop, sys, this, unsent, progress);
    }

    // ---- the life of a connection

    /**
     * Begins with descriptor {@code newFd}, and with what has come in on it already: a connection
     * of one request is answered and closed without having been watched.
     */
    void open(int newFd) {
        fd = newFd;
        life = Life.OPEN;
        watched = false;
        roomMissed = false;
        next = null;
        incoming.open();
        outgoing.open();
        name.open();
        if (body != null) {
            body.open();
        }
        enter();
        openProtocol(first);
        leave();
        incoming.receive();
        if (isOpen()) {
            watch();
        }
    }

    private void openProtocol(Protocol newProtocol) {
        protocol = newProtocol;
        protocol.open(this);
        if (loop.drain.hasBegun()) {
            protocol.drain();
        }
    }

    /** Edges from now on: what has become ready meanwhile is reported too. */
    private void watch() {
        watched = true;
        if (loop.poll.watch(this, outgoing.interest()) < 0) {
            // ENOMEM, ENOSPC: the limit of watches is reached; this client is turned away.
            close();
        }
    }

    int slot() {
        return slot;
    }

    int fd() {
        return fd;
    }

    boolean isOpen() {
        return life != Life.CLOSED;
    }

    /** Whether the protocol is to have what the peer sends. */
    boolean takesInput() {
        return life == Life.OPEN;
    }

    /** Whether all is sent, and what comes is to be discarded. */
    boolean isLingering() {
        return life == Life.LINGERING;
    }

    /**
     * Generation and slot: an event of an earlier connection in this slot carries another token.
     */
    long token() {
        return (long) generation << 32 | slot;
    }

    void close() {
        if (!isOpen()) {
            return;
        }
        outgoing.sendQueued();
        // EINTR and EIO also free the descriptor on Linux: there is nothing to repeat.
        sys.close(fd);
        fd = NONE;
        life = Life.CLOSED;
        generation = (generation + 1) & Integer.MAX_VALUE;
        incoming.release();
        unsent.release();
        if (body != null) {
            body.stopWaiting();
        }
        try {
            protocol.closed();
        } finally {
            loop.closed(this);
        }
    }

    /**
     * The JVM had no heap or no stack left for what this connection wanted, or has found a fault in
     * memory that was mapped for it. That is the end of this connection, and of nothing else.
     */
    void fail() {
        // What stands there may be half of something, and must meet nobody else.
        loop.output().clear();
        inProtocol = false;
        try {
            close();
        } catch (VirtualMachineError | LinkageError again) {
            if (isOpen()) {
                // Not even that: it is tried again in the next turn.
                outgoing.breaks();
                loop.schedule(this);
            }
        }
        // Nor what its handlers have written when they were told.
        loop.output().clear();
    }

    /** A turn has been cut short: an edge may have been lost, in either direction. */
    void interrupted() {
        incoming.noteReadable();
        roomMissed = !unsent.isEmpty() || isWaitingFor(LargeBody.Wait.SOCKET);
        inProtocol = false;
        loop.schedule(this);
    }

    @Override
    public void abort() {
        fail();
    }

    // ---- one turn

    /** Something is ready: EPOLLIN and others in {@code events}. */
    void ready(int events) {
        if ((events & (Linux.EPOLLHUP | Linux.EPOLLERR)) != 0) {
            // Gone in both directions: a response could not be sent any more.
            close();
            return;
        }
        if ((events & Linux.EPOLLRDHUP) != 0) {
            incoming.noteHangUp();
        }
        if ((events & Linux.EPOLLOUT) != 0) {
            roomInSocket();
        }
        if ((events & ~Linux.EPOLLOUT) != 0 && isOpen()) {
            incoming.noteReadable();
            incoming.receive();
        }
    }

    private void roomInSocket() {
        if (!unsent.isEmpty()) {
            sendUnsent();
        } else if (isWaitingFor(LargeBody.Wait.SOCKET)) {
            resumeBody();
        }
    }

    /** Goes on where the last turn left off: with what was kept, then with what can be read. */
    void proceed() {
        if (outgoing.isBroken()) {
            close();
            return;
        }
        if (roomMissed) {
            roomMissed = false;
            roomInSocket();
        }
        if (isWaitingFor(LargeBody.Wait.TURN)) {
            resumeBody();
        }
        if (isOpen()) {
            incoming.proceed();
        }
    }

    /** Whether nothing is pending in either direction, so that a batch may serve it. */
    boolean isIdle() {
        return incoming.isIdle()
                && unsent.isEmpty()
                && !bodyWaits()
                && !scheduled
                && !outgoing.isBroken()
                && life == Life.OPEN;
    }

    /** Input is reported, but this is not the moment. */
    void receiveLater() {
        incoming.noteReadable();
        loop.schedule(this);
    }

    /** The protocol's turn begins: whatever it appends is sent to this peer, and only that. */
    void enter() {
        inProtocol = true;
        if (loop.output().position() != 0) {
            throw new AssertionError("the output buffer holds bytes of another connection");
        }
    }

    Protocol protocol() {
        return protocol;
    }

    @Override
    public void become(Protocol newProtocol) {
        next = newProtocol;
    }

    /** Whether there is a new protocol, which has just been opened. */
    boolean hasBecome() {
        Protocol becoming = next;
        next = null;
        // Where the end has been asked for, it stays with the one that did.
        if (becoming == null || !takesInput()) {
            return false;
        }
        incoming.resume();
        deadline(NEVER);
        openProtocol(becoming);
        return true;
    }

    /** It ends: sends what the protocol has appended; closes where that was the end of it. */
    void leave() {
        inProtocol = false;
        if (isIdle() && !incoming.isReadable() && outgoing.queue()) {
            return;
        }
        outgoing.flush(0);
        if (outgoing.isBroken()) {
            close();
        } else if (life != Life.OPEN && unsent.isEmpty()) {
            finish();
        }
    }

    @Override
    public OutputBuffer output() {
        return loop.output();
    }

    @Override
    public boolean flush() {
        return outgoing.flush(0);
    }

    private void sendUnsent() {
        outgoing.sendUnsent();
        if (outgoing.isBroken()) {
            close();
        } else if (unsent.isEmpty() && life != Life.OPEN) {
            finish();
        } else if (unsent.isEmpty()) {
            tellWritable();
            if (isOpen() && unsent.isEmpty()) {
                proceed();
            }
        }
    }

    /** The body that is sent from where it is goes on. */
    void resumeBody() {
        body.stopWaiting();
        tellWritable();
    }

    private void tellWritable() {
        enter();
        protocol.writable();
        leave();
    }

    private boolean bodyWaits() {
        return body != null && body.isWaiting();
    }

    private boolean isWaitingFor(LargeBody.Wait what) {
        return body != null && body.isWaitingFor(what);
    }

    private LargeBody body() {
        body = body != null ? body : new LargeBody(loop, sys, this, outgoing, progress);
        return body;
    }

    @Override
    public long sendMemory(MemorySegment memory, long offset, long length) {
        return body().sendMemory(memory, offset, length);
    }

    @Override
    public long sendFile(FileSource file, long offset, long length) {
        return body().sendFile(file, offset, length);
    }

    @Override
    public void writableLater() {
        body().waitForTurn();
    }

    // ---- the end

    @Override
    public void closeWhenSent(boolean linger) {
        if (life == Life.OPEN || life == Life.CLOSING) {
            life = linger ? Life.CLOSING_SLOWLY : Life.CLOSING;
        }
        if (!inProtocol) {
            leave();
        }
    }

    /** All is sent: closes, at once or after the peer has had time to read. */
    private void finish() {
        incoming.release();
        // A peer that has hung up may still be reading: what it sent before is discarded too.
        if (life == Life.CLOSING) {
            close();
        } else if (life == Life.CLOSING_SLOWLY) {
            life = Life.LINGERING;
            protocol.sent();
            sys.shutdown(fd, Linux.SHUT_WR);
            incoming.linger();
        }
    }

    /** The deadline has come. */
    void expired() {
        if (life == Life.LINGERING || isWaitingFor(LargeBody.Wait.DISK)) {
            close();
        } else if (isWaitingFor(LargeBody.Wait.TURN)) {
            // It is the loop that is late, not the peer.
            progress.await();
        } else if (unsent.isEmpty() && !isWaitingFor(LargeBody.Wait.SOCKET)) {
            enter();
            protocol.expired();
            leave();
        } else if (!progress.isMade(fd)) {
            close();
        }
    }

    void drain() {
        enter();
        protocol.drain();
        leave();
    }

    // ---- the rest of what a protocol may ask for

    @Override
    public void pause() {
        incoming.pause();
    }

    @Override
    public void resume() {
        incoming.resume();
        loop.schedule(this);
    }

    @Override
    public void deadline(long nanos) {
        if (!unsent.isEmpty() || life == Life.LINGERING || bodyWaits()) {
            return;
        }
        loop.deadlines().set(slot, nanos);
    }

    @Override
    public long now() {
        return loop.now();
    }

    @Override
    public void countRequest() {
        loop.counters.requests++;
    }

    @Override
    public void countError() {
        loop.counters.errors++;
    }

    @Override
    public int unsentBytes() {
        return unsent.bytes();
    }

    @Override
    public long sentBytes() {
        return outgoing.sentBytes();
    }

    @Override
    public long outputBytes() {
        return outgoing.outputBytes();
    }

    @Override
    public Peer peer() {
        return name.peer(fd);
    }

    @Override
    public void execute(Runnable task) {
        loop.execute(task);
    }
}
