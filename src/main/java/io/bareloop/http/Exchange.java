package io.bareloop.http;

/**
 * A request and its response, and the memory that holds the request where it has to outlast the
 * call in which it was received. Used for one request after another.
 */
final class Exchange {
    final Request request;
    final Response response;

    /** The connection it belongs to; null between requests, and after that connection closed. */
    HttpConnection connection;

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

    Exchange(Http1 http) {
        request = new Request(http.limits);
        response = new Response(this, http);
    }
}
