package io.bareloop.loop;

/**
 * How many bytes of a large body, a file or memory, one connection of a loop may send in a turn
 * before the others have theirs. A loop has one of these.
 *
 * <p>Large slices cost less CPU time for each byte. In small ones the others wait less: 128 KiB are
 * about 20 us of work where the peer is on this machine. So slices are large while the loop sends
 * nothing but large bodies, and small while it has answered anything else lately; and the bodies
 * under way share what a turn has of them.
 */
final class BodySlices {
    /** Where nobody else waits: of one body, and, about, of all in a turn. */
    static final int ALONE_BYTES_MAX = 2 << 20;

    static final int ALONE_BYTES_PER_TURN = 16 << 20;

    /** Of one body then, however many there are. */
    static final int ALONE_BYTES_MIN = 256 << 10;

    /** Where others wait: of one body, and, about, of all in a turn. */
    static final int SHARED_BYTES_PER_TURN = 128 << 10;

    /** Of one body then: less would be all overhead. */
    static final int SHARED_BYTES_MIN = 64 << 10;

    /** For so long after an answer more of the kind are expected. */
    static final long OTHERS_NANOS = 100_000_000L;

    private boolean othersServed;
    private long othersNanos;

    private long turn = -1;
    private int bodies;
    private int bodiesBefore;

    /** Something was sent in this turn that is no large body. */
    void servedOthers(long nowNanos) {
        othersServed = true;
        othersNanos = nowNanos;
    }

    /** What the next body may have sent in {@code nowTurn}; asked once for each. */
    int next(long nowTurn, long nowNanos) {
        if (turn != nowTurn) {
            turn = nowTurn;
            bodiesBefore = bodies;
            bodies = 0;
        }
        bodies++;
        int sharers = Math.max(bodies, bodiesBefore);
        if (!othersServed || nowNanos - othersNanos > OTHERS_NANOS) {
            othersServed = false;
            int share = Math.min(ALONE_BYTES_PER_TURN / sharers, ALONE_BYTES_MAX);
            return Math.max(share, ALONE_BYTES_MIN);
        }
        return Math.max(SHARED_BYTES_PER_TURN / sharers, SHARED_BYTES_MIN);
    }
}
