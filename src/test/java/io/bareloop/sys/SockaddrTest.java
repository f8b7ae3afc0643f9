package io.bareloop.sys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bareloop.rig.Loopback;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.util.HexFormat;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Socket addresses, byte by byte and as the kernel takes them. */
class SockaddrTest {
    private static final int SCOPE_OFFSET = 24;

    private final Arena arena = Arena.ofConfined();
    private final Syscalls sys = new Syscalls(arena);
    private final Loopback loopback = new Loopback(sys);
    private final MemorySegment address = arena.allocate(Sockaddr.BYTES_MAX, Long.BYTES);

    @BeforeEach
    void litter() {
        address.fill((byte) 0xEE);
    }

    @AfterEach
    void free() {
        loopback.close();
        arena.close();
    }

    @Test
    void ipv4() {
        InetAddress host = Loopback.address(192, 168, 1, 254);
        assertThat(Sockaddr.family(host)).isEqualTo(Linux.AF_INET);
        assertThat(Sockaddr.write(address, host, 0x1F90)).isEqualTo(16);
        // Family in the machine's order, port and address in the network's, eight bytes of zero.
        assertThat(hex(16)).isEqualTo("0200" + "1f90" + "c0a801fe" + "0000000000000000");
        assertThat(Sockaddr.port(address)).isEqualTo(0x1F90);
        assertThat(Sockaddr.address(address)).isEqualTo(host);
    }

    @Test
    void ipv6WithScope() throws IOException {
        byte[] bytes = HexFormat.of().parseHex("fe800000000000000123456789abcdef");
        Inet6Address host = Inet6Address.getByAddress(null, bytes, 0x0102_0304);
        assertThat(Sockaddr.family(host)).isEqualTo(Linux.AF_INET6);
        assertThat(Sockaddr.write(address, host, 443)).isEqualTo(28);
        assertThat(hex(28))
                .isEqualTo(
                        "0a00" // family
                                + "01bb" // port
                                + "00000000" // flow information
                                + "fe800000000000000123456789abcdef"
                                + "04030201"); // scope, in the machine's order
        assertThat(Sockaddr.port(address)).isEqualTo(443);
        assertThat(Sockaddr.address(address).getAddress()).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 255, 256, 32767, 32768, 65535})
    void portsAreUnsigned(int port) {
        Sockaddr.write(address, Loopback.ipv4Loopback(), port);
        assertThat(Sockaddr.port(address)).isEqualTo(port);
    }

    @Test
    void writesNothingWhereThereIsNoRoomForEither() {
        MemorySegment small = address.asSlice(0, Sockaddr.BYTES_MAX - 1);
        assertThatThrownBy(() -> Sockaddr.write(small, Loopback.ipv4Loopback(), 80))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    /** Under _GNU_SOURCE bind and getsockname take a transparent union, which is no pointer. */
    @Test
    void theKernelTakesAndGivesIpv4() throws IOException {
        int fd = loopback.socket();
        int length = Sockaddr.write(address, Loopback.ipv4Loopback(), 0);
        assertThat(sys.bind(fd, address, length)).isZero();
        assertThat(sys.listen(fd, 1)).isZero();

        litter();
        assertThat(sys.getsockname(fd, address)).isZero();
        assertThat(Sockaddr.address(address)).isEqualTo(Loopback.ipv4Loopback());
        int port = Sockaddr.port(address);
        assertThat(port).isPositive();
        assertThat(loopback.connect(port).getLocalPort()).isNotZero();
    }

    @Test
    void theKernelTakesAndGivesIpv6() throws IOException {
        InetAddress host = Loopback.address(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
        assumeTrue(NetworkInterface.getByInetAddress(host) != null, "no ::1 on this machine");
        int fd = inet6Socket();
        int length = Sockaddr.write(address, host, 0);
        assertThat(sys.bind(fd, address, length)).isZero();

        litter();
        assertThat(sys.getsockname(fd, address)).isZero();
        assertThat(Sockaddr.address(address)).isEqualTo(host);
        assertThat(Sockaddr.port(address)).isPositive();
    }

    /** A link-local address is one only together with its interface. */
    @Test
    void theKernelTakesTheScope() throws IOException {
        Inet6Address host = linkLocal();
        assumeTrue(host != null, "no link-local IPv6 address on this machine");
        int fd = inet6Socket();
        Inet6Address withoutScope = Inet6Address.getByAddress(null, host.getAddress(), 0);
        int length = Sockaddr.write(address, withoutScope, 0);
        assertThat(sys.bind(fd, address, length)).isEqualTo(-Errno.EINVAL);

        length = Sockaddr.write(address, host, 0);
        assertThat(sys.bind(fd, address, length)).isZero();
        litter();
        assertThat(sys.getsockname(fd, address)).isZero();
        assertThat(address.get(ValueLayout.JAVA_INT, SCOPE_OFFSET)).isEqualTo(host.getScopeId());
    }

    private int inet6Socket() {
        int fd = sys.socket(Linux.AF_INET6, Linux.SOCK_STREAM | Linux.SOCK_CLOEXEC, 0);
        assumeTrue(fd != -Errno.EAFNOSUPPORT, "no IPv6 in this kernel");
        return loopback.keep(fd);
    }

    private static Inet6Address linkLocal() throws IOException {
        for (NetworkInterface device : NetworkInterface.networkInterfaces().toList()) {
            if (device.isUp()) {
                for (InetAddress host : device.inetAddresses().toList()) {
                    if (host.isLinkLocalAddress() && host instanceof Inet6Address inet6) {
                        return inet6;
                    }
                }
            }
        }
        return null;
    }

    private String hex(int length) {
        byte[] bytes = address.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
        return HexFormat.of().formatHex(bytes).toLowerCase(Locale.ROOT);
    }
}
