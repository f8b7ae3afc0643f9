package io.bareloop.loop;

import io.bareloop.net.Epoll;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Syscalls;

/**
 * Takes the connections of a loop from its listener, which the loop watches but does not own: as
 * many as the loop may have, and none for a moment where the system is short of something. Belongs
 * to the loop's thread.
 */
final class Acceptor {
    /** What the loop's epoll descriptor says when connections wait. */
    static final long TOKEN = -1;

    /** Connections taken before those that are open have their turn. */
    static final int PER_TURN_MAX = 64;

    /** Of so many connections, and of one in so many after them, the incoming CPU is asked for. */
    private static final int CPUS_ASKED_FIRST = 1024;

    private static final int CPUS_ASKED_EACH = 16;

    /** A backlog of 65,536, which is more than listen(2) grants by default. */
    private static final int DRAIN_ROUNDS_MAX = 1024;

    private static final long PAUSE_NANOS = 100_000_000L;

    private static final String ADVICE =
            "raise the limit of open files (ulimit -n, LimitNOFILE=) where it is EMFILE or ENFILE,"
                    + " have the host more memory where it is ENOBUFS or ENOMEM";

    private final Loop loop;
    private final Syscalls sys;
    private final int listener;
    private final Epoll epoll;
    private final LoopOptions options;

    private State state = State.PAUSED;

    /** When a pause ends. */
    private long againNanos;

    private enum State {
        /** The listener is watched. */
        ACCEPTING,
        /** It is not, until {@link #againNanos} or until a connection has closed. */
        PAUSED,
        /** It is not, and will not be. */
        DRAINED
    }

    Acceptor(Loop loop, Syscalls sys, int listener, Epoll epoll, LoopOptions options) {
        this.loop = loop;
        this.sys = sys;
        this.listener = listener;
        this.epoll = epoll;
        this.options = options;
    }

    /**
     * Of the kernel's congestion controls bbr alone spreads what it sends over time by timers, if
     * the queueing discipline does not. Asked once: it is a matter of CPU time alone.
     */
    static boolean isPaced(Syscalls sys, int listener) {
        String congestion = sys.getsockoptText(listener, Linux.IPPROTO_TCP, Linux.TCP_CONGESTION);
        return congestion != null && congestion.startsWith("bbr");
    }

    /** From now on the listener is watched. Returns 0 or -errno. */
    int start() {
        int added = epoll.add(listener, Linux.EPOLLIN, TOKEN);
        if (added < 0 && added != -Errno.EEXIST) {
            return added;
        }
        state = State.ACCEPTING;
        return 0;
    }

    /** Lets connections wait for a moment, or until one of those that are open has closed. */
    void pause() {
        loop.counters.acceptPauses++;
        epoll.remove(listener);
        state = State.PAUSED;
        againNanos = loop.now() + PAUSE_NANOS;
    }

    /** Whether it is for time to pass that connections wait, and for nothing else. */
    boolean isPaused() {
        return state == State.PAUSED && loop.openConnections() < options.connectionsMax();
    }

    /** When a pause ends. */
    long againNanos() {
        return againNanos;
    }

    /** A turn ends: starts again where it is time. */
    void endTurn() {
        if (state == State.PAUSED && loop.now() - againNanos >= 0 && start() < 0) {
            // ENOMEM, ENOSPC: what was short when accepting paused is short still.
            againNanos = loop.now() + PAUSE_NANOS;
        }
    }

    /** A connection has closed: there is room for another, and no reason to wait longer. */
    void closed() {
        if (state != State.ACCEPTING) {
            againNanos = loop.now();
        }
    }

    /** Takes all connections that wait, for the kernel resets those that are left; then no more. */
    void drain() {
        int rounds = 0;
        while (!loop.stopping && rounds < DRAIN_ROUNDS_MAX && accept(PER_TURN_MAX)) {
            rounds++;
        }
        epoll.remove(listener);
        state = State.DRAINED;
        if (loop.privateTable) {
            // It is open there too.
            sys.close(listener);
        }
    }

    /** Takes at most {@code max} connections. Returns whether more may be waiting. */
    boolean accept(int max) {
        for (int i = 0; i < max; i++) {
            if (loop.openConnections() >= options.connectionsMax()) {
                pause();
                return false;
            }
            int fd = sys.accept4(listener, Linux.SOCK_NONBLOCK | Linux.SOCK_CLOEXEC);
            if (fd >= 0) {
                accepted(fd);
            } else if (!goesOnAfter(fd)) {
                return false;
            }
        }
        return true;
    }

    /** accept4 has failed. Returns whether to go on with the next connection. */
    private boolean goesOnAfter(int result) {
        if (result == -Errno.EAGAIN) {
            return false;
        }
        if (result == -Errno.EINVAL) {
            // The server is ending, and its listeners do not listen any more.
            pause();
            return false;
        }
        if (result == -Errno.EINTR || isGone(result)) {
            return true;
        }
        // EMFILE, ENFILE, ENOBUFS, ENOMEM: something is short. EPERM: a rule of the firewall, and
        // what others mean is not known. The connection stays where it is, and the listener would
        // be ready again at once: look away for a moment, or until a connection closes.
        loop.complaints.say("cannot accept connections", result, ADVICE, loop.now());
        pause();
        return false;
    }

    /** Errors of a connection itself that accept4 passes on, with which it is gone: accept(2). */
    private static boolean isGone(int result) {
        return result == -Errno.ECONNABORTED
                || result == -Errno.EPROTO
                || result == -Errno.ENETDOWN
                || result == -Errno.ENETUNREACH
                || result == -Errno.ENETRESET
                || result == -Errno.ENOPROTOOPT
                || result == -Errno.EHOSTDOWN
                || result == -Errno.ENONET
                || result == -Errno.EHOSTUNREACH
                || result == -Errno.EOPNOTSUPP
                || result == -Errno.ECONNRESET
                || result == -Errno.ETIMEDOUT;
    }

    private void accepted(int fd) {
        Connection connection = null;
        try {
            loop.counters.accepted++;
            long accepted = loop.counters.accepted;
            if (accepted <= CPUS_ASKED_FIRST || accepted % CPUS_ASKED_EACH == 0) {
                countIncomingCpu(fd);
            }
            connection = loop.slots.take();
            connection.open(fd);
        } catch (VirtualMachineError | LinkageError error) {
            if (connection != null) {
                loop.failed(connection, error);
                return;
            }
            // No heap for one more. It is turned away, and others wait until one has closed.
            sys.close(fd);
            loop.counters.closed++;
            pause();
            loop.complaints.say("a connection was turned away", error, loop.now());
        }
    }

    private void countIncomingCpu(int fd) {
        if (options.cpu() < 0) {
            return;
        }
        int cpu = sys.getsockopt(fd, Linux.SOL_SOCKET, Linux.SO_INCOMING_CPU);
        if (cpu == options.cpu()) {
            loop.counters.cpuMatches++;
        } else {
            loop.counters.cpuMismatches++;
        }
    }
}
