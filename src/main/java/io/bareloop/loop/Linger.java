package io.bareloop.loop;

import io.bareloop.sys.Errno;
import io.bareloop.sys.Syscalls;

/**
 * The time between the last response of one connection and its close, in which what the peer still
 * sends is taken and forgotten.
 *
 * <p>To close on bytes that were not read resets the connection, and a client that reads only when
 * it has sent everything would never see the answer (RFC 9112, section 9.6). Bounded by time, by
 * silence, and by a gigabyte.
 */
final class Linger {
    /** How much of what a peer still sends is discarded before a close. */
    private static final long BYTES_MAX = 1L << 30;

    /** A peer that has sent more and then nothing for so long is not waited for. */
    private static final long SILENCE_NANOS = 5_000_000_000L;

    /** The same for one that has sent nothing more at all: it has read its answer by now. */
    private static final long QUIET_NANOS = 2_000_000_000L;

    /** Calls before the others of the loop have their turn. */
    private static final int CALLS_PER_TURN_MAX = 4;

    /** Bytes discarded by one call; nothing is copied, so it need not be a buffer's worth. */
    private static final int BYTES_PER_CALL = 1 << 20;

    private final Loop loop;
    private final Syscalls sys;

    private long bytes;
    private long untilNanos;

    /** What a turn of it has come to. */
    enum Outcome {
        /** All there was is discarded: more may come until {@link #deadline}. */
        DRAINED,
        /** There is more. */
        MORE,
        /** The peer is done or gone, or has had enough of our time. */
        OVER
    }

    Linger(Loop loop, Syscalls sys) {
        this.loop = loop;
        this.sys = sys;
    }

    void begin() {
        bytes = 0;
        untilNanos = loop.now() + loop.options.lingerNanos();
    }

    /** Discards what has come in on {@code fd}, as far as one turn goes. */
    Outcome discard(int fd) {
        for (int i = 0; i < CALLS_PER_TURN_MAX; i++) {
            int discarded = sys.discard(fd, BYTES_PER_CALL);
            if (discarded == -Errno.EAGAIN) {
                return Outcome.DRAINED;
            }
            if (discarded <= 0 && discarded != -Errno.EINTR) {
                return Outcome.OVER;
            }
            bytes += Math.max(discarded, 0);
            if (bytes > BYTES_MAX || loop.now() - untilNanos >= 0) {
                return Outcome.OVER;
            }
        }
        return Outcome.MORE;
    }

    /** Until when more is waited for, if nothing comes from now on. */
    long deadline() {
        long silence = bytes > 0 ? SILENCE_NANOS : QUIET_NANOS;
        return Math.min(loop.now() + silence, untilNanos);
    }
}
