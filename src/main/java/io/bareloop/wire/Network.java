package io.bareloop.wire;

/**
 * A range of IP addresses: those that begin with the first {@code bits} of one.
 *
 * @param address whose other bits are zeros
 * @param bits 0 to 128, or 32 where it is one of IPv4
 */
record Network(Peer address, int bits) {
    boolean contains(Peer peer) {
        if (peer.length() != address.length()) {
            return false;
        }
        int whole = bits / 8;
        for (int i = 0; i < whole; i++) {
            if (peer.at(i) != address.at(i)) {
                return false;
            }
        }
        int rest = 8 - bits % 8;
        return rest == 8 || peer.at(whole) >>> rest == address.at(whole) >>> rest;
    }

    /** Whether the other bits are zeros. */
    boolean isExact() {
        for (int i = bits; i < address.length() * 8; i++) {
            if ((address.at(i / 8) >>> (7 - i % 8) & 1) != 0) {
                return false;
            }
        }
        return true;
    }
}
