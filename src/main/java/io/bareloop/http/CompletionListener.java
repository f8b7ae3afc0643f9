package io.bareloop.http;

import java.util.List;

/**
 * Hears of each request when it has come to its end: exactly once, whether it was answered, refused
 * (400, 408 and 431 too) or cut off. On one connection in the order of the requests. A connection
 * that ends before the head of a request is there as a whole has had no request.
 */
@FunctionalInterface
public interface CompletionListener {
    /**
     * A request has come to its end. Called on its loop, for all loops at the same time: it must be
     * safe for that, and must not block. What it throws is reported as a failure of a handler is,
     * and changes nothing.
     *
     * @param completion valid until this returns
     */
    void completed(Completion completion);

    /**
     * The fields of requests that it wants to see; asked once for each loop, before it starts.
     * Others are gone by the time of the end.
     *
     * @return the names, none by default
     */
    default List<HeaderName> fields() {
        return List.of();
    }
}
