/**
 * A load generator: connections on one thread, closed loop or open loop, every byte of every
 * response compared. It stands on the server's own floors sys and net, and allocates nothing while
 * it measures. {@code jmh/bench} runs it.
 */
package io.bareloop.load;
