package io.bareloop.server;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;

/**
 * A signal that was taken from the JVM's own handler, until it is given back. For any thread.
 *
 * <p>By sun.misc.Signal: it is of the module jdk.unsupported, which stays for want of a successor
 * (JEP 260); by name, for javac warns of each other use.
 */
final class TakenSignal {
    private static final String SIGNAL = "sun.misc.Signal";
    private static final String HANDLER = "sun.misc.SignalHandler";

    private final Object signal;
    private final Object ours;
    private Object before;

    private TakenSignal(Object signal, Object ours) {
        this.signal = signal;
        this.ours = ours;
    }

    /**
     * Takes the signal called {@code name}, for example TERM.
     *
     * @param onSignal called each time, on a thread of the JVM's that is there for this call
     * @return the signal; null where it stays as it is: the module is missing, the JVM was told to
     *     leave signals alone (-Xrs), the process was started with this one ignored, or the
     *     application handles it
     */
    static TakenSignal take(String name, Runnable onSignal) {
        try {
            Object signal = Class.forName(SIGNAL).getConstructor(String.class).newInstance(name);
            TakenSignal taken = new TakenSignal(signal, handler(onSignal));
            taken.before = handle(signal, taken.ours);
            if (isOfTheJvm(taken.before)) {
                return taken;
            }
            handle(signal, taken.before);
            return null;
        } catch (ReflectiveOperationException unavailable) {
            return null;
        }
    }

    /** The JVM has it again; not where the application has taken it meanwhile. */
    void giveBack() {
        try {
            Object last = handle(signal, before);
            if (!ours.equals(last)) {
                handle(signal, last);
            }
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("a signal that was taken can be given back", e);
        }
    }

    /** Does what the JVM would have done. */
    void pass() {
        try {
            handlerType().getMethod("handle", signal.getClass()).invoke(before, signal);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("the JVM's handler of " + signal + " never throws", e);
        }
    }

    /**
     * The JVM has a handler for each signal that ends it, unless that is ignored; an application's
     * comes from a class loader.
     */
    private static boolean isOfTheJvm(Object handler) throws ReflectiveOperationException {
        Class<?> type = handlerType();
        return !handler.equals(type.getField("SIG_DFL").get(null))
                && !handler.equals(type.getField("SIG_IGN").get(null))
                && handler.getClass().getClassLoader() == null;
    }

    /** Of our own class loader, which tells it from the JVM's. */
    @SuppressWarnings("ReferenceEquality") // it says what equals is
    private static Object handler(Runnable onSignal) throws ClassNotFoundException {
        InvocationHandler calls =
                (proxy, method, arguments) ->
                        switch (method.getName()) {
                            case "handle" -> {
                                onSignal.run();
                                yield null;
                            }
                            case "equals" -> proxy == arguments[0];
                            case "hashCode" -> System.identityHashCode(proxy);
                            default -> "bareloop";
                        };
        return Proxy.newProxyInstance(
                TakenSignal.class.getClassLoader(), new Class<?>[] {handlerType()}, calls);
    }

    /** Returns the handler before. */
    private static Object handle(Object signal, Object handler)
            throws ReflectiveOperationException {
        Method handle = signal.getClass().getMethod("handle", signal.getClass(), handlerType());
        return handle.invoke(null, signal, handler);
    }

    private static Class<?> handlerType() throws ClassNotFoundException {
        return Class.forName(HANDLER);
    }
}
