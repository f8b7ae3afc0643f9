package io.bareloop.http1;

import io.bareloop.wire.Head;

/** Whether a connection outlives the response at hand (RFC 9112, section 9.3). */
final class Persistence {
    /** What follows the response at hand; decided anew with each request. */
    private enum Next {
        ANOTHER,
        /** Nothing: the client has said that this request is its last. */
        LAST_OF_CLIENT,
        /** Nothing, by our own decision. */
        LAST_OF_OURS
    }

    private final long requestsMax;
    private Next next = Next.ANOTHER;
    private long requests;

    Persistence(long requestsMax) {
        this.requestsMax = requestsMax;
    }

    /** A connection begins. */
    void open() {
        requests = 0;
    }

    /** A request begins; {@code ending} where the server drains. */
    void begin(Head head, boolean ending) {
        requests++;
        if (head.says(Head.CLOSES) || (head.minorVersion == 0 && !head.says(Head.KEEPS_ALIVE))) {
            next = Next.LAST_OF_CLIENT;
        } else if (ending || requests >= requestsMax) {
            next = Next.LAST_OF_OURS;
        } else {
            next = Next.ANOTHER;
        }
    }

    /** The connection cannot go on. */
    void end() {
        if (next == Next.ANOTHER) {
            next = Next.LAST_OF_OURS;
        }
    }

    boolean goesOn() {
        return next == Next.ANOTHER;
    }

    /** Whether the client expects no further response, and so sends no further request. */
    boolean isLastOfClient() {
        return next == Next.LAST_OF_CLIENT;
    }

    boolean hasHadRequests() {
        return requests > 0;
    }
}
