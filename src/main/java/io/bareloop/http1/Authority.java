package io.bareloop.http1;

import io.bareloop.wire.Ascii;
import io.bareloop.wire.Memory;

/**
 * {@code host[:port]} of RFC 3986, section 3.2, as Host and an absolute target have it. Usual hosts
 * do not get here: {@link RequestParser} knows them while it looks for their end.
 *
 * <p>A host is what two readers must not see differently, so its form is checked to the letter: an
 * escape has two digits, an address in brackets is one. Stricter than the RFC: no name is empty
 * where a port follows, none has a comma, and an address has no zone, which would mean something on
 * the client's machine only (RFC 9844 took zones out of URIs again).
 */
final class Authority {
    private static final int IPV6_GROUPS = 8;
    private static final int IPV4_NUMBERS = 4;

    private Authority() {}

    /**
     * The index behind the longest authority from {@code from} on that ends before {@code to};
     * {@code from} where there is none.
     */
    static long end(long from, long to) {
        boolean literal = from < to && Memory.getByte(from) == '[';
        long at = literal ? endOfLiteral(from, to) : endOfName(from, to);
        // No port without a host: an http URI has one (RFC 9110, section 4.2.1).
        if (at > from && at < to && Memory.getByte(at) == ':') {
            do {
                at++;
            } while (at < to && Ascii.isDigit(Memory.getByte(at)));
        }
        return at;
    }

    /** Behind a reg-name or an IPv4 address, which looks like one. */
    private static long endOfName(long from, long to) {
        long at = from;
        while (at < to && Ascii.isHost(Memory.getByte(at))) {
            if (Memory.getByte(at) == '%') {
                if (to - at < 3 || digit(at + 1) < 0 || digit(at + 2) < 0) {
                    return from;
                }
                at += 2;
            }
            at++;
        }
        return at;
    }

    /** Behind the bracket that ends an address; {@code from} where it is none. */
    private static long endOfLiteral(long from, long to) {
        long at = from + 1;
        while (at < to && Memory.getByte(at) != ']') {
            at++;
        }
        return at < to && (isIpv6(from + 1, at) || isFuture(from + 1, at)) ? at + 1 : from;
    }

    /** Groups of one to four digits, the last two perhaps as IPv4; "::" once in place of zeros. */
    private static boolean isIpv6(long from, long to) {
        int groups = 0;
        boolean shortened = false;
        long at = from;
        if (startsWithTwoColons(at, to)) {
            shortened = true;
            at += 2;
        }
        while (at < to) {
            long group = at;
            while (at < to && digit(at) >= 0) {
                at++;
            }
            if (at < to && Memory.getByte(at) == '.' && isIpv4(group, to)) {
                groups += 2;
                break;
            }
            groups++;
            if (at == group || at - group > 4) {
                return false;
            }
            if (at < to) {
                if (startsWithTwoColons(at, to)) {
                    if (shortened) {
                        return false;
                    }
                    shortened = true;
                    at += 2;
                } else if (Memory.getByte(at) == ':' && at + 1 < to) {
                    at++;
                } else {
                    return false;
                }
            }
        }
        return shortened ? groups < IPV6_GROUPS : groups == IPV6_GROUPS;
    }

    private static boolean startsWithTwoColons(long at, long to) {
        return to - at >= 2 && Memory.getByte(at) == ':' && Memory.getByte(at + 1) == ':';
    }

    /** Four numbers up to 255, none with a zero in front. */
    private static boolean isIpv4(long from, long to) {
        int numbers = 0;
        long at = from;
        while (numbers < IPV4_NUMBERS) {
            int number = 0;
            long start = at;
            while (at < to && Ascii.isDigit(Memory.getByte(at)) && at - start < 3) {
                number = number * 10 + Memory.getByte(at) - '0';
                at++;
            }
            boolean zeroInFront = at - start > 1 && Memory.getByte(start) == '0';
            if (at == start || zeroInFront || number > 255) {
                return false;
            }
            numbers++;
            if (at < to && numbers < IPV4_NUMBERS) {
                if (Memory.getByte(at) != '.') {
                    return false;
                }
                at++;
            }
        }
        return at == to;
    }

    /** An address of a version to come: "v", a hexadecimal number, a dot, and something. */
    private static boolean isFuture(long from, long to) {
        if (from == to || (Memory.getByte(from) | 0x20) != 'v') {
            return false;
        }
        long dot = from + 1;
        while (dot < to && digit(dot) >= 0) {
            dot++;
        }
        if (dot == from + 1 || to - dot < 2 || Memory.getByte(dot) != '.') {
            return false;
        }
        for (long at = dot + 1; at < to; at++) {
            byte b = Memory.getByte(at);
            if (b == '%' || (b != ':' && !Ascii.isHost(b))) {
                return false;
            }
        }
        return true;
    }

    /** The hexadecimal digit at {@code at}, or -1. */
    private static int digit(long at) {
        byte b = Memory.getByte(at);
        return b < 0 ? -1 : Character.digit(b, 16);
    }
}
