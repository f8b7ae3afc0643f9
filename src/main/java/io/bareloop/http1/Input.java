package io.bareloop.http1;

/** What the next bytes of a connection's input are; see {@link Http1Connection}. */
enum Input {
    BETWEEN,
    HEAD,
    BODY
}
