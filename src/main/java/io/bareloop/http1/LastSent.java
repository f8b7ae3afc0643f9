package io.bareloop.http1;

import io.bareloop.wire.Memory;
import io.bareloop.wire.OutputBuffer;
import io.bareloop.wire.PreparedBlock;
import java.lang.foreign.Arena;

/**
 * The {@link PreparedBlock} that was sent last, complete with Server and Date, so that sending it
 * again in the same second is one copy. Kept from the second time in a row on: a loop that answers
 * now with one and now with another does not pay for it.
 */
final class LastSent {
    /** Larger ones are sent from where they are: their size is what they cost. */
    static final int BYTES_MAX = 4096;

    private final long image;
    private PreparedBlock sent;
    private long second;

    /** Bytes of the image; 0 where there is none. */
    private int length;

    LastSent(Arena arena) {
        image = arena.allocate(BYTES_MAX, Long.BYTES).address();
    }

    /** Puts {@code prepared}, which is not to be changed in any way, if that is here. */
    boolean put(PreparedBlock prepared, long now, OutputBuffer out) {
        if (prepared != sent || now != second || length == 0) {
            return false;
        }
        Memory.copy(image, out.reserve(length), length);
        return true;
    }

    /** Notes that {@code prepared} has been put as the last {@code bytes} of {@code out}. */
    void note(PreparedBlock prepared, long now, OutputBuffer out, int bytes) {
        length = 0;
        if (prepared == sent && bytes <= BYTES_MAX) {
            Memory.copy(out.end() - bytes, image, bytes);
            length = bytes;
        }
        sent = prepared;
        second = now;
    }
}
