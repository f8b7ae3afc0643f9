package io.bareloop.loop;

import io.bareloop.sys.Errno;
import java.util.function.Consumer;

/**
 * What goes wrong while a loop runs, told to people: a line at once, and then one in ten seconds at
 * the most for each kind, with how often it has happened since. Belongs to the loop's thread.
 */
final class Complaints {
    private static final long PAUSE_NANOS = 10_000_000_000L;

    /** Kinds that are told apart; the loop has fewer. */
    private static final int KINDS_MAX = 8;

    private final Consumer<String> lines;
    private final Counters counters;
    private final String[] kinds = new String[KINDS_MAX];
    private final long[] saidNanos = new long[KINDS_MAX];
    private final long[] unsaid = new long[KINDS_MAX];

    /** Where {@code lines} throws, what it was told is lost, and nothing else. */
    Complaints(Consumer<String> lines, Counters counters) {
        this.lines = lines;
        this.counters = counters;
    }

    /** A call has failed: {@code result} is a negated errno, {@code advice} what can be done. */
    void say(String what, int result, String advice, long nowNanos) {
        int kind = due(what, nowNanos);
        if (kind >= 0) {
            tell(kind, what + ": " + Errno.describe(result) + "; " + advice);
        }
    }

    /** The JVM has failed. Where there is no memory to say it with, it is not said, but counted. */
    void say(String what, Error error, long nowNanos) {
        try {
            int kind = due(what, nowNanos);
            if (kind >= 0) {
                tell(kind, what, error);
            }
        } catch (VirtualMachineError | LinkageError again) {
            counters.errors++;
        }
    }

    private void tell(int kind, String what, Error error) {
        try {
            tell(kind, what + ": " + error);
        } catch (Error again) {
            // No memory even for the line: the next one counts this one too.
            unsaid[kind]++;
        }
    }

    /** The place of {@code what} where it may be said now, or -1: then it is counted. */
    private int due(String what, long nowNanos) {
        int kind = 0;
        while (kind < KINDS_MAX - 1 && kinds[kind] != null && !kinds[kind].equals(what)) {
            kind++;
        }
        if (kinds[kind] != null && nowNanos - saidNanos[kind] < PAUSE_NANOS) {
            unsaid[kind]++;
            return -1;
        }
        kinds[kind] = what;
        saidNanos[kind] = nowNanos;
        return kind;
    }

    private void tell(int kind, String line) {
        long since = unsaid[kind];
        unsaid[kind] = 0;
        try {
            lines.accept(since == 0 ? line : line + " (and " + since + " times since last said)");
        } catch (Throwable ofTheLog) {
            // Whoever reads it has lost a line. The loop goes on.
            unsaid[kind] = since + 1;
        }
    }
}
