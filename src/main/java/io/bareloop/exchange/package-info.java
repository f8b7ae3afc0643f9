/**
 * One request, its handler, its answer, its end, whatever protocol carries it.
 *
 * <p>Knows: when user code runs, what it may do, and what becomes of what it throws. Imports:
 * {@code http}, of which it calls handlers, and {@code wire}. Called by: {@code http1}, which is
 * its {@link io.bareloop.exchange.Carrier}.
 */
package io.bareloop.exchange;
