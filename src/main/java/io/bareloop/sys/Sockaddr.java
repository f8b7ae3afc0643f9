package io.bareloop.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.bareloop.generated.in6_addr;
import io.bareloop.generated.sockaddr_in;
import io.bareloop.generated.sockaddr_in6;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteOrder;

/**
 * Internet socket addresses as the kernel reads and writes them: {@code struct sockaddr_in} of
 * ip(7) and {@code struct sockaddr_in6} of ipv6(7), port and address in network byte order.
 */
public final class Sockaddr {
    /** Room for either family. */
    public static final int BYTES_MAX = (int) Math.max(sockaddr_in.sizeof(), sockaddr_in6.sizeof());

    private static final ValueLayout.OfShort NETWORK_SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final int IPV4_BYTES = 4;
    private static final int IPV6_BYTES = (int) in6_addr.sizeof();

    private Sockaddr() {}

    /** Returns the address family for {@code address}: AF_INET or AF_INET6. */
    public static int family(InetAddress address) {
        return address instanceof Inet6Address ? Linux.AF_INET6 : Linux.AF_INET;
    }

    /**
     * Writes {@code address} and {@code port} into {@code to}.
     *
     * @return the number of bytes written, to be passed to bind(2)
     */
    public static int write(MemorySegment to, InetAddress address, int port) {
        to.asSlice(0, BYTES_MAX).fill((byte) 0);
        byte[] bytes = address.getAddress();
        if (address instanceof Inet6Address inet6) {
            sockaddr_in6.sin6_family(to, (short) Linux.AF_INET6);
            to.set(NETWORK_SHORT, sockaddr_in6.sin6_port$offset(), (short) port);
            sockaddr_in6.sin6_scope_id(to, inet6.getScopeId());
            MemorySegment.copy(
                    bytes, 0, to, JAVA_BYTE, sockaddr_in6.sin6_addr$offset(), IPV6_BYTES);
            return (int) sockaddr_in6.sizeof();
        }
        sockaddr_in.sin_family(to, (short) Linux.AF_INET);
        to.set(NETWORK_SHORT, sockaddr_in.sin_port$offset(), (short) port);
        MemorySegment.copy(bytes, 0, to, JAVA_BYTE, sockaddr_in.sin_addr$offset(), IPV4_BYTES);
        return (int) sockaddr_in.sizeof();
    }

    /** Returns the port in {@code from}, 0 to 65535. */
    public static int port(MemorySegment from) {
        // The port stands at the same offset in both structs.
        return Short.toUnsignedInt(from.get(NETWORK_SHORT, sockaddr_in.sin_port$offset()));
    }

    /** Returns the address in {@code from}. */
    public static InetAddress address(MemorySegment from) {
        boolean inet6 = sockaddr_in.sin_family(from) == Linux.AF_INET6;
        byte[] bytes = new byte[inet6 ? IPV6_BYTES : IPV4_BYTES];
        long offset = inet6 ? sockaddr_in6.sin6_addr$offset() : sockaddr_in.sin_addr$offset();
        MemorySegment.copy(from, JAVA_BYTE, offset, bytes, 0, bytes.length);
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new AssertionError("4 or 16 bytes are an address", e);
        }
    }
}
