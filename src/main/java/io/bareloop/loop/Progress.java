package io.bareloop.loop;

import io.bareloop.sys.Syscalls;

/**
 * Whether the peer of one connection, which takes less than there is for it, still takes something.
 *
 * <p>The kernel is asked, several times in the time-out: EPOLLOUT comes only when a third of its
 * buffer is free, which a slow reader may take minutes for.
 */
final class Progress {
    /** So often in its time-out the kernel is asked what a peer has taken. */
    private static final int CHECKS = 4;

    private static final int NOT_ASKED = -1;

    private final Loop loop;
    private final Syscalls sys;
    private final int slot;

    /** Bytes that the peer had not acknowledged when last asked, and since when it is so many. */
    private int unacknowledged;

    private long sinceNanos;

    Progress(Loop loop, Syscalls sys, int slot) {
        this.loop = loop;
        this.sys = sys;
        this.slot = slot;
    }

    /** From now on the peer has the time-out for sending to take more. */
    void await() {
        unacknowledged = NOT_ASKED;
        sinceNanos = loop.now();
        askLater();
    }

    /**
     * The deadline has come. What was acknowledged before the first question counts as progress
     * until then.
     *
     * @return false where the peer has acknowledged nothing for the time-out, or is gone
     */
    boolean isMade(int fd) {
        int now = sys.unacknowledged(fd);
        if (now < 0) {
            return false;
        }
        if (now != unacknowledged) {
            unacknowledged = now;
            sinceNanos = loop.now();
        } else if (loop.now() - sinceNanos >= loop.options.sendNanos()) {
            return false;
        }
        askLater();
        return true;
    }

    private void askLater() {
        loop.deadlines().set(slot, loop.now() + loop.options.sendNanos() / CHECKS);
    }
}
