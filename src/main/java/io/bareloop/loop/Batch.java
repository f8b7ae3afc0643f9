package io.bareloop.loop;

import io.bareloop.net.IoUring;
import io.bareloop.sys.Syscalls;
import io.bareloop.wire.OutputBuffer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Connections of one turn that are received from by one system call, answered one after another,
 * and sent to by one more, through {@link IoUring}.
 *
 * <p>For those that have nothing pending, which nearly all have; the others are served by
 * themselves. What a connection has queued here leaves before anything else of it does.
 */
final class Batch implements AutoCloseable {
    /** So many, and no more: the first response waits until the last request is answered. */
    static final int CONNECTIONS_MAX = 32;

    /** Bytes received from a connection here. One that has more is served by itself. */
    static final int RECEIVE_BYTES = 4096;

    /**
     * Not a power of two: the heads would all compete for the same few lines of the CPU's cache.
     */
    private static final int STRIDE = RECEIVE_BYTES + 3 * 64;

    /** What is received into, and the two pages of the ring. */
    static final long NATIVE_BYTES = (long) CONNECTIONS_MAX * STRIDE + 2 * 4096;

    private final Loop loop;
    private final MemorySegment in;
    private final OutputBuffer out;
    private final IoUring ring;

    private final Connection[] receiving = new Connection[CONNECTIONS_MAX];
    private final long[] tokens = new long[CONNECTIONS_MAX];
    private final int[] received = new int[CONNECTIONS_MAX];
    private int receives;

    /** Those of the batch at hand, and how many of them have had their bytes. */
    private int count;

    private int served;

    private final Connection[] sending = new Connection[CONNECTIONS_MAX];
    private final int[] from = new int[CONNECTIONS_MAX];
    private final int[] to = new int[CONNECTIONS_MAX];
    private final int[] sent = new int[CONNECTIONS_MAX];
    private int sends;

    private boolean answering;

    Batch(Loop loop, Syscalls sys, Arena arena, OutputBuffer out) {
        this.loop = loop;
        this.out = out;
        in = arena.allocate((long) CONNECTIONS_MAX * STRIDE, 4096);
        ring = new IoUring(sys, in, out.segment());
    }

    /** Returns 0, or -errno where the kernel has no ring for us. On the loop's thread. */
    int open() {
        return ring.open();
    }

    /** Adds a connection that input is reported of; runs the batch where it is full. */
    void add(Connection connection) {
        receiving[receives] = connection;
        tokens[receives] = connection.token();
        receives++;
        if (receives == CONNECTIONS_MAX) {
            run();
        }
    }

    /** Receives from the connections that were added, has them answer, and sends what they do. */
    void run() {
        int added = receives;
        if (added == 0) {
            return;
        }
        receives = 0;
        if (added == 1) {
            if (isSame(0)) {
                // There is nobody to share a call with. It has its turn with those that are
                // scheduled, before this turn of the loop ends.
                receiving[0].receiveLater();
            }
            return;
        }
        count = 0;
        served = 0;
        for (int i = 0; i < added; i++) {
            Connection connection = receiving[i];
            if (!isSame(i)) {
                continue;
            }
            if (!connection.isIdle()) {
                // Another connection of this turn has written to it.
                connection.receiveLater();
                continue;
            }
            receiving[count] = connection;
            tokens[count] = tokens[i];
            ring.receive(connection.fd(), count * STRIDE, RECEIVE_BYTES);
            count++;
        }
        ring.run(received);
        answering = true;
        for (int i = 0; i < count; i++) {
            served = i + 1;
            if (isSame(i)) {
                try {
                    receiving[i].incoming.received(in, i * STRIDE, received[i]);
                } catch (VirtualMachineError | LinkageError error) {
                    loop.failed(receiving[i], error);
                }
            }
        }
        answering = false;
        sendQueued();
        out.release();
    }

    /**
     * The turn was cut short. Of those that have not been served the bytes may be lost, and of
     * those whose responses were queued it is not known what has left: only their end can say so.
     */
    void interrupted() {
        answering = false;
        receives = 0;
        int queued = sends;
        sends = 0;
        ring.clear();
        try {
            for (int i = 0; i < queued; i++) {
                sending[i].fail();
            }
            for (int i = served; i < count; i++) {
                if (isSame(i)) {
                    receiving[i].fail();
                }
            }
        } finally {
            count = 0;
            out.release();
        }
    }

    /** Whether the connection is the one that was added: a handler of another may have ended it. */
    private boolean isSame(int index) {
        return receiving[index].token() == tokens[index] && receiving[index].isOpen();
    }

    /** Takes what stands in the output buffer, to be sent with the others'; false if it cannot. */
    boolean queue(Connection connection) {
        if (!answering || !out.canHold()) {
            return false;
        }
        if (sends == CONNECTIONS_MAX) {
            sendQueued();
        }
        int start = out.start();
        int length = out.position();
        ring.send(connection.fd(), start, length);
        sending[sends] = connection;
        from[sends] = start;
        to[sends] = start + length;
        sends++;
        out.hold();
        return true;
    }

    /** Sends all that is queued. */
    void sendQueued() {
        int queued = sends;
        if (queued == 0) {
            return;
        }
        sends = 0;
        ring.run(sent);
        for (int i = 0; i < queued; i++) {
            sending[i].outgoing.sent(sent[i], from[i], to[i]);
        }
    }

    @Override
    public void close() {
        ring.close();
    }
}
