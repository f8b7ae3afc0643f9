package io.bareloop.http;

/**
 * The request methods of RFC 9110, section 9, and PATCH of RFC 5789.
 *
 * <p>A request with any other method is answered 501 before a handler sees it; so is CONNECT, which
 * only a proxy serves.
 */
public enum Method {
    GET,
    HEAD,
    POST,
    PUT,
    DELETE,
    OPTIONS,
    PATCH,
    TRACE
}
