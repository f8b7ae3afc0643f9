package io.bareloop.net;

import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Sockaddr;
import io.bareloop.sys.Syscalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The listeners of one address: one a loop, in one SO_REUSEPORT group, bound in the order of the
 * loops by one thread before any loop starts. They close together: {@link ReuseportFilter} says
 * why.
 */
public final class ListenerGroup implements AutoCloseable {
    /** How many packets one busy poll may take; more than 64 need CAP_NET_ADMIN. */
    public static final int BUSY_POLL_BUDGET = 64;

    private final Syscalls sys;
    private final int[] fds;
    private InetSocketAddress address;
    private boolean steered;

    private ListenerGroup(Syscalls sys, int listeners) {
        this.sys = sys;
        this.fds = new int[listeners];
        Arrays.fill(fds, -1);
    }

    /**
     * Opens one listener for each of {@code cpus}, and steers connections by CPU where wanted.
     *
     * @param address port 0 lets the kernel choose one, the same for all
     * @param cpus the CPU of each loop, in the order of the loops; -1 for a loop that is not pinned
     * @param log is told what each optional feature came to
     * @throws BindException where the address cannot be had, saying why and what to do
     * @throws IOException for other refusals
     * @throws IllegalStateException where a feature that must be on is refused
     */
    public static ListenerGroup open(
            Syscalls sys, InetSocketAddress address, int[] cpus, ListenOptions options, KnobLog log)
            throws IOException {
        ListenerGroup group = new ListenerGroup(sys, cpus.length);
        boolean opened = false;
        try {
            group.address = address;
            for (int i = 0; i < cpus.length; i++) {
                group.openOne(i, options, log);
            }
            group.steer(cpus, options, log);
            opened = true;
            return group;
        } finally {
            if (!opened) {
                group.close();
            }
        }
    }

    /** The listener of loop {@code index}. */
    public int fd(int index) {
        return fds[index];
    }

    /** The listeners of all loops but loop {@code index}. */
    public int[] others(int index) {
        return IntStream.range(0, fds.length).filter(i -> i != index).map(i -> fds[i]).toArray();
    }

    /** The address bound, with the port that the kernel chose where it was asked to. */
    public InetSocketAddress address() {
        return address;
    }

    /** Whether connections go to the loop on the CPU that received them. */
    public boolean steered() {
        return steered;
    }

    /**
     * Has the kernel refuse connections from now on, and reset those that no loop has accepted; of
     * all listeners, as {@link #close} does. The descriptors stay open: a loop that is still at its
     * work may use its own, whose number must not belong to something else by then. It ends
     * listening in every table of descriptors that has one of them.
     */
    public void refuse() {
        for (int fd : fds) {
            if (fd >= 0) {
                // On a listener this is how its state is left: inet_shutdown of the kernel.
                sys.shutdown(fd, Linux.SHUT_RD);
            }
        }
    }

    /** Closes all. Connections that no loop has accepted are reset by the kernel. */
    @Override
    public void close() {
        for (int i = 0; i < fds.length; i++) {
            if (fds[i] >= 0) {
                sys.close(fds[i]);
                fds[i] = -1;
            }
        }
    }

    private void openOne(int index, ListenOptions options, KnobLog log) throws IOException {
        int family = Sockaddr.family(address.getAddress());
        int fd =
                sys.socket(family, Linux.SOCK_STREAM | Linux.SOCK_NONBLOCK | Linux.SOCK_CLOEXEC, 0);
        if (fd < 0) {
            throw new IOException("socket: " + Errno.describe(fd) + adviceForSocket(fd));
        }
        fds[index] = fd;
        require("SO_REUSEADDR", sys.setsockopt(fd, Linux.SOL_SOCKET, Linux.SO_REUSEADDR, 1));
        if (fds.length > 1) {
            refuseForeignGroup(index, family);
            require("SO_REUSEPORT", sys.setsockopt(fd, Linux.SOL_SOCKET, Linux.SO_REUSEPORT, 1));
        }
        setV6Only(fd, family);
        // Set here once: accepted sockets inherit all of these.
        require("TCP_NODELAY", sys.setsockopt(fd, Linux.IPPROTO_TCP, Linux.TCP_NODELAY, 1));
        require("SO_KEEPALIVE", sys.setsockopt(fd, Linux.SOL_SOCKET, Linux.SO_KEEPALIVE, 0));
        setBusyPoll(fd, options.busyPoll(), log);
        setCongestion(fd, options.congestion(), log);
        bind(fd);
        int listened = sys.listen(fd, options.backlog());
        if (listened < 0) {
            throw bindFailure("listen", listened);
        }
    }

    /**
     * SO_REUSEPORT would let a second server of the same user join the group of a first without a
     * word, and take a share of its connections. A bind without it, first, is refused instead.
     */
    private void refuseForeignGroup(int index, int family) throws IOException {
        if (index > 0 || address.getPort() == 0) {
            return;
        }
        int probe = sys.socket(family, Linux.SOCK_STREAM | Linux.SOCK_CLOEXEC, 0);
        if (probe < 0) {
            throw new IOException("socket: " + Errno.describe(probe));
        }
        try {
            sys.setsockopt(probe, Linux.SOL_SOCKET, Linux.SO_REUSEADDR, 1);
            setV6Only(probe, family);
            bind(probe);
        } finally {
            sys.close(probe);
        }
    }

    /** "::" serves IPv4 too, as mapped addresses; the system's default may say otherwise. */
    private void setV6Only(int fd, int family) throws IOException {
        if (family == Linux.AF_INET6) {
            boolean v6Only = !address.getAddress().isAnyLocalAddress();
            require(
                    "IPV6_V6ONLY",
                    sys.setsockopt(fd, Linux.IPPROTO_IPV6, Linux.IPV6_V6ONLY, v6Only ? 1 : 0));
        }
    }

    private void bind(int fd) throws BindException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocate(Sockaddr.BYTES_MAX, Long.BYTES);
            int length = Sockaddr.write(name, address.getAddress(), address.getPort());
            int bound = sys.bind(fd, name, length);
            if (bound < 0) {
                throw bindFailure("bind", bound);
            }
            if (address.getPort() == 0) {
                int named = sys.getsockname(fd, name);
                if (named < 0) {
                    throw bindFailure("getsockname", named);
                }
                address = new InetSocketAddress(address.getAddress(), Sockaddr.port(name));
            }
        }
    }

    private void setBusyPoll(int fd, Knob knob, KnobLog log) {
        if (!knob.wanted()) {
            return;
        }
        int result = sys.setsockopt(fd, Linux.SOL_SOCKET, Linux.SO_BUSY_POLL, knob.value());
        boolean took =
                log.note(
                        "SO_BUSY_POLL " + knob.value() + " us",
                        knob.mode(),
                        result,
                        "more than net.core.busy_read needs CAP_NET_ADMIN; --busy-poll off says"
                                + " no to it");
        if (took) {
            // Hints that go with it: not worth failing for, nor asking for one by one.
            log.note(
                    "SO_PREFER_BUSY_POLL",
                    Knob.Mode.AUTO,
                    sys.setsockopt(fd, Linux.SOL_SOCKET, Linux.SO_PREFER_BUSY_POLL, 1),
                    "needs Linux 5.11 and CAP_NET_ADMIN");
            log.note(
                    "SO_BUSY_POLL_BUDGET " + BUSY_POLL_BUDGET,
                    Knob.Mode.AUTO,
                    sys.setsockopt(
                            fd, Linux.SOL_SOCKET, Linux.SO_BUSY_POLL_BUDGET, BUSY_POLL_BUDGET),
                    "needs Linux 5.11 and CAP_NET_ADMIN");
        }
    }

    private void setCongestion(int fd, String name, KnobLog log) {
        if (name == null) {
            return;
        }
        byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value =
                    arena.allocate(bytes.length + 1L).copyFrom(MemorySegment.ofArray(bytes));
            int result =
                    sys.setsockopt(
                            fd, Linux.IPPROTO_TCP, Linux.TCP_CONGESTION, value, bytes.length);
            log.note(
                    "TCP_CONGESTION " + name,
                    Knob.Mode.ON,
                    result,
                    "the kernel knows those in net.ipv4.tcp_available_congestion_control; others"
                            + " need their module (modprobe tcp_"
                            + name
                            + ")");
        }
    }

    private void steer(int[] cpus, ListenOptions options, KnobLog log) {
        if (!options.steering().wanted() || cpus.length == 1 || cpus[0] < 0) {
            return;
        }
        steered =
                log.note(
                        "SO_ATTACH_REUSEPORT_CBPF",
                        options.steering().mode(),
                        sys.attachReuseportFilter(fds[0], ReuseportFilter.program(cpus)),
                        "connections are spread by hash; needs Linux 4.5");
    }

    private static void require(String option, int result) throws IOException {
        if (result < 0) {
            throw new IOException(option + ": " + Errno.describe(result));
        }
    }

    private BindException bindFailure(String call, int result) {
        String advice = "";
        if (result == -Errno.EADDRINUSE) {
            advice =
                    "; another process listens there (ss -ltnp shows it): stop it, or choose"
                            + " another port";
        } else if (result == -Errno.EACCES) {
            advice =
                    "; ports below net.ipv4.ip_unprivileged_port_start (1024) need root or"
                            + " CAP_NET_BIND_SERVICE";
        } else if (result == -Errno.EADDRNOTAVAIL) {
            advice = "; no interface of this machine has that address (ip address shows them)";
        }
        return new BindException(
                call + " " + describe(address) + ": " + Errno.describe(result) + advice);
    }

    private static String adviceForSocket(int result) {
        if (result == -Errno.EAFNOSUPPORT) {
            return "; this machine has no IPv6: listen on an IPv4 address";
        }
        if (result == -Errno.EMFILE) {
            return "; raise the limit of open files (ulimit -n)";
        }
        return "";
    }

    /** The address as a user writes it: {@code 0.0.0.0:80}, {@code [::]:80}. */
    public static String describe(InetSocketAddress address) {
        String host = address.getAddress().getHostAddress();
        if (host.indexOf(':') >= 0) {
            // Java writes zeros out.
            host = "[" + host.replaceFirst("(^|:)0(:0)+(:|$)", "::") + "]";
        }
        return host + ":" + address.getPort();
    }
}
