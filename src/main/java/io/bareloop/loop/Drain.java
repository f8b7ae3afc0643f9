package io.bareloop.loop;

/** The end of a loop that takes its time: until no connection is open, or until a time. */
final class Drain {
    private final Loop loop;
    private boolean begun;
    private boolean ended;
    private long untilNanos;

    Drain(Loop loop) {
        this.loop = loop;
    }

    /** Whether all connections, also those that are still accepted, are to end. */
    boolean hasBegun() {
        return begun;
    }

    boolean hasEnded() {
        return ended;
    }

    /** When it ends, whatever is in flight. */
    long untilNanos() {
        return untilNanos;
    }

    /** Takes the connections that wait, then no more, and tells all of them. */
    void begin(long nanos) {
        begun = true;
        loop.acceptor.drain();
        untilNanos = loop.now() + nanos;
        loop.slots.drainAll();
    }

    /** A turn of the loop ends. */
    void endTurn() {
        if (begun) {
            ended = loop.openConnections() == 0 || loop.now() - untilNanos >= 0;
        }
    }
}
