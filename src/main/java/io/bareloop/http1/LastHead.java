package io.bareloop.http1;

import io.bareloop.wire.Head;
import java.lang.foreign.MemorySegment;

/**
 * The bytes that a {@link Head} was parsed from last: where the same come again, it has everything
 * that parsing them would find, and where a router led it. Load balancers that check, clients that
 * poll, and benchmarks send one head all the time.
 */
final class LastHead {
    private final LastBytes last = new LastBytes();

    /** What was parsed from them; another head may be from bytes that were here before. */
    private Head owner;

    /** See {@link LastBytes#rests}. */
    boolean rests() {
        return last.rests();
    }

    /**
     * Whether the bytes from {@code start} on, at index {@code from} of {@code in}, are those that
     * {@code head} has been parsed from; then it is at its new place.
     *
     * @return how many they are, or 0
     */
    int match(long start, long end, MemorySegment in, int from, Head head) {
        int bytes = last.length();
        if (head != owner
                || head.origin() != this
                || bytes == 0
                || bytes > end - start
                || !last.match(start)) {
            return 0;
        }
        head.repeat(in, from, start);
        return bytes;
    }

    /** Remembers [from, to), which {@code head} has just been parsed from. */
    void remember(long from, long to, Head head) {
        if (last.remember(from, to)) {
            owner = head;
            head.parsedFrom(this);
        } else {
            head.parsedFrom(null);
        }
    }
}
