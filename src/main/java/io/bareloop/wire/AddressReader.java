package io.bareloop.wire;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;

/**
 * Reads IP addresses as RFC 4291, section 2.2, and RFC 3986, section 3.2.2, have them. No zones, no
 * names, and no octal numbers. Belongs to whoever reads.
 */
public final class AddressReader {
    private static final int GROUP_DIGITS_MAX = 4;

    /** What is read, until all of it has been. */
    private final MemorySegment bytes = MemorySegment.ofArray(new byte[Peer.IPV6_BYTES]);

    /** Where the last number that was read ends. */
    private int at;

    /**
     * Reads the address in [from, to) of {@code text}: IPv4, or IPv6 without brackets. The port is
     * 0 then.
     *
     * @return whether it is one; where not, {@code peer} has none
     */
    public boolean read(MemorySegment text, int from, int to, Peer peer) {
        peer.clear();
        if (readIpv4(text, from, to, 0)) {
            peer.set(bytes, 0, Peer.IPV4_BYTES, 0);
            return true;
        }
        if (readIpv6(text, from, to)) {
            peer.set(bytes, 0, Peer.IPV6_BYTES, 0);
            return true;
        }
        return false;
    }

    /** Reads four numbers with dots between them into {@link #bytes} from {@code offset} on. */
    private boolean readIpv4(MemorySegment text, int from, int to, int offset) {
        at = from;
        for (int i = 0; i < Peer.IPV4_BYTES; i++) {
            if (i > 0) {
                if (at >= to || text.get(JAVA_BYTE, at) != '.') {
                    return false;
                }
                at++;
            }
            int number = decimalByte(text, to);
            if (number < 0) {
                return false;
            }
            bytes.set(JAVA_BYTE, offset + i, (byte) number);
        }
        return at == to;
    }

    /** 0 to 255, without leading zeros, which some take for octal numbers; or -1. */
    private int decimalByte(MemorySegment text, int to) {
        int start = at;
        int number = 0;
        while (at < to && at - start < 3 && Ascii.isDigit(text.get(JAVA_BYTE, at))) {
            number = number * 10 + text.get(JAVA_BYTE, at) - '0';
            at++;
        }
        boolean padded = at - start > 1 && text.get(JAVA_BYTE, start) == '0';
        return at == start || padded || number > 255 ? -1 : number;
    }

    private boolean readIpv6(MemorySegment text, int from, int to) {
        int index = 0;
        // The index of the first byte behind "::"; -1 where there is none.
        int gap = -1;
        at = from;
        if (isGap(text, to)) {
            gap = 0;
            at += 2;
        }
        while (at < to) {
            int start = at;
            int group = group(text, to);
            if (at < to && text.get(JAVA_BYTE, at) == '.') {
                // An IPv4 address is the last four bytes.
                if (index > Peer.IPV6_BYTES - 4 || !readIpv4(text, start, to, index)) {
                    return false;
                }
                index += Peer.IPV4_BYTES;
                break;
            }
            if (group < 0 || index == Peer.IPV6_BYTES) {
                return false;
            }
            bytes.set(JAVA_BYTE, index, (byte) (group >>> 8));
            bytes.set(JAVA_BYTE, index + 1L, (byte) group);
            index += 2;
            if (at == to) {
                break;
            }
            if (isGap(text, to)) {
                if (gap >= 0) {
                    return false;
                }
                gap = index;
                at += 2;
            } else if (text.get(JAVA_BYTE, at) == ':' && at + 1 < to) {
                at++;
            } else {
                return false;
            }
        }
        return gap < 0 ? index == Peer.IPV6_BYTES : fill(gap, index);
    }

    private boolean isGap(MemorySegment text, int to) {
        return at + 1 < to && text.get(JAVA_BYTE, at) == ':' && text.get(JAVA_BYTE, at + 1L) == ':';
    }

    /** One to four hexadecimal digits; -1 where there are none, or more. */
    private int group(MemorySegment text, int to) {
        int start = at;
        int group = 0;
        while (at < to) {
            int digit = Character.digit(text.get(JAVA_BYTE, at), 16);
            if (digit < 0) {
                break;
            }
            if (at - start == GROUP_DIGITS_MAX) {
                return -1;
            }
            group = group << 4 | digit;
            at++;
        }
        return at == start ? -1 : group;
    }

    /** Moves what came behind "::" to the end. */
    private boolean fill(int gap, int length) {
        int missing = Peer.IPV6_BYTES - length;
        if (missing < 2) {
            return false;
        }
        for (int i = length - 1; i >= gap; i--) {
            bytes.set(JAVA_BYTE, i + missing, bytes.get(JAVA_BYTE, i));
        }
        for (int i = gap; i < gap + missing; i++) {
            bytes.set(JAVA_BYTE, i, (byte) 0);
        }
        return true;
    }
}
