package io.bareloop.loop;

import io.bareloop.http.FileBody;
import io.bareloop.http.OutputBuffer;
import io.bareloop.http.Protocol;
import io.bareloop.http.Transport;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Syscalls;
import java.lang.foreign.MemorySegment;

/**
 * One connection slot of a loop: a descriptor, its protocol, and what is pending in either
 * direction. With nothing pending it holds no buffer. Used for one connection after another.
 */
final class Connection implements Transport {
    /** Full buffers received from one connection before the others of the loop have their turn. */
    private static final int RECEIVES_PER_TURN_MAX = 4;

    private static final int CLOSED = -1;

    private final Loop loop;
    private final Syscalls sys;
    private final Protocol protocol;
    private final int slot;

    private int generation;
    private int fd = CLOSED;

    /** Input that the protocol has not consumed yet; between calls it begins at 0. */
    private final Pending input;

    /** Output that the kernel has not taken yet. */
    private final Pending unsent;

    private final Outgoing outgoing;
    private final LargeBody body;
    private final Progress progress;
    private final Linger linger;

    /** The protocol takes no input for now. */
    private boolean paused;

    /** An edge has been reported that has not been read to its end. */
    private boolean readable;

    /** The peer has shut down its sending side, or the whole connection is gone. */
    private boolean hungUp;

    /** Sends more at a time than a batch receives. */
    private boolean bulky;

    /** An edge that says there is room to send may have been lost. */
    private boolean roomMissed;

    private boolean endReported;
    private boolean closingWhenSent;
    private boolean lingers;
    private boolean lingering;
    private boolean broken;
    private boolean watched;
    private boolean outArmed;
    private boolean inProtocol;

    /** Stands in the loop's list of connections to go on with in the next turn. */
    boolean scheduled;

    /** The next one in that list. */
    Connection nextScheduled;

    /**
     * @param generation more than that of any connection that has had this slot
     */
    Connection(Loop loop, Syscalls sys, Protocol protocol, int slot, int generation) {
        this.loop = loop;
        this.sys = sys;
        this.protocol = protocol;
        this.slot = slot;
        this.generation = generation;
        input = new Pending(loop.slab());
        unsent = new Pending(loop.slab());
        progress = new Progress(loop, sys, slot);
        outgoing = new Outgoing(loop, sys, this, unsent, progress);
        body = new LargeBody(loop, sys, this, outgoing, progress);
        linger = new Linger(loop, sys);
    }

    // ---- the life of a connection

    /**
     * Begins with descriptor {@code newFd}, and with what has come in on it already: a connection
     * of one request is answered and closed without having been watched.
     */
    void open(int newFd) {
        fd = newFd;
        watched = false;
        paused = false;
        readable = true;
        hungUp = false;
        bulky = false;
        endReported = false;
        roomMissed = false;
        closingWhenSent = false;
        lingers = false;
        lingering = false;
        broken = false;
        outArmed = false;
        outgoing.open();
        body.open();
        protocol.open(this);
        if (loop.isDraining()) {
            protocol.drain();
        }
        receive();
        if (fd != CLOSED) {
            watch();
        }
    }

    /** Edges from now on: what has become ready meanwhile is reported too. */
    private void watch() {
        watched = true;
        if (loop.watch(this, outArmed ? Linux.EPOLLOUT : 0) < 0) {
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

    int generation() {
        return generation;
    }

    boolean isOpen() {
        return fd != CLOSED;
    }

    /**
     * Generation and slot: an event of an earlier connection in this slot carries another token.
     */
    long token() {
        return (long) generation << 32 | slot;
    }

    void close() {
        if (fd == CLOSED) {
            return;
        }
        outgoing.sendQueued();
        // EINTR and EIO also free the descriptor on Linux: there is nothing to repeat.
        sys.close(fd);
        fd = CLOSED;
        generation = (generation + 1) & Integer.MAX_VALUE;
        input.release();
        unsent.release();
        body.stopWaiting();
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
            if (fd != CLOSED) {
                // Not even that: it is tried again in the next turn.
                broken = true;
                loop.schedule(this);
            }
        }
        // Nor what its handlers have written when they were told.
        loop.output().clear();
    }

    /** A turn has been cut short: an edge may have been lost, in either direction. */
    void interrupted() {
        readable = true;
        roomMissed = !unsent.isEmpty() || body.isWaitingFor(LargeBody.Wait.SOCKET);
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
            hungUp = true;
        }
        if ((events & Linux.EPOLLOUT) != 0) {
            roomInSocket();
        }
        if ((events & ~Linux.EPOLLOUT) != 0 && fd != CLOSED) {
            readable = true;
            receive();
        }
    }

    private void roomInSocket() {
        if (!unsent.isEmpty()) {
            sendUnsent();
        } else if (body.isWaitingFor(LargeBody.Wait.SOCKET)) {
            resumeBody();
        }
    }

    /** Goes on where the last turn left off: with what was kept, then with what can be read. */
    void proceed() {
        if (broken) {
            close();
            return;
        }
        if (roomMissed) {
            roomMissed = false;
            roomInSocket();
        }
        if (body.isWaitingFor(LargeBody.Wait.TURN)) {
            resumeBody();
        }
        if (fd != CLOSED && !input.isEmpty() && canReceive()) {
            consume(input.segment(), input.from(), input.to(), true);
        }
        if (fd != CLOSED && readable) {
            receive();
        }
    }

    private boolean canReceive() {
        return !paused && unsent.isEmpty() && !closingWhenSent;
    }

    private void receive() {
        if (lingering) {
            discard();
            return;
        }
        for (int i = 0; i < RECEIVES_PER_TURN_MAX; i++) {
            // Scheduled, it first goes on with what is kept: an end of input that is received now
            // would be reported ahead of that.
            if (!canReceive() || scheduled) {
                return;
            }
            MemorySegment in = loop.in();
            int at = 0;
            boolean isKept = !input.isEmpty();
            if (isKept) {
                // No head is longer than the bound: the protocol would have refused it.
                if (!input.ensureRoom(Loop.IN_BYTES)) {
                    close();
                    return;
                }
                in = input.segment();
                at = input.to();
            }
            int room = (int) in.byteSize() - at;
            int received = sys.recv(fd, in, at, room);
            if (received <= 0) {
                if (received == -Errno.EINTR) {
                    continue;
                }
                receivedNothing(received);
                return;
            }
            loop.counters.bytesReceived += received;
            // A short receive has emptied the socket: no second call to hear EAGAIN. After a
            // hang-up there is no further edge to come, so that the end itself is still to be read.
            readable = received == room || hungUp;
            bulky = received >= Batch.RECEIVE_BYTES;
            if (isKept) {
                input.extend(received);
            }
            consume(in, 0, at + received, isKept);
            if (fd == CLOSED || !readable) {
                return;
            }
        }
        loop.schedule(this);
    }

    // ---- one turn, together with other connections

    /** Whether nothing is pending in either direction, so that a batch may serve it. */
    boolean isIdle() {
        return input.isEmpty()
                && unsent.isEmpty()
                && !body.isWaiting()
                && !paused
                && !hungUp
                && !bulky
                && !scheduled
                && !closingWhenSent
                && !broken;
    }

    /** Input is reported, but this is not the moment. */
    void receiveLater() {
        readable = true;
        loop.schedule(this);
    }

    /** A batch has received for this connection: bytes of {@code in} at {@code at}, or -errno. */
    void received(MemorySegment in, int at, int result) {
        if (result <= 0) {
            if (result == -Errno.EINTR) {
                receiveLater();
            } else {
                receivedNothing(result);
            }
            return;
        }
        loop.counters.bytesReceived += result;
        readable = result == Batch.RECEIVE_BYTES;
        bulky = readable;
        if (!canReceive()) {
            // Another connection's handler has just now written to it.
            keep(in, at, at + result);
            return;
        }
        consume(in, at, at + result, false);
        if (fd != CLOSED && readable) {
            receive();
        }
    }

    /** {@link Outgoing#sent}. */
    void sent(int result, int from, int to) {
        outgoing.sent(result, from, to);
    }

    private void receivedNothing(int result) {
        readable = false;
        if (result == -Errno.EAGAIN) {
            return;
        }
        if (result == 0) {
            if (!endReported) {
                endReported = true;
                enter();
                protocol.endOfInput();
                inProtocol = false;
                sendOutput();
            }
            return;
        }
        // ECONNRESET, ETIMEDOUT, EPIPE, EHOSTUNREACH and the like: the connection is gone.
        close();
    }

    /** The protocol's turn begins: whatever it appends is sent to this peer, and only that. */
    private void enter() {
        inProtocol = true;
        if (loop.output().position() != 0) {
            throw new AssertionError("the output buffer holds bytes of another connection");
        }
    }

    /** Lets the protocol have [from, to) of {@code in}, sends its answer, keeps what it leaves. */
    private void consume(MemorySegment in, int from, int to, boolean isKept) {
        enter();
        int at = protocol.receive(in, from, to);
        inProtocol = false;
        sendOutput();
        if (fd == CLOSED) {
            return;
        }
        if (closingWhenSent) {
            input.release();
        } else if (isKept) {
            input.consume(at - from);
            input.compact();
        } else if (at < to) {
            keep(in, at, to);
        }
    }

    /** Sends what the protocol has appended; closes where that was the end of it. */
    private void sendOutput() {
        if (isIdle() && !readable && outgoing.queue()) {
            return;
        }
        outgoing.flush(0);
        if (broken) {
            close();
        } else if (closingWhenSent && unsent.isEmpty()) {
            finish();
        }
    }

    private void keep(MemorySegment in, int from, int to) {
        if (!input.append(in, from, to, Loop.IN_BYTES)) {
            close();
        }
    }

    // ---- output

    @Override
    public OutputBuffer output() {
        return loop.output();
    }

    @Override
    public boolean flush() {
        return outgoing.flush(0);
    }

    /** Asks for EPOLLOUT, once a connection: edges cost nothing while nothing is unsent. */
    void watchForRoom() {
        if (!outArmed) {
            outArmed = true;
            if (watched && loop.rewatch(this, Linux.EPOLLOUT) < 0) {
                broken = true;
            }
        }
    }

    private void sendUnsent() {
        outgoing.sendUnsent();
        if (broken) {
            close();
            return;
        }
        if (!unsent.isEmpty()) {
            return;
        }
        if (closingWhenSent) {
            finish();
            return;
        }
        tellWritable();
        if (fd != CLOSED && unsent.isEmpty()) {
            proceed();
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
        inProtocol = false;
        sendOutput();
    }

    boolean isBroken() {
        return broken;
    }

    /** Nothing more can be sent: to be closed at the next opportunity. */
    void breaks() {
        broken = true;
    }

    /** In the protocol's turn its end is that opportunity; otherwise it is the loop's list. */
    void scheduleIfBroken() {
        if (broken && !inProtocol) {
            loop.schedule(this);
        }
    }

    @Override
    public long sendMemory(MemorySegment memory, long offset, long length) {
        return body.sendMemory(memory, offset, length);
    }

    @Override
    public long sendFile(FileBody file, long offset, long length) {
        return body.sendFile(file, offset, length);
    }

    // ---- the end

    @Override
    public void closeWhenSent(boolean linger) {
        closingWhenSent = true;
        lingers |= linger;
        if (!inProtocol) {
            sendOutput();
        }
    }

    /** All is sent: closes, at once or after the peer has had time to read. */
    private void finish() {
        if (fd == CLOSED) {
            // By the protocol itself, which could not go on.
            return;
        }
        input.release();
        // A peer that has hung up may still be reading: what it sent before is discarded too.
        if (!lingers) {
            close();
            return;
        }
        if (!lingering) {
            lingering = true;
            linger.begin();
            sys.shutdown(fd, Linux.SHUT_WR);
            discard();
        }
    }

    private void discard() {
        Linger.Outcome outcome = linger.discard(fd);
        if (outcome == Linger.Outcome.OVER) {
            close();
        } else if (outcome == Linger.Outcome.MORE) {
            readable = true;
            loop.schedule(this);
        } else {
            readable = false;
            loop.deadlines().set(slot, linger.deadline());
        }
    }

    /** The deadline has come. */
    void expired() {
        if (lingering || body.isWaitingFor(LargeBody.Wait.DISK)) {
            close();
            return;
        }
        if (body.isWaitingFor(LargeBody.Wait.TURN)) {
            // It is the loop that is late, not the peer.
            progress.await();
            return;
        }
        if (!unsent.isEmpty() || body.isWaitingFor(LargeBody.Wait.SOCKET)) {
            if (!progress.isMade(fd)) {
                close();
            }
            return;
        }
        enter();
        protocol.expired();
        inProtocol = false;
        sendOutput();
    }

    void drain() {
        enter();
        protocol.drain();
        inProtocol = false;
        sendOutput();
    }

    // ---- the rest of what a protocol may ask for

    @Override
    public void pause() {
        paused = true;
    }

    @Override
    public void resume() {
        paused = false;
        loop.schedule(this);
    }

    @Override
    public void deadline(long nanos) {
        if (!unsent.isEmpty() || lingering || body.isWaiting()) {
            return;
        }
        if (nanos == NEVER) {
            loop.deadlines().cancel(slot);
        } else {
            loop.deadlines().set(slot, nanos);
        }
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
    public void execute(Runnable task) {
        loop.execute(task);
    }
}
