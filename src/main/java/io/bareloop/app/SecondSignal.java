package io.bareloop.app;

import java.io.PrintStream;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;

/**
 * Ends the process at once on a second SIGTERM or SIGINT, while the first one's drain goes on.
 *
 * <p>The JVM gives the first to its shutdown hooks, and lets later ones wait for the end of those.
 * sun.misc.Signal still hears of them. It is of the module jdk.unsupported, which stays for want of
 * a successor (JEP 260); by name, for javac warns of each other use. The kernel's own ways cannot
 * take its place: signalfd(2) needs signals blocked in all threads, and the JVM unblocks these in
 * each of its own; a handler of sigaction(2) may not call Java.
 */
final class SecondSignal {
    private static final String SIGNAL = "sun.misc.Signal";
    private static final String HANDLER = "sun.misc.SignalHandler";
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
        InvocationHandler onSignal =
                (proxy, method, arguments) -> {
                    if (method.getName().equals("handle")
                            && System.nanoTime() - start >= graceNanos) {
                        err.println("bareloop: a second signal: ended at once, work was cut off");
                        err.flush();
                        Runtime.getRuntime().halt(status);
                    }
                    return null;
                };
        try {
            Class<?> signal = Class.forName(SIGNAL);
            Class<?> handler = Class.forName(HANDLER);
            Object ours =
                    Proxy.newProxyInstance(
                            handler.getClassLoader(), new Class<?>[] {handler}, onSignal);
            Method handle = signal.getMethod("handle", signal, handler);
            for (String name : NAMES) {
                handle.invoke(null, signal.getConstructor(String.class).newInstance(name), ours);
            }
            return true;
        } catch (ReflectiveOperationException unavailable) {
            return false;
        }
    }
}
