package io.bareloop.app;

import java.io.PrintStream;

/**
 * Ends the process at once on a second SIGTERM or SIGINT, while the first one's drain goes on.
 *
 * <p>The JVM gives the first to its shutdown hooks, and lets later ones wait for the end of those.
 * {@link JvmSignal} still hears of them.
 */
final class SecondSignal {
    private static final String[] NAMES = {"TERM", "INT"};

    private SecondSignal() {}

    /**
     * From now on either signal ends the process with {@code status}, after a line that says so;
     * but not within {@code graceNanos}, for what ends a job may signal it twice: a terminal all of
     * it, and a parent its children.
     *
     * @return whether it will; not where the module is missing, or the JVM was told to leave
     *     signals alone (-Xrs)
     */
    static boolean endsAtOnce(long graceNanos, int status, PrintStream err) {
        long start = System.nanoTime();
        Runnable end =
                () -> {
                    if (System.nanoTime() - start >= graceNanos) {
                        err.println("bareloop: a second signal: ended at once, work was cut off");
                        err.flush();
                        Runtime.getRuntime().halt(status);
                    }
                };
        boolean all = true;
        for (String name : NAMES) {
            all &= JvmSignal.handle(name, end);
        }
        return all;
    }
}
