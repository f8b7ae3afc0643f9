package io.bareloop.server;

/**
 * What one loop has counted since its start.
 *
 * @param loop its index, 0 to n-1
 * @param cpu the CPU it is pinned to, or -1
 * @param requests requests answered, with whatever status
 * @param errors requests refused as invalid, and requests whose handler failed
 * @param connections connections accepted
 * @param open connections open now
 * @param cpuMatches connections whose packets came in on the loop's own CPU (SO_INCOMING_CPU), of
 *     the first 1,024 and of one in sixteen after them
 * @param cpuMismatches connections whose packets came in on another CPU, of the same ones
 * @param bytesReceived bytes received from clients
 * @param bytesSent bytes of responses that the kernel took
 */
public record LoopStats(
        int loop,
        int cpu,
        long requests,
        long errors,
        long connections,
        long open,
        long cpuMatches,
        long cpuMismatches,
        long bytesReceived,
        long bytesSent) {}
