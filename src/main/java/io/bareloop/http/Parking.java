package io.bareloop.http;

import java.io.InterruptedIOException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Where one thread at a time waits for something that others say has changed. Those never wait:
 * there is no lock that a loop could meet.
 */
final class Parking {
    private volatile Thread waiting;

    /**
     * Waits until {@code condition} holds, which reads what is volatile.
     *
     * @throws InterruptedIOException where the thread is interrupted; it stays that
     */
    void until(BooleanSupplier condition) throws InterruptedIOException {
        if (condition.getAsBoolean()) {
            return;
        }
        Thread me = Thread.currentThread();
        waiting = me;
        try {
            // Asked again behind that: whoever changes something from here on sees who waits.
            while (!condition.getAsBoolean()) {
                if (me.isInterrupted()) {
                    throw new InterruptedIOException("interrupted while waiting for the client");
                }
                LockSupport.park(this);
            }
        } finally {
            waiting = null;
        }
    }

    /** Something has changed. For any thread. */
    void changed() {
        Thread thread = waiting;
        if (thread != null) {
            LockSupport.unpark(thread);
        }
    }
}
