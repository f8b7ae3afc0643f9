package io.bareloop.loop;

import io.bareloop.net.Epoll;
import io.bareloop.net.Timer;
import io.bareloop.net.Wakeup;
import io.bareloop.sys.EpollEvents;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Syscalls;
import java.lang.foreign.Arena;

/**
 * What a loop waits by: its epoll descriptor, and two that end the wait, one when other threads
 * want it and one in time. Belongs to the loop's thread, but for {@link #wake}.
 */
final class Poll implements AutoCloseable {
    private static final int EVENTS_MAX = 512;

    /** The memory of the events, and of the calls by which others wake the loop. */
    static final long NATIVE_BYTES = (long) EVENTS_MAX * EpollEvents.BYTES + Syscalls.NATIVE_BYTES;

    // Tokens of connections are never negative, and Acceptor.TOKEN is -1.
    private static final long WAKEUP_TOKEN = -2;
    private static final long TIMER_TOKEN = -3;

    final Epoll epoll;
    private final Wakeup wakeup;
    private final Timer timer;

    /**
     * Creates the descriptors.
     *
     * @throws IllegalStateException where the kernel refuses, with the reason; then none is left
     */
    Poll(Syscalls sys, Arena arena) {
        epoll = new Epoll(sys, arena, EVENTS_MAX);
        wakeup = newWakeup(sys, new Syscalls(arena));
        timer = newTimer(sys);
        int added = epoll.add(wakeup.fd(), Linux.EPOLLIN, WAKEUP_TOKEN);
        if (added >= 0) {
            added = epoll.add(timer.fd(), Linux.EPOLLIN | Linux.EPOLLET, TIMER_TOKEN);
        }
        if (added < 0) {
            close();
            throw refused(added);
        }
    }

    private Wakeup newWakeup(Syscalls sys, Syscalls waking) {
        try {
            return new Wakeup(sys, waking);
        } catch (IllegalStateException refused) {
            epoll.close();
            throw refused;
        }
    }

    private Timer newTimer(Syscalls sys) {
        try {
            return new Timer(sys);
        } catch (IllegalStateException refused) {
            wakeup.close();
            epoll.close();
            throw refused;
        }
    }

    /** The kernel has not let a descriptor be watched. */
    static IllegalStateException refused(int result) {
        return new IllegalStateException("epoll_ctl: " + Errno.describe(result));
    }

    /** One of the two that end the wait has done so. */
    void hasEnded(long token) {
        if (token == TIMER_TOKEN) {
            timer.hasCome();
        } else {
            wakeup.drain();
        }
    }

    /** The shorter of two times, the first of which may be -1 for none. */
    static long sooner(long wait, long other) {
        long atOnce = Math.max(0, other);
        return wait < 0 ? atOnce : Math.min(wait, atOnce);
    }

    /**
     * Has the next wait end in time, by the timer. Returns the time-out for it.
     *
     * @param wait nanoseconds from {@code now} on, 0 for not to wait, -1 for ever
     */
    int timeout(long now, long wait) {
        if (wait == 0) {
            return 0;
        }
        if (wait > 0) {
            timer.comeWithin(now, wait);
        }
        return -1;
    }

    /** Ends the wait at hand, or the next. For any thread, also once this is closed. */
    void wake() {
        wakeup.wake();
    }

    /** Begins to watch for input, and {@code more}. Returns 0 or -errno. */
    int watch(Connection connection, int more) {
        return epoll.add(connection.fd(), interest(more), connection.token());
    }

    /** Watches for input, and {@code more}, from now on. Returns 0 or -errno. */
    int rewatch(Connection connection, int more) {
        return epoll.modify(connection.fd(), interest(more), connection.token());
    }

    private static int interest(int more) {
        return Linux.EPOLLIN | Linux.EPOLLRDHUP | Linux.EPOLLET | more;
    }

    @Override
    public void close() {
        epoll.close();
        wakeup.close();
        timer.close();
    }
}
