package io.bareloop.files;

import io.bareloop.http.ByteView;
import java.util.Arrays;

/**
 * What a client accepts of codings (RFC 9110, section 12.5.3). Used for one request after another;
 * belongs to one thread.
 */
final class AcceptEncoding {
    private static final int UNSAID = -1;
    private static final int WHOLE = 1000;
    private static final Coding[] CODINGS = Coding.values();

    /** Weights in thousandths, one for each coding. */
    private final int[] weights = new int[CODINGS.length];

    private int others;

    /** Forgets the request before. */
    void clear() {
        Arrays.fill(weights, UNSAID);
        others = UNSAID;
    }

    /** Takes one field of the request. */
    void add(ByteView field) {
        int length = field.length();
        int at = 0;
        while (at < length) {
            int comma = field.indexOf((byte) ',', at);
            int end = comma < 0 ? length : comma;
            element(field, at, end);
            at = end + 1;
        }
    }

    private void element(ByteView field, int from, int end) {
        int start = skipBlanks(field, from, end);
        int nameEnd = start;
        while (nameEnd < end && field.at(nameEnd) != ';' && !isBlank(field.at(nameEnd))) {
            nameEnd++;
        }
        int weight = weight(field, nameEnd, end);
        if (nameEnd - start == 1 && field.at(start) == '*') {
            others = weight;
            return;
        }
        for (int i = 0; i < CODINGS.length; i++) {
            if (equals(field, start, nameEnd, CODINGS[i].token())) {
                weights[i] = weight;
                return;
            }
        }
        // Section 8.4.1.3: an old name of the same thing.
        if (equals(field, start, nameEnd, "x-gzip")) {
            weights[gzip()] = weight;
        }
    }

    @SuppressWarnings("EnumOrdinal") // an index of an array that has one element for each
    private static int gzip() {
        return Coding.GZIP.ordinal();
    }

    /** The weight in [from, end): 1000 where there is none, 0 where it is malformed. */
    private static int weight(ByteView field, int from, int end) {
        int at = skipBlanks(field, from, end);
        if (at == end) {
            return WHOLE;
        }
        if (field.at(at) != ';') {
            return 0;
        }
        at = skipBlanks(field, at + 1, end);
        if (end - at < 3 || (field.at(at) | 0x20) != 'q' || field.at(at + 1) != '=') {
            return 0;
        }
        at += 2;
        int whole = field.at(at++) - '0';
        int weight = whole * WHOLE;
        if (at < end && field.at(at) == '.') {
            at++;
            int unit = WHOLE / 10;
            while (at < end && unit > 0 && field.at(at) >= '0' && field.at(at) <= '9') {
                weight += (field.at(at++) - '0') * unit;
                unit /= 10;
            }
        }
        return skipBlanks(field, at, end) == end && whole >= 0 && weight <= WHOLE ? weight : 0;
    }

    /**
     * The weight of {@code coding}, 0 where it is not acceptable. That of identity, where nothing
     * is said about it, is the least there is: any coding that is named is preferred to it.
     */
    private int weight(int coding) {
        if (weights[coding] != UNSAID) {
            return weights[coding];
        }
        if (others != UNSAID) {
            return others;
        }
        return coding == CODINGS.length - 1 ? 1 : 0;
    }

    /**
     * The index of the best of {@code available}, a bit for each coding; equally good ones in the
     * order of {@link Coding}.
     *
     * @return -1 where none is acceptable
     */
    int best(int available) {
        int best = -1;
        int bestWeight = 0;
        for (int i = 0; i < CODINGS.length; i++) {
            int weight = (available & 1 << i) != 0 ? weight(i) : 0;
            if (weight > bestWeight) {
                best = i;
                bestWeight = weight;
            }
        }
        return best;
    }

    private static int skipBlanks(ByteView field, int from, int end) {
        int at = from;
        while (at < end && isBlank(field.at(at))) {
            at++;
        }
        return at;
    }

    private static boolean isBlank(byte b) {
        return b == ' ' || b == '\t';
    }

    private static boolean equals(ByteView field, int from, int end, String lowerCase) {
        if (end - from != lowerCase.length()) {
            return false;
        }
        for (int i = 0; i < lowerCase.length(); i++) {
            byte b = field.at(from + i);
            if ((b >= 'A' && b <= 'Z' ? b | 0x20 : b) != lowerCase.charAt(i)) {
                return false;
            }
        }
        return true;
    }
}
