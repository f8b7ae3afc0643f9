package io.bareloop.wire;

/** Characters of RFC 9110's grammar and decimal numbers, without locale and without allocation. */
public final class Ascii {
    public static final byte CR = '\r';
    public static final byte LF = '\n';
    public static final byte SP = ' ';
    public static final byte HTAB = '\t';

    /** tchar of RFC 9110, section 5.6.2. */
    private static final boolean[] TOKEN =
            table(
                    "!#$%&'*+-.^_`|~0123456789"
                            + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    /**
     * Characters of a reg-name, RFC 3986, section 3.2.2, without the comma: no host has one, and a
     * list of hosts is how two readers come to see two different ones.
     */
    private static final boolean[] HOST =
            table(
                    "-._~%!$&'()*+;=0123456789"
                            + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private Ascii() {}

    public static boolean isToken(byte b) {
        return TOKEN[b & 0xFF];
    }

    public static boolean isHost(byte b) {
        return HOST[b & 0xFF];
    }

    public static boolean isDigit(byte b) {
        return b >= '0' && b <= '9';
    }

    public static int lower(int c) {
        return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
    }

    /** The decimal number in [from, to), or -1: no digits, another character, over 18 digits. */
    public static long parseUnsignedLong(long from, long to) {
        // 18 digits always fit a long; leading zeros beyond that are nothing a client sends.
        if (from >= to || to - from > 18) {
            return -1;
        }
        long number = 0;
        for (long at = from; at < to; at++) {
            int digit = Memory.getByte(at) - '0';
            if (digit < 0 || digit > 9) {
                return -1;
            }
            number = number * 10 + digit;
        }
        return number;
    }

    /** Whether [from, to) equals {@code lowerCase}, the letters A to Z counting as a to z. */
    public static boolean equalsIgnoreCase(long from, long to, String lowerCase) {
        if (to - from != lowerCase.length()) {
            return false;
        }
        for (int i = 0; i < lowerCase.length(); i++) {
            if (lower(Memory.getByte(from + i)) != lowerCase.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private static boolean[] table(String characters) {
        boolean[] table = new boolean[256];
        for (int i = 0; i < characters.length(); i++) {
            table[characters.charAt(i)] = true;
        }
        return table;
    }
}
