/**
 * HTTP/1.1 and 1.0 as bytes: heads are parsed, bodies decoded, responses written.
 *
 * <p>Knows: RFC 9112. Imports: {@code exchange}, {@code http} and {@code wire}; no descriptors and
 * no system calls. Called by: {@code loop}, by way of {@link io.bareloop.wire.Protocol}, and {@code
 * server}, which makes a {@link io.bareloop.http1.Http1} for each loop.
 */
package io.bareloop.http1;
