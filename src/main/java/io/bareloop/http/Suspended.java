package io.bareloop.http;

import io.bareloop.wire.WayBack;

/**
 * A request whose handler has returned, and whose response is still to come: from {@link
 * Response#suspend}. The one thing of the server that other threads may hold and call.
 */
public final class Suspended {
    private final WayBack way;
    private final Request request;
    private final Response response;

    Suspended(WayBack way, Request request, Response response) {
        this.way = way;
        this.request = request;
        this.response = response;
    }

    /**
     * Runs {@code action} on the connection's loop, soon, with the request and the response. May be
     * called again, until the response has ended; after that, or when the connection is gone,
     * nothing happens. An exception of the action is treated as one of a handler. For any thread.
     *
     * @param action what to do; it must not block
     * @throws IllegalStateException on the loop, where too many actions wait for their turn already
     */
    public void resume(Handler action) {
        if (!way.isGone()) {
            way.resume(() -> action.handle(request, response));
        }
    }

    /**
     * {@return whether the response has ended or the connection is gone, as far as this thread can
     * know: work for it would be in vain} For any thread.
     */
    public boolean isGone() {
        return way.isGone();
    }

    /**
     * {@return whether the client has ended its sending side, as far as this thread can know} It
     * may still wait for the response, or be gone: see {@link Response#onHalfClose}. For any
     * thread.
     */
    public boolean isHalfClosed() {
        return way.isHalfClosed();
    }

    /**
     * Keeps the request where it is in memory until {@link #release}: from now on another thread
     * may read it. On the loop.
     *
     * @throws HttpException with 503 where there is no memory for it
     */
    void retain() {
        if (!way.retain()) {
            throw new HttpException(Status.SERVICE_UNAVAILABLE, null);
        }
    }

    /** No thread is going to read the request after all. On the loop. */
    void unretain() {
        way.unretain();
    }

    /**
     * Has {@code action} run when the response has ended or the connection is gone. On the loop.
     */
    void onEnd(Runnable action) {
        way.onEnd(action);
    }

    /** Tells the server's log of {@code failure}, of which no client can be told. */
    void report(Throwable failure) {
        way.report(failure);
    }

    /** Another thread is done with the request; then as {@link #resume}. For any thread. */
    void release(Handler action) {
        way.release(() -> action.handle(request, response));
    }
}
