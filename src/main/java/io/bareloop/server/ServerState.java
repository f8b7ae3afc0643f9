package io.bareloop.server;

/**
 * Where a server is in its life, which goes one way only.
 *
 * <pre>
 *   start() --> RUNNING -- drain --> DRAINING -- all is finished, or its time is over --> STOPPED
 *                  |                     |                                                   ^
 *                  +---------------------+-- close, or a loop that failed -------------------+
 * </pre>
 */
public enum ServerState {
    /** Accepts connections and serves them. */
    RUNNING,
    /**
     * Accepts no more connections, once {@link HttpServer.Builder#onDrain} has returned, and
     * finishes the requests that are in flight.
     */
    DRAINING,
    /**
     * Serves nobody any more. Whoever waits for the end is let go within half a second; a handler
     * that does not return may still be at its work.
     */
    STOPPED
}
