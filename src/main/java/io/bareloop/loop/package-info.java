/**
 * The engine: where descriptors and bytes meet. One loop per CPU, its connections, its buffers, its
 * deadlines and its counters.
 *
 * <p>Knows: when to receive, send, accept and close. Imports: {@code net}, {@code sys} and {@code
 * http}, of which it drives {@link io.bareloop.http.Protocol} and knows nothing of HTTP. Called by:
 * {@code server}.
 */
package io.bareloop.loop;
