/**
 * What stands between the engine and the protocols: the seam ({@link io.bareloop.wire.Protocol} and
 * {@link io.bareloop.wire.Transport}), the data of a request and the way of a response ({@link
 * io.bareloop.wire.Head}, {@link io.bareloop.wire.Writer}, {@link io.bareloop.wire.Turn}), and the
 * memory that both sides write into.
 *
 * <p>Knows: bytes, offsets, addresses. Imports: {@code java.base} only. Called by: {@code loop},
 * {@code http}, {@code exchange}, {@code http1}, {@code files} and {@code server}.
 */
package io.bareloop.wire;
