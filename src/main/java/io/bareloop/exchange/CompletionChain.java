package io.bareloop.exchange;

/**
 * The requests of one connection that are over, and whose responses may not be with the kernel yet;
 * in their order. Used for one connection after another, on the loop's thread.
 */
public final class CompletionChain {
    /** The first line of a head that is not whole yet; or null. */
    Completed head;

    Completed first;
    Completed last;

    /** What has been sent by now is looked at when the turn ends. */
    boolean isDue;

    CompletionChain nextDue;

    /** Whose responses they are; null where there is no connection. */
    Carrier carrier;

    CompletionChain() {}

    boolean isEmpty() {
        return first == null;
    }

    void add(Completed completed) {
        if (last == null) {
            first = completed;
        } else {
            last.next = completed;
        }
        last = completed;
    }

    /** Takes the first one off. */
    Completed take() {
        Completed taken = first;
        first = taken.next;
        if (first == null) {
            last = null;
        }
        taken.next = null;
        return taken;
    }
}
