package io.bareloop.server;

import io.bareloop.http1.Http1;
import io.bareloop.loop.Loop;

/**
 * The native memory of a server, as a sum with one term per owner. It is all taken at the start;
 * how much of it is resident depends on the work in flight.
 *
 * @param loops how many loops there are
 * @param bufferBytes of each loop what it receives into, sends from, and gets events in
 * @param protocolBytes of each loop what HTTP/1.1 remembers from one request to the next, and what
 *     it compresses with
 * @param pendingBytes of each loop the slab: requests and responses that are under way
 * @param heapBytes the largest heap; what is pending has at most half as much, unless it was said
 *     how much it is to have
 * @param isLowered whether what is pending has less than it would have with a larger heap
 */
public record NativeMemory(
        int loops,
        long bufferBytes,
        long protocolBytes,
        long pendingBytes,
        long heapBytes,
        boolean isLowered) {
    static final long PENDING_UNSET = -1;

    private static final long PENDING_BYTES = 64L << 20;

    /** Room for a body and a response of the largest size that is allowed by default. */
    private static final long PENDING_BYTES_MIN = 4L << 20;

    /**
     * Looks at what a loop is to have for what is pending.
     *
     * @throws IllegalArgumentException where it is out of range
     */
    static void checkPending(long bytes) {
        if (bytes < 1L << 20 || bytes > 1L << 40) {
            throw new IllegalArgumentException(
                    "pending bytes are " + bytes + "; it must be 1 MiB to 1 TiB");
        }
    }

    /** The sum for a server of that configuration. */
    static NativeMemory of(Configuration configuration) {
        NativeMemory memory =
                of(configuration.cpus.size(), configuration.pendingBytesMax, configuration.ioUring);
        return new NativeMemory(
                memory.loops,
                memory.bufferBytes,
                memory.protocolBytes + configuration.fieldBytes + configuration.compressionBytes,
                memory.pendingBytes,
                memory.heapBytes,
                memory.isLowered);
    }

    /** The sum for {@code loops}; {@code pending} is bytes of each, or {@link #PENDING_UNSET}. */
    static NativeMemory of(int loops, long pending, Setting ioUring) {
        long heap = Runtime.getRuntime().maxMemory();
        long allowed = pending;
        if (pending == PENDING_UNSET) {
            // Whoever bounds the heap wants a small process, and the JVM holds what it allocates
            // outside to the same number.
            allowed = Math.max(PENDING_BYTES_MIN, Math.min(PENDING_BYTES, heap / 2 / loops));
        }
        return new NativeMemory(
                loops,
                Loop.nativeBytes(ioUring != Setting.OFF),
                Http1.NATIVE_BYTES,
                allowed,
                heap,
                pending == PENDING_UNSET && allowed < PENDING_BYTES);
    }

    /** {@return the sum, in bytes} */
    public long total() {
        return loops * (bufferBytes + protocolBytes + pendingBytes);
    }

    /**
     * One line: {@code at most 129 MiB outside the heap: 2 loops of 64 MiB pending and 0.4 MiB of
     * buffers}; and, where what is pending has less than it could, how it gets more.
     */
    @Override
    public String toString() {
        String line =
                "at most %s outside the heap: %d %s of %s pending and %s of buffers"
                        .formatted(
                                mebibytes(total()),
                                loops,
                                loops == 1 ? "loop" : "loops",
                                mebibytes(pendingBytes),
                                mebibytes(bufferBytes + protocolBytes));
        return isLowered
                ? line
                        + " (lowered from %s for -Xmx %s; --max-pending sets it)"
                                .formatted(mebibytes(PENDING_BYTES), mebibytes(heapBytes))
                : line;
    }

    private static String mebibytes(long bytes) {
        long tenths = (bytes * 10 + (1 << 19)) >> 20;
        return tenths % 10 == 0 ? tenths / 10 + " MiB" : tenths / 10 + "." + tenths % 10 + " MiB";
    }
}
