package io.bareloop.server;

import java.time.Duration;

/**
 * Drains a server when the process is told to end, from the start of that server to its end: by
 * {@link Termination} where that hears of it, and by a shutdown hook in any case, for System.exit
 * and what other signals there are.
 */
final class ShutdownDrain implements AutoCloseable {
    private final LifeCycle life;
    private final Duration time;
    private final Log log;
    private final Thread hook = new Thread(this::drain, "bareloop-drain");

    /** Before that there is nothing in flight, and no loop that could drain. */
    private volatile boolean serving;

    private ShutdownDrain(LifeCycle life, Duration time, Log log) {
        this.life = life;
        this.time = time;
        this.log = log;
    }

    /**
     * @throws IllegalStateException where the JVM is about to end already
     */
    static ShutdownDrain register(LifeCycle life, Duration time, Log log) {
        ShutdownDrain drain = new ShutdownDrain(life, time, log);
        Runtime.getRuntime().addShutdownHook(drain.hook);
        try {
            Termination.OF_PROCESS.add(drain);
        } catch (IllegalStateException told) {
            drain.close();
            throw told;
        }
        return drain;
    }

    /** The start of the server has come to its end. */
    void serving() {
        serving = true;
    }

    private void drain() {
        begin();
        await();
    }

    /** Begins the drain, and waits for nothing. */
    void begin() {
        if (serving) {
            life.beginDrain(time);
        }
    }

    /**
     * Waits for the end of the drain, which comes in time.
     *
     * @return whether nothing was cut off
     */
    boolean await() {
        if (!serving) {
            return true;
        }
        boolean clean = false;
        try {
            clean = life.awaitDrained();
        } catch (InterruptedException e) {
            // Nobody is to interrupt a hook; the drain goes on without it.
            Thread.currentThread().interrupt();
        }
        if (!clean) {
            log.line("work was cut off, for which the shutdown had " + time);
        }
        return clean;
    }

    /** The process ends at once. */
    void cutOff() {
        log.line("a second signal: ended at once, work was cut off");
    }

    /** A program that starts and ends servers leaves no hook behind for each. */
    @Override
    public void close() {
        Termination.OF_PROCESS.remove(this);
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The JVM is about to end, most likely by this very hook.
        }
    }
}
