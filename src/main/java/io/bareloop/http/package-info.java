/**
 * HTTP/1.1 as bytes: parser, request and response views, and what a handler is given.
 *
 * <p>Knows: bytes in, bytes out, RFC 9110 and RFC 9112. Imports: {@code java.base} only, no
 * descriptors and no system calls. Called by: {@code loop}, which moves the bytes, {@code server},
 * {@code app}, and the handlers of users. {@link io.bareloop.http.Protocol} and {@link
 * io.bareloop.http.Transport} are the seam between the two sides.
 */
package io.bareloop.http;
