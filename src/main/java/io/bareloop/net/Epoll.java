package io.bareloop.net;

import io.bareloop.sys.EpollEvents;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.sys.RecentLinux;
import io.bareloop.sys.Syscalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** An epoll(7) descriptor and the events of its last wait. Belongs to one thread. */
public final class Epoll implements AutoCloseable {
    private final Syscalls sys;
    private final MemorySegment events;
    private final int fd;

    /**
     * Creates the descriptor.
     *
     * @param eventsMax events that one wait can return
     * @throws IllegalStateException where the kernel refuses, with the reason
     */
    public Epoll(Syscalls sys, Arena arena, int eventsMax) {
        this.sys = sys;
        this.events = arena.allocate((long) eventsMax * EpollEvents.BYTES, Long.BYTES);
        this.fd = sys.epollCreate1(Linux.EPOLL_CLOEXEC);
        if (fd < 0) {
            throw new IllegalStateException("epoll_create1: " + Errno.describe(fd));
        }
    }

    /**
     * Waits up to {@code timeoutMillis}, or for ever with -1.
     *
     * @return the number of events; 0 also where a signal interrupted the wait
     */
    public int await(int timeoutMillis) {
        int ready = sys.epollWait(fd, events, timeoutMillis);
        if (ready >= 0) {
            return ready;
        }
        if (ready == -Errno.EINTR) {
            return 0;
        }
        // EBADF, EFAULT, EINVAL: none of them is possible with what is passed here.
        throw new AssertionError("epoll_wait: " + Errno.describe(ready));
    }

    /** What descriptor {@code index} of the last wait is ready for. */
    public int events(int index) {
        return EpollEvents.events(events, index);
    }

    /** The token that descriptor {@code index} of the last wait was added with. */
    public long token(int index) {
        return EpollEvents.data(events, index);
    }

    /**
     * Adds {@code fd}.
     *
     * @return 0 or -errno (-ENOSPC: fs.epoll.max_user_watches is reached)
     */
    public int add(int addedFd, int interest, long token) {
        return sys.epollCtl(fd, Linux.EPOLL_CTL_ADD, addedFd, interest, token);
    }

    /**
     * Changes what {@code fd} is watched for; edges that are present already are reported again.
     *
     * @return 0 or -errno
     */
    public int modify(int addedFd, int interest, long token) {
        return sys.epollCtl(fd, Linux.EPOLL_CTL_MOD, addedFd, interest, token);
    }

    /**
     * Stops watching {@code fd}. Closing a descriptor does the same.
     *
     * @return 0 or -errno
     */
    public int remove(int addedFd) {
        return sys.epollCtl(fd, Linux.EPOLL_CTL_DEL, addedFd, 0, 0);
    }

    /**
     * Sets for how long a wait polls the network device itself before it sleeps.
     *
     * @return 0 or -errno (-ENOTTY: the kernel is older than 6.9)
     */
    public int busyPoll(int micros, int budget, boolean prefer) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment params = arena.allocate(RecentLinux.EPOLL_PARAMS_BYTES, Long.BYTES);
            params.set(ValueLayout.JAVA_INT, RecentLinux.EPOLL_PARAMS_USECS_OFFSET, micros);
            params.set(
                    ValueLayout.JAVA_SHORT, RecentLinux.EPOLL_PARAMS_BUDGET_OFFSET, (short) budget);
            params.set(
                    ValueLayout.JAVA_BYTE,
                    RecentLinux.EPOLL_PARAMS_PREFER_OFFSET,
                    (byte) (prefer ? 1 : 0));
            return sys.ioctl(fd, RecentLinux.EPIOCSPARAMS, params);
        }
    }

    @Override
    public void close() {
        sys.close(fd);
    }
}
