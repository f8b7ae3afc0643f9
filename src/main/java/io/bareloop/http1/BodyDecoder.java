package io.bareloop.http1;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.bareloop.wire.Ascii;
import java.lang.foreign.MemorySegment;

/**
 * Takes the framing off a request body: Content-Length, or the chunked coding of RFC 9112, section
 * 7.1. Keeps its place between calls, so that it can be fed in any pieces; stores no bytes.
 *
 * <p>Strict: CRLF only, no white space around sizes, extensions and trailers well-formed, bounded,
 * and otherwise ignored.
 */
final class BodyDecoder {
    /** Bytes of all chunk extensions of one body together, without the line breaks. */
    static final int EXTENSION_BYTES_MAX = 4 << 10;

    /** Bytes of all trailer fields together, without the line breaks. */
    static final int TRAILER_BYTES_MAX = 8 << 10;

    /** 15 hexadecimal digits cannot overflow a long. */
    private static final int SIZE_DIGITS_MAX = 15;

    private static final int DONE = 0;
    private static final int LENGTH = 1;
    private static final int SIZE = 2;
    private static final int EXTENSION = 3;
    private static final int QUOTED = 4;
    private static final int QUOTED_PAIR = 5;
    private static final int SIZE_LF = 6;
    private static final int DATA = 7;
    private static final int DATA_CR = 8;
    private static final int DATA_LF = 9;
    private static final int TRAILER_START = 10;
    private static final int TRAILER_NAME = 11;
    private static final int TRAILER_VALUE = 12;
    private static final int TRAILER_LF = 13;
    private static final int END_LF = 14;
    private static final int MALFORMED = 15;
    private static final int EXTENSION_NAME = 16;
    private static final int EXTENSION_NAME_BLANKS = 17;
    private static final int EXTENSION_VALUE = 18;
    private static final int EXTENSION_TOKEN = 19;
    private static final int EXTENSION_END = 20;
    private static final int EXTENSION_END_BLANKS = 21;

    private int state;
    private long left;
    private int digits;
    private int extensionBytes;
    private int trailerBytes;
    private int pieceStart;
    private int pieceEnd;

    void startLength(long length) {
        left = length;
        state = length == 0 ? DONE : LENGTH;
    }

    void startChunked() {
        state = SIZE;
        left = 0;
        digits = 0;
        extensionBytes = 0;
        trailerBytes = 0;
    }

    /** The whole body has been seen. */
    boolean isDone() {
        return state == DONE;
    }

    /** What has been seen cannot be the beginning of a body; there is no way on. */
    boolean isMalformed() {
        return state == MALFORMED;
    }

    /** Bytes of the body that are known to come still: of Content-Length, or of this chunk. */
    long left() {
        return left;
    }

    /** Where the piece of body found by the last {@link #decode} starts. */
    int pieceStart() {
        return pieceStart;
    }

    /** Where that piece ends; equal to the start where none was found. */
    int pieceEnd() {
        return pieceEnd;
    }

    /**
     * Goes on through [from, to), until it has found a piece of the body, the end of the body, an
     * error, or {@code to}.
     *
     * @return the index behind what was decoded; what follows the body is left alone
     */
    int decode(MemorySegment in, int from, int to) {
        pieceStart = from;
        pieceEnd = from;
        int at = from;
        while (at < to && state != DONE && state != MALFORMED) {
            if (state == LENGTH || state == DATA) {
                pieceStart = at;
                pieceEnd = at + (int) Math.min(left, to - at);
                left -= pieceEnd - pieceStart;
                if (left == 0) {
                    state = state == LENGTH ? DONE : DATA_CR;
                }
                return pieceEnd;
            }
            step(in.get(JAVA_BYTE, at));
            at++;
        }
        return at;
    }

    private void step(byte b) {
        switch (state) {
            case SIZE -> size(b);
            case EXTENSION,
                    EXTENSION_NAME,
                    EXTENSION_NAME_BLANKS,
                    EXTENSION_VALUE,
                    EXTENSION_TOKEN,
                    EXTENSION_END,
                    EXTENSION_END_BLANKS,
                    QUOTED,
                    QUOTED_PAIR ->
                    extension(b);
            case SIZE_LF -> state = b != Ascii.LF ? MALFORMED : left > 0 ? DATA : TRAILER_START;
            case DATA_CR -> state = b == Ascii.CR ? DATA_LF : MALFORMED;
            case DATA_LF -> {
                state = b == Ascii.LF ? SIZE : MALFORMED;
                digits = 0;
            }
            case TRAILER_START -> {
                if (b == Ascii.CR) {
                    state = END_LF;
                } else {
                    state = TRAILER_NAME;
                    digits = 0;
                    trailerName(b);
                }
            }
            case TRAILER_NAME -> trailerName(b);
            case TRAILER_VALUE -> trailerValue(b);
            case TRAILER_LF -> state = b == Ascii.LF ? TRAILER_START : MALFORMED;
            case END_LF -> state = b == Ascii.LF ? DONE : MALFORMED;
            default -> throw new AssertionError("state " + state);
        }
    }

    private void size(byte b) {
        int digit = Character.digit(b, 16);
        if (digit >= 0 && b > 0) {
            left = left << 4 | digit;
            digits++;
            if (digits > SIZE_DIGITS_MAX) {
                state = MALFORMED;
            }
        } else if (digits > 0 && b == ';') {
            state = EXTENSION_END;
            extension(b);
        } else {
            state = digits > 0 && b == Ascii.CR ? SIZE_LF : MALFORMED;
        }
    }

    /** chunk-ext of RFC 9112, section 7.1.1; blanks may stand behind its first semicolon only. */
    private void extension(byte b) {
        if (b == Ascii.CR) {
            state = mayEndLine() ? SIZE_LF : MALFORMED;
            return;
        }
        extensionBytes++;
        state = extensionBytes > EXTENSION_BYTES_MAX ? MALFORMED : afterExtensionByte(b);
    }

    private boolean mayEndLine() {
        return state == EXTENSION_NAME || state == EXTENSION_TOKEN || state == EXTENSION_END;
    }

    private int afterExtensionByte(byte b) {
        boolean blank = b == Ascii.SP || b == Ascii.HTAB;
        boolean token = Ascii.isToken(b);
        return switch (state) {
            case EXTENSION -> token ? EXTENSION_NAME : blank ? EXTENSION : MALFORMED;
            case EXTENSION_NAME, EXTENSION_NAME_BLANKS -> {
                if (b == '=' || b == ';') {
                    yield b == '=' ? EXTENSION_VALUE : EXTENSION;
                }
                yield blank
                        ? EXTENSION_NAME_BLANKS
                        : token && state == EXTENSION_NAME ? EXTENSION_NAME : MALFORMED;
            }
            case EXTENSION_VALUE -> {
                if (b == '"') {
                    yield QUOTED;
                }
                yield token ? EXTENSION_TOKEN : blank ? EXTENSION_VALUE : MALFORMED;
            }
            case QUOTED -> {
                if (b == '"' || b == '\\') {
                    yield b == '"' ? EXTENSION_END : QUOTED_PAIR;
                }
                yield isText(b) ? QUOTED : MALFORMED;
            }
            case QUOTED_PAIR -> isText(b) ? QUOTED : MALFORMED;
            default -> {
                if (b == ';' || blank) {
                    yield b == ';' ? EXTENSION : EXTENSION_END_BLANKS;
                }
                yield token && state == EXTENSION_TOKEN ? EXTENSION_TOKEN : MALFORMED;
            }
        };
    }

    private void trailerName(byte b) {
        countTrailerByte();
        if (state == MALFORMED) {
            return;
        }
        if (Ascii.isToken(b)) {
            digits++;
        } else {
            state = b == ':' && digits > 0 ? TRAILER_VALUE : MALFORMED;
        }
    }

    private void trailerValue(byte b) {
        if (b == Ascii.CR) {
            state = TRAILER_LF;
            return;
        }
        countTrailerByte();
        if (!isText(b)) {
            state = MALFORMED;
        }
    }

    private void countTrailerByte() {
        trailerBytes++;
        if (trailerBytes > TRAILER_BYTES_MAX) {
            state = MALFORMED;
        }
    }

    /** What may stand in a field value: anything but control characters; HTAB may. */
    private static boolean isText(byte b) {
        return (b >= ' ' && b != 0x7F) || b == Ascii.HTAB || b < 0;
    }
}
