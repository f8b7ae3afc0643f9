/** Servers of others, of the same responses, that {@code jmh/bench cpu} measures beside ours. */
package io.bareloop.peers;
