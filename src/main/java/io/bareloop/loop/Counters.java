package io.bareloop.loop;

/**
 * What a loop has counted since it started. Written by the loop's thread only; others may read at
 * any time and see values that are a little old, and exact ones after the loop has ended.
 */
public final class Counters {
    long requests;
    long errors;
    long accepted;
    long closed;
    long cpuMatches;
    long cpuMismatches;
    long staleEvents;
    long acceptPauses;
    long bytesReceived;
    long bytesSent;
    long turns;

    /** Requests answered, with whatever status. */
    public long requests() {
        return requests;
    }

    /** Requests refused as invalid, and requests whose handler failed. */
    public long errors() {
        return errors;
    }

    /** Connections accepted. */
    public long accepted() {
        return accepted;
    }

    /** Connections open now. */
    public long open() {
        return accepted - closed;
    }

    /**
     * Connections whose packets came in on the loop's own CPU (SO_INCOMING_CPU), when accepted: of
     * the first 1,024 connections, and of one in sixteen after them.
     */
    public long cpuMatches() {
        return cpuMatches;
    }

    /** Connections whose packets came in on another CPU, of the same ones. */
    public long cpuMismatches() {
        return cpuMismatches;
    }

    /** Events for a connection that had closed, possibly with its descriptor in use again. */
    public long staleEvents() {
        return staleEvents;
    }

    /** Times that accepting was interrupted: no descriptors, or the maximum of connections. */
    public long acceptPauses() {
        return acceptPauses;
    }

    /** Bytes received from clients. */
    public long bytesReceived() {
        return bytesReceived;
    }

    /** Bytes of responses that the kernel took. */
    public long bytesSent() {
        return bytesSent;
    }

    /** Turns of the loop: waits for events that ended. */
    public long turns() {
        return turns;
    }
}
