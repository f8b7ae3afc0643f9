package io.bareloop.net;

import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Syscalls;

/**
 * A timerfd_create(2) descriptor that ends a loop's wait in time. Belongs to one thread.
 *
 * <p>In place of the time-out of epoll_wait(2), for which the kernel reads its clock twice, and
 * queues and takes back a timer each time it sleeps: 1 to 2 % of a request on a loop that is not
 * always busy. This one is set again only where it would come too late, or has come.
 *
 * <p>To be watched with EPOLLET: each time it comes is an edge, and nothing has to be read.
 */
public final class Timer implements AutoCloseable {
    private final Syscalls sys;
    private final int fd;
    private boolean set;
    private long time;

    /**
     * Creates the descriptor; it is not set.
     *
     * @throws IllegalStateException where the kernel refuses, with the reason
     */
    public Timer(Syscalls sys) {
        this.sys = sys;
        this.fd = sys.timerfdCreate(Linux.CLOCK_MONOTONIC, Linux.TFD_NONBLOCK | Linux.TFD_CLOEXEC);
        if (fd < 0) {
            throw new IllegalStateException("timerfd_create: " + Errno.describe(fd));
        }
    }

    public int fd() {
        return fd;
    }

    /**
     * Sees to it that the descriptor becomes readable {@code nanos} after {@code now}, or before.
     *
     * @param now as System.nanoTime gives it, of a moment ago
     * @param nanos 1 or more
     */
    public void comeWithin(long now, long nanos) {
        long wanted = now + nanos;
        if (set && time - wanted <= 0) {
            return;
        }
        int result = sys.timerfdSettime(fd, nanos);
        if (result < 0) {
            // EBADF, EFAULT, EINVAL: none of them is possible with what is passed here.
            throw new AssertionError("timerfd_settime: " + Errno.describe(result));
        }
        set = true;
        time = wanted;
    }

    /** The descriptor has become readable. */
    public void hasCome() {
        set = false;
    }

    @Override
    public void close() {
        sys.close(fd);
    }
}
