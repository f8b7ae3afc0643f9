package io.bareloop.http1;

import io.bareloop.wire.Ascii;
import io.bareloop.wire.Head;
import io.bareloop.wire.Memory;
import io.bareloop.wire.Swar;

/**
 * The fields that say where a message ends and whether another follows (RFC 9112, sections 3.2, 6
 * and 9): Host, Content-Length, Transfer-Encoding, Connection, Expect. Strict, for two readers must
 * not see different requests.
 */
final class Framing {
    private static final int HOST = (int) Swar.ascii("host");

    /** First letters of the names that say something about the framing, one bit for each. */
    private static final long FRAMING_LETTERS = bit('h') | bit('c') | bit('t') | bit('e');

    private static final long CONTENT_ = Swar.ascii("content-");
    private static final long T_LENGTH = Swar.ascii("t-length");
    private static final long CONNECTI = Swar.ascii("connecti");
    private static final short ON = (short) Swar.ascii("on");
    private static final long TRANSFER = Swar.ascii("transfer");
    private static final long ENCODING = Swar.ascii("encoding");
    private static final long KEEP_ALI = Swar.ascii("keep-ali");
    private static final short VE = (short) Swar.ascii("ve");

    private Framing() {}

    private static long bit(int letter) {
        return 1L << (Long.SIZE - 1 - letter % Long.SIZE);
    }

    /** Whether a name that begins with these letters, in lower case, may be among those. */
    static boolean mayMatter(int letters) {
        // A shift takes the lowest six bits: the bit of the first letter becomes the sign.
        return FRAMING_LETTERS << letters < 0;
    }

    /**
     * The usual values in this one method on purpose: with more than 325 bytes of code it is too
     * large to be inlined into the loop of {@link WordLines#parseLines}, which has the same speed
     * in each JVM then. A browser's head took 164 ns or 197 otherwise, by how much the JIT had
     * seen.
     */
    static int note(long name, int nameLength, long value, long valueEnd, long words, Head head) {
        switch (nameLength) {
            case 4:
                if ((Memory.getInt(name) | (int) Swar.CASE_BITS) == HOST) {
                    return noteHost(value, valueEnd, words, head);
                }
                return 0;
            case 6:
                // HTTP/1.0 knows no expectations (RFC 9110, section 10.1.1).
                if (head.minorVersion != 0
                        && Ascii.equalsIgnoreCase(name, name + nameLength, "expect")) {
                    if (!Ascii.equalsIgnoreCase(value, valueEnd, "100-continue")) {
                        return RequestParser.EXPECTATION_FAILED;
                    }
                    head.note(Head.EXPECTS_CONTINUE);
                }
                return 0;
            case 10:
                if ((Memory.getLong(name) | Swar.CASE_BITS) == CONNECTI
                        && (short) (Memory.getShort(name + 8) | (short) Swar.CASE_BITS) == ON) {
                    if (valueEnd - value == 10
                            && (Memory.getLong(value) | Swar.CASE_BITS) == KEEP_ALI
                            && (short) (Memory.getShort(value + 8) | (short) Swar.CASE_BITS)
                                    == VE) {
                        head.note(Head.KEEPS_ALIVE);
                    } else {
                        noteConnectionOptions(value, valueEnd, head);
                    }
                }
                return 0;
            case 14:
                if ((Memory.getLong(name) | Swar.CASE_BITS) == CONTENT_
                        && (Memory.getLong(name + 6) | Swar.CASE_BITS) == T_LENGTH) {
                    if (head.contentLength >= 0 || head.says(Head.CHUNKED)) {
                        return RequestParser.BAD_REQUEST;
                    }
                    // Digits, once: a list of equal numbers would be allowed, and is nobody's
                    // honest head.
                    head.contentLength = Ascii.parseUnsignedLong(value, valueEnd);
                    return head.contentLength < 0 ? RequestParser.BAD_REQUEST : 0;
                }
                return 0;
            case 17:
                if ((Memory.getLong(name) | Swar.CASE_BITS) == TRANSFER
                        && Memory.getByte(name + 8) == '-'
                        && (Memory.getLong(name + 9) | Swar.CASE_BITS) == ENCODING) {
                    return noteTransferEncoding(value, valueEnd, head);
                }
                return 0;
            default:
                return 0;
        }
    }

    /** Exactly one, and one that a URI could hold (RFC 9112, section 3.2). */
    private static int noteHost(long from, long to, long words, Head head) {
        if (head.says(Head.HAS_HOST)) {
            return RequestParser.BAD_REQUEST;
        }
        head.note(Head.HAS_HOST);
        // A domain name or an IPv4 address, perhaps a port; the bytes behind it are none of these.
        long at = from;
        long word = Swar.word(at, to, words);
        long stops = Swar.domainNameStops(word);
        while (stops == 0) {
            at += Long.BYTES;
            word = Swar.word(at, to, words);
            stops = Swar.domainNameStops(word);
        }
        at += Swar.first(stops);
        if (at < to && Swar.firstByte(stops, word) == ':' && at > from) {
            at++;
            at += Swar.first(Swar.digitStops(Swar.word(at, to, words)));
        }
        return at >= to || Authority.end(from, to) == to ? 0 : RequestParser.BAD_REQUEST;
    }

    private static void noteConnectionOptions(long from, long to, Head head) {
        long at = from;
        while (at < to) {
            long comma = at;
            while (comma < to && Memory.getByte(comma) != ',') {
                comma++;
            }
            long start = WordLines.skipBlanks(at, comma);
            long option = WordLines.trimBlanks(start, comma);
            if (Ascii.equalsIgnoreCase(start, option, "close")) {
                head.note(Head.CLOSES);
            } else if (Ascii.equalsIgnoreCase(start, option, "keep-alive")) {
                head.note(Head.KEEPS_ALIVE);
            }
            at = comma + 1;
        }
    }

    /** "chunked", once, alone, in HTTP/1.1 (RFC 9112, sections 6.1 and 7). */
    private static int noteTransferEncoding(long from, long to, Head head) {
        if (head.says(Head.CHUNKED) || head.contentLength >= 0 || head.minorVersion == 0) {
            return RequestParser.BAD_REQUEST;
        }
        if (Ascii.equalsIgnoreCase(from, to, "chunked")) {
            head.note(Head.CHUNKED);
            return 0;
        }
        // Other codings before a final "chunked" are framed well, only unknown here: 501. With
        // anything else nobody knows where the body ends: 400 (RFC 9112, section 6.3).
        long last = to;
        while (last > from && Memory.getByte(last - 1) != ',') {
            last--;
        }
        boolean framed =
                last > from
                        && Ascii.equalsIgnoreCase(WordLines.skipBlanks(last, to), to, "chunked")
                        && areCodings(from, last)
                        && !containsChunked(from, last);
        return framed ? RequestParser.NOT_IMPLEMENTED : RequestParser.BAD_REQUEST;
    }

    /**
     * Whether each element of the list, all of which end with a comma, is a coding: a token,
     * perhaps with parameters. An empty one is none, though in other lists it says nothing (RFC
     * 9110, section 5.6.1.2): who frames a message must not count on others to skip it.
     */
    private static boolean areCodings(long from, long to) {
        long at = from;
        while (at < to) {
            long name = WordLines.skipBlanks(at, to);
            long end = name;
            while (Ascii.isToken(Memory.getByte(end))) {
                end++;
            }
            long next = WordLines.skipBlanks(end, to);
            if (end == name || (Memory.getByte(next) != ',' && Memory.getByte(next) != ';')) {
                return false;
            }
            while (Memory.getByte(next) != ',') {
                next++;
            }
            at = next + 1;
        }
        return true;
    }

    private static boolean containsChunked(long from, long to) {
        for (long at = from; at + 7 <= to; at++) {
            if (Ascii.equalsIgnoreCase(at, at + 7, "chunked")) {
                return true;
            }
        }
        return false;
    }

    static int check(Head head) {
        return head.minorVersion == 1 && !head.says(Head.HAS_HOST) ? RequestParser.BAD_REQUEST : 0;
    }
}
