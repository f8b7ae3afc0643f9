package io.bareloop.wire;

/** Calls on a response in another order than they may come: what is wrong, and what to do. */
final class OutOfOrder {
    private OutOfOrder() {}

    /** For what comes first: {@code status()}, and responses that are whole by themselves. */
    static IllegalStateException notFirst(Writer.State state) {
        if (state == Writer.State.DONE) {
            return ended();
        }
        return new IllegalStateException(
                "the response has begun: status() comes first and once, before header(),"
                        + " contentType(), fields() and body(); send() comes without any of them");
    }

    /** For fields and what ends a head, where that has ended. */
    static IllegalStateException headEnded(Writer.State state) {
        if (state == Writer.State.DONE) {
            return ended();
        }
        return new IllegalStateException(
                "the body has begun by stream(): fields come before it; write() goes on with it,"
                        + " end() ends it");
    }

    static IllegalStateException interim(Writer.State state) {
        if (state == Writer.State.DONE) {
            return ended();
        }
        return new IllegalStateException(
                "the response has begun: earlyHints() comes before status(), header() and body()");
    }

    /** Checks that fields of whatever response follows may be added now. */
    static void checkAlways(Writer.State state) {
        if (state == Writer.State.DONE) {
            throw ended();
        }
        if (state != Writer.State.NOTHING) {
            throw always();
        }
    }

    private static IllegalStateException always() {
        return new IllegalStateException(
                "the response has begun: always() comes before status(), header() and body(), in a"
                        + " filter as a rule");
    }

    static IllegalStateException tooManyInterim(int max) {
        return new IllegalStateException(
                "more than "
                        + max
                        + " earlyHints() before one response: put more lines into one Fields");
    }

    /** For {@code write()} and {@code end()}. */
    static IllegalStateException notStreamed(Writer.State state, String call) {
        if (state == Writer.State.DONE) {
            return ended();
        }
        return new IllegalStateException(
                call
                        + " comes after stream(): call stream() first, then write() any number of"
                        + " times, then end(); or body() for a whole body");
    }

    static IllegalStateException tooLong(long length, long left) {
        return new IllegalStateException(
                length
                        + " bytes, but "
                        + left
                        + " are left of the length announced: write no more than stream(length)"
                        + " said, or call stream() where the length is not known");
    }

    static IllegalStateException clientBehind(int unsentBytesMax) {
        return new IllegalStateException(
                "the client does not read: more than "
                        + unsentBytesMax
                        + " bytes are unsent; write only while isWritable(), and go on in"
                        + " onWritable()");
    }

    /** Checks that {@code length} bytes may be written now; left is less than 0 for any number. */
    static void checkPiece(Writer.State state, long left, long length) {
        if (state != Writer.State.STREAM) {
            throw notStreamed(state, "write()");
        }
        if (left >= 0 && length > left) {
            throw tooLong(length, left);
        }
    }

    /** Checks that {@code length} bytes of a file may be written now. */
    static void checkFile(Writer.State state, long left, long length, boolean hasRest) {
        if (state != Writer.State.STREAM) {
            throw notStreamed(state, "write()");
        }
        if (left == Writer.UNKNOWN) {
            throw fileWithoutLength();
        }
        if (left < length) {
            throw tooLong(length, left);
        }
        if (hasRest) {
            throw fileBehindRest();
        }
    }

    private static IllegalStateException fileWithoutLength() {
        return new IllegalStateException(
                "a file goes into a body of announced length: call stream(length), not stream()");
    }

    private static IllegalStateException fileBehindRest() {
        return new IllegalStateException(
                "what was written before is still being sent: write a file only while"
                        + " isWritable(), and go on in onWritable()");
    }

    private static IllegalStateException ended() {
        return new IllegalStateException(
                "the response has ended: nothing can be written behind body(), send() or end(),"
                        + " nor when the client has gone; hasEnded() tells");
    }
}
