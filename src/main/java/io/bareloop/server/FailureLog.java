package io.bareloop.server;

import io.bareloop.http.FailureListener;
import io.bareloop.http.Request;

/**
 * Writes failures of user code to the log: the request, and where it was thrown. Bounded, for a
 * client that finds a defect can have it thrown a hundred thousand times a second. For all loops at
 * the same time.
 */
final class FailureLog implements FailureListener {
    private static final int PER_SECOND_MAX = 10;
    private static final long SECOND_NANOS = 1_000_000_000L;
    private static final int TARGET_CHARS_MAX = 200;

    private final Log log;
    private long secondNanos = System.nanoTime() - SECOND_NANOS;
    private int count;

    FailureLog(Log log) {
        this.log = log;
    }

    @Override
    public void failed(Request request, Throwable failure) {
        int left = take();
        if (left < 0) {
            return;
        }
        String line =
                request == null
                        ? "an action failed behind the end of its response"
                        : request.method() + " " + target(request) + " failed";
        log.error(
                left > 0 ? line : line + " (one of " + PER_SECOND_MAX + " or more in this second)",
                failure);
    }

    /** How many more may be logged in this second; less than 0 where this may not. */
    private synchronized int take() {
        long now = System.nanoTime();
        if (now - secondNanos >= SECOND_NANOS) {
            secondNanos = now;
            count = 0;
        }
        count = Math.min(count + 1, PER_SECOND_MAX + 1);
        return PER_SECOND_MAX - count;
    }

    /** As it was sent, for there are no control characters in it; a long one is cut. */
    private static String target(Request request) {
        String target = request.target().toString();
        return target.length() <= TARGET_CHARS_MAX
                ? target
                : target.substring(0, TARGET_CHARS_MAX) + "...";
    }
}
