package io.bareloop.wire;

import java.lang.foreign.MemorySegment;

/**
 * One connection's protocol: consumes a region of bytes, produces a region of bytes, and makes no
 * system call. The engine in {@code loop} receives and sends; this side parses and answers.
 *
 * <p>This and {@link Transport} are the seam at which a completion engine, TLS or HTTP/2 can stand.
 * They are no part of what a handler needs.
 *
 * <p>All methods are called on the connection's loop, never nested. An instance is used for one
 * connection after another.
 */
public abstract class Protocol {
    /**
     * Begins a new connection. What is appended to {@link Transport#output} is sent first.
     *
     * @param transport of this connection, to be used until {@link #closed}
     */
    public abstract void open(Transport transport);

    /**
     * Consumes bytes of [from, to), appending what they call for to {@link Transport#output}.
     *
     * <p>Bytes that are not consumed come again, at the front of the next region, once more have
     * arrived, or at once after {@link Transport#resume}. The region is valid until this returns.
     *
     * @param in memory of the loop, or of the connection
     * @param from the index of the first byte
     * @param to the index behind the last one
     * @return the index behind the last byte consumed, {@code from} to {@code to}
     */
    public abstract int receive(MemorySegment in, int from, int to);

    /** The peer has shut down its writing side; all it sent has been presented to receive. */
    public abstract void endOfInput();

    /**
     * The peer has shut down its writing side, or is gone, at a time when its input is not taken:
     * paused, or with output unsent. {@link #endOfInput} follows once what it sent before has been
     * presented. Where input is taken, only that is called.
     */
    public void hungUp() {}

    /**
     * All that was appended is with the kernel now, after a time when it took no more; or it is the
     * turn that {@link Transport#writableLater} has asked for.
     */
    public abstract void writable();

    /**
     * After {@link Transport#closeWhenSent}: all output is with the kernel. Only the end follows,
     * when the peer has had time to read.
     */
    public void sent() {}

    /** The time set with {@link Transport#deadline} has come. */
    public abstract void expired();

    /** The server is draining: finish what is in flight, then close. */
    public abstract void drain();

    /** The connection is gone, however it came about. Nothing can be sent any more. */
    public abstract void closed();

    /** Makes the protocol of each connection of one loop, and hears of each turn of it. */
    public interface Factory {
        /**
         * Creates the protocol for one connection slot of the loop.
         *
         * @return the protocol, to be used for many connections
         */
        Protocol newProtocol();

        /**
         * A turn begins; {@code nowNanos} is as {@link System#nanoTime} gives it.
         *
         * @param nowNanos the time at the beginning of the turn
         */
        void turn(long nowNanos);

        /** A turn has ended: what was written in it has been sent, as far as it goes now. */
        default void turnEnded() {}

        /** The loop has ended, all its connections are closed, and its memory is freed next. */
        default void ended() {}
    }
}
