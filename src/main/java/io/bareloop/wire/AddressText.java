package io.bareloop.wire;

/**
 * IP addresses as text, as RFC 5952 wants it: one that was read by {@link AddressReader} is the
 * same for all ways to write it.
 */
public final class AddressText {
    /** Of an address as it is written here. */
    public static final int BYTES_MAX = 39;

    private static final int GROUPS = 8;
    private static final byte[] HEXADECIMAL = {
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'
    };

    private AddressText() {}

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
