/**
 * The engine: where descriptors and bytes meet. One loop per CPU, its connections, its buffers, its
 * deadlines and its counters.
 *
 * <p>Knows: when to receive, send, accept and close; nothing of HTTP. Imports: {@code net}, {@code
 * sys} and {@code wire}, of which it drives {@link io.bareloop.wire.Protocol}. Called by: {@code
 * server}.
 */
package io.bareloop.loop;
