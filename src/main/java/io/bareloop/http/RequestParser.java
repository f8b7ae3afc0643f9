package io.bareloop.http;

import java.lang.foreign.MemorySegment;

/**
 * Parses the head of an HTTP/1.1 or 1.0 request in place (RFC 9112): request line and fields.
 *
 * <p>Strict where leniency would let two readers see different requests: CRLF only, no bare CR or
 * LF, no folded lines, no white space before a colon, no control characters, one Host, one framing.
 * It records offsets and copies nothing, lets nothing at or behind {@code to} have a say, and
 * parses from the start again when more bytes have come: a head usually arrives whole. Fields that
 * are those of the request before, byte for byte, are compared and not parsed ({@link LastFields}),
 * and so is a whole head ({@link LastHead}). One instance belongs to one thread.
 *
 * <p>Errors are found in the order of the bytes, so that a head is refused at the same byte however
 * it was split on the way here.
 */
public final class RequestParser {
    /** The head is valid so far, and has not ended. */
    public static final int NEED_MORE = 0;

    /** The head is malformed. */
    public static final int BAD_REQUEST = -400;

    /** The target is longer than allowed. */
    public static final int URI_TOO_LONG = -414;

    /** The client expects something else than 100-continue. */
    public static final int EXPECTATION_FAILED = -417;

    /** The head has more bytes, or more fields, than allowed. */
    public static final int FIELDS_TOO_LARGE = -431;

    /** The method is none of {@link Method}, or a transfer coding is not known. */
    public static final int NOT_IMPLEMENTED = -501;

    /** The version is another than HTTP/1.0 and 1.1. */
    public static final int VERSION_NOT_SUPPORTED = -505;

    /** Longer method names than any registered one are refused before they have ended. */
    private static final int METHOD_BYTES_MAX = 32;

    private static final int GET_ = (int) Swar.ascii("GET ");
    private static final long SP_HTTP_1_ = Swar.ascii(" HTTP/1.");
    private static final int DOT_1_CRLF = (int) Swar.ascii(".1\r\n");
    private static final int VERSION_BYTES = 8;
    private static final short CRLF = (short) Swar.ascii("\r\n");

    private static final int HOST = (int) Swar.ascii("host");
    private static final long HOST_COLON_SP = Swar.ascii("host: ");
    private static final int HOST_BYTES = 6;
    private static final long HOST_MASK = (1L << (HOST_BYTES * Byte.SIZE)) - 1;
    private static final long HOST_CASE = 0x2020_2020L;

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

    private final int targetBytesMax;
    private final int headBytesMax;
    private final LastHead lastHead = new LastHead();
    private final LastFields lastFields = new LastFields();

    /**
     * Creates a parser that enforces {@code limits}; the number of fields is up to the request.
     *
     * @param limits of target and head
     */
    public RequestParser(Limits limits) {
        targetBytesMax = limits.targetBytesMax();
        headBytesMax = limits.headBytesMax();
    }

    /**
     * Parses the head that starts at {@code from}; {@code to} is where the received bytes end.
     *
     * @param in native memory
     * @param from the index of the first byte of the request line
     * @param to the index behind the last byte received
     * @param request is filled where the head is whole and valid; otherwise it says nothing
     * @return the index behind the head's empty line, greater than {@code from}; or {@link
     *     #NEED_MORE}; or a negated status, the response that the request is refused with
     * @throws IndexOutOfBoundsException where [from, to) is not within {@code in}
     * @throws IllegalArgumentException where {@code in} is not native memory
     */
    public int parse(MemorySegment in, int from, int to, Request request) {
        long start = Memory.address(in, from, to);
        long end = start + Math.min(to - from, headBytesMax);
        if (lastHead.rests()) {
            return parseNew(start, end, in, from, to, request, false);
        }
        int repeated = lastHead.match(start, end, in, from, request);
        if (repeated > 0) {
            return from + repeated;
        }
        return parseNew(start, end, in, from, to, request, true);
    }

    private int parseNew(
            long start,
            long end,
            MemorySegment in,
            int from,
            int to,
            Request request,
            boolean remember) {
        // Words may be read up to here: beyond the end, but not beyond the segment.
        long words = Math.min(end, start + (in.byteSize() - from) - (Long.BYTES - 1));
        long at = start;
        request.clear();
        if (at < end && Memory.getByte(at) == Ascii.CR) {
            // One empty line before the request line is skipped (RFC 9112, section 2.2).
            if (end - at < 2) {
                return NEED_MORE;
            }
            if (Memory.getByte(at + 1) != Ascii.LF) {
                return BAD_REQUEST;
            }
            at += 2;
        }
        request.start(in, from + (int) (at - start));
        long result = parseRequestLine(at, end, words, request);
        if (result > 0) {
            result = repeatOrParseFields(result, end, words, request);
        }
        if (result > 0) {
            if (remember && at == start) {
                lastHead.remember(start, result, request);
            }
            return from + (int) (result - start);
        }
        return result != NEED_MORE || to - from < headBytesMax ? (int) result : FIELDS_TOO_LARGE;
    }

    // ---- request line

    private long parseRequestLine(long from, long end, long words, Request request) {
        long target;
        if (end - from >= Integer.BYTES && Memory.getInt(from) == GET_) {
            request.method = Method.GET;
            target = from + 4;
        } else {
            target = parseRareMethod(from, end, request);
            if (target <= 0) {
                return target;
            }
        }

        long targetEnd = endOfTarget(target, end, words);
        if (targetEnd - target > targetBytesMax) {
            return URI_TOO_LONG;
        }
        if (end - targetEnd >= VERSION_BYTES + 3
                && Memory.getLong(targetEnd) == SP_HTTP_1_
                && Memory.getInt(targetEnd + 7) == DOT_1_CRLF
                && Memory.getByte(target) == '/'
                && request.method != null) {
            request.minorVersion = 1;
            request.target(target, target, targetEnd);
            return targetEnd + VERSION_BYTES + 3;
        }
        return parseRareTarget(target, targetEnd, end, request);
    }

    /** Any request line that is not a path and HTTP/1.1, is not whole, or not valid. */
    private static long parseRareTarget(long target, long targetEnd, long end, Request request) {
        if (targetEnd == end) {
            return NEED_MORE;
        }
        if (Memory.getByte(targetEnd) != Ascii.SP || targetEnd == target) {
            return BAD_REQUEST;
        }
        int refusal = acceptTarget(target, targetEnd, request);
        if (refusal < 0) {
            return refusal;
        }
        return parseRareVersion(targetEnd + 1, end, request);
    }

    private static long parseRareMethod(long from, long end, Request request) {
        long at = from;
        while (at < end && Ascii.isToken(Memory.getByte(at))) {
            at++;
        }
        if (at - from > METHOD_BYTES_MAX) {
            return NOT_IMPLEMENTED;
        }
        if (at == end) {
            return NEED_MORE;
        }
        if (at == from || Memory.getByte(at) != Ascii.SP) {
            return BAD_REQUEST;
        }
        request.method = knownMethod(from, at);
        return at + 1;
    }

    /** The method in [from, to), or null: refused with 501 once the request line is known valid. */
    private static Method knownMethod(long from, long to) {
        // Word compares: names have 3 to 7 letters, and case matters (RFC 9110, section 9.1).
        long word = Swar.word(from, to);
        if (to - from > 7) {
            return null;
        }
        if (word == Words.GET) {
            return Method.GET;
        } else if (word == Words.HEAD) {
            return Method.HEAD;
        } else if (word == Words.POST) {
            return Method.POST;
        } else if (word == Words.PUT) {
            return Method.PUT;
        } else if (word == Words.DELETE) {
            return Method.DELETE;
        } else if (word == Words.OPTIONS) {
            return Method.OPTIONS;
        } else if (word == Words.PATCH) {
            return Method.PATCH;
        } else if (word == Words.TRACE) {
            return Method.TRACE;
        }
        return null;
    }

    private static final class Words {
        static final long GET = Swar.ascii("GET");
        static final long HEAD = Swar.ascii("HEAD");
        static final long POST = Swar.ascii("POST");
        static final long PUT = Swar.ascii("PUT");
        static final long DELETE = Swar.ascii("DELETE");
        static final long OPTIONS = Swar.ascii("OPTIONS");
        static final long PATCH = Swar.ascii("PATCH");
        static final long TRACE = Swar.ascii("TRACE");
    }

    /**
     * The index of the first byte that no target has: not visible ASCII, or '#'; or {@code end}.
     */
    private static long endOfTarget(long from, long end, long words) {
        long at = from;
        while (true) {
            long word = Swar.word(at, end, words);
            long stops = Swar.targetStops(word);
            if (stops != 0) {
                return Math.min(at + Swar.first(stops), end);
            }
            at += Long.BYTES;
        }
    }

    /**
     * Checks the form of the target (RFC 9112, section 3.2).
     *
     * @return 0, or a negated status
     */
    private static int acceptTarget(long from, long to, Request request) {
        byte first = Memory.getByte(from);
        if (first == '/') {
            request.target(from, from, to);
        } else if (first == '*' && to - from == 1 && request.method == Method.OPTIONS) {
            request.target(from, from, to);
        } else if (request.method == null) {
            // CONNECT has a target of its own form; 501 comes with the version.
            request.target(from, from, to);
        } else {
            return acceptAbsoluteForm(from, to, request);
        }
        return 0;
    }

    /** {@code http://host[:port][/path][?query]}, which every server has to understand. */
    private static int acceptAbsoluteForm(long from, long to, Request request) {
        long authority;
        if (startsWith(from, to, "http://")) {
            authority = from + 7;
        } else if (startsWith(from, to, "https://")) {
            authority = from + 8;
        } else {
            return BAD_REQUEST;
        }
        long at = Authority.end(authority, to);
        if (at == authority) {
            return BAD_REQUEST;
        }
        if (at < to && Memory.getByte(at) != '/' && Memory.getByte(at) != '?') {
            return BAD_REQUEST;
        }
        request.target(from, at, to);
        return 0;
    }

    private static boolean startsWith(long from, long to, String lowerCase) {
        int length = lowerCase.length();
        return to - from >= length && Ascii.equalsIgnoreCase(from, from + length, lowerCase);
    }

    /** Any version, whole or not, valid or not. */
    private static long parseRareVersion(long from, long end, Request request) {
        String pattern = "HTTP/d.d\r\n";
        for (int i = 0; i < pattern.length(); i++) {
            if (from + i == end) {
                return NEED_MORE;
            }
            byte b = Memory.getByte(from + i);
            char expected = pattern.charAt(i);
            if (expected == 'd' ? !Ascii.isDigit(b) : b != expected) {
                return BAD_REQUEST;
            }
        }
        if (Memory.getByte(from + 5) != '1') {
            return VERSION_NOT_SUPPORTED;
        }
        if (request.method == null) {
            return NOT_IMPLEMENTED;
        }
        // A later 1.x is served as 1.1, the highest we know (RFC 9110, section 2.5).
        request.minorVersion = Memory.getByte(from + 7) == '0' ? 0 : 1;
        return from + pattern.length();
    }

    // ---- fields

    private long repeatOrParseFields(long from, long end, long words, Request request) {
        if (request.minorVersion == 0 || lastFields.rests()) {
            return parseFields(from, end, words, request);
        }
        long to = lastFields.match(from, end, request);
        if (to == 0) {
            to = parseFields(from, end, words, request);
            if (to > 0) {
                lastFields.remember(from, to, request);
            }
        }
        return to;
    }

    // What happens once a head stays out of the loop of parseLines, for the JIT would make all of
    // it one, and slower where it compiles before it has seen many heads.
    private static long parseFields(long from, long end, long words, Request request) {
        long line = parseUsualHost(from, end, words, request);
        if (line < words && Memory.getShort(line) == CRLF) {
            return endOfHead(line, end, request);
        }
        line = parseLines(line, end, words, request);
        return line > 0 ? endOfHead(line, end, request) : line;
    }

    /**
     * Usual lines: a name of letters and hyphens, a colon, one space, and visible ASCII without
     * white space at its end. Any other, and those whose last word cannot be read whole, are up to
     * {@link #parseRareLine}, from their start.
     *
     * @return where the first line begins that begins with CR, or {@link #NEED_MORE}, or a negated
     *     status
     */
    private static long parseLines(long from, long end, long words, Request request) {
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
                if (!request.addField(line, colon, colon + 2, lineEnd)) {
                    return FIELDS_TOO_LARGE;
                }
                if (mayFrame(prefix)) {
                    int refusal =
                            noteFraming(
                                    line, (int) (colon - line), colon + 2, lineEnd, words, request);
                    if (refusal < 0) {
                        return refusal;
                    }
                }
                line = lineEnd + 2;
            }

            if (line < end && Memory.getByte(line) == Ascii.CR) {
                return line;
            }
            line = parseRareLine(line, end, words, request);
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
    private static long parseUsualHost(long line, long end, long words, Request request) {
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
                || !request.addField(value - HOST_BYTES, value - 2, value, at)) {
            return line;
        }
        request.note(Request.HAS_HOST);
        return at + 2;
    }

    /** The empty line, or what begins like it. */
    private static long endOfHead(long line, long end, Request request) {
        if (end - line < 2) {
            return NEED_MORE;
        }
        if (Memory.getByte(line + 1) != Ascii.LF) {
            return BAD_REQUEST;
        }
        int refusal = checkFraming(request);
        return refusal < 0 ? refusal : line + 2;
    }

    /**
     * Any field line: whole or not, valid or not.
     *
     * @return where the next line begins, or {@link #NEED_MORE}, or a negated status
     */
    static long parseRareLine(long line, long end, long words, Request request) {
        long colon = line;
        while (colon < end && Ascii.isToken(Memory.getByte(colon))) {
            colon++;
        }
        if (colon == end) {
            return NEED_MORE;
        }
        // No white space before the colon (RFC 9112, section 5.1): intermediaries disagree about
        // what it would mean.
        if (colon == line || Memory.getByte(colon) != ':') {
            return BAD_REQUEST;
        }
        long lineEnd = endOfValue(colon + 1, end, words);
        if (lineEnd <= 0) {
            return lineEnd;
        }
        long value = skipBlanks(colon + 1, lineEnd);
        long valueEnd = trimBlanks(value, lineEnd);
        if (!request.addField(line, colon, value, valueEnd)) {
            return FIELDS_TOO_LARGE;
        }
        int refusal = noteFraming(line, (int) (colon - line), value, valueEnd, words, request);
        return refusal < 0 ? refusal : lineEnd + 2;
    }

    /**
     * Seeks the end of a value, in which HTAB and obs-text are allowed.
     *
     * @return where the line break begins, or {@link #NEED_MORE} or {@link #BAD_REQUEST}
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
                return NEED_MORE;
            }
            byte b = Memory.getByte(at);
            if (b == Ascii.CR) {
                if (end - at < 2) {
                    return NEED_MORE;
                }
                return Memory.getByte(at + 1) == Ascii.LF ? at : BAD_REQUEST;
            }
            if (b >= 0 && b != Ascii.HTAB) {
                return BAD_REQUEST;
            }
            at++;
        }
    }

    private static long skipBlanks(long from, long end) {
        long at = from;
        while (at < end && isBlank(Memory.getByte(at))) {
            at++;
        }
        return at;
    }

    private static long trimBlanks(long from, long end) {
        long at = end;
        while (at > from && isBlank(Memory.getByte(at - 1))) {
            at--;
        }
        return at;
    }

    private static boolean isBlank(byte b) {
        return b == Ascii.SP || b == Ascii.HTAB;
    }

    // ---- the fields that say where a message ends and whether another follows

    private static long bit(int letter) {
        return 1L << (Long.SIZE - 1 - letter % Long.SIZE);
    }

    /** Whether a name that begins with these letters, in lower case, may be among those. */
    static boolean mayFrame(int letters) {
        // A shift takes the lowest six bits: the bit of the first letter becomes the sign.
        return FRAMING_LETTERS << letters < 0;
    }

    /**
     * The usual values in this one method on purpose: so it is too large to be inlined (325 bytes
     * of code) into the loop of {@link #parseLines}, which has the same speed in each JVM then. A
     * browser's head took 164 ns or 197 otherwise, by how much the JIT had seen.
     */
    static int noteFraming(
            long name, int nameLength, long value, long valueEnd, long words, Request request) {
        switch (nameLength) {
            case 4:
                if ((Memory.getInt(name) | (int) Swar.CASE_BITS) == HOST) {
                    return noteHost(value, valueEnd, words, request);
                }
                return 0;
            case 6:
                // HTTP/1.0 knows no expectations (RFC 9110, section 10.1.1).
                if (request.minorVersion != 0
                        && Ascii.equalsIgnoreCase(name, name + nameLength, "expect")) {
                    if (!Ascii.equalsIgnoreCase(value, valueEnd, "100-continue")) {
                        return EXPECTATION_FAILED;
                    }
                    request.note(Request.EXPECTS_CONTINUE);
                }
                return 0;
            case 10:
                if ((Memory.getLong(name) | Swar.CASE_BITS) == CONNECTI
                        && (short) (Memory.getShort(name + 8) | (short) Swar.CASE_BITS) == ON) {
                    if (valueEnd - value == 10
                            && (Memory.getLong(value) | Swar.CASE_BITS) == KEEP_ALI
                            && (short) (Memory.getShort(value + 8) | (short) Swar.CASE_BITS)
                                    == VE) {
                        request.note(Request.KEEPS_ALIVE);
                    } else {
                        noteConnectionOptions(value, valueEnd, request);
                    }
                }
                return 0;
            case 14:
                if ((Memory.getLong(name) | Swar.CASE_BITS) == CONTENT_
                        && (Memory.getLong(name + 6) | Swar.CASE_BITS) == T_LENGTH) {
                    if (request.contentLength >= 0 || request.says(Request.CHUNKED)) {
                        return BAD_REQUEST;
                    }
                    // Digits, once: a list of equal numbers would be allowed, and is nobody's
                    // honest request.
                    request.contentLength = Ascii.parseUnsignedLong(value, valueEnd);
                    return request.contentLength < 0 ? BAD_REQUEST : 0;
                }
                return 0;
            case 17:
                if ((Memory.getLong(name) | Swar.CASE_BITS) == TRANSFER
                        && Memory.getByte(name + 8) == '-'
                        && (Memory.getLong(name + 9) | Swar.CASE_BITS) == ENCODING) {
                    return noteTransferEncoding(value, valueEnd, request);
                }
                return 0;
            default:
                return 0;
        }
    }

    /** Exactly one, and one that a URI could hold (RFC 9112, section 3.2). */
    private static int noteHost(long from, long to, long words, Request request) {
        if (request.says(Request.HAS_HOST)) {
            return BAD_REQUEST;
        }
        request.note(Request.HAS_HOST);
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
        return at >= to || Authority.end(from, to) == to ? 0 : BAD_REQUEST;
    }

    private static void noteConnectionOptions(long from, long to, Request request) {
        long at = from;
        while (at < to) {
            long comma = at;
            while (comma < to && Memory.getByte(comma) != ',') {
                comma++;
            }
            long start = skipBlanks(at, comma);
            long option = trimBlanks(start, comma);
            if (Ascii.equalsIgnoreCase(start, option, "close")) {
                request.note(Request.CLOSES);
            } else if (Ascii.equalsIgnoreCase(start, option, "keep-alive")) {
                request.note(Request.KEEPS_ALIVE);
            }
            at = comma + 1;
        }
    }

    /** "chunked", once, alone, in HTTP/1.1 (RFC 9112, sections 6.1 and 7). */
    private static int noteTransferEncoding(long from, long to, Request request) {
        if (request.says(Request.CHUNKED)
                || request.contentLength >= 0
                || request.minorVersion == 0) {
            return BAD_REQUEST;
        }
        if (Ascii.equalsIgnoreCase(from, to, "chunked")) {
            request.note(Request.CHUNKED);
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
                        && Ascii.equalsIgnoreCase(skipBlanks(last, to), to, "chunked")
                        && areCodings(from, last)
                        && !containsChunked(from, last);
        return framed ? NOT_IMPLEMENTED : BAD_REQUEST;
    }

    /**
     * Whether each element of the list, all of which end with a comma, is a coding: a token,
     * perhaps with parameters. An empty one is none, though in other lists it says nothing (RFC
     * 9110, section 5.6.1.2): who frames a message must not count on others to skip it.
     */
    private static boolean areCodings(long from, long to) {
        long at = from;
        while (at < to) {
            long name = skipBlanks(at, to);
            long end = name;
            while (Ascii.isToken(Memory.getByte(end))) {
                end++;
            }
            long next = skipBlanks(end, to);
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

    private static int checkFraming(Request request) {
        return request.minorVersion == 1 && !request.says(Request.HAS_HOST) ? BAD_REQUEST : 0;
    }
}
