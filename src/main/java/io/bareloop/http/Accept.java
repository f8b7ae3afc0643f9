package io.bareloop.http;

import io.bareloop.wire.Ascii;

/**
 * What a client prefers to be shown of an error (RFC 9110, section 12.5.1): the type that it lists
 * with the highest weight, of several the first.
 *
 * <p>A range of types does not count: curl and scripts accept all types, and are shown text.
 */
final class Accept {
    /** What an error can be shown as. */
    enum Kind {
        TEXT,
        HTML,
        PROBLEM
    }

    private static final Kind[] KINDS = Kind.values();

    /** Those of KINDS, in their order, and then the other one of the last. */
    private static final String[] TYPES = {
        "text/plain", "text/html", "application/problem+json", "application/json"
    };

    private static final int WEIGHT_MAX = 1000;

    private Accept() {}

    /** What {@code request} prefers; text where it says nothing. */
    static Kind choose(Request request) {
        int best = 0;
        for (int i = 0; i < request.headerCount(); i++) {
            ByteView name = request.headerName(i);
            if (name.length() == 6 && name.contentEqualsIgnoreCase("accept")) {
                best = better(request.headerValue(i), best);
            }
        }
        return KINDS[best & 3];
    }

    /** As above, of one field. */
    static Kind choose(ByteView field) {
        return KINDS[better(field, 0) & 3];
    }

    /**
     * The best of what {@code field} lists, or {@code bestSoFar}: the weight, and in the two lowest
     * bits the kind. One number, for nothing is to be allocated.
     */
    private static int better(ByteView field, int bestSoFar) {
        int best = bestSoFar;
        int length = field.length();
        int at = 0;
        while (at < length) {
            int end = endOf(field, at, length, (byte) ',');
            int start = skipBlanks(field, at, end);
            int typeEnd = endOf(field, start, end, (byte) ';');
            int kind = kindOf(field, start, typeEnd);
            int weight = kind < 0 ? 0 : weightOf(field, typeEnd, end);
            if (weight > best >>> 2) {
                best = weight << 2 | kind;
            }
            at = end + 1;
        }
        return best;
    }

    /** The number of what the type in [from, to) is shown as; -1 where it is none of these. */
    private static int kindOf(ByteView field, int from, int to) {
        int end = to;
        while (end > from && isBlank(field.at(end - 1))) {
            end--;
        }
        int length = end - from;
        for (int i = 0; i < TYPES.length; i++) {
            String type = TYPES[i];
            if (length == type.length() && is(field, from, type)) {
                return Math.min(i, KINDS.length - 1);
            }
        }
        return -1;
    }

    private static boolean is(ByteView field, int from, String type) {
        for (int i = 0; i < type.length(); i++) {
            if (Ascii.lower(field.at(from + i)) != type.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /** The weight among the parameters in [from, to), in thousandths; 1 where there is none. */
    private static int weightOf(ByteView field, int from, int to) {
        int at = from;
        while (at < to) {
            int end = endOf(field, at + 1, to, (byte) ';');
            int start = skipBlanks(field, at + 1, end);
            if (end - start >= 3
                    && Ascii.lower(field.at(start)) == 'q'
                    && field.at(start + 1) == '=') {
                return thousandths(field, start + 2, end);
            }
            at = end;
        }
        return WEIGHT_MAX;
    }

    /** A weight: 0 or 1, with up to three digits behind a point. What is none counts as 1. */
    private static int thousandths(ByteView field, int from, int to) {
        int value = from == to ? WEIGHT_MAX : 0;
        int unit = WEIGHT_MAX;
        for (int at = from; at < to && !isBlank(field.at(at)); at++) {
            int digit = field.at(at) - '0';
            if (at == from + 1 && field.at(at) == '.') {
                continue;
            }
            if (digit < 0 || digit > 9) {
                return WEIGHT_MAX;
            }
            value += digit * unit;
            unit /= 10;
        }
        return Math.min(value, WEIGHT_MAX);
    }

    /** Where {@code mark} stands next in [from, to), outside of quotes; or {@code to}. */
    private static int endOf(ByteView field, int from, int to, byte mark) {
        boolean quoted = false;
        for (int at = from; at < to; at++) {
            byte b = field.at(at);
            if (quoted && b == '\\') {
                at++;
            } else if (b == '"') {
                quoted = !quoted;
            } else if (b == mark && !quoted) {
                return at;
            }
        }
        return to;
    }

    private static int skipBlanks(ByteView field, int from, int to) {
        int at = from;
        while (at < to && isBlank(field.at(at))) {
            at++;
        }
        return at;
    }

    private static boolean isBlank(byte b) {
        return b == ' ' || b == '\t';
    }
}
