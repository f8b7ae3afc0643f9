package io.bareloop.loop;

import io.bareloop.sys.Errno;
import io.bareloop.sys.Syscalls;
import io.bareloop.wire.Pending;
import java.lang.foreign.MemorySegment;

/**
 * What one connection receives, as long as its protocol takes it, and what its protocol has left of
 * that. Once the last response is sent, what still comes is discarded.
 */
final class Incoming {
    /** Full buffers received from one connection before the others of the loop have their turn. */
    private static final int RECEIVES_PER_TURN_MAX = 4;

    private final Loop loop;
    private final Syscalls sys;
    private final Connection connection;
    private final Pending unsent;
    private Linger linger;

    /**
     * Input that the protocol has not consumed yet; between calls it begins at 0. Null where there
     * never was any.
     */
    private Pending kept;

    private Peer peer = Peer.SENDING;

    /** The protocol takes no input for now. */
    private boolean paused;

    /** An edge has been reported that has not been read to its end. */
    private boolean readable;

    /** Sends more at a time than a batch receives. */
    private boolean bulky;

    /** How far the peer has come; each is followed by the next, or by a later one. */
    private enum Peer {
        /** More may come. */
        SENDING,
        /** It has shut down its sending side; what it sent before may not have been read yet. */
        HUNG_UP,
        /** The protocol knows that it has, for it is not to be read up to that now. */
        HUNG_UP_TOLD,
        /** All it sent has been read, and the protocol knows. */
        ENDED
    }

    /**
     * @param unsent output of the same connection: while there is any, no input is taken
     */
    Incoming(Loop loop, Syscalls sys, Connection connection, Pending unsent) {
        this.loop = loop;
        this.sys = sys;
        this.connection = connection;
        this.unsent = unsent;
    }

    /** A connection begins, perhaps with bytes that have come in already. */
    void open() {
        peer = Peer.SENDING;
        paused = false;
        readable = true;
        bulky = false;
    }

    /** Whether nothing is pending, and no more than a batch receives is to be expected. */
    boolean isIdle() {
        return keepsNothing() && !paused && !bulky && peer == Peer.SENDING;
    }

    /** Whether there may be something to receive. */
    boolean isReadable() {
        return readable;
    }

    /** Input is reported, or may have been. */
    void noteReadable() {
        readable = true;
    }

    /** The peer has shut down its sending side, or the whole connection is gone. */
    void noteHangUp() {
        if (peer == Peer.SENDING) {
            peer = Peer.HUNG_UP;
        }
    }

    void pause() {
        paused = true;
    }

    void resume() {
        paused = false;
    }

    /** Forgets what is kept, and gives its memory back. */
    void release() {
        if (kept != null) {
            kept.release();
        }
    }

    private boolean keepsNothing() {
        return kept == null || kept.isEmpty();
    }

    private boolean canReceive() {
        return !paused && unsent.isEmpty() && connection.takesInput();
    }

    /** Goes on where the last turn left off: with what was kept, then with what can be read. */
    void proceed() {
        if (!keepsNothing() && canReceive()) {
            consume(kept.segment(), kept.from(), kept.to(), true);
        }
        if (readable && connection.isOpen()) {
            receive();
        }
    }

    /** Receives what there is, as far as one turn goes. */
    void receive() {
        if (connection.isLingering()) {
            discard();
            return;
        }
        for (int i = 0; i < RECEIVES_PER_TURN_MAX; i++) {
            // Scheduled, it first goes on with what is kept: an end of input that is received now
            // would be reported ahead of that.
            if (!canReceive() || connection.scheduled) {
                tellHangUp();
                return;
            }
            MemorySegment in = loop.in;
            int at = 0;
            boolean isKept = !keepsNothing();
            if (isKept) {
                // No head is longer than the bound: the protocol would have refused it.
                if (!kept.ensureRoom(Loop.IN_BYTES)) {
                    connection.close();
                    return;
                }
                in = kept.segment();
                at = kept.to();
            }
            int room = (int) in.byteSize() - at;
            int received = sys.recv(connection.fd(), in, at, room);
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
            readable = received == room || peer != Peer.SENDING;
            bulky = received >= Batch.RECEIVE_BYTES;
            if (isKept) {
                kept.extend(received);
            }
            consume(in, 0, at + received, isKept);
            if (!connection.isOpen() || !readable) {
                return;
            }
        }
        loop.schedule(connection);
    }

    /** Where the peer has hung up, and its input is not taken: there is no other edge to come. */
    private void tellHangUp() {
        if (peer == Peer.HUNG_UP && !canReceive() && connection.takesInput()) {
            peer = Peer.HUNG_UP_TOLD;
            connection.enter();
            connection.protocol().hungUp();
            connection.leave();
        }
    }

    /** A batch has received: bytes of {@code in} at {@code at}, or -errno. */
    void received(MemorySegment in, int at, int result) {
        if (result <= 0) {
            if (result == -Errno.EINTR) {
                connection.receiveLater();
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
        if (readable && connection.isOpen()) {
            receive();
        }
    }

    private void receivedNothing(int result) {
        readable = false;
        if (result == -Errno.EAGAIN) {
            return;
        }
        if (result == 0) {
            if (peer != Peer.ENDED) {
                peer = Peer.ENDED;
                connection.enter();
                connection.protocol().endOfInput();
                connection.leave();
            }
            return;
        }
        // ECONNRESET, ETIMEDOUT, EPIPE, EHOSTUNREACH and the like: the connection is gone.
        connection.close();
    }

    /** Lets the protocol have [from, to) of {@code in}, sends its answer, keeps what it leaves. */
    private void consume(MemorySegment in, int from, int to, boolean isKept) {
        connection.enter();
        int at = connection.protocol().receive(in, from, to);
        while (connection.hasBecome()) {
            // The one before may have sent more than goes now, or the new one may not want it yet.
            if (at < to && canReceive()) {
                at = connection.protocol().receive(in, at, to);
            }
        }
        connection.leave();
        if (!connection.takesInput()) {
            release();
        } else if (isKept) {
            kept.consume(at - from);
            kept.compact();
        } else if (at < to) {
            keep(in, at, to);
        }
    }

    private void keep(MemorySegment in, int from, int to) {
        if (kept == null) {
            kept = new Pending(loop.slab());
        }
        if (!kept.append(in, from, to, Loop.IN_BYTES)) {
            connection.close();
        }
    }

    // ---- before a close

    /** From now on what comes is discarded. */
    void linger() {
        if (linger == null) {
            linger = new Linger(loop, sys);
        }
        linger.begin();
        discard();
    }

    private void discard() {
        Linger.Outcome outcome = linger.discard(connection.fd());
        if (outcome == Linger.Outcome.OVER) {
            connection.close();
        } else if (outcome == Linger.Outcome.MORE) {
            readable = true;
            loop.schedule(connection);
        } else {
            readable = false;
            loop.deadlines().set(connection.slot(), linger.deadline());
        }
    }
}
