package io.bareloop.server;

import java.time.Duration;

/** Drains a server when the JVM is told to end, from the start of that server to its end. */
final class ShutdownDrain implements AutoCloseable {
    private final Thread hook;

    private ShutdownDrain(Thread hook) {
        this.hook = hook;
    }

    /**
     * @throws IllegalStateException where the JVM is about to end already
     */
    static ShutdownDrain register(LifeCycle life, Duration time) {
        Thread hook =
                new Thread(
                        () -> {
                            try {
                                life.drain(time);
                            } catch (InterruptedException e) {
                                // Nobody is to interrupt a hook; the drain goes on without it.
                            }
                        },
                        "bareloop-drain");
        Runtime.getRuntime().addShutdownHook(hook);
        return new ShutdownDrain(hook);
    }

    /** A program that starts and ends servers leaves no hook behind for each. */
    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The JVM is about to end, most likely by this very hook.
        }
    }
}
