package io.bareloop.wire;

import java.util.Arrays;

/**
 * What a client accepts of codings (RFC 9110, section 12.5.3). Takes the fields byte by byte, for
 * they are views here and addresses there. Used for one request after another; belongs to one
 * thread.
 */
public final class AcceptEncoding {
    private static final int UNSAID = -1;
    private static final int WHOLE = 1000;

    private static final long ANY = Swar.ascii("*");

    /** RFC 9110, section 8.4.1.3: an old name of gzip. */
    private static final long OLD_GZIP = Swar.ascii("x-gzip");

    private static final long GZIP = Swar.ascii("gzip");

    /** What comes next in an element: {@code gzip;q=0.5}. */
    private enum Step {
        START,
        NAME,
        BEHIND_NAME,
        Q,
        EQUALS,
        DIGIT,
        POINT,
        FRACTION,
        BEHIND_WEIGHT,
        MALFORMED
    }

    /** Names as words of eight bytes; the last one is identity's. */
    private final long[] names;

    /** Weights in thousandths, one for each coding. */
    private final int[] weights;

    private int others;

    // The element at hand: no name that is known has more than eight bytes.
    private Step step = Step.START;
    private long name;
    private int nameLength;
    private int weight;
    private int unit;

    /**
     * Looks out for {@code tokens}.
     *
     * @param tokens names of codings in lower case, of eight characters at the most: the preferred
     *     one first, and "identity" last
     */
    public AcceptEncoding(String... tokens) {
        names = new long[tokens.length];
        for (int i = 0; i < tokens.length; i++) {
            names[i] = Swar.ascii(tokens[i]);
        }
        weights = new int[tokens.length];
        clear();
    }

    /** Forgets the request before. */
    public void clear() {
        Arrays.fill(weights, UNSAID);
        others = UNSAID;
        step = Step.START;
    }

    /** Takes the next byte of a field of the request. */
    public void add(byte b) {
        if (b == ',') {
            endOfElement();
        } else if (b == ' ' || b == '\t') {
            step = behindBlank();
        } else {
            step = behind(b);
        }
    }

    /** The field has come to its end. */
    public void endOfField() {
        endOfElement();
    }

    private Step behindBlank() {
        return switch (step) {
            case NAME -> Step.BEHIND_NAME;
            case POINT, FRACTION -> Step.BEHIND_WEIGHT;
            case EQUALS, DIGIT -> Step.MALFORMED;
            default -> step;
        };
    }

    private Step behind(byte b) {
        return switch (step) {
            case START -> startOfElement(b);
            case NAME -> b == ';' ? Step.Q : character(b);
            case BEHIND_NAME -> b == ';' ? Step.Q : Step.MALFORMED;
            case Q -> (b | 0x20) == 'q' ? Step.EQUALS : Step.MALFORMED;
            case EQUALS -> b == '=' ? Step.DIGIT : Step.MALFORMED;
            case DIGIT, FRACTION -> digit(b);
            case POINT -> b == '.' ? Step.FRACTION : Step.MALFORMED;
            case BEHIND_WEIGHT, MALFORMED -> Step.MALFORMED;
        };
    }

    private Step startOfElement(byte b) {
        name = 0;
        nameLength = 0;
        weight = 0;
        unit = WHOLE;
        return b == ';' ? Step.Q : character(b);
    }

    private Step character(byte b) {
        if (nameLength < Long.BYTES) {
            name |= (long) (Ascii.lower(b) & 0xFF) << (nameLength * Byte.SIZE);
        }
        nameLength++;
        return Step.NAME;
    }

    private Step digit(byte b) {
        if (!Ascii.isDigit(b) || unit == 0) {
            return Step.MALFORMED;
        }
        weight += (b - '0') * unit;
        boolean first = unit == WHOLE;
        unit /= 10;
        return first ? Step.POINT : Step.FRACTION;
    }

    private void endOfElement() {
        if (step != Step.START && nameLength <= Long.BYTES) {
            note(weightOfElement());
        }
        step = Step.START;
    }

    /** 1000 where there is none, 0 where it is malformed. */
    private int weightOfElement() {
        return switch (step) {
            case NAME, BEHIND_NAME -> WHOLE;
            case POINT, FRACTION, BEHIND_WEIGHT -> weight <= WHOLE ? weight : 0;
            default -> 0;
        };
    }

    private void note(int said) {
        if (name == ANY) {
            others = said;
            return;
        }
        long known = name == OLD_GZIP ? GZIP : name;
        for (int i = 0; i < names.length; i++) {
            if (names[i] == known) {
                weights[i] = said;
            }
        }
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
        return coding == names.length - 1 ? 1 : 0;
    }

    /**
     * The index of the best of {@code available}, a bit for each coding; equally good ones in the
     * order of the constructor.
     *
     * @return -1 where none is acceptable
     */
    public int best(int available) {
        int best = -1;
        int bestWeight = 0;
        for (int i = 0; i < names.length; i++) {
            int weightOfIt = (available & 1 << i) != 0 ? weight(i) : 0;
            if (weightOfIt > bestWeight) {
                best = i;
                bestWeight = weightOfIt;
            }
        }
        return best;
    }
}
