/**
 * HTTP/1.1 as bytes: parser, request and response views, and what a handler is given.
 *
 * <p>Start at {@link io.bareloop.http.Handler}: it answers a {@link io.bareloop.http.Request} by a
 * {@link io.bareloop.http.Response}.
 *
 * <ul>
 *   <li>{@link io.bareloop.http.Router} chooses a handler by method and path.
 *   <li>{@link io.bareloop.http.Prepared} is a response that is always the same; {@link
 *       io.bareloop.http.Fields} are fields that are.
 *   <li>{@link io.bareloop.http.Blocking} and {@link io.bareloop.http.Reply} are for work that
 *       waits; {@link io.bareloop.http.Suspended} is the way back to a response from any thread.
 *   <li>{@link io.bareloop.http.StreamHandler} takes a body in pieces; {@link
 *       io.bareloop.http.EventStream} sends events; {@link io.bareloop.http.FormReader} reads
 *       queries and forms.
 *   <li>{@link io.bareloop.http.Limits} and {@link io.bareloop.http.Timeouts} bound what clients
 *       can ask for.
 * </ul>
 *
 * <p>No handler needs Http1, OutputBuffer, Protocol, RequestParser, Slab and Transport. They are
 * public for the loop, which is in another package, and may change without notice.
 *
 * <p>Knows: bytes in, bytes out, RFC 9110 and RFC 9112. Imports: {@code java.base} only, no
 * descriptors and no system calls. Called by: {@code loop}, which moves the bytes, {@code server},
 * {@code app}, and the handlers of users. {@link io.bareloop.http.Protocol} and {@link
 * io.bareloop.http.Transport} are the seam between the two sides.
 */
package io.bareloop.http;
