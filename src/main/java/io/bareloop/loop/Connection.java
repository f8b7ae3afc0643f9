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

    /**
     * Bytes of a file sent before the others of the turn have theirs; the rest follows at the
     * turn's end, or in the next. So many are in the kernel's cache as a rule, for whoever opens a
     * file reads them.
     */
    private static final int FILE_BYTES_AT_FIRST = 256 << 10;

    /**
     * The same where bbr paces. With the head they are one segment of the kernel, which has 64 KiB
     * and 17 pages at most; what comes behind it at once waits for a timer. Measured where the peer
     * reads slowly: 100 KiB in one go take half as much CPU time again.
     */
    private static final int PACED_BYTES_AT_FIRST = 60 << 10;

    /** So far apart are the bytes of which the kernel is asked whether it has them cached. */
    private static final int PROBE_BYTES = 256 << 10;

    /**
     * Bytes that another thread reads from the disk at a time, where the cache has not got them.
     */
    private static final int WARM_BYTES = 1 << 20;

    private static final int CLOSED = -1;

    private static final int NO_TURN = -1;

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

    private final Progress progress;
    private final Linger linger;

    /** What the body at hand, a file or memory, waits for before more of it can be sent. */
    private BodyWait bodyWait = BodyWait.NONE;

    /**
     * In which turn a body of this connection was last sent from, and what may still be sent in
     * that.
     */
    private long bodyTurn;

    private long bodyBytesLeft;

    /** A part of the body at hand has been sent in a turn before. */
    private boolean bodyBegun;

    /** Up to where the file has just been read by another thread. */
    private long warmTo;

    /** Where the part of a file at hand began, and when. */
    private long fileFrom;

    private long fileSince;

    /** The kernel was asked for what was sent last of it, and had that. */
    private boolean fileProbed;

    private enum BodyWait {
        NONE,
        SOCKET,
        TURN,
        DISK
    }

    /** The protocol takes no input for now. */
    private boolean paused;

    /** An edge has been reported that has not been read to its end. */
    private boolean readable;

    /** The peer has shut down its sending side, or the whole connection is gone. */
    private boolean hungUp;

    /** Sends more at a time than a batch receives. */
    private boolean bulky;

    /** A response is queued in the loop's batch. */
    private boolean queued;

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
        queued = false;
        closingWhenSent = false;
        lingers = false;
        lingering = false;
        broken = false;
        outArmed = false;
        warmTo = 0;
        bodyBegun = false;
        bodyTurn = NO_TURN;
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
        sendQueued();
        // EINTR and EIO also free the descriptor on Linux: there is nothing to repeat.
        sys.close(fd);
        fd = CLOSED;
        generation = (generation + 1) & Integer.MAX_VALUE;
        input.release();
        unsent.release();
        bodyWait = BodyWait.NONE;
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
        roomMissed = !unsent.isEmpty() || bodyWait == BodyWait.SOCKET;
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
        } else if (bodyWait == BodyWait.SOCKET) {
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
        if (bodyWait == BodyWait.TURN) {
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
                && bodyWait == BodyWait.NONE
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

    /** What the batch has sent of a response, from {@code from} to {@code to}, or -errno. */
    void sent(int result, int from, int to) {
        queued = false;
        int sent = from + taken(result);
        if (sent < to && !broken) {
            keepUnsent(loop.output().segment(), sent, to);
        }
        if (broken) {
            loop.schedule(this);
        }
    }

    private void sendQueued() {
        if (queued) {
            loop.sendQueued();
        }
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
        if (isIdle() && !readable && loop.output().position() > 0 && loop.queue(this)) {
            loop.slices.servedOthers(loop.now());
            queued = true;
            return;
        }
        flush(0);
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
        return flush(0);
    }

    private boolean flush(int flags) {
        sendQueued();
        OutputBuffer out = loop.output();
        int start = out.start();
        int length = out.position();
        if (length == 0) {
            return unsent.isEmpty() && !broken;
        }
        if (flags == 0) {
            loop.slices.servedOthers(loop.now());
        }
        int sent = unsent.isEmpty() && !broken ? send(out.segment(), start, length, flags) : 0;
        out.clear();
        if (sent == length) {
            return true;
        }
        if (!broken) {
            keepUnsent(out.segment(), start + sent, start + length);
        }
        if (broken && !inProtocol) {
            loop.schedule(this);
        }
        return false;
    }

    /** Returns the number of bytes the kernel took, 0 where it takes none; notes a broken one. */
    private int send(MemorySegment from, int offset, int length, int flags) {
        int sent = sys.send(fd, from, offset, length, flags);
        while (sent == -Errno.EINTR) {
            sent = sys.send(fd, from, offset, length, flags);
        }
        return taken(sent);
    }

    /** As {@link #send}, for what a call has returned. */
    private int taken(int sent) {
        if (sent >= 0) {
            loop.counters.bytesSent += sent;
            return sent;
        }
        if (sent != -Errno.EAGAIN
                && sent != -Errno.ENOBUFS
                && sent != -Errno.ENOMEM
                && sent != -Errno.EINTR) {
            // EPIPE, ECONNRESET, ETIMEDOUT and the like: the peer is gone.
            broken = true;
        }
        return 0;
    }

    /** Keeps what the kernel did not take, behind what is kept already; notes where it cannot. */
    private void keepUnsent(MemorySegment from, int offset, int end) {
        if (unsent.isEmpty()) {
            progress.await();
        }
        if (!unsent.append(from, offset, end, loop.options().unsentBytesMax())) {
            broken = true;
            return;
        }
        armOut();
    }

    /** Asks for EPOLLOUT, once a connection: edges cost nothing while nothing is unsent. */
    private void armOut() {
        if (!outArmed) {
            outArmed = true;
            if (watched && loop.rewatch(this, Linux.EPOLLOUT) < 0) {
                broken = true;
            }
        }
    }

    private void sendUnsent() {
        int sent = send(unsent.segment(), unsent.from(), unsent.bytes(), 0);
        if (broken) {
            close();
            return;
        }
        unsent.consume(sent);
        if (!unsent.isEmpty()) {
            if (sent > 0) {
                progress.await();
            }
            return;
        }
        if (closingWhenSent) {
            finish();
            return;
        }
        enter();
        protocol.writable();
        inProtocol = false;
        sendOutput();
        if (fd != CLOSED && unsent.isEmpty()) {
            proceed();
        }
    }

    // ---- bodies that are sent from where they are

    /**
     * {@inheritDoc}
     *
     * <p>In one method, as {@link #sendFile} is.
     */
    @Override
    public long sendMemory(MemorySegment memory, long offset, long length) {
        // What others have answered does not wait until a large body has gone.
        loop.sendQueued();
        OutputBuffer out = loop.output();
        if (!unsent.isEmpty() || broken) {
            // Behind what is kept already; where the connection is lost, to be forgotten.
            flush();
            return 0;
        }
        bodyWait = BodyWait.NONE;
        if (bodyTurn != loop.counters.turns) {
            bodyTurn = loop.counters.turns;
            bodyBytesLeft = loop.slices.next(bodyTurn, loop.now());
        }
        long at = offset;
        long end = offset + length;
        while (at < end) {
            if (bodyBytesLeft <= 0) {
                if (flush(Linux.MSG_MORE)) {
                    bodyBegun = true;
                    bodyWaitsFor(BodyWait.TURN);
                    loop.schedule(this);
                }
                return at - offset;
            }
            int start = out.start();
            int head = out.position();
            int piece = (int) Math.min(end - at, bodyBytesLeft);
            int sent = sys.writev(fd, out.segment(), start, head, memory, at, piece);
            if (sent == -Errno.EINTR) {
                continue;
            }
            if (sent == -Errno.EAGAIN || sent == -Errno.ENOBUFS || sent == -Errno.ENOMEM) {
                sent = 0;
            }
            out.clear();
            if (sent < 0) {
                // EPIPE, ECONNRESET and the like: the peer is gone. EFAULT: the memory is.
                broken = true;
            } else {
                loop.counters.bytesSent += sent;
                if (sent == head + piece) {
                    at += piece;
                    bodyBytesLeft -= piece;
                    continue;
                }
                // The socket is full: an edge follows, with no need to hear EAGAIN first.
                if (sent < head) {
                    keepUnsent(out.segment(), start + sent, start + head);
                } else {
                    at += sent - head;
                    bodyBegun = true;
                    bodyWaitsFor(BodyWait.SOCKET);
                    armOut();
                }
            }
            if (broken && !inProtocol) {
                loop.schedule(this);
            }
            return at - offset;
        }
        bodyBegun = false;
        return length;
    }

    /**
     * {@inheritDoc}
     *
     * <p>All in one method on purpose: so it is too large to be inlined (325 bytes of code) at the
     * end of the long chain from the handler, where the JIT would give up amid a system call and
     * allocate 40 bytes for it. The allocation tests see to it.
     */
    @Override
    public long sendFile(FileBody file, long offset, long length) {
        if (loop.hasPrivateDescriptors()) {
            // The number means another file in this thread's table, and not a secret one only by
            // luck.
            throw new IllegalStateException(
                    "a loop with private descriptors sends no files: leave privateDescriptors off");
        }
        loop.sendQueued();
        // MSG_MORE holds the head back until the file's bytes fill the packet.
        if (!flush(Linux.MSG_MORE)) {
            return 0;
        }
        bodyWait = BodyWait.NONE;
        if (bodyTurn != loop.counters.turns) {
            bodyTurn = loop.counters.turns;
            bodyBytesLeft = loop.slices.next(bodyTurn, loop.now());
        }
        long at = offset;
        long end = offset + length;
        long pause = end;
        if (!bodyBegun) {
            fileFrom = offset;
            fileSince = loop.now();
            long first = loop.paced() ? PACED_BYTES_AT_FIRST : FILE_BYTES_AT_FIRST;
            if (bodyBytesLeft >= 2 * first) {
                pause = offset + first;
            }
        }
        while (at < end) {
            if (bodyBytesLeft <= 0 || at >= pause) {
                bodyBegun = true;
                bodyWaitsFor(BodyWait.TURN);
                loop.schedule(this);
                return at - offset;
            }
            long piece = Math.min(Math.min(end, pause) - at, bodyBytesLeft);
            fileProbed = false;
            if (at < warmTo) {
                // Has just been read for us: what is behind it will be asked for in its turn.
                piece = Math.min(piece, warmTo - at);
            } else if (!file.isWarm(at + piece, loop.now())) {
                // Would sendfile wait for the disk? Asked of some bytes, and of the last: what lies
                // between was read together with one of them, as a rule; where not, it is the loop
                // that waits, once. A file system that cannot tell is taken at its word.
                long last = at + piece - 1;
                long probe = at;
                while (sys.preadv2Nowait(file.descriptor(), probe) != -Errno.EAGAIN) {
                    if (probe == last) {
                        probe = -1;
                        break;
                    }
                    probe = Math.min(probe + PROBE_BYTES, last);
                }
                if (probe >= 0) {
                    bodyBegun = true;
                    warm(file, at, (int) Math.min(end - at, WARM_BYTES));
                    return at - offset;
                }
                fileProbed = true;
            }
            long sent = sys.sendfile(fd, file.descriptor(), at, piece);
            if (sent > 0) {
                bodyBegun = true;
                loop.counters.bytesSent += sent;
                bodyBytesLeft -= sent;
                at += sent;
            } else if (!sendFailed(sent)) {
                return at - offset;
            }
        }
        if (fileProbed && fileFrom == 0) {
            // Not where others said so: from time to time somebody has to ask.
            file.noteWarm(end, fileSince);
        }
        warmTo = 0;
        bodyBegun = false;
        return length;
    }

    /** Returns whether to try again at once. */
    private boolean sendFailed(long result) {
        if (result == -Errno.EINTR) {
            return true;
        }
        if (result == -Errno.EAGAIN || result == -Errno.ENOBUFS || result == -Errno.ENOMEM) {
            bodyWaitsFor(BodyWait.SOCKET);
            armOut();
        } else {
            // 0: the file was cut short behind our back, and what was announced cannot come. EIO:
            // the disk has failed. EPIPE, ECONNRESET and the like: the peer is gone.
            broken = true;
        }
        if (broken && !inProtocol) {
            loop.schedule(this);
        }
        return false;
    }

    private void bodyWaitsFor(BodyWait what) {
        bodyWait = what;
        progress.await();
    }

    /** Has another thread wait for the disk. Allocates: it is slow anyway. */
    private void warm(FileBody file, long from, int length) {
        bodyWaitsFor(BodyWait.DISK);
        loop.deadlines().set(slot, loop.now() + loop.options().sendNanos());
        long token = token();
        file.warm(from, length, () -> loop.execute(() -> warmed(token, from + length)));
    }

    private void warmed(long token, long to) {
        if (fd != CLOSED && token == token() && bodyWait == BodyWait.DISK) {
            // Not probed again: where the disk fails, sendfile is to say so.
            warmTo = to;
            resumeBody();
        }
    }

    private void resumeBody() {
        bodyWait = BodyWait.NONE;
        enter();
        protocol.writable();
        inProtocol = false;
        sendOutput();
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
        if (lingering || bodyWait == BodyWait.DISK) {
            close();
            return;
        }
        if (bodyWait == BodyWait.TURN) {
            // It is the loop that is late, not the peer.
            progress.await();
            return;
        }
        if (!unsent.isEmpty() || bodyWait == BodyWait.SOCKET) {
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
        if (!unsent.isEmpty() || lingering || bodyWait != BodyWait.NONE) {
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
