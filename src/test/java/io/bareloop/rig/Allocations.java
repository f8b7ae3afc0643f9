package io.bareloop.rig;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** Bytes that the calling thread allocates. */
public final class Allocations {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static final int ROUNDS_MAX = 200;
    private static final int CALLS = 2000;

    private Allocations() {}

    /**
     * Bytes allocated by 2000 calls of {@code code}, once it is compiled: as long as they allocate,
     * it is tried again, for memory access allocates until then.
     */
    public static long perRound(Runnable code) throws InterruptedException {
        long bytes = 0;
        for (int round = 0; round < ROUNDS_MAX; round++) {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < CALLS; i++) {
                code.run();
            }
            bytes = THREADS.getCurrentThreadAllocatedBytes() - before;
            if (bytes == 0) {
                return 0;
            }
            if (round % 20 == 19) {
                // The compiler may be behind, on a machine that is busy.
                Thread.sleep(20);
            }
        }
        return bytes;
    }
}
