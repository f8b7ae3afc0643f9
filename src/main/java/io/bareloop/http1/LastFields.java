package io.bareloop.http1;

import io.bareloop.wire.Head;
import io.bareloop.wire.Memory;
import io.bareloop.wire.Swar;

/**
 * The fields of the last head, and what was found in them. Clients send the same fields again and
 * again on one connection, and many clients of one kind send the same ones: then comparing the
 * bytes tells all that parsing them would.
 *
 * <p>What is found in fields depends on nothing but their bytes and the version, so that a match is
 * as strict as the parser.
 */
final class LastFields {
    private static final int END = (int) Swar.ascii("\r\n\r\n");

    private final LastBytes block = new LastBytes();

    private final Head.Found found = new Head.Found();

    /** See {@link LastBytes#rests}. */
    boolean rests() {
        return block.rests();
    }

    /**
     * Whether the fields from {@code from} on, of a request in HTTP/1.1, are the last ones; then
     * {@code head} has them.
     *
     * @return the index behind the empty line, or 0
     */
    long match(long from, long end, Head head) {
        int bytes = block.length();
        if (bytes > end - from || bytes == 0 || Memory.getInt(from + bytes - 4) != END) {
            return 0;
        }
        return block.match(from) && head.takeFields(found, from) ? from + bytes : 0;
    }

    /** Remembers what was found in [from, to), of a request in HTTP/1.1. */
    void remember(long from, long to, Head head) {
        if (block.remember(from, to)) {
            head.leaveFields(found, from);
        }
    }
}
