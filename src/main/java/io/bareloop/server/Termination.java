package io.bareloop.server;

import java.util.ArrayList;
import java.util.List;

/**
 * How the process ends by SIGTERM or SIGINT while it has servers that are to be drained: all of
 * them drain at the same time, then it exits, so that the application's shutdown hooks run. There
 * is one, for signals are the process's.
 *
 * <pre>
 *   IDLE       no server; the signals are the JVM's
 *   LISTENING  from the first server on, until the last one has ended
 *   TOLD       by a signal: all drain, then it exits, with 1 where something was cut off; a second
 *              signal ends it at once, with 1
 * </pre>
 *
 * <p>For any thread.
 */
final class Termination {
    static final Termination OF_PROCESS = new Termination();

    private static final List<String> NAMES = List.of("TERM", "INT");

    /** A second signal within this time is the first one, sent twice: by a terminal, a parent. */
    private static final long GRACE_NANOS = 500_000_000L;

    // Guarded by this.
    private final List<ShutdownDrain> servers = new ArrayList<>();
    private final List<TakenSignal> signals = new ArrayList<>();
    private boolean told;
    private long toldNanos;

    private Termination() {}

    /**
     * A server starts.
     *
     * @throws IllegalStateException where the process is about to end
     */
    synchronized void add(ShutdownDrain server) {
        if (told) {
            throw new IllegalStateException("the process was told to end: no server starts now");
        }
        if (servers.isEmpty()) {
            NAMES.forEach(this::take);
        }
        servers.add(server);
    }

    private void take(String name) {
        TakenSignal[] self = new TakenSignal[1];
        // Waits for the lock, which the thread that takes it has: so self is there.
        self[0] = TakenSignal.take(name, () -> signal(self[0]));
        if (self[0] != null) {
            signals.add(self[0]);
        }
    }

    /** A server has ended. Once told, a second signal still has to be heard. */
    synchronized void remove(ShutdownDrain server) {
        if (servers.remove(server) && servers.isEmpty() && !told) {
            signals.forEach(TakenSignal::giveBack);
            signals.clear();
        }
    }

    private void signal(TakenSignal signal) {
        List<ShutdownDrain> draining;
        boolean again;
        synchronized (this) {
            draining = List.copyOf(servers);
            again = told;
            if (again && System.nanoTime() - toldNanos < GRACE_NANOS) {
                return;
            }
            if (!again && !draining.isEmpty()) {
                told = true;
                toldNanos = System.nanoTime();
            }
        }
        if (again) {
            draining.forEach(ShutdownDrain::cutOff);
            Runtime.getRuntime().halt(1);
        } else if (draining.isEmpty()) {
            // The last server ended while the signal came.
            signal.pass();
        } else {
            begin(draining);
        }
    }

    /**
     * By a thread that is no daemon: when the servers have ended, main may return at any time, and
     * the JVM would end with a status of its own.
     */
    private static void begin(List<ShutdownDrain> draining) {
        Thread thread = new Thread(() -> end(draining), "bareloop-exit");
        thread.setDaemon(false);
        try {
            thread.start();
        } catch (OutOfMemoryError noThread) {
            end(draining);
        }
    }

    private static void end(List<ShutdownDrain> draining) {
        boolean clean = true;
        try {
            draining.forEach(ShutdownDrain::begin);
            for (ShutdownDrain server : draining) {
                clean &= server.await();
            }
        } catch (VirtualMachineError full) {
            clean = false;
        } finally {
            // Whoever else calls it meanwhile: the first one's status is that of the process.
            System.exit(clean ? 0 : 1);
        }
    }
}
