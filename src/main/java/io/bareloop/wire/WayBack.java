package io.bareloop.wire;

/** The way back to a response that was suspended, for any thread: what Suspended is a view of. */
public interface WayBack {
    /** Runs {@code action} on the loop, unless the response has ended by then. For any thread. */
    void resume(Turn.Action action);

    /** Whether the response has ended, as far as this thread can know. For any thread. */
    boolean isGone();

    /** Whether the client has ended its sending side, as far as this thread can know. */
    boolean isHalfClosed();

    /**
     * Keeps the request where it is in memory until {@link #release}: from now on another thread
     * may read it. On the loop.
     *
     * @return false where there is no memory for it
     */
    boolean retain();

    /** No thread is going to read the request after all. On the loop. */
    void unretain();

    /** Has {@code action} run on the loop when the exchange is over. On the loop. */
    void onEnd(Runnable action);

    /** Reports {@code failure} as one of a handler, whose request is not known. For any thread. */
    void report(Throwable failure);

    /** Another thread is done with the request; then as {@link #resume}. For any thread. */
    void release(Turn.Action action);
}
