package io.bareloop.wire;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;

/**
 * IP addresses as text: read as RFC 4291, section 2.2, and RFC 3986, section 3.2.2, have them, and
 * written as RFC 5952 wants them. One that is read and written again is the same for all ways to
 * write it. No zones, no names, and no octal numbers.
 */
public final class AddressText {
    /** Of an address as it is written here. */
    public static final int BYTES_MAX = 39;

    private static final int GROUPS = 8;
    private static final int GROUP_DIGITS_MAX = 4;
    private static final byte[] HEXADECIMAL = {
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'
    };

    /** What is read, until all of it has been; belongs to whoever reads. */
    private final MemorySegment bytes = MemorySegment.ofArray(new byte[Peer.IPV6_BYTES]);

    /** Where the last number that was read ends. */
    private int at;

    // ---- reading

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

    // ---- writing

    /**
     * Writes the address of {@code peer} to {@code to} from {@code offset} on.
     *
     * @return where it ends; at most {@link #BYTES_MAX} bytes on, none where there is no address
     */
    public static int write(Peer peer, byte[] to, int offset) {
        return peer.length() == Peer.IPV6_BYTES
                ? writeIpv6(peer, to, offset)
                : writeIpv4(peer, to, offset);
    }

    private static int writeIpv4(Peer peer, byte[] to, int offset) {
        int end = offset;
        for (int i = 0; i < peer.length(); i++) {
            if (i > 0) {
                to[end++] = '.';
            }
            int number = peer.at(i);
            if (number >= 100) {
                to[end++] = HEXADECIMAL[number / 100];
            }
            if (number >= 10) {
                to[end++] = HEXADECIMAL[number / 10 % 10];
            }
            to[end++] = HEXADECIMAL[number % 10];
        }
        return end;
    }

    private static int writeIpv6(Peer peer, byte[] to, int offset) {
        int gap = longestZeros(peer);
        int gapEnd = gap + zerosFrom(peer, gap);
        int end = offset;
        for (int i = 0; i < GROUPS; i++) {
            if (i == gap) {
                to[end++] = ':';
                to[end++] = ':';
                i = gapEnd - 1;
                continue;
            }
            if (i > 0 && i != gapEnd) {
                to[end++] = ':';
            }
            end = writeGroup(group(peer, i), to, end);
        }
        return end;
    }

    private static int group(Peer peer, int index) {
        return peer.at(2 * index) << 8 | peer.at(2 * index + 1);
    }

    /** Where the first of the longest rows of groups of zero begins, of two or more; or -1. */
    private static int longestZeros(Peer peer) {
        int longest = 1;
        int start = -1;
        for (int i = 0; i < GROUPS; i++) {
            int zeros = zerosFrom(peer, i);
            if (zeros > longest) {
                longest = zeros;
                start = i;
            }
        }
        return start;
    }

    private static int zerosFrom(Peer peer, int index) {
        int end = Math.max(index, 0);
        while (index >= 0 && end < GROUPS && group(peer, end) == 0) {
            end++;
        }
        return end - index;
    }

    private static int writeGroup(int group, byte[] to, int offset) {
        int end = offset;
        for (int shift = 12; shift >= 0; shift -= 4) {
            int rest = group >>> shift;
            if (rest > 0 || shift == 0) {
                to[end++] = HEXADECIMAL[rest & 15];
            }
        }
        return end;
    }
}
