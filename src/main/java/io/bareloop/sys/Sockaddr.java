package io.bareloop.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;

/**
 * Internet socket addresses as the kernel reads and writes them: {@code struct sockaddr_in} of
 * ip(7) and {@code struct sockaddr_in6} of ipv6(7), port and address in network byte order. Family
 * and port stand at the same offsets in both.
 *
 * <p>The numbers are those of the generated classes, which would take 30 ms of a start: they make
 * handles for arrays that nobody asks for. BindingsProbeTest compares them with the headers.
 */
public final class Sockaddr {
    /** Room for either family. */
    public static final int BYTES_MAX = 28;

    static final int FAMILY_OFFSET = 0;
    static final int PORT_OFFSET = 2;
    static final int INET_BYTES = 16;
    static final int INET_ADDRESS_OFFSET = 4;
    static final int INET6_BYTES = 28;
    static final int INET6_ADDRESS_OFFSET = 8;
    static final int INET6_SCOPE_OFFSET = 24;

    private static final int IPV4_BYTES = 4;
    private static final int IPV6_BYTES = 16;

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
        to.set(JAVA_BYTE, PORT_OFFSET, (byte) (port >>> 8));
        to.set(JAVA_BYTE, PORT_OFFSET + 1, (byte) port);
        if (address instanceof Inet6Address inet6) {
            to.set(JAVA_SHORT, FAMILY_OFFSET, (short) Linux.AF_INET6);
            to.set(JAVA_INT, INET6_SCOPE_OFFSET, inet6.getScopeId());
            MemorySegment.copy(bytes, 0, to, JAVA_BYTE, INET6_ADDRESS_OFFSET, IPV6_BYTES);
            return INET6_BYTES;
        }
        to.set(JAVA_SHORT, FAMILY_OFFSET, (short) Linux.AF_INET);
        MemorySegment.copy(bytes, 0, to, JAVA_BYTE, INET_ADDRESS_OFFSET, IPV4_BYTES);
        return INET_BYTES;
    }

    /** Returns the port in {@code from}, 0 to 65535. */
    public static int port(MemorySegment from) {
        int at = PORT_OFFSET;
        int high = from.get(JAVA_BYTE, at) & 0xff;
        return high << 8 | (from.get(JAVA_BYTE, at + 1) & 0xff);
    }

    /** Returns the bytes of the address in {@code from}: 4 or 16; 0 where it has another family. */
    public static int addressBytes(MemorySegment from) {
        int family = from.get(JAVA_SHORT, FAMILY_OFFSET);
        if (family == Linux.AF_INET) {
            return IPV4_BYTES;
        }
        return family == Linux.AF_INET6 ? IPV6_BYTES : 0;
    }

    /** Returns where those bytes begin. */
    public static int addressOffset(MemorySegment from) {
        return addressBytes(from) == IPV6_BYTES ? INET6_ADDRESS_OFFSET : INET_ADDRESS_OFFSET;
    }

    /** Returns the address in {@code from}. */
    public static InetAddress address(MemorySegment from) {
        boolean inet6 = from.get(JAVA_SHORT, FAMILY_OFFSET) == Linux.AF_INET6;
        byte[] bytes = new byte[inet6 ? IPV6_BYTES : IPV4_BYTES];
        long offset = inet6 ? INET6_ADDRESS_OFFSET : INET_ADDRESS_OFFSET;
        MemorySegment.copy(from, JAVA_BYTE, offset, bytes, 0, bytes.length);
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new AssertionError("4 or 16 bytes are an address", e);
        }
    }
}
