package io.bareloop.http;

import java.lang.foreign.MemorySegment;

/**
 * The head that a {@link Request} was parsed from last: where the same bytes come again, the
 * request has everything that parsing them would find, and where a {@link Router} led it. Load
 * balancers that check, clients that poll, and benchmarks send one head all the time.
 */
final class LastHead {
    private final LastBytes head = new LastBytes();

    /** Whom it was parsed into; another request may be from a head that was here before. */
    private Request owner;

    /** See {@link LastBytes#rests}. */
    boolean rests() {
        return head.rests();
    }

    /**
     * Whether the head from {@code start} on, at index {@code from} of {@code in}, is the one that
     * {@code request} has been parsed from; then it is at its new place.
     *
     * @return the length of the head, or 0
     */
    int match(long start, long end, MemorySegment in, int from, Request request) {
        int bytes = head.length();
        if (request != owner
                || request.head() != this
                || bytes == 0
                || bytes > end - start
                || !head.match(start)) {
            return 0;
        }
        request.repeat(in, from, start);
        return bytes;
    }

    /** Remembers [from, to), which {@code request} has just been parsed from. */
    void remember(long from, long to, Request request) {
        if (head.remember(from, to)) {
            owner = request;
            request.parsedFrom(this);
        } else {
            request.parsedFrom(null);
        }
    }
}
