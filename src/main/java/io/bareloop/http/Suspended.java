package io.bareloop.http;

/**
 * A request whose handler has returned, and whose response is still to come: from {@link
 * Response#suspend}. The one thing of the server that other threads may hold and call.
 */
public final class Suspended {
    private final Exchange exchange;
    private final Transport transport;
    private final long serial;
    private volatile boolean gone;

    Suspended(Exchange exchange, Transport transport) {
        this.exchange = exchange;
        this.transport = transport;
        this.serial = exchange.serial;
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
        if (gone) {
            return;
        }
        if (exchange.isLoop() && exchange.serial == serial) {
            // Behind what else was called in other turns of the loop.
            exchange.later(0, action);
        } else {
            transport.execute(() -> resumeOnLoop(action));
        }
    }

    /**
     * {@return whether the response has ended or the connection is gone, as far as this thread can
     * know: work for it would be in vain} For any thread.
     */
    public boolean isGone() {
        return gone;
    }

    /** The exchange is over. On the loop. */
    void end() {
        gone = true;
    }

    /**
     * Keeps the request where it is in memory until {@link #release}: from now on another thread
     * may read it. On the loop.
     *
     * @throws HttpException with 503 where there is no memory for it
     */
    void retain() {
        exchange.connection.retain(exchange);
    }

    /** No thread is going to read the request after all. On the loop. */
    void unretain() {
        exchange.retained = false;
    }

    /** Another thread is done with the request; then as {@link #resume}. For any thread. */
    void release(Handler action) {
        transport.execute(
                () -> {
                    exchange.retained = false;
                    if (!gone) {
                        resumeOnLoop(action);
                    } else if (exchange.connection == null) {
                        exchange.response.http().recycle(exchange);
                    }
                });
    }

    private void resumeOnLoop(Handler action) {
        if (exchange.serial == serial && exchange.connection != null) {
            exchange.connection.resumed(exchange, action);
        }
    }
}
