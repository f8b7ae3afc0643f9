package io.bareloop.wire;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * An IP address and a port: of the other end of a connection, or of a client behind proxies. Set
 * anew for each use. An IPv4 address that is written as an IPv6 one (RFC 4291, section 2.5.5.2) is
 * an IPv4 address here.
 */
public final class Peer {
    public static final int IPV4_BYTES = 4;
    public static final int IPV6_BYTES = 16;

    private static final byte[] MAPPED = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1};

    private final byte[] address = new byte[IPV6_BYTES];

    /** Of the address, in bytes; 0 where there is none. */
    private int length;

    private int port;

    /** It has no address. */
    public void clear() {
        length = 0;
        port = 0;
    }

    /** Takes {@code newLength} bytes of {@code from}: 4 or 16, or 0 where there is no address. */
    public void set(MemorySegment from, long offset, int newLength, int newPort) {
        MemorySegment.copy(from, JAVA_BYTE, offset, address, 0, newLength);
        length = newLength;
        port = newPort;
        if (newLength == IPV6_BYTES && isMapped()) {
            System.arraycopy(address, MAPPED.length, address, 0, IPV4_BYTES);
            length = IPV4_BYTES;
        }
    }

    private boolean isMapped() {
        return Arrays.mismatch(address, 0, MAPPED.length, MAPPED, 0, MAPPED.length) < 0;
    }

    public void set(Peer from) {
        System.arraycopy(from.address, 0, address, 0, from.length);
        length = from.length;
        port = from.port;
    }

    public void port(int newPort) {
        port = newPort;
    }

    /** Of the address, in bytes: 4 or 16, or 0 where there is none. */
    public int length() {
        return length;
    }

    public boolean hasAddress() {
        return length > 0;
    }

    /** Byte {@code index} of the address, the first one first, 0 to 255. */
    public int at(int index) {
        return address[index] & 0xFF;
    }

    /** Copies the address to the front of {@code to}. */
    public void copyAddress(byte[] to) {
        System.arraycopy(address, 0, to, 0, length);
    }

    /** 0 where it is not known. */
    public int port() {
        return port;
    }

    /** Whether the addresses are the same, whatever the ports. */
    public boolean isAt(Peer other) {
        return length == other.length
                && Arrays.equals(address, 0, length, other.address, 0, length);
    }
}
