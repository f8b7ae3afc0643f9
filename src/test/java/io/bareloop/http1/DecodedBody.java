package io.bareloop.http1;

import io.bareloop.rig.Bytes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * What becomes of the bytes of a body.
 *
 * @param end how it ended
 * @param at the index behind the last byte looked at: the body's end, or the byte that is wrong
 * @param body the bytes decoded, one character each
 */
record DecodedBody(End end, int at, String body) {
    enum End {
        DONE,
        NEED_MORE,
        MALFORMED
    }

    /**
     * Feeds {@code input} to {@code decoder} in pieces that end at each of {@code ends}, the last
     * of which is its length. Each piece lies in memory of its own, of just that size.
     */
    static DecodedBody decode(BodyDecoder decoder, String input, int... ends) {
        StringBuilder body = new StringBuilder();
        byte[] bytes = Bytes.of(input);
        int at = 0;
        int start = 0;
        try (Arena arena = Arena.ofConfined()) {
            for (int end : ends) {
                // A little ahead of it, so that no index of it is the same as in the input.
                int shift = 3 - start;
                MemorySegment in = arena.allocate(end - start + 3L);
                MemorySegment.copy(MemorySegment.ofArray(bytes), start, in, 3, end - start);
                while (at < end && !decoder.isDone() && !decoder.isMalformed()) {
                    int next = decoder.decode(in, at + shift, end + shift) - shift;
                    if (next <= at || next > end) {
                        throw new AssertionError("from " + at + " to " + end + ": " + next);
                    }
                    if (decoder.pieceStart() < at + shift || decoder.pieceEnd() > next + shift) {
                        throw new AssertionError("a piece outside of what was decoded");
                    }
                    for (int i = decoder.pieceStart(); i < decoder.pieceEnd(); i++) {
                        body.append((char) (bytes[i - shift] & 0xFF));
                    }
                    at = next;
                }
                start = end;
            }
        }
        End state =
                decoder.isDone() ? End.DONE : decoder.isMalformed() ? End.MALFORMED : End.NEED_MORE;
        return new DecodedBody(state, at, body.toString());
    }

    /** The same for a chunked body, from the start. */
    static DecodedBody chunked(String input, int... ends) {
        BodyDecoder decoder = new BodyDecoder();
        decoder.startChunked();
        return decode(decoder, input, ends);
    }

    @Override
    public String toString() {
        return end + " at " + at + ", \"" + Bytes.escape(body) + "\"";
    }
}
