package io.bareloop.wire;

import java.lang.foreign.MemorySegment;

/**
 * What a {@link Protocol} may ask of the engine that moves its bytes. Called on the loop only, and
 * between {@link Protocol#open} and {@link Protocol#closed} only.
 */
public interface Transport {
    /** {@return the loop's output buffer; what stands in it is sent when the protocol returns} */
    OutputBuffer output();

    /**
     * Sends what stands in the output buffer now, and empties it.
     *
     * @return whether the kernel took all of it. If not, the rest is kept in memory of the loop's
     *     slab, no input is presented meanwhile, and {@link Protocol#writable} follows
     */
    boolean flush();

    /**
     * Sends what stands in the output buffer, as {@link #flush} does, and behind it bytes of {@code
     * file}: as many as the kernel takes, and as one connection may send in one turn.
     *
     * @param file of which the caller keeps its use
     * @param offset of the first byte
     * @param length 1 or more
     * @return the bytes of the file that were sent. If fewer than {@code length}, {@link
     *     Protocol#writable} follows when it is time to ask for the others; or the connection is
     *     closed, for it was lost, the file ended early, or its disk failed
     * @throws IllegalStateException where files cannot be sent at all; then nothing has been
     */
    long sendFile(FileSource file, long offset, long length);

    /**
     * As {@link #sendFile}, with bytes of {@code memory}, which are not copied: what has not been
     * sent must not change.
     *
     * @param memory native memory
     * @param offset of the first byte
     * @param length 1 or more
     * @return as {@link #sendFile}
     * @throws IllegalStateException where the memory's arena is closed; then nothing has been sent
     * @throws WrongThreadException where it is another thread's alone; then nothing has been sent
     */
    long sendMemory(MemorySegment memory, long offset, long length);

    /**
     * Calls {@link Protocol#writable} in the next turn, when the others of the loop have had
     * theirs: for a protocol that has more to send than it should at once, though the kernel has
     * taken all. Until then another deadline takes the place of the one that was set, as while
     * output is unsent.
     */
    void writableLater();

    /** Stops presenting input, until {@link #resume}. */
    void pause();

    /** Presents input again, in a later call: first what was left over, then what arrives. */
    void resume();

    /**
     * Closes the connection once all output is sent. No more input is presented.
     *
     * @param linger whether the peer may still be sending. Then its bytes are discarded for a
     *     moment, for closing on unread bytes would reset the connection and could take the last
     *     response with it (RFC 9112, section 9.6)
     */
    void closeWhenSent(boolean linger);

    /**
     * Closes the connection at once, whatever is pending: for what has gone wrong so badly that
     * nothing more can be sent. {@link Protocol#closed} is called before this returns.
     */
    void abort();

    /**
     * Makes {@code next} the protocol of this connection, as soon as the call at hand returns: it
     * is opened as on a new connection, with no deadline and not paused, and presented with what
     * {@link Protocol#receive} has left. The one before is not called any more, not even at the end
     * of the connection. For what begins in one protocol and goes on in another. Called in {@link
     * Protocol#receive} only. Where the same call closes the connection, before or after this,
     * nothing becomes of it: the protocol stays the one that it is.
     *
     * @param next of this loop
     */
    void become(Protocol next);

    /** A deadline that never comes. */
    long NEVER = Long.MAX_VALUE;

    /**
     * Calls {@link Protocol#expired} at {@code nanos}, or not at all with {@link #NEVER}, replacing
     * the deadline before. While output is unsent, another deadline takes its place: for sending.
     *
     * @param nanos the time, of {@link System#nanoTime}, or {@link #NEVER}
     */
    void deadline(long nanos);

    /**
     * {@return the time at the beginning of this turn, in nanoseconds, as System.nanoTime gives it}
     */
    long now();

    /** Counts a request that was answered, whatever the answer. */
    void countRequest();

    /** Counts a request that was refused, or whose handler failed. */
    void countError();

    /** {@return bytes of output that the kernel has not taken yet} */
    int unsentBytes();

    /**
     * {@return bytes of this connection's output that the kernel has taken so far} The whole of
     * what has been put is with it once this is what {@link #outputBytes} was; which can be asked
     * until {@link Protocol#closed} returns.
     */
    long sentBytes();

    /**
     * {@return bytes of this connection's output so far, wherever they are now, those in the output
     * buffer among them} For the protocol's own turns.
     */
    long outputBytes();

    /**
     * Who is at the other end. The kernel is asked at the first call on a connection.
     *
     * @return its address and port, or none where the kernel tells none; valid until {@link
     *     Protocol#closed} returns, for the object is used again
     */
    Peer peer();

    /**
     * Runs {@code task} on the connection's loop, soon; also after this connection has closed. For
     * any thread.
     *
     * @param task what to do; it must not block
     */
    void execute(Runnable task);
}
