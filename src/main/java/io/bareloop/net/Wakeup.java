package io.bareloop.net;

import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Syscalls;

/** An eventfd(2) by which other threads wake a loop out of its wait. */
public final class Wakeup implements AutoCloseable {
    private final Syscalls sys;

    /** Guarded by this: made once, for a wake-up that needs memory could be one that fails. */
    private final Syscalls waking;

    private final int fd;
    private boolean open = true;

    /**
     * Creates the descriptor.
     *
     * @param sys the calls of the loop's thread
     * @param waking calls that nobody else makes
     * @throws IllegalStateException where the kernel refuses, with the reason
     */
    public Wakeup(Syscalls sys, Syscalls waking) {
        this.sys = sys;
        this.waking = waking;
        this.fd = sys.eventfd(0, Linux.EFD_NONBLOCK | Linux.EFD_CLOEXEC);
        if (fd < 0) {
            throw new IllegalStateException("eventfd: " + Errno.describe(fd));
        }
    }

    public int fd() {
        return fd;
    }

    /** Wakes the loop, unless it has closed this. From any thread. */
    public synchronized void wake() {
        // Closed, the number may belong to another descriptor by now.
        if (open) {
            // EAGAIN would mean 2^64 wake-ups pending: awake is all it can be.
            waking.eventfdWrite(fd, 1);
        }
    }

    /** Takes back all wake-ups so far. On the loop only. */
    public void drain() {
        sys.eventfdRead(fd);
    }

    @Override
    public synchronized void close() {
        if (open) {
            open = false;
            sys.close(fd);
        }
    }
}
