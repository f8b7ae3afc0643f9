package io.bareloop.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bareloop.rig.Loopback;
import io.bareloop.rig.OpenFiles;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Sockaddr;
import io.bareloop.sys.Syscalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Opening the listeners of one address: what is set on them, and what becomes of refusals. */
@Timeout(60)
class ListenerGroupTest {
    private static final int BACKLOG = 64;
    private static final ListenOptions PLAIN = new ListenOptions(Knob.OFF, Knob.OFF, null, BACKLOG);

    private static final InetAddress ANY_IPV4 = Loopback.address(0, 0, 0, 0);
    private static final InetAddress ANY_IPV6 = ipv6(0);
    private static final InetAddress LOOPBACK_IPV6 = ipv6(1);

    /** TEST-NET-3 of RFC 5737, which no machine has. */
    private static final InetAddress NOT_OURS = Loopback.address(203, 0, 113, 77);

    /** The real calls, but for what is told to fail; it keeps what they were called with. */
    private static final class Refusing extends Syscalls {
        private final List<String> calls = new ArrayList<>();
        private String refusedCall = "";
        private int refusedFrom;
        private int errno;
        private int count;

        Refusing(Arena arena) {
            super(arena);
        }

        /** Refuses every call of one kind: its name, and the number of the option if it has one. */
        Refusing refuse(String call, int with) {
            refusedCall = call;
            refusedFrom = 1;
            errno = with;
            return this;
        }

        /** Refuses the call of one number, whichever it is. */
        Refusing refuseNumber(int number, int with) {
            refusedCall = "";
            refusedFrom = number;
            errno = with;
            return this;
        }

        private boolean isRefused(String call, Object... arguments) {
            count++;
            calls.add(call + Arrays.toString(arguments));
            return refusedCall.isEmpty() ? count == refusedFrom : call.equals(refusedCall);
        }

        @Override
        public int socket(int family, int type, int protocol) {
            return isRefused("socket", family) ? -errno : super.socket(family, type, protocol);
        }

        @Override
        public int bind(int fd, MemorySegment address, int length) {
            return isRefused("bind", Sockaddr.port(address))
                    ? -errno
                    : super.bind(fd, address, length);
        }

        @Override
        public int listen(int fd, int backlog) {
            return isRefused("listen", backlog) ? -errno : super.listen(fd, backlog);
        }

        @Override
        public int getsockname(int fd, MemorySegment address) {
            return isRefused("getsockname") ? -errno : super.getsockname(fd, address);
        }

        @Override
        public int setsockopt(int fd, int level, int option, int value) {
            return isRefused(option(level, option), value)
                    ? -errno
                    : super.setsockopt(fd, level, option, value);
        }

        @Override
        public int setsockopt(int fd, int level, int option, MemorySegment value, int length) {
            return isRefused(option(level, option), length)
                    ? -errno
                    : super.setsockopt(fd, level, option, value, length);
        }

        static String option(int level, int option) {
            return "setsockopt " + level + " " + option;
        }
    }

    private final Arena arena = Arena.ofConfined();
    private final Refusing sys = new Refusing(arena);
    private final Loopback loopback = new Loopback(sys);
    private final KnobLog log = new KnobLog();
    private final List<ListenerGroup> groups = new ArrayList<>();

    private Set<String> before;

    /** The JVM opens a socket for its own use with the first connection, and keeps it. */
    @BeforeAll
    static void connectOnce() throws IOException {
        try (Arena memory = Arena.ofConfined();
                Loopback first = new Loopback(new Syscalls(memory))) {
            first.connect(first.port(first.listener()));
        }
    }

    @BeforeEach
    void countSockets() {
        before = OpenFiles.sockets();
    }

    @AfterEach
    void nothingStaysOpen() {
        groups.forEach(ListenerGroup::close);
        loopback.close();
        arena.close();
        assertThat(OpenFiles.sockets()).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void listensOnIpv4AtAPortOfTheKernelsChoice(int listeners) throws IOException {
        ListenerGroup group = open(Loopback.ipv4Loopback(), 0, listeners, PLAIN);
        assertThat(group.address().getAddress()).isEqualTo(Loopback.ipv4Loopback());
        assertThat(group.address().getPort()).isPositive();
        for (int i = 0; i < listeners; i++) {
            assertThat(loopback.port(group.fd(i))).isEqualTo(group.address().getPort());
            assertThat(OpenFiles.isNonBlocking(group.fd(i))).isTrue();
            assertThat(OpenFiles.isCloseOnExec(group.fd(i))).isTrue();
            for (int j = 0; j < i; j++) {
                assertThat(group.fd(j)).isNotEqualTo(group.fd(i));
            }
        }
        assertThat(sys.calls.stream().filter(call -> call.startsWith("listen")))
                .hasSize(listeners)
                .containsOnly("listen[" + BACKLOG + "]");
        assertThat(group.steered()).isFalse();
        assertThat(log.taken()).isEmpty();
        assertThat(log.refused()).isEmpty();
        connectAndAccept(group, listeners, group.address());
    }

    @Test
    void listensAtAPortThatWasGiven() throws IOException {
        int port = freePort();
        ListenerGroup group = open(Loopback.ipv4Loopback(), port, 2, PLAIN);
        assertThat(group.address()).isEqualTo(new InetSocketAddress(Loopback.ipv4Loopback(), port));
        assertThat(loopback.port(group.fd(0))).isEqualTo(port);
        assertThat(loopback.port(group.fd(1))).isEqualTo(port);
        connectAndAccept(group, 2, group.address());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void anyIpv6ServesBothFamilies(int listeners) throws IOException {
        assumeIpv6();
        ListenerGroup group = open(ANY_IPV6, 0, listeners, PLAIN);
        int port = group.address().getPort();
        for (int i = 0; i < listeners; i++) {
            assertThat(sys.getsockopt(group.fd(i), Linux.IPPROTO_IPV6, Linux.IPV6_V6ONLY)).isZero();
        }
        // Said, not left to net.ipv6.bindv6only.
        assertThat(sys.calls)
                .contains(Refusing.option(Linux.IPPROTO_IPV6, Linux.IPV6_V6ONLY) + "[0]");
        connectAndAccept(group, listeners, new InetSocketAddress(Loopback.ipv4Loopback(), port));
        connectAndAccept(group, listeners, new InetSocketAddress(LOOPBACK_IPV6, port));
    }

    @Test
    void anAddressOfIpv6ServesIpv6Alone() throws IOException {
        assumeIpv6();
        ListenerGroup group = open(LOOPBACK_IPV6, 0, 1, PLAIN);
        assertThat(sys.getsockopt(group.fd(0), Linux.IPPROTO_IPV6, Linux.IPV6_V6ONLY)).isEqualTo(1);
        assertThat(sys.calls)
                .contains(Refusing.option(Linux.IPPROTO_IPV6, Linux.IPV6_V6ONLY) + "[1]");
        connectAndAccept(group, 1, group.address());
        InetSocketAddress ipv4 =
                new InetSocketAddress(Loopback.ipv4Loopback(), group.address().getPort());
        assertThatThrownBy(() -> loopback.connect(ipv4)).isInstanceOf(IOException.class);
    }

    /** What is set once on the listener and never again. */
    @Test
    void acceptedSocketsInheritItsOptions() throws IOException {
        ListenerGroup group = open(Loopback.ipv4Loopback(), 0, 2, PLAIN);
        int fd = connectAndAccept(group, 2, group.address());
        assertThat(sys.getsockopt(fd, Linux.IPPROTO_TCP, Linux.TCP_NODELAY)).isEqualTo(1);
        assertThat(sys.getsockopt(fd, Linux.SOL_SOCKET, Linux.SO_KEEPALIVE)).isZero();
    }

    // The address

    @ParameterizedTest
    @CsvSource({"1, 1", "1, 2", "2, 1", "2, 2"})
    void anAddressInUseIsRefusedWithAdvice(int first, int second) throws IOException {
        int port = open(Loopback.ipv4Loopback(), 0, first, PLAIN).address().getPort();
        Set<String> sockets = OpenFiles.sockets();
        for (InetAddress host : new InetAddress[] {Loopback.ipv4Loopback(), ANY_IPV4}) {
            assertThatThrownBy(() -> open(host, port, second, PLAIN))
                    .isInstanceOf(BindException.class)
                    .hasMessageStartingWith("bind " + host.getHostAddress() + ":" + port + ": ")
                    .hasMessageContaining("EADDRINUSE (address already in use); ")
                    .hasMessageContaining("stop it, or choose another port");
        }
        assertThat(OpenFiles.sockets()).isEqualTo(sockets);
    }

    /** Whatever net.ipv6.bindv6only says, and even where both would share the port. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void anyIpv6IsInUseWhereIpv4Is(int v6OnlyByDefault) throws IOException {
        assumeIpv6();
        int port = open(ANY_IPV4, 0, 2, PLAIN).address().getPort();
        Syscalls system =
                new Syscalls(arena) {
                    @Override
                    public int socket(int family, int type, int protocol) {
                        int fd = super.socket(family, type, protocol);
                        if (family == Linux.AF_INET6) {
                            super.setsockopt(
                                    fd, Linux.IPPROTO_IPV6, Linux.IPV6_V6ONLY, v6OnlyByDefault);
                        }
                        return fd;
                    }
                };
        InetSocketAddress address = new InetSocketAddress(ANY_IPV6, port);
        assertThatThrownBy(
                        () ->
                                groups.add(
                                        ListenerGroup.open(
                                                system, address, unpinned(2), PLAIN, log)))
                .isInstanceOf(BindException.class)
                .hasMessageContaining("[::]:" + port + ": EADDRINUSE");
    }

    @Test
    void theAddressIsFreeOnceClosed() throws IOException {
        ListenerGroup group = open(Loopback.ipv4Loopback(), 0, 2, PLAIN);
        // An accepted connection stays, and the server that closes first keeps it in TIME_WAIT.
        int fd = connectAndAccept(group, 2, group.address());
        group.close();
        loopback.close(fd);
        int port = group.address().getPort();
        ListenerGroup next = open(Loopback.ipv4Loopback(), port, 2, PLAIN);
        connectAndAccept(next, 2, next.address());
    }

    @Test
    void closingTwiceLeavesAReusedDescriptorAlone() throws IOException {
        ListenerGroup group = open(Loopback.ipv4Loopback(), 0, 1, PLAIN);
        group.close();
        assertThat(group.fd(0)).isNegative();
        int other = loopback.socket();
        group.close();
        assertThat(sys.getsockopt(other, Linux.SOL_SOCKET, Linux.SO_KEEPALIVE)).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void anAddressOfAnotherMachineIsRefusedWithAdvice(int listeners) throws IOException {
        assumeTrue(NetworkInterface.getByInetAddress(NOT_OURS) == null, "203.0.113.77 is ours");
        Path nonLocal = Path.of("/proc/sys/net/ipv4/ip_nonlocal_bind");
        assumeTrue(
                !Files.isReadable(nonLocal) || Files.readString(nonLocal).strip().equals("0"),
                "net.ipv4.ip_nonlocal_bind takes any address");
        assertThatThrownBy(() -> open(NOT_OURS, 0, listeners, PLAIN))
                .isInstanceOf(BindException.class)
                .hasMessageStartingWith("bind 203.0.113.77:0: EADDRNOTAVAIL (")
                .hasMessageEndingWith(
                        "; no interface of this machine has that address (ip address shows them)");
    }

    @Test
    void aPrivilegedPortIsRefusedWithAdvice() {
        sys.refuse("bind", Errno.EACCES);
        for (int listeners : new int[] {1, 2}) {
            assertThatThrownBy(() -> open(Loopback.ipv4Loopback(), 80, listeners, PLAIN))
                    .isInstanceOf(BindException.class)
                    .hasMessageStartingWith("bind 127.0.0.1:80: EACCES (permission denied); ")
                    .hasMessageContaining("net.ipv4.ip_unprivileged_port_start")
                    .hasMessageContaining("CAP_NET_BIND_SERVICE");
        }
    }

    @Test
    void otherRefusalsNameCallAndReason() {
        sys.refuse("bind", Errno.EINVAL);
        assertThatThrownBy(() -> open(Loopback.ipv4Loopback(), 0, 1, PLAIN))
                .isInstanceOf(BindException.class)
                .hasMessage("bind 127.0.0.1:0: EINVAL (invalid argument)");
        sys.refuse("listen", Errno.EADDRINUSE);
        assertThatThrownBy(() -> open(Loopback.ipv4Loopback(), 0, 1, PLAIN))
                .isInstanceOf(BindException.class)
                .hasMessageStartingWith("listen 127.0.0.1:")
                .hasMessageContaining("EADDRINUSE");
        sys.refuse("getsockname", Errno.ENOBUFS);
        assertThatThrownBy(() -> open(Loopback.ipv4Loopback(), 0, 1, PLAIN))
                .isInstanceOf(BindException.class)
                .hasMessageContaining("getsockname 127.0.0.1:0: ENOBUFS");
        sys.refuse("socket", Errno.EAFNOSUPPORT);
        assertThatThrownBy(() -> open(ANY_IPV6, 0, 1, PLAIN))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("socket: EAFNOSUPPORT")
                .hasMessageEndingWith("this machine has no IPv6: listen on an IPv4 address");
        sys.refuse("socket", Errno.EMFILE);
        assertThatThrownBy(() -> open(Loopback.ipv4Loopback(), 0, 1, PLAIN))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("EMFILE")
                .hasMessageContaining("ulimit -n");
        sys.refuse(Refusing.option(Linux.IPPROTO_TCP, Linux.TCP_NODELAY), Errno.ENOPROTOOPT);
        assertThatThrownBy(() -> open(Loopback.ipv4Loopback(), 0, 1, PLAIN))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("TCP_NODELAY: ENOPROTOOPT");
    }

    // Optional features

    @Test
    void busyPollIsWhatTheKernelMadeOfIt() throws IOException {
        ListenerGroup group = open(Loopback.ipv4Loopback(), 0, 2, busyPoll(Knob.auto(37)));
        int fd = connectAndAccept(group, 2, group.address());
        int micros = sys.getsockopt(fd, Linux.SOL_SOCKET, Linux.SO_BUSY_POLL);
        if (log.taken().contains("SO_BUSY_POLL 37 us")) {
            assertThat(micros).as("inherited").isEqualTo(37);
            assertThat(log.taken().size() + log.refused().size()).isEqualTo(3);
            // What the hints came to is told as it is, too.
            boolean prefers = log.taken().contains("SO_PREFER_BUSY_POLL");
            int prefer = sys.getsockopt(fd, Linux.SOL_SOCKET, Linux.SO_PREFER_BUSY_POLL);
            assertThat(prefer == 1).isEqualTo(prefers);
            assertThat(sys.calls).contains(budget() + "[64]");
        } else {
            assertThat(log.refused()).hasSize(1).first().asString().contains("SO_BUSY_POLL 37 us");
            assertThat(micros).isNotEqualTo(37);
        }
    }

    @Test
    void busyPollThatIsOffIsLeftAlone() throws IOException {
        open(Loopback.ipv4Loopback(), 0, 2, PLAIN);
        assertThat(sys.calls).noneMatch(call -> call.startsWith(busyPoll() + "["));
        assertThat(sys.calls).noneMatch(call -> call.startsWith(budget() + "["));
    }

    @Test
    void busyPollRefusedIsToldOnceAndGoneWithout() throws IOException {
        sys.refuse(busyPoll(), Errno.EPERM);
        ListenerGroup group = open(Loopback.ipv4Loopback(), 0, 3, busyPoll(Knob.auto(50)));
        assertThat(log.taken()).isEmpty();
        assertThat(log.refused())
                .containsExactly(
                        "SO_BUSY_POLL 50 us: EPERM (not permitted); more than net.core.busy_read"
                                + " needs CAP_NET_ADMIN; --busy-poll off says no to it");
        assertThat(sys.calls).noneMatch(call -> call.startsWith(budget() + "["));
        connectAndAccept(group, 3, group.address());
    }

    @Test
    void busyPollThatMustBeOnFailsTheStart() {
        sys.refuse(busyPoll(), Errno.EPERM);
        assertThatThrownBy(() -> open(Loopback.ipv4Loopback(), 0, 2, busyPoll(Knob.on(50))))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("SO_BUSY_POLL 50 us: EPERM (not permitted); ");
        assertThat(OpenFiles.sockets()).isEqualTo(before);
    }

    /** They are hints: even where busy polling must be on. */
    @Test
    void hintsRefusedAreToldAndGoneWithout() throws IOException {
        sys.refuse(budget(), Errno.EPERM);
        // The feature itself is let through here, whoever runs this test.
        Syscalls permitting =
                new Syscalls(arena) {
                    @Override
                    public int setsockopt(int fd, int level, int option, int value) {
                        if (level == Linux.SOL_SOCKET && option == Linux.SO_BUSY_POLL) {
                            return 0;
                        }
                        return sys.setsockopt(fd, level, option, value);
                    }
                };
        groups.add(
                ListenerGroup.open(
                        permitting,
                        new InetSocketAddress(Loopback.ipv4Loopback(), 0),
                        unpinned(2),
                        busyPoll(Knob.on(50)),
                        log));
        assertThat(log.taken()).first().isEqualTo("SO_BUSY_POLL 50 us");
        assertThat(log.refused())
                .contains(
                        "SO_BUSY_POLL_BUDGET 64: EPERM (not permitted); needs Linux 5.11 and"
                                + " CAP_NET_ADMIN");
    }

    @Test
    void steeringIsToldWhereItTook() throws IOException {
        ListenerGroup group =
                openPinned(new int[] {0, 1}, new ListenOptions(Knob.on(0), Knob.OFF, null, 8));
        assertThat(group.steered()).isTrue();
        assertThat(log.taken()).containsExactly("SO_ATTACH_REUSEPORT_CBPF");
    }

    @Test
    void steeringRefusedIsToldAndGoneWithout() throws IOException {
        sys.refuse(steering(), Errno.EPERM);
        ListenerGroup group =
                openPinned(new int[] {0, 1, 2}, new ListenOptions(Knob.auto(0), Knob.OFF, null, 8));
        assertThat(group.steered()).isFalse();
        assertThat(log.taken()).isEmpty();
        assertThat(log.refused())
                .containsExactly(
                        "SO_ATTACH_REUSEPORT_CBPF: EPERM (not permitted); connections are spread"
                                + " by hash; needs Linux 4.5");
        connectAndAccept(group, 3, group.address());
    }

    @Test
    void steeringThatMustBeOnFailsTheStart() {
        sys.refuse(steering(), Errno.EPERM);
        ListenOptions options = new ListenOptions(Knob.on(0), Knob.OFF, null, 8);
        assertThatThrownBy(() -> openPinned(new int[] {0, 1}, options))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("SO_ATTACH_REUSEPORT_CBPF: EPERM (not permitted); ");
        assertThat(OpenFiles.sockets()).isEqualTo(before);
    }

    /** One listener has nothing to choose from, and loops on no CPU are not told apart by it. */
    @Test
    void steeringIsForPinnedLoopsOnly() throws IOException {
        ListenOptions options = new ListenOptions(Knob.on(0), Knob.OFF, null, 8);
        assertThat(openPinned(new int[] {0}, options).steered()).isFalse();
        assertThat(open(Loopback.ipv4Loopback(), 0, 2, options).steered()).isFalse();
        assertThat(openPinned(new int[] {0, 1}, PLAIN).steered()).isFalse();
        assertThat(sys.calls).noneMatch(call -> call.startsWith(steering()));
        assertThat(log.taken()).isEmpty();
        assertThat(log.refused()).isEmpty();
    }

    @Test
    void congestionControlIsInherited() throws IOException {
        String name = anotherCongestionControl();
        ListenerGroup group =
                open(
                        Loopback.ipv4Loopback(),
                        0,
                        2,
                        new ListenOptions(Knob.OFF, Knob.OFF, name, BACKLOG));
        assertThat(log.taken()).containsExactly("TCP_CONGESTION " + name);
        int fd = connectAndAccept(group, 2, group.address());
        assertThat(sys.getsockoptText(fd, Linux.IPPROTO_TCP, Linux.TCP_CONGESTION)).isEqualTo(name);
    }

    @Test
    void anUnknownCongestionControlFailsTheStart() {
        ListenOptions options = new ListenOptions(Knob.OFF, Knob.OFF, "nosuch", BACKLOG);
        assertThatThrownBy(() -> open(Loopback.ipv4Loopback(), 0, 2, options))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageStartingWith("TCP_CONGESTION nosuch: ENOENT (")
                .hasMessageContaining("tcp_available_congestion_control")
                .hasMessageEndingWith("(modprobe tcp_nosuch)");
        assertThat(OpenFiles.sockets()).isEqualTo(before);
    }

    /**
     * Each call in turn is refused. The start then fails with a reason, or was a matter of hints;
     * either way every socket it opened is closed.
     */
    @Test
    void whateverIsRefusedNothingStaysOpen() throws IOException {
        ListenOptions options = new ListenOptions(Knob.on(0), Knob.on(50), "reno", BACKLOG);
        int port = freePort();
        int refusals = 0;
        List<String> survived = new ArrayList<>();
        for (int number = 1; ; number++) {
            Refusing each = new Refusing(arena).refuseNumber(number, Errno.EPERM);
            boolean opened = false;
            try (ListenerGroup group =
                    ListenerGroup.open(
                            each,
                            new InetSocketAddress(Loopback.ipv4Loopback(), port),
                            new int[] {1, 0},
                            options,
                            new KnobLog())) {
                opened = group.steered();
            } catch (IOException | IllegalStateException e) {
                assertThat(e).hasMessageContaining("EPERM (not permitted)");
            }
            assertThat(OpenFiles.sockets()).as("after call %d", number).isEqualTo(before);
            if (each.count < number) {
                break;
            }
            refusals++;
            if (opened) {
                survived.add(each.calls.get(number - 1));
            }
        }
        assertThat(refusals).isGreaterThan(20);
        assertThat(survived)
                .containsExactlyInAnyOrder(
                        // Of the probe for a group of another process.
                        Refusing.option(Linux.SOL_SOCKET, Linux.SO_REUSEADDR) + "[1]",
                        Refusing.option(Linux.SOL_SOCKET, Linux.SO_PREFER_BUSY_POLL) + "[1]",
                        Refusing.option(Linux.SOL_SOCKET, Linux.SO_PREFER_BUSY_POLL) + "[1]",
                        budget() + "[64]",
                        budget() + "[64]");
    }

    @Test
    void describesAddressesAsAUserWritesThem() {
        assertThat(described(ANY_IPV4)).isEqualTo("0.0.0.0:80");
        assertThat(described(ANY_IPV6)).isEqualTo("[::]:80");
        assertThat(described(LOOPBACK_IPV6)).isEqualTo("[::1]:80");
        assertThat(described(ipv6(0x0100))).isEqualTo("[::100]:80");
        assertThat(
                        described(
                                Loopback.address(
                                        0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
                                        0x10)))
                .isEqualTo("[2001:db8:0:1::10]:80");
        assertThat(
                        described(
                                Loopback.address(
                                        0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                        0)))
                .isEqualTo("[2001:db8::]:80");
        assertThat(
                        described(
                                Loopback.address(
                                        0x10, 0, 0x10, 0, 0x10, 0, 0x10, 0, 0x10, 0, 0x10, 0, 0x10,
                                        0, 0x10, 0)))
                .isEqualTo("[1000:1000:1000:1000:1000:1000:1000:1000]:80");
    }

    private static String described(InetAddress host) {
        return ListenerGroup.describe(new InetSocketAddress(host, 80));
    }

    private ListenerGroup open(InetAddress host, int port, int listeners, ListenOptions options)
            throws IOException {
        ListenerGroup group =
                ListenerGroup.open(
                        sys, new InetSocketAddress(host, port), unpinned(listeners), options, log);
        groups.add(group);
        return group;
    }

    private ListenerGroup openPinned(int[] cpus, ListenOptions options) throws IOException {
        ListenerGroup group =
                ListenerGroup.open(
                        sys, new InetSocketAddress(Loopback.ipv4Loopback(), 0), cpus, options, log);
        groups.add(group);
        return group;
    }

    private static int[] unpinned(int listeners) {
        int[] cpus = new int[listeners];
        Arrays.fill(cpus, -1);
        return cpus;
    }

    /** Connects, and accepts at whichever listener it arrives. */
    private int connectAndAccept(ListenerGroup group, int listeners, InetSocketAddress to)
            throws IOException {
        loopback.connect(to);
        try (Arena memory = Arena.ofConfined();
                Epoll epoll = new Epoll(sys, memory, 1)) {
            for (int i = 0; i < listeners; i++) {
                assertThat(epoll.add(group.fd(i), Linux.EPOLLIN, group.fd(i))).isZero();
            }
            assertThat(epoll.await(Loopback.WAIT_MILLIS)).isEqualTo(1);
            return loopback.accept((int) epoll.token(0));
        }
    }

    /** A port that was free a moment ago. */
    private int freePort() {
        int fd = loopback.socket();
        assertThat(loopback.bind(fd, 0)).isZero();
        int port = loopback.port(fd);
        loopback.close(fd);
        return port;
    }

    /** One that is not the system's own choice, and that needs no privilege. */
    private String anotherCongestionControl() throws IOException {
        String own = sys.getsockoptText(loopback.socket(), Linux.IPPROTO_TCP, Linux.TCP_CONGESTION);
        Path allowed = Path.of("/proc/sys/net/ipv4/tcp_allowed_congestion_control");
        for (String name : Files.readString(allowed).strip().split(" ", -1)) {
            if (!name.equals(own)) {
                return name;
            }
        }
        return Assumptions.abort("this kernel has one congestion control alone");
    }

    private static ListenOptions busyPoll(Knob knob) {
        return new ListenOptions(Knob.OFF, knob, null, BACKLOG);
    }

    private static String busyPoll() {
        return Refusing.option(Linux.SOL_SOCKET, Linux.SO_BUSY_POLL);
    }

    private static String budget() {
        return Refusing.option(Linux.SOL_SOCKET, Linux.SO_BUSY_POLL_BUDGET);
    }

    private static String steering() {
        return Refusing.option(Linux.SOL_SOCKET, Linux.SO_ATTACH_REUSEPORT_CBPF);
    }

    private static void assumeIpv6() throws IOException {
        assumeTrue(
                NetworkInterface.getByInetAddress(LOOPBACK_IPV6) != null, "no ::1 on this machine");
    }

    /** The address whose last 16 bits are given, and all others zero. */
    private static InetAddress ipv6(int last) {
        return Loopback.address(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last >> 8, last & 0xFF);
    }
}
