package io.bareloop.loop;

import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Syscalls;
import io.bareloop.wire.OutputBuffer;
import io.bareloop.wire.Pending;
import java.lang.foreign.MemorySegment;

/**
 * What one connection sends from the loop's output buffer: at once, or together with what others
 * send at the end of a batch. What the kernel does not take is kept, and goes before all else.
 */
final class Outgoing {
    private final Loop loop;
    private final Syscalls sys;
    private final Connection connection;

    /** What the kernel has not taken yet. */
    private final Pending unsent;

    private final Progress progress;

    /** Bytes of a response that stand in the loop's batch. */
    private int queuedBytes;

    /** Bytes that the kernel has taken. */
    private long sentBytes;

    /** An edge is wanted that says there is room in the socket. */
    private boolean roomWanted;

    /** Nothing more can be sent: the peer is gone, or there is no memory for what it leaves. */
    private boolean broken;

    Outgoing(Loop loop, Syscalls sys, Connection connection, Pending unsent, Progress progress) {
        this.loop = loop;
        this.sys = sys;
        this.connection = connection;
        this.unsent = unsent;
        this.progress = progress;
    }

    /** A connection begins. */
    void open() {
        queuedBytes = 0;
        sentBytes = 0;
        roomWanted = false;
        broken = false;
    }

    boolean isBroken() {
        return broken;
    }

    /** Nothing more can be sent: the connection is to be closed at the next opportunity. */
    void breaks() {
        broken = true;
    }

    /** In the protocol's turn that opportunity is its end; otherwise it is the loop's list. */
    void scheduleIfBroken() {
        if (broken && !connection.inProtocol) {
            loop.schedule(connection);
        }
    }

    /** Whether what is sent now would be taken: nothing goes before it, and the peer is there. */
    boolean canSend() {
        return unsent.isEmpty() && !broken;
    }

    /** Leaves what stands in the output buffer to the batch at hand; false if it cannot. */
    boolean queue() {
        int bytes = loop.output().position();
        if (bytes == 0 || !loop.queue(connection)) {
            return false;
        }
        loop.slices.servedOthers(loop.now());
        queuedBytes = bytes;
        return true;
    }

    /** What the batch has sent of a response, from {@code from} to {@code to}, or -errno. */
    void sent(int result, int from, int to) {
        queuedBytes = 0;
        int sent = from + taken(result);
        if (sent < to && !broken) {
            keep(loop.output().segment(), sent, to);
        }
        if (broken) {
            loop.schedule(connection);
        }
    }

    /** Sends what is left to the batch, with what others have there. */
    void sendQueued() {
        if (queuedBytes > 0) {
            loop.sendQueued();
        }
    }

    /** {@link Connection#flush}; {@code flags} as of send(2). */
    boolean flush(int flags) {
        sendQueued();
        OutputBuffer out = loop.output();
        int start = out.start();
        int length = out.position();
        if (length == 0) {
            return canSend();
        }
        if (flags == 0) {
            loop.slices.servedOthers(loop.now());
        }
        int sent = canSend() ? send(out.segment(), start, length, flags) : 0;
        out.clear();
        if (sent == length) {
            return true;
        }
        if (!broken) {
            keep(out.segment(), start + sent, start + length);
        }
        scheduleIfBroken();
        return false;
    }

    /** There is room in the socket for what is unsent. */
    void sendUnsent() {
        int sent = send(unsent.segment(), unsent.from(), unsent.bytes(), 0);
        unsent.consume(sent);
        if (sent > 0 && !unsent.isEmpty()) {
            progress.await();
        }
    }

    /** Returns the number of bytes the kernel took, 0 where it takes none; notes a broken one. */
    private int send(MemorySegment from, int offset, int length, int flags) {
        int sent = sys.send(connection.fd(), from, offset, length, flags);
        while (sent == -Errno.EINTR) {
            sent = sys.send(connection.fd(), from, offset, length, flags);
        }
        return taken(sent);
    }

    /** As {@link #send}, for what a call has returned. */
    int taken(int sent) {
        if (sent >= 0) {
            count(sent);
            return sent;
        }
        if (!isFull(sent) && sent != -Errno.EINTR) {
            // EPIPE, ECONNRESET, ETIMEDOUT and the like: the peer is gone.
            broken = true;
        }
        return 0;
    }

    /** The kernel has taken so many bytes more. */
    void count(long sent) {
        loop.counters.bytesSent += sent;
        sentBytes += sent;
    }

    long sentBytes() {
        return sentBytes;
    }

    /** Those that were sent, that are kept, that stand in the batch, and that are being written. */
    long outputBytes() {
        return sentBytes + unsent.bytes() + queuedBytes + loop.output().position();
    }

    /** Whether a call has failed because there is no room for now. */
    static boolean isFull(long result) {
        return result == -Errno.EAGAIN || result == -Errno.ENOBUFS || result == -Errno.ENOMEM;
    }

    /** Keeps what the kernel did not take, behind what is kept already; notes where it cannot. */
    void keep(MemorySegment from, int offset, int end) {
        if (unsent.isEmpty()) {
            progress.await();
        }
        if (unsent.append(from, offset, end, loop.options.unsentBytesMax())) {
            watchForRoom();
        } else {
            broken = true;
        }
    }

    /** What the connection is to be watched for beside input: EPOLLOUT or 0. */
    int interest() {
        return roomWanted ? Linux.EPOLLOUT : 0;
    }

    /** Asks for EPOLLOUT, once a connection: edges cost nothing while nothing is unsent. */
    void watchForRoom() {
        if (!roomWanted) {
            roomWanted = true;
            if (connection.watched && loop.poll.rewatch(connection, Linux.EPOLLOUT) < 0) {
                broken = true;
            }
        }
    }
}
