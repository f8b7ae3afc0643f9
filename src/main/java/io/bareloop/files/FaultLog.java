package io.bareloop.files;

import io.bareloop.sys.Errno;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Says what the disk refuses, and what can be done about it: one line for each errno in {@value
 * #QUIET_SECONDS} s at the most, for whoever asks for a file can cause one. For any thread.
 */
final class FaultLog {
    static final int QUIET_SECONDS = 10;

    private static final long QUIET_NANOS = QUIET_SECONDS * 1_000_000_000L;

    private final Consumer<String> lines;
    private final Map<Integer, Said> said = new HashMap<>();

    /** When the last line was about that errno, and how many have been left out since. */
    private static final class Said {
        long nanos = System.nanoTime() - QUIET_NANOS;
        long leftOut;
    }

    FaultLog(Consumer<String> lines) {
        this.lines = lines;
    }

    /**
     * What a request is told where {@code name} cannot be opened; noted, unless the file is just
     * not there.
     *
     * @param error the errno, negated
     * @param name of the file beneath the root, its characters being bytes
     */
    Refusal refusal(int error, String name) {
        Refusal refusal = Refusal.of(error);
        if (refusal != Refusal.NOT_FOUND) {
            note(-error, name);
        }
        return refusal;
    }

    private void note(int errno, String name) {
        long leftOut;
        synchronized (said) {
            Said before = said.computeIfAbsent(errno, any -> new Said());
            long now = System.nanoTime();
            if (now - before.nanos < QUIET_NANOS) {
                before.leftOut++;
                return;
            }
            before.nanos = now;
            leftOut = before.leftOut;
            before.leftOut = 0;
        }
        // Encoded: what a client sends is no more than text in a log.
        say(
                "cannot open \"/"
                        + RequestPath.encode(name)
                        + "\": "
                        + Errno.describe(errno)
                        + advice(errno)
                        + (leftOut > 0 ? "; " + leftOut + " more since the last such line" : ""));
    }

    /** Says {@code line}; what the log throws is nobody's request's matter. */
    void say(String line) {
        try {
            lines.accept("files: " + line);
        } catch (RuntimeException | Error e) {
            Thread current = Thread.currentThread();
            current.getUncaughtExceptionHandler().uncaughtException(current, e);
        }
    }

    private static String advice(int errno) {
        if (errno == Errno.EMFILE) {
            return "; files that are known are served on, others answered 503: raise the limit with"
                    + " \"ulimit -n\" or LimitNOFILE=, or allow fewer connections";
        }
        if (errno == Errno.ENFILE) {
            return "; files that are known are served on, others answered 503: raise fs.file-max";
        }
        if (errno == Errno.ENOMEM) {
            return "; files that are known are served on, others answered 503: the machine, or this"
                    + " control group, has no memory left";
        }
        if (errno == Errno.EAGAIN) {
            return "; something in its path is renamed all the time";
        }
        if (errno == Errno.EIO) {
            return "; answered 500: the kernel's log says more (dmesg)";
        }
        if (errno == Errno.ESTALE) {
            return "; answered 500: the file system of the network has replaced it";
        }
        return "";
    }
}
