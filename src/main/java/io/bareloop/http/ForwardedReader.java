package io.bareloop.http;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.bareloop.wire.AddressReader;
import io.bareloop.wire.Ascii;
import io.bareloop.wire.Peer;
import java.lang.foreign.MemorySegment;

/**
 * Reads {@code Forwarded} by the grammar of RFC 7239, section 4, to the letter.
 *
 * <p>The first elements may be a client's, written so that those behind them are misread: an
 * element that is malformed ends at the next comma, wherever quotes may have been opened, so that
 * what the proxies have added is found all the same.
 */
final class ForwardedReader {
    private static final int MALFORMED = -1;

    /** No address with a port is longer. */
    private static final int VALUE_BYTES_MAX = 64;

    private static final int PORT_DIGITS_MAX = 5;
    private static final int PORT_MAX = 65_535;

    // Parameters that may come once in an element.
    private static final String[] NAMES = {"for", "proto", "by", "host"};
    private static final int FOR = 0;
    private static final int PROTO = 1;
    private static final int OTHER = -1;

    private final AddressReader addresses = new AddressReader();

    /** The last value without quotes and backslashes, as far as it fits; and its length. */
    private final MemorySegment value = MemorySegment.ofArray(new byte[VALUE_BYTES_MAX]);

    private int valueLength;

    /** Adds what the field value in [from, to) says to {@code chain}. */
    void read(MemorySegment in, int from, int to, ProxyChain chain) {
        int at = from;
        while (at < to) {
            byte b = in.get(JAVA_BYTE, at);
            if (b == ',' || ProxyChain.isBlank(b)) {
                at++;
                continue;
            }
            ProxyChain.Hop hop = chain.add();
            int end = element(in, at, to, hop);
            if (end == MALFORMED) {
                hop.clear();
                end = at;
                while (end < to && in.get(JAVA_BYTE, end) != ',') {
                    end++;
                }
            }
            at = end;
        }
    }

    /** Reads pairs up to a comma or the end; returns where that is, or MALFORMED. */
    private int element(MemorySegment in, int from, int to, ProxyChain.Hop hop) {
        int at = from;
        int seen = 0;
        while (at < to) {
            byte b = in.get(JAVA_BYTE, at);
            if (b == ',') {
                return at;
            } else if (b == ';') {
                at++;
            } else if (ProxyChain.isBlank(b)) {
                at = behindBlanks(in, at, to);
                return at == to || in.get(JAVA_BYTE, at) == ',' ? at : MALFORMED;
            } else {
                int nameEnd = tokenEnd(in, at, to);
                if (nameEnd == at || nameEnd == to || in.get(JAVA_BYTE, nameEnd) != '=') {
                    return MALFORMED;
                }
                int name = name(in, at, nameEnd);
                if (name != OTHER && (seen & 1 << name) != 0) {
                    return MALFORMED;
                }
                seen |= name == OTHER ? 0 : 1 << name;
                at = value(in, nameEnd + 1, to);
                if (at == MALFORMED || !endsPair(in, at, to)) {
                    return MALFORMED;
                }
                note(name, hop);
            }
        }
        return at;
    }

    private void note(int name, ProxyChain.Hop hop) {
        if (valueLength > VALUE_BYTES_MAX) {
            return; // Nothing that is known here.
        }
        if (name == FOR) {
            node(value, 0, valueLength, false, hop.peer);
        } else if (name == PROTO) {
            hop.scheme = scheme(value, 0, valueLength);
        }
    }

    private static boolean endsPair(MemorySegment in, int at, int to) {
        return at == to
                || in.get(JAVA_BYTE, at) == ';'
                || in.get(JAVA_BYTE, at) == ','
                || ProxyChain.isBlank(in.get(JAVA_BYTE, at));
    }

    private static int behindBlanks(MemorySegment in, int from, int to) {
        int at = from;
        while (at < to && ProxyChain.isBlank(in.get(JAVA_BYTE, at))) {
            at++;
        }
        return at;
    }

    private static int tokenEnd(MemorySegment in, int from, int to) {
        int at = from;
        while (at < to && Ascii.isToken(in.get(JAVA_BYTE, at))) {
            at++;
        }
        return at;
    }

    private static int name(MemorySegment in, int from, int to) {
        for (int i = 0; i < NAMES.length; i++) {
            if (equalsIgnoreCase(in, from, to, NAMES[i])) {
                return i;
            }
        }
        return OTHER;
    }

    static boolean equalsIgnoreCase(MemorySegment in, int from, int to, String lowerCase) {
        if (to - from != lowerCase.length()) {
            return false;
        }
        for (int i = 0; i < lowerCase.length(); i++) {
            if (Ascii.lower(in.get(JAVA_BYTE, from + i)) != lowerCase.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /** Takes a token or a quoted string; returns the index behind it, or MALFORMED. */
    private int value(MemorySegment in, int from, int to) {
        valueLength = 0;
        if (from < to && in.get(JAVA_BYTE, from) == '"') {
            return quoted(in, from + 1, to);
        }
        int end = tokenEnd(in, from, to);
        for (int at = from; at < end; at++) {
            append(in.get(JAVA_BYTE, at));
        }
        return end == from ? MALFORMED : end;
    }

    private int quoted(MemorySegment in, int from, int to) {
        for (int at = from; at < to; at++) {
            byte b = in.get(JAVA_BYTE, at);
            if (b == '"') {
                return at + 1;
            }
            if (b == '\\') {
                at++;
                if (at == to) {
                    return MALFORMED;
                }
                b = in.get(JAVA_BYTE, at);
            }
            // The parser has let no other control through.
            append(b);
        }
        return MALFORMED;
    }

    private void append(byte b) {
        if (valueLength < VALUE_BYTES_MAX) {
            value.set(JAVA_BYTE, valueLength, b);
        }
        valueLength = Math.min(valueLength + 1, VALUE_BYTES_MAX + 1);
    }

    /** What a scheme in [from, to) says. */
    static Client.Scheme scheme(MemorySegment in, int from, int to) {
        if (equalsIgnoreCase(in, from, to, "https")) {
            return Client.Scheme.SECURE;
        }
        return equalsIgnoreCase(in, from, to, "http") ? Client.Scheme.PLAIN : Client.Scheme.UNKNOWN;
    }

    /**
     * Reads the node in [from, to), RFC 7239, section 6: an address, perhaps with a port. {@code
     * peer} has none where it is unknown, obfuscated, or no node.
     *
     * @param bare whether an IPv6 address may come without brackets, and then without a port
     */
    void node(MemorySegment in, int from, int to, boolean bare, Peer peer) {
        peer.clear();
        boolean bracketed = from < to && in.get(JAVA_BYTE, from) == '[';
        int mark = indexOf(in, bracketed ? ']' : ':', from, to);
        if (bracketed) {
            // What is not IPv6 has no place in brackets.
            if (mark < to && indexOf(in, ':', from, mark) < mark) {
                read(in, from + 1, mark, mark + 1, to, peer);
            }
        } else if (bare && mark < to && indexOf(in, ':', mark + 1, to) < to) {
            addresses.read(in, from, to, peer);
        } else {
            read(in, from, mark, mark, to, peer);
        }
    }

    /** An address, and behind it a colon and a port, or nothing. */
    private void read(MemorySegment in, int from, int addressEnd, int portFrom, int to, Peer peer) {
        if (!addresses.read(in, from, addressEnd, peer) || portFrom == to) {
            return;
        }
        int port = in.get(JAVA_BYTE, portFrom) == ':' ? port(in, portFrom + 1, to) : MALFORMED;
        if (port == MALFORMED) {
            peer.clear();
        } else {
            peer.port(port);
        }
    }

    /** One to five digits; 0 where it is obfuscated. */
    private static int port(MemorySegment in, int from, int to) {
        if (from < to && in.get(JAVA_BYTE, from) == '_') {
            return isObfuscated(in, from + 1, to) ? 0 : MALFORMED;
        }
        int port = 0;
        for (int at = from; at < to; at++) {
            byte b = in.get(JAVA_BYTE, at);
            if (!Ascii.isDigit(b)) {
                return MALFORMED;
            }
            port = port * 10 + b - '0';
            if (at - from == PORT_DIGITS_MAX) {
                return MALFORMED;
            }
        }
        return from == to || port > PORT_MAX ? MALFORMED : port;
    }

    private static boolean isObfuscated(MemorySegment in, int from, int to) {
        for (int at = from; at < to; at++) {
            byte b = in.get(JAVA_BYTE, at);
            int lower = Ascii.lower(b);
            if (!Ascii.isDigit(b)
                    && (lower < 'a' || lower > 'z')
                    && b != '.'
                    && b != '_'
                    && b != '-') {
                return false;
            }
        }
        return from < to;
    }

    private static int indexOf(MemorySegment in, char wanted, int from, int to) {
        int at = from;
        while (at < to && in.get(JAVA_BYTE, at) != wanted) {
            at++;
        }
        return at;
    }
}
