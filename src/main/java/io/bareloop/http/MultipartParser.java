package io.bareloop.http;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.bareloop.wire.Ascii;
import java.lang.foreign.MemorySegment;

/**
 * Takes a body of multipart/form-data apart (RFC 7578; RFC 2046, section 5.1), however it is cut
 * into pieces. It is given a piece, asked for events until it wants the next, and copies nothing
 * but heads: data is where it was received, or, where a delimiter began in one piece and was none
 * in the next, in the delimiter itself.
 *
 * <pre>
 *   PREAMBLE --delimiter--> DELIMITED --blanks, CRLF--> HEAD --empty line--> BODY
 *                            |     ^                                          |
 *                            |     +----------------delimiter-----------------+
 *                            |
 *                            +--two hyphens--> CLOSED --blanks, CRLF--> EPILOGUE
 * </pre>
 *
 * <p>Neither preamble nor body needs a line break ahead of a delimiter that is their first byte.
 */
final class MultipartParser {
    enum Event {
        /** All input is consumed. */
        INPUT,
        /** A part begins: {@link #part}. */
        PART,
        /** Content of the part: {@link #data}, at least one byte. */
        DATA,
        /** The part is complete. */
        PART_END
    }

    private enum State {
        PREAMBLE,
        DELIMITED,
        HYPHEN,
        PADDING,
        LINE_END,
        HEAD,
        BODY,
        CLOSED,
        CLOSED_LINE_END,
        EPILOGUE
    }

    /** What means nothing, in one body: preamble, epilogue, blanks behind delimiters. */
    static final int IDLE_BYTES_MAX = 16 << 10;

    private static final MemorySegment NOTHING = MemorySegment.ofArray(new byte[0]);

    private final Boundary boundary;
    private final PartHead head;
    private final MultipartBudget budget;
    private State state = State.PREAMBLE;

    private MemorySegment in = NOTHING;
    private int at;
    private int to;

    /** Bytes of a delimiter that have come, and from which on they are data if it is none. */
    private int matched = Boundary.LINE_BREAK_BYTES;

    private int heldFrom = Boundary.LINE_BREAK_BYTES;

    private Part part;
    private MemorySegment data = NOTHING;
    private int dataStart;
    private int dataLength;

    MultipartParser(Boundary boundary, MultipartLimits limits) {
        this.boundary = boundary;
        head = new PartHead(limits.headBytesMax());
        budget = new MultipartBudget(limits);
    }

    /** Goes on with [from, end) of {@code newIn}; all input before has been consumed. */
    void input(MemorySegment newIn, int from, int end) {
        in = newIn;
        at = from;
        // What is in front of the limit comes to pass, however the body is cut.
        to = from + budget.grant(end - from);
    }

    /**
     * Goes on to what comes next.
     *
     * @throws HttpException with 400 where the body is malformed, with 413 where it is too large;
     *     then this is of no more use
     */
    Event next() {
        Event event = null;
        while (event == null) {
            event =
                    switch (state) {
                        case BODY -> body();
                        case HEAD -> head();
                        case PREAMBLE -> preamble();
                        case EPILOGUE -> epilogue();
                        default -> line();
                    };
        }
        return event;
    }

    /**
     * The body is at its end.
     *
     * @throws HttpException with 400 unless it is complete
     */
    void endOfInput() {
        if (state != State.CLOSED && state != State.EPILOGUE) {
            throw malformed("the body ends without a closing delimiter");
        }
    }

    /** The part that began last. */
    Part part() {
        return part;
    }

    /** Where the bytes of {@link Event#DATA} are, until the next event. */
    MemorySegment data() {
        return data;
    }

    int dataStart() {
        return dataStart;
    }

    int dataLength() {
        return dataLength;
    }

    // ---- between delimiters

    private Event preamble() {
        Event event = content();
        if (event == Event.DATA) {
            budget.idle(dataLength);
            return null;
        }
        if (event == Event.PART_END) {
            state = State.DELIMITED;
            return null;
        }
        return event;
    }

    private Event body() {
        Event event = content();
        if (event == Event.DATA) {
            budget.spend(dataLength);
        } else if (event == Event.PART_END) {
            state = State.DELIMITED;
        }
        return event;
    }

    private Event content() {
        if (matched > 0) {
            return resume();
        }
        return scan();
    }

    /** A delimiter has begun: is it one? */
    private Event resume() {
        int length = boundary.length();
        while (at < to && matched < length && in.get(JAVA_BYTE, at) == boundary.at(matched)) {
            at++;
            matched++;
        }
        if (matched == length) {
            matched = 0;
            return Event.PART_END;
        }
        if (at == to) {
            return inputEnded();
        }
        int held = matched - heldFrom;
        matched = 0;
        if (held == 0) {
            return scan();
        }
        return data(boundary.segment(), heldFrom, held);
    }

    /** Looks for a delimiter, or what may become one at the end of the input. */
    private Event scan() {
        int from = at;
        int found = from;
        int same = 0;
        do {
            found = Boundary.find(in, found + same, to);
            same = boundary.match(in, found, to);
        } while (found + same < to && same < boundary.length());

        at = found + same;
        matched = same;
        heldFrom = 0;
        return found > from ? data(in, from, found - from) : resume();
    }

    private Event data(MemorySegment segment, int start, int length) {
        data = segment;
        dataStart = start;
        dataLength = length;
        return Event.DATA;
    }

    private Event epilogue() {
        budget.idle(to - at);
        at = to;
        return inputEnded();
    }

    // ---- behind a delimiter, and heads

    /** The rest of the line of a delimiter. */
    private Event line() {
        if (at == to) {
            return inputEnded();
        }
        byte b = in.get(JAVA_BYTE, at);
        at++;
        state =
                switch (state) {
                    case DELIMITED -> b == '-' ? State.HYPHEN : padding(b, State.PADDING);
                    case PADDING -> padding(b, State.PADDING);
                    case CLOSED -> padding(b, State.CLOSED);
                    case HYPHEN -> closing(b);
                    default -> lineEnd(b);
                };
        return null;
    }

    private static State closing(byte b) {
        if (b != '-') {
            throw malformed("a delimiter is followed by CRLF or two hyphens");
        }
        return State.CLOSED;
    }

    private State padding(byte b, State here) {
        if (b == Ascii.SP || b == Ascii.HTAB) {
            budget.idle(1);
            return here;
        }
        if (b == Ascii.LF) {
            throw malformed("the line of a delimiter ends in LF alone; send CRLF");
        }
        if (b != Ascii.CR) {
            throw malformed("a delimiter is followed by CRLF or two hyphens");
        }
        return here == State.CLOSED ? State.CLOSED_LINE_END : State.LINE_END;
    }

    private State lineEnd(byte b) {
        if (b != Ascii.LF) {
            throw malformed("the line of a delimiter has CR without LF");
        }
        if (state == State.CLOSED_LINE_END) {
            return State.EPILOGUE;
        }
        budget.beginPart();
        head.begin();
        return State.HEAD;
    }

    private Event head() {
        at = head.take(in, at, to);
        if (!head.isComplete()) {
            return inputEnded();
        }
        part = head.part();
        budget.beginBody(part);
        matched = Boundary.LINE_BREAK_BYTES;
        heldFrom = Boundary.LINE_BREAK_BYTES;
        state = State.BODY;
        return Event.PART;
    }

    private Event inputEnded() {
        budget.checkGranted();
        return Event.INPUT;
    }

    private static HttpException malformed(String how) {
        return new HttpException(Status.BAD_REQUEST, "malformed multipart/form-data: " + how);
    }
}
