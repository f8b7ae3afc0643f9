package io.bareloop.http1;

import io.bareloop.wire.Ascii;
import io.bareloop.wire.Head;
import io.bareloop.wire.Memory;
import io.bareloop.wire.Swar;

/**
 * The field lines of a head, eight bytes at a time: usual ones in one loop, all others byte by
 * byte. They are recorded with {@link Head}; what they say about the framing is up to {@link
 * Framing}.
 */
final class WordLines {
    private static final short CRLF = (short) Swar.ascii("\r\n");
    private static final long HOST_COLON_SP = Swar.ascii("host: ");
    private static final int HOST_BYTES = 6;
    private static final long HOST_MASK = (1L << (HOST_BYTES * Byte.SIZE)) - 1;
    private static final long HOST_CASE = 0x2020_2020L;

    private WordLines() {}

    // What happens once a head stays out of the loop of parseLines, for the JIT would make all of
    // it one, and slower where it compiles before it has seen many heads.
    static long parse(long from, long end, long words, Head head) {
        long line = parseUsualHost(from, end, words, head);
        if (line < words && Memory.getShort(line) == CRLF) {
            return endOfHead(line, end, head);
        }
        line = parseLines(line, end, words, head);
        return line > 0 ? endOfHead(line, end, head) : line;
    }

    /**
     * Usual lines: a name of letters and hyphens, a colon, one space, and visible ASCII without
     * white space at its end. Any other, and those whose last word cannot be read whole, are up to
     * {@link #parseRareLine}, from their start.
     *
     * @return where the first line begins that begins with CR, or {@link RequestParser#NEED_MORE},
     *     or a negated status
     */
    private static long parseLines(long from, long end, long words, Head head) {
        long line = from;
        while (true) {
            usual:
            while (line < words) {
                line = Memory.within(line);
                long word = Memory.getLong(line);
                if ((short) word == CRLF) {
                    return line;
                }
                int prefix = (int) word | (int) Swar.CASE_BITS;

                // The name ends with the first byte that is neither letter nor hyphen.
                long at = line;
                long stops = Swar.nameStops(word);
                while (stops == 0) {
                    at = Memory.within(at + Long.BYTES);
                    if (at + Long.BYTES >= words) {
                        break usual;
                    }
                    word = Memory.getLong(at);
                    stops = Swar.nameStops(word);
                    if (stops != 0) {
                        break;
                    }
                    at += Long.BYTES;
                    word = Memory.getLong(at);
                    stops = Swar.nameStops(word);
                }
                long colon = Memory.within(at + Swar.first(stops));
                if (Memory.getByte(colon) != ':' || colon == line || colon >= end) {
                    break usual;
                }

                // The line's end, sought from the same word on: what comes before the colon is no
                // control character, and so the next line need not wait for the colon to be found.
                stops = Swar.valueStops(word);
                while (stops == 0) {
                    at = Memory.within(at + Long.BYTES);
                    if (at + Long.BYTES >= words) {
                        break usual;
                    }
                    stops = Swar.valueStops(Memory.getLong(at));
                    if (stops != 0) {
                        break;
                    }
                    at += Long.BYTES;
                    stops = Swar.valueStops(Memory.getLong(at));
                }
                long lineEnd = Memory.within(at + Swar.first(stops));
                if (end - lineEnd < 2 || Memory.getShort(lineEnd) != CRLF) {
                    break usual;
                }
                // The two bytes behind the colon are there, if only as those of the line's end.
                int two = Memory.getShort(colon + 1);
                if ((byte) two != Ascii.SP
                        || (two >>> 8 & 0xFF) <= Ascii.SP
                        || Memory.getByte(lineEnd - 1) <= Ascii.SP) {
                    break usual;
                }
                if (!head.addField(line, colon, colon + 2, lineEnd)) {
                    return RequestParser.FIELDS_TOO_LARGE;
                }
                if (Framing.mayMatter(prefix)) {
                    int refusal =
                            Framing.note(
                                    line, (int) (colon - line), colon + 2, lineEnd, words, head);
                    if (refusal < 0) {
                        return refusal;
                    }
                }
                line = lineEnd + 2;
            }

            if (line < end && Memory.getByte(line) == Ascii.CR) {
                return line;
            }
            line = parseRareLine(line, end, words, head);
            if (line <= 0) {
                return line;
            }
        }
    }

    /**
     * A Host that comes first, as it should (RFC 9110, section 7.2), and is a domain name or an
     * IPv4 address, perhaps with a port: its one pass over the value finds the end and checks it.
     *
     * @return where the next line begins; {@code line} where this one is for others to parse
     */
    private static long parseUsualHost(long line, long end, long words, Head head) {
        long value = Memory.within(line + HOST_BYTES);
        if (value + Long.BYTES >= words
                || ((Memory.getLong(value - HOST_BYTES) & HOST_MASK) | HOST_CASE)
                        != HOST_COLON_SP) {
            return line;
        }
        long at = value;
        long word = Memory.getLong(at);
        long stops = Swar.domainNameStops(word);
        while (stops == 0) {
            at = Memory.within(at + Long.BYTES);
            if (at + Long.BYTES >= words) {
                return line;
            }
            word = Memory.getLong(at);
            stops = Swar.domainNameStops(word);
        }
        at += Swar.first(stops);
        if (Swar.firstByte(stops, word) == ':' && at > value) {
            at = Memory.within(at + 1);
            if (at >= words) {
                return line;
            }
            at += Swar.first(Swar.digitStops(Memory.getLong(at)));
        }
        if (end - at < 2
                || Memory.getShort(Memory.within(at)) != CRLF
                || at == value
                || !head.addField(value - HOST_BYTES, value - 2, value, at)) {
            return line;
        }
        head.note(Head.HAS_HOST);
        return at + 2;
    }

    /** The empty line, or what begins like it. */
    private static long endOfHead(long line, long end, Head head) {
        if (end - line < 2) {
            return RequestParser.NEED_MORE;
        }
        if (Memory.getByte(line + 1) != Ascii.LF) {
            return RequestParser.BAD_REQUEST;
        }
        int refusal = Framing.check(head);
        return refusal < 0 ? refusal : line + 2;
    }

    /**
     * Any field line: whole or not, valid or not.
     *
     * @return where the next line begins, or {@link RequestParser#NEED_MORE}, or a negated status
     */
    static long parseRareLine(long line, long end, long words, Head head) {
        long colon = line;
        while (colon < end && Ascii.isToken(Memory.getByte(colon))) {
            colon++;
        }
        if (colon == end) {
            return RequestParser.NEED_MORE;
        }
        // No white space before the colon (RFC 9112, section 5.1): intermediaries disagree about
        // what it would mean.
        if (colon == line || Memory.getByte(colon) != ':') {
            return RequestParser.BAD_REQUEST;
        }
        long lineEnd = endOfValue(colon + 1, end, words);
        if (lineEnd <= 0) {
            return lineEnd;
        }
        long value = skipBlanks(colon + 1, lineEnd);
        long valueEnd = trimBlanks(value, lineEnd);
        if (!head.addField(line, colon, value, valueEnd)) {
            return RequestParser.FIELDS_TOO_LARGE;
        }
        int refusal = Framing.note(line, (int) (colon - line), value, valueEnd, words, head);
        return refusal < 0 ? refusal : lineEnd + 2;
    }

    /**
     * Seeks the end of a value, in which HTAB and obs-text are allowed.
     *
     * @return where the line break begins, or {@link RequestParser#NEED_MORE} or {@link
     *     RequestParser#BAD_REQUEST}
     */
    private static long endOfValue(long from, long end, long words) {
        long at = from;
        while (true) {
            long stops = Swar.valueStops(Swar.word(at, end, words));
            at += Swar.first(stops);
            if (stops == 0) {
                continue;
            }
            if (at >= end) {
                return RequestParser.NEED_MORE;
            }
            byte b = Memory.getByte(at);
            if (b == Ascii.CR) {
                if (end - at < 2) {
                    return RequestParser.NEED_MORE;
                }
                return Memory.getByte(at + 1) == Ascii.LF ? at : RequestParser.BAD_REQUEST;
            }
            if (b >= 0 && b != Ascii.HTAB) {
                return RequestParser.BAD_REQUEST;
            }
            at++;
        }
    }

    static long skipBlanks(long from, long end) {
        long at = from;
        while (at < end && isBlank(Memory.getByte(at))) {
            at++;
        }
        return at;
    }

    static long trimBlanks(long from, long end) {
        long at = end;
        while (at > from && isBlank(Memory.getByte(at - 1))) {
            at--;
        }
        return at;
    }

    private static boolean isBlank(byte b) {
        return b == Ascii.SP || b == Ascii.HTAB;
    }
}
