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
     * Its response was suspended, or went on after its handler had returned, so that others may
     * know its objects: it is not used again, lest what they do late meet another request.
     */
    boolean outlived;

    /** What was called on the response in other turns; null where nothing ever was. */
    private Deferred deferred;

    /**
     * Creates an exchange.
     *
     * @param fields the memory of a request that retired, or null
     */
    Exchange(Http1 http, long[] fields) {
        this.http = http;
        request = fields == null ? new Request(http.limits) : new Request(http.limits, fields);
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
     * @param bytes of a body that the action holds; together they are bounded as unsent bytes are
     * @throws IllegalStateException where the caller is another thread, the response has ended, or
     *     too much waits already
     */
    void later(int bytes, Handler action) {
        later(bytes, action, null);
    }

    /** As above, with a file that is released where the action does not come to be done. */
    void later(int bytes, Handler action, FileBody file) {
        checkLoop();
        if (connection == null) {
            throw new IllegalStateException("the response has ended");
        }
        if (!canDefer(bytes)) {
            throw new IllegalStateException(
                    "too much waits for the response's own turn: write only while isWritable(),"
                            + " and less in one turn of another request");
        }
        if (deferred == null) {
            deferred = new Deferred(this, http);
        }
        deferred.add(action, bytes, file);
    }

    /** Whether an action with so many bytes may wait, beside those that do. */
    boolean canDefer(int bytes) {
        return deferred == null || deferred.hasRoom(bytes);
    }

    /** The turn has begun: what was called before comes before whatever else it is for. */
    void runDeferred() throws Exception {
        if (deferred != null) {
            deferred.run();
        }
    }

    /** The exchange is over. */
    void forgetDeferred() {
        if (deferred != null) {
            deferred.forget();
        }
    }

    /** Whether the caller is the loop, in whoever's turn. */
    boolean isLoop() {
        return Thread.currentThread().threadId() == http.thread;
    }

    /**
     * Checks that the caller is the loop.
     *
     * @throws IllegalStateException where it is another thread
     */
    void checkLoop() {
        if (!isLoop()) {
            throw new IllegalStateException(
                    "a response belongs to its loop's thread: another one gets at it by"
                            + " Suspended.resume or EventStream.execute");
        }
    }
}
