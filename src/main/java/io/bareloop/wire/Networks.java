package io.bareloop.wire;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Ranges of IP addresses, such as 10.0.0.0/8 (RFC 4632). Immutable, for any thread. */
public final class Networks {
    public static final Networks NONE = new Networks(List.of());

    private static final int MAPPED_BITS = 96;

    private final Network[] networks;

    private Networks(List<Network> networks) {
        this.networks = networks.toArray(Network[]::new);
    }

    /**
     * The networks that the texts name: an address, or one and a slash and its length in bits.
     *
     * @throws IllegalArgumentException where one is none, saying why
     */
    public static Networks of(String... texts) {
        List<Network> networks = new ArrayList<>();
        for (String text : texts) {
            networks.add(network(text));
        }
        return new Networks(networks);
    }

    private static Network network(String text) {
        int slash = text.indexOf('/');
        String address = slash < 0 ? text : text.substring(0, slash);
        byte[] bytes = address.getBytes(StandardCharsets.UTF_8);
        Peer peer = new Peer();
        if (!new AddressReader().read(MemorySegment.ofArray(bytes), 0, bytes.length, peer)) {
            throw new IllegalArgumentException(
                    "\""
                            + text
                            + "\" is no network: write an IP address, or one with the length of a"
                            + " prefix, such as 10.0.0.0/8 or fd00::/8; names are not looked up");
        }
        int bits = peer.length() * 8;
        if (slash >= 0) {
            // An IPv4 address in the clothes of IPv6 has become one.
            boolean mapped = address.indexOf(':') >= 0 && bits < Peer.IPV6_BYTES * 8;
            bits = bits(text, text.substring(slash + 1), mapped ? MAPPED_BITS : 0, bits);
        }
        Network network = new Network(peer, bits);
        if (!network.isExact()) {
            throw new IllegalArgumentException(
                    "\""
                            + text
                            + "\" has bits behind its prefix: clear them, or make it longer; a"
                            + " single address needs no prefix");
        }
        return network;
    }

    private static int bits(String text, String number, int less, int max) {
        boolean digits = !number.isEmpty() && number.length() <= 3;
        for (int i = 0; i < number.length(); i++) {
            digits &= number.charAt(i) >= '0' && number.charAt(i) <= '9';
        }
        int bits = digits ? Integer.parseInt(number) - less : -1;
        if (bits < 0 || bits > max) {
            throw new IllegalArgumentException(
                    "\""
                            + text
                            + "\": the length of the prefix must be "
                            + less
                            + " to "
                            + (less + max));
        }
        return bits;
    }

    public boolean isEmpty() {
        return networks.length == 0;
    }

    /** Whether {@code peer} is in one of them; never where it has no address. */
    public boolean contains(Peer peer) {
        for (Network network : networks) {
            if (network.contains(peer)) {
                return true;
            }
        }
        return false;
    }
}
