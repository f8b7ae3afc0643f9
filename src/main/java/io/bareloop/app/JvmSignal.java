package io.bareloop.app;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;

/**
 * Signals by sun.misc.Signal. It is of the module jdk.unsupported, which stays for want of a
 * successor (JEP 260); by name, for javac warns of each other use. The kernel's own ways cannot
 * take its place: signalfd(2) needs signals blocked in all threads, and the JVM unblocks these in
 * each of its own; a handler of sigaction(2) may not call Java.
 */
final class JvmSignal {
    private static final String SIGNAL = "sun.misc.Signal";
    private static final String HANDLER = "sun.misc.SignalHandler";

    private JvmSignal() {}

    /**
     * From now on the signal {@code name}, such as HUP, runs {@code action} on a thread of the
     * JVM's, in the place of what it did before.
     *
     * @return whether it will; not where the module is missing, or the JVM was told to leave
     *     signals alone (-Xrs)
     */
    static boolean handle(String name, Runnable action) {
        InvocationHandler onSignal =
                (proxy, method, arguments) -> {
                    if (method.getName().equals("handle")) {
                        action.run();
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
            handle.invoke(null, signal.getConstructor(String.class).newInstance(name), ours);
            return true;
        } catch (ReflectiveOperationException unavailable) {
            return false;
        }
    }
}
