package io.bareloop.http;

import io.bareloop.wire.Head;

/**
 * The request methods of RFC 9110, section 9, and PATCH of RFC 5789.
 *
 * <p>A request with any other method is answered 501 before a handler sees it; so is CONNECT, which
 * only a proxy serves.
 */
public enum Method {
    /** Asks for a representation of the target. */
    GET,
    /** As GET, but the response has no body. */
    HEAD,
    /** Has the target process the body. */
    POST,
    /** Replaces the target by the body. */
    PUT,
    /** Removes the target. */
    DELETE,
    /** Asks what can be done with the target. */
    OPTIONS,
    /** Changes the target as the body says. */
    PATCH,
    /** Asks for the request as it arrived. */
    TRACE;

    /** In the order of the numbers in {@link Head}. */
    private static final Method[] METHODS = values();

    /** The method with that number of {@link Head}. */
    static Method of(int number) {
        return METHODS[number];
    }
}
