package io.bareloop.wire;

/**
 * What a response knows of the exchange that it belongs to: whether it is its turn to be written,
 * and what is to happen at its other turns. Belongs to the loop's thread, except {@link #suspend
 * what is suspended}.
 */
public abstract class Turn {
    /** Something to do on the loop; what it throws is a failure of the handler. */
    @FunctionalInterface
    public interface Action {
        void run() throws Exception;
    }

    /** No thread has this number. */
    protected static final long NOBODY = 0;

    /**
     * The number of the loop's thread while it is this exchange's turn: a part of its handler runs,
     * and the output buffer is its connection's. Otherwise {@link #NOBODY}, so that whoever
     * compares it with their own thread's finds out in one go whether they may write. A number, for
     * a reference would cost a barrier of the collector each time.
     */
    protected long thread;

    /**
     * Whether more belongs to it than a response that is written in the call of its handler: a copy
     * of the request, a rest of a body, something that waits or is to be told. Rare, and then there
     * is more to do at the end.
     */
    protected boolean unusual;

    private Runnable onWritable;
    private Runnable onAbort;
    private Runnable onHalfClose;
    private Runnable onTick;
    private Runnable onDrain;
    private long tickNanos;

    /** The pieces of a body, or its end, are not presented for now. */
    private boolean bodyPaused;

    /** A body that is there as a whole is being presented in pieces. */
    private boolean presenting;

    /** How that goes on once it is not paused any more; or null. */
    private Action onBodyResumed;

    /** When the next tick is due, of System.nanoTime; or {@link Transport#NEVER}. */
    private long tickDueNanos = Transport.NEVER;

    /** Whether the caller may write the response now. */
    public final boolean isMine() {
        return thread == Thread.currentThread().threadId();
    }

    /** Whether the caller is the loop, in whoever's turn. */
    public abstract boolean isLoop();

    /**
     * Checks that the caller is the loop.
     *
     * @throws IllegalStateException where it is another thread
     */
    public final void checkLoop() {
        if (!isMine() && !isLoop()) {
            throw new IllegalStateException(
                    "a response belongs to its loop's thread: another one gets at it by"
                            + " Suspended.resume or EventStream.execute");
        }
    }

    /**
     * Runs {@code action} when it is this exchange's turn next: what another connection's handler
     * calls on this response, on the same loop. Its own output buffer is the other's now.
     *
     * @param bytes of a body that the action holds; together they are bounded as unsent bytes are
     * @throws IllegalStateException where the caller is another thread, the response has ended, or
     *     too much waits already
     */
    public final void later(int bytes, Action action) {
        later(bytes, action, null);
    }

    /** As above, with a file that is released where the action does not come to be done. */
    public abstract void later(int bytes, Action action, FileSource file);

    /** Has a turn soon, unless this is it: what was set takes effect at the end of one. */
    public final void soon() {
        if (!isMine()) {
            later(0, () -> {});
        }
    }

    /** Whether an action with so many bytes may wait, beside those that do. */
    public abstract boolean canWait(int bytes);

    /** Leaves the response open when the handler returns; the way back to it, for any thread. */
    public abstract WayBack suspend();

    /** Whether it is suspended already. */
    public abstract boolean isSuspended();

    /** Has {@code action} run each time the client has caught up; null for nothing. */
    public final void onWritable(Runnable action) {
        onWritable = action;
        unusual = true;
    }

    public final Runnable onWritable() {
        return onWritable;
    }

    /** Has {@code action} run if the connection is lost before the end; null for nothing. */
    public final void onAbort(Runnable action) {
        onAbort = action;
        unusual = true;
    }

    public final Runnable onAbort() {
        return onAbort;
    }

    /**
     * Has {@code action} run once, when the client has ended its sending side; null for nothing.
     */
    public final void onHalfClose(Runnable action) {
        onHalfClose = action;
        unusual = true;
        if (isHalfClosed()) {
            tellOfHalfClose();
        }
    }

    public final Runnable onHalfClose() {
        return onHalfClose;
    }

    /** Whether the client has ended its sending side, as far as is known. */
    public abstract boolean isHalfClosed();

    /** It has, before anybody wanted to know: has the action run soon. */
    protected abstract void tellOfHalfClose();

    /** Has {@code action} run every {@code nanos}. */
    public final void onTick(long nanos, Runnable action) {
        tickNanos = nanos;
        onTick = action;
        unusual = true;
    }

    /** The next tick is due in its time, unless it is waited for already. */
    protected final void awaitTick(long nowNanos) {
        if (onTick != null && tickDueNanos == Transport.NEVER) {
            tickDueNanos = nowNanos + tickNanos;
        }
    }

    /** When it wants its turn, of System.nanoTime; NEVER where it waits for others. */
    public final long dueNanos() {
        return tickDueNanos;
    }

    /** The tick has come: what is to be done, or null. */
    protected final Runnable tick() {
        if (onTick != null) {
            tickDueNanos = Transport.NEVER;
        }
        return onTick;
    }

    /** Has {@code action} run once, when the server drains; null for nothing. */
    public final void onDrain(Runnable action) {
        onDrain = action;
        unusual = true;
    }

    public final Runnable onDrain() {
        return onDrain;
    }

    // ---- a body that comes in pieces

    /**
     * Presents no more of the body, nor its end, until {@link #resumeBody}. Where nothing of it is
     * to come to a handler of pieces, nothing happens.
     */
    public final void pauseBody() {
        if (!bodyPaused && (presenting || awaitsPieces())) {
            bodyPaused = true;
            unusual = true;
            bodyPaused(true);
        }
    }

    /** Presents the body again, in a later turn. */
    public final void resumeBody() {
        if (!bodyPaused) {
            return;
        }
        bodyPaused = false;
        Action next = onBodyResumed;
        onBodyResumed = null;
        if (next != null) {
            later(0, next);
        } else {
            bodyPaused(false);
        }
    }

    public final boolean isBodyPaused() {
        return bodyPaused;
    }

    /** Whether pieces of the body, or its end, are still to come from the client. */
    protected abstract boolean awaitsPieces();

    /** Whoever takes the body from the client stops, or goes on. */
    protected abstract void bodyPaused(boolean paused);

    /** Whether a body that is there as a whole is being presented: it may be paused as well. */
    public final void presents(boolean newPresenting) {
        presenting = newPresenting;
    }

    /** How that goes on once it is not paused any more. */
    public final void onBodyResumed(Action next) {
        onBodyResumed = next;
    }

    /** Nothing is to happen any more. */
    protected final void forgetActions() {
        bodyPaused = false;
        presenting = false;
        onBodyResumed = null;
        onWritable = null;
        onAbort = null;
        onHalfClose = null;
        onTick = null;
        tickDueNanos = Transport.NEVER;
        onDrain = null;
    }
}
