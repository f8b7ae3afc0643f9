package io.bareloop.net;

import io.bareloop.sys.Errno;
import java.util.ArrayList;
import java.util.List;

/** What became of each optional kernel feature at start: one line each. For any thread. */
public final class KnobLog {
    private final List<String> taken = new ArrayList<>();
    private final List<String> refused = new ArrayList<>();

    /**
     * Notes the result of trying a feature.
     *
     * @param name what the feature is called, with its value
     * @param result 0 or more where it took, or -errno
     * @param advice what a user can do about a refusal
     * @return whether it took
     * @throws IllegalStateException where it was refused and {@code mode} is ON
     */
    public synchronized boolean note(String name, Knob.Mode mode, int result, String advice) {
        if (result >= 0) {
            addOnce(taken, name);
            return true;
        }
        String reason = name + ": " + Errno.describe(result) + "; " + advice;
        if (mode == Knob.Mode.ON) {
            throw new IllegalStateException(reason);
        }
        addOnce(refused, reason);
        return false;
    }

    /** The features that took, in the order in which they were tried. */
    public synchronized List<String> taken() {
        return List.copyOf(taken);
    }

    /** The features that the kernel refused, each with errno and advice. */
    public synchronized List<String> refused() {
        return List.copyOf(refused);
    }

    /** Each loop tries the same: the first tells it for all. */
    private static void addOnce(List<String> lines, String line) {
        if (!lines.contains(line)) {
            lines.add(line);
        }
    }
}
