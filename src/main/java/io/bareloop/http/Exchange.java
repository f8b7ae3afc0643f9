package io.bareloop.http;

/**
 * A request and its response, and the memory that holds the request where it has to outlast the
 * call in which it was received. Used for one request after another, unless it outlives the call of
 * its handler.
 */
final class Exchange {
    /** No thread has this number. */
    static final long NOBODY = 0;

    final Request request;
    final Response response;
    private final Http1 http;

    /** The connection it belongs to; null between requests, and after that connection closed. */
    HttpConnection connection;

    /**
     * The number of the loop's thread while it is this exchange's turn: a part of its handler runs,
     * and the output buffer is its connection's. Otherwise {@link #NOBODY}, so that whoever
     * compares it with their own thread's finds out in one go whether they may write. A number, for
     * a reference would cost a barrier of the collector each time.
     */
    long turn;

    /**
     * Tells one use from the next: what comes back late, from another thread, is for an old one.
     */
    long serial;

    /** The copy of the request, where there is one. */
    Slab.Slice slice;

    /** Bytes of the copy: head, and of the body what has arrived. */
    int sliceBytes;

    /** Another thread reads the request: the memory stays until it is done. */
    boolean retained;

    /**
     * Its response went on after its handler had returned, so that others may know its objects: it
     * is not used again, lest what they do late meet another request.
     */
    boolean outlived;

    Exchange(Http1 http) {
        this.http = http;
        request = new Request(http.limits);
        response = new Response(this, http);
    }

    /** Whether the caller may write the response now. */
    boolean isTurn() {
        return turn == Thread.currentThread().threadId();
    }

    /**
     * Runs {@code action} when it is this exchange's turn next: what another connection's handler
     * calls on this response, on the same loop. Its own output buffer is the other's now.
     *
     * @throws IllegalStateException where the caller is another thread, or the response has ended
     */
    void later(Handler action) {
        checkLoop();
        HttpConnection owner = connection;
        if (owner == null) {
            throw new IllegalStateException("the response has ended");
        }
        long expected = serial;
        owner.transport()
                .execute(
                        () -> {
                            if (serial == expected && connection != null) {
                                connection.resumed(this, action);
                            }
                        });
    }

    /**
     * Checks that the caller is the loop.
     *
     * @throws IllegalStateException where it is another thread
     */
    void checkLoop() {
        if (Thread.currentThread().threadId() != http.thread) {
            throw new IllegalStateException(
                    "a response belongs to its loop's thread: another one gets at it by"
                            + " Suspended.resume or EventStream.execute");
        }
    }
}
