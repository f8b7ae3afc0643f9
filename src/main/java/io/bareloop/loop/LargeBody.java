package io.bareloop.loop;

import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Syscalls;
import io.bareloop.wire.FileSource;
import io.bareloop.wire.OutputBuffer;
import java.lang.foreign.MemorySegment;

/**
 * The body that one connection sends from where it is, a file or memory of the application: a part
 * at a time, so that the other connections of the loop have their turn. Used for one body after
 * another, on the loop's thread; between two parts the caller knows how far it has come, and this
 * knows what the next one waits for.
 */
final class LargeBody {
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

    private static final int NO_TURN = -1;

    private final Loop loop;
    private final Syscalls sys;
    private final Connection connection;
    private final Outgoing outgoing;
    private final Progress progress;

    private Wait wait = Wait.NONE;

    /** In which turn a part was last sent, and what may still be sent in that. */
    private long turn = NO_TURN;

    private long bytesLeft;

    /** A part of the body at hand has been sent in a turn before. */
    private boolean begun;

    /** Up to where the file has just been read by another thread. */
    private long warmTo;

    /** Where the part of a file at hand began, and when. */
    private long fileFrom;

    private long fileSince;

    /** The kernel was asked for what was sent last of the file, and had that. */
    private boolean probed;

    /** What has to come before more of the body can be sent. */
    enum Wait {
        /** Nothing; or there is no body. */
        NONE,
        /** Room in the socket. */
        SOCKET,
        /** The next turn of the loop. */
        TURN,
        /** A part of the file, which another thread reads. */
        DISK
    }

    LargeBody(
            Loop loop, Syscalls sys, Connection connection, Outgoing outgoing, Progress progress) {
        this.loop = loop;
        this.sys = sys;
        this.connection = connection;
        this.outgoing = outgoing;
        this.progress = progress;
    }

    /** A connection begins. */
    void open() {
        turn = NO_TURN;
        begun = false;
        warmTo = 0;
    }

    /** Whether the body waits for anything. */
    boolean isWaiting() {
        return wait != Wait.NONE;
    }

    boolean isWaitingFor(Wait what) {
        return wait == what;
    }

    /** What it waited for has come, or does not matter any more. */
    void stopWaiting() {
        wait = Wait.NONE;
    }

    private void waitFor(Wait what) {
        wait = what;
        progress.await();
    }

    /** The rest goes on in the next turn, which {@link Connection#resumeBody} begins. */
    void waitForTurn() {
        begun = true;
        waitFor(Wait.TURN);
        loop.schedule(connection);
    }

    /** A part begins, the first of this turn or another. */
    private void beginPart() {
        wait = Wait.NONE;
        if (turn != loop.counters.turns) {
            turn = loop.counters.turns;
            bytesLeft = loop.slices.next(turn, loop.now());
        }
    }

    // ---- memory

    /** {@link Connection#sendMemory}. */
    long sendMemory(MemorySegment memory, long offset, long length) {
        // What others have answered does not wait until a large body has gone.
        loop.sendQueued();
        if (!outgoing.canSend()) {
            // Behind what is kept already; where the connection is lost, to be forgotten.
            outgoing.flush(0);
            return 0;
        }
        beginPart();
        long at = offset;
        long end = offset + length;
        while (at < end) {
            if (bytesLeft <= 0) {
                if (outgoing.flush(Linux.MSG_MORE)) {
                    waitForTurn();
                }
                return at - offset;
            }
            int piece = (int) Math.min(end - at, bytesLeft);
            int sent = sendWithHead(memory, at, piece);
            at += sent;
            if (sent < piece) {
                return at - offset;
            }
            bytesLeft -= piece;
        }
        begun = false;
        return length;
    }

    /**
     * Sends what stands in the output buffer and {@code piece} bytes of memory in one call. Returns
     * how many of those the kernel took. If not all, the connection waits for room, or is broken.
     */
    private int sendWithHead(MemorySegment memory, long at, int piece) {
        OutputBuffer out = loop.output();
        int start = out.start();
        int head = out.position();
        int fd = connection.fd();
        int sent = sys.writev(fd, out.segment(), start, head, memory, at, piece);
        while (sent == -Errno.EINTR) {
            sent = sys.writev(fd, out.segment(), start, head, memory, at, piece);
        }
        out.clear();
        // EFAULT is among the errors: the memory is gone.
        int taken = outgoing.taken(sent);
        if (taken == head + piece) {
            return piece;
        }
        int ofMemory = 0;
        if (!outgoing.isBroken()) {
            // The socket is full: an edge follows, with no need to hear EAGAIN first.
            if (taken < head) {
                outgoing.keep(out.segment(), start + taken, start + head);
            } else {
                ofMemory = taken - head;
                begun = true;
                waitForRoom();
            }
        }
        outgoing.scheduleIfBroken();
        return ofMemory;
    }

    private void waitForRoom() {
        waitFor(Wait.SOCKET);
        outgoing.watchForRoom();
    }

    // ---- files

    /** {@link Connection#sendFile}. */
    long sendFile(FileSource file, long offset, long length) {
        if (loop.privateTable) {
            // The number means another file in this thread's table, and not a secret one only by
            // luck.
            throw new IllegalStateException(
                    "a loop with private descriptors sends no files: leave privateDescriptors off");
        }
        loop.sendQueued();
        // MSG_MORE holds the head back until the file's bytes fill the packet.
        if (!outgoing.flush(Linux.MSG_MORE)) {
            return 0;
        }
        beginPart();
        long at = offset;
        long end = offset + length;
        long pause = pauseOfFile(offset, end);
        while (at < end) {
            if (bytesLeft <= 0 || at >= pause) {
                waitForTurn();
                return at - offset;
            }
            long allowed = Math.min(Math.min(end, pause) - at, bytesLeft);
            long piece = withoutDisk(file, at, allowed);
            if (piece == 0) {
                begun = true;
                warm(file, at, (int) Math.min(end - at, WARM_BYTES));
                return at - offset;
            }
            long sent = sys.sendfile(connection.fd(), file.descriptor(), at, piece);
            if (sent > 0) {
                begun = true;
                outgoing.count(sent);
                bytesLeft -= sent;
                at += sent;
            } else if (!goesOnAfter(sent)) {
                return at - offset;
            }
        }
        fileSent(file, end);
        return length;
    }

    /**
     * Where the others have their turn, whatever may be sent in this one; {@code end} for never.
     */
    private long pauseOfFile(long offset, long end) {
        if (begun) {
            return end;
        }
        fileFrom = offset;
        fileSince = loop.now();
        long first = loop.paced ? PACED_BYTES_AT_FIRST : FILE_BYTES_AT_FIRST;
        return bytesLeft >= 2 * first ? offset + first : end;
    }

    /** How many of {@code bytes} are sent without waiting for the disk, as far as is known. */
    private long withoutDisk(FileSource file, long at, long bytes) {
        probed = false;
        if (at < warmTo) {
            // Has just been read for us: what is behind it will be asked for in its turn.
            return Math.min(bytes, warmTo - at);
        }
        if (file.isWarm(at + bytes, loop.now())) {
            return bytes;
        }
        probed = true;
        return isCached(file, at, at + bytes - 1) ? bytes : 0;
    }

    /**
     * Would sendfile wait for the disk? Asked of some bytes, and of the last: what lies between was
     * read together with one of them, as a rule; where not, it is the loop that waits, once. A file
     * system that cannot tell is taken at its word.
     */
    private boolean isCached(FileSource file, long first, long last) {
        long probe = first;
        while (sys.preadv2Nowait(file.descriptor(), probe) != -Errno.EAGAIN) {
            if (probe == last) {
                return true;
            }
            probe = Math.min(probe + PROBE_BYTES, last);
        }
        return false;
    }

    /** sendfile has sent nothing. Returns whether to try again at once. */
    private boolean goesOnAfter(long result) {
        if (result == -Errno.EINTR) {
            return true;
        }
        if (Outgoing.isFull(result)) {
            waitForRoom();
        } else {
            // 0: the file was cut short behind our back, and what was announced cannot come. EIO:
            // the disk has failed. EPIPE, ECONNRESET and the like: the peer is gone.
            outgoing.breaks();
        }
        outgoing.scheduleIfBroken();
        return false;
    }

    private void fileSent(FileSource file, long end) {
        if (probed && fileFrom == 0) {
            // Not where others said so: from time to time somebody has to ask.
            file.noteWarm(end, fileSince);
        }
        warmTo = 0;
        begun = false;
    }

    /** Has another thread wait for the disk. Allocates: it is slow anyway. */
    private void warm(FileSource file, long from, int length) {
        waitFor(Wait.DISK);
        loop.deadlines().set(connection.slot(), loop.now() + loop.options.sendNanos());
        long token = connection.token();
        file.warm(from, length, () -> loop.execute(() -> warmed(token, from + length)));
    }

    private void warmed(long token, long to) {
        if (connection.isOpen() && token == connection.token() && wait == Wait.DISK) {
            // Not probed again: where the disk fails, sendfile is to say so.
            warmTo = to;
            connection.resumeBody();
        }
    }
}
