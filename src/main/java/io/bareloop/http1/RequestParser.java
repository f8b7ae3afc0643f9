package io.bareloop.http1;

import io.bareloop.http.Limits;
import io.bareloop.wire.Ascii;
import io.bareloop.wire.Head;
import io.bareloop.wire.Memory;
import io.bareloop.wire.Swar;
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

    /** The method is none that is known, or a transfer coding is not known. */
    public static final int NOT_IMPLEMENTED = -501;

    /** The version is another than HTTP/1.0 and 1.1. */
    public static final int VERSION_NOT_SUPPORTED = -505;

    /** Longer method names than any registered one are refused before they have ended. */
    private static final int METHOD_BYTES_MAX = 32;

    private static final int GET_ = (int) Swar.ascii("GET ");
    private static final long SP_HTTP_1_ = Swar.ascii(" HTTP/1.");
    private static final int DOT_1_CRLF = (int) Swar.ascii(".1\r\n");
    private static final int VERSION_BYTES = 8;

    private final int targetBytesMax;
    private final int headBytesMax;
    private final LastHead lastHead = new LastHead();
    private final LastFields lastFields = new LastFields();

    /**
     * Creates a parser that enforces {@code limits}; the number of fields is up to the head.
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
     * @param head is filled where the head is whole and valid; otherwise it says nothing
     * @return the index behind the head's empty line, greater than {@code from}; or {@link
     *     #NEED_MORE}; or a negated status, the response that the request is refused with
     * @throws IndexOutOfBoundsException where [from, to) is not within {@code in}
     * @throws IllegalArgumentException where {@code in} is not native memory
     */
    public int parse(MemorySegment in, int from, int to, Head head) {
        long start = Memory.address(in, from, to);
        long end = start + Math.min(to - from, headBytesMax);
        if (lastHead.rests()) {
            return parseNew(start, end, in, from, to, head, false);
        }
        int repeated = lastHead.match(start, end, in, from, head);
        if (repeated > 0) {
            return from + repeated;
        }
        return parseNew(start, end, in, from, to, head, true);
    }

    private int parseNew(
            long start, long end, MemorySegment in, int from, int to, Head head, boolean remember) {
        // Words may be read up to here: beyond the end, but not beyond the segment.
        long words = Math.min(end, start + (in.byteSize() - from) - (Long.BYTES - 1));
        long at = start;
        head.clear();
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
        head.start(in, from + (int) (at - start));
        long result = parseRequestLine(at, end, words, head);
        if (result > 0) {
            result = repeatOrParseFields(result, end, words, head);
        }
        if (result > 0) {
            if (remember && at == start) {
                lastHead.remember(start, result, head);
            }
            return from + (int) (result - start);
        }
        return result != NEED_MORE || to - from < headBytesMax ? (int) result : FIELDS_TOO_LARGE;
    }

    // ---- request line

    private long parseRequestLine(long from, long end, long words, Head head) {
        long target;
        if (end - from >= Integer.BYTES && Memory.getInt(from) == GET_) {
            head.method = Head.GET;
            target = from + 4;
        } else {
            target = parseRareMethod(from, end, head);
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
                && head.method != Head.NO_METHOD) {
            head.minorVersion = 1;
            head.target(target, target, targetEnd);
            return targetEnd + VERSION_BYTES + 3;
        }
        return parseRareTarget(target, targetEnd, end, head);
    }

    /** Any request line that is not a path and HTTP/1.1, is not whole, or not valid. */
    private static long parseRareTarget(long target, long targetEnd, long end, Head head) {
        if (targetEnd == end) {
            return NEED_MORE;
        }
        if (Memory.getByte(targetEnd) != Ascii.SP || targetEnd == target) {
            return BAD_REQUEST;
        }
        int refusal = acceptTarget(target, targetEnd, head);
        if (refusal < 0) {
            return refusal;
        }
        return parseRareVersion(targetEnd + 1, end, head);
    }

    private static long parseRareMethod(long from, long end, Head head) {
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
        head.method = knownMethod(from, at);
        return at + 1;
    }

    /** The method in [from, to); an unknown one gets 501 once the request line is known valid. */
    private static int knownMethod(long from, long to) {
        // Word compares: names have 3 to 7 letters, and case matters (RFC 9110, section 9.1).
        long word = Swar.word(from, to);
        if (to - from > 7) {
            return Head.NO_METHOD;
        }
        if (word == Words.GET) {
            return Head.GET;
        } else if (word == Words.HEAD) {
            return Head.HEAD;
        } else if (word == Words.POST) {
            return Head.POST;
        } else if (word == Words.PUT) {
            return Head.PUT;
        } else if (word == Words.DELETE) {
            return Head.DELETE;
        } else if (word == Words.OPTIONS) {
            return Head.OPTIONS;
        } else if (word == Words.PATCH) {
            return Head.PATCH;
        } else if (word == Words.TRACE) {
            return Head.TRACE;
        }
        return Head.NO_METHOD;
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
    private static int acceptTarget(long from, long to, Head head) {
        byte first = Memory.getByte(from);
        if (first == '/') {
            head.target(from, from, to);
        } else if (first == '*' && to - from == 1 && head.method == Head.OPTIONS) {
            head.target(from, from, to);
        } else if (head.method == Head.NO_METHOD) {
            // CONNECT has a target of its own form; 501 comes with the version.
            head.target(from, from, to);
        } else {
            return acceptAbsoluteForm(from, to, head);
        }
        return 0;
    }

    /** {@code http://host[:port][/path][?query]}, which every server has to understand. */
    private static int acceptAbsoluteForm(long from, long to, Head head) {
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
        head.target(from, at, to);
        return 0;
    }

    private static boolean startsWith(long from, long to, String lowerCase) {
        int length = lowerCase.length();
        return to - from >= length && Ascii.equalsIgnoreCase(from, from + length, lowerCase);
    }

    /** Any version, whole or not, valid or not. */
    private static long parseRareVersion(long from, long end, Head head) {
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
        if (head.method == Head.NO_METHOD) {
            return NOT_IMPLEMENTED;
        }
        // A later 1.x is served as 1.1, the highest we know (RFC 9110, section 2.5).
        head.minorVersion = Memory.getByte(from + 7) == '0' ? 0 : 1;
        return from + pattern.length();
    }

    // ---- fields

    private long repeatOrParseFields(long from, long end, long words, Head head) {
        if (head.minorVersion == 0 || lastFields.rests()) {
            return WordLines.parse(from, end, words, head);
        }
        long to = lastFields.match(from, end, head);
        if (to == 0) {
            to = WordLines.parse(from, end, words, head);
            if (to > 0) {
                lastFields.remember(from, to, head);
            }
        }
        return to;
    }
}
