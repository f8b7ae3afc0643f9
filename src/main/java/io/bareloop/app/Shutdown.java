package io.bareloop.app;

import io.bareloop.server.HttpServer;
import java.io.PrintStream;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * How the process ends when it is told to: a shutdown hook, which SIGTERM, SIGINT (Ctrl-C) and
 * SIGHUP call, the last one unless it is ignored, as by nohup(1).
 *
 * <pre>
 *   STARTING --> SERVING --> OVER      told while ...
 *       |                     ^          STARTING: the start is interrupted; exit status 0
 *       +---------------------+          SERVING:  drains; 0 in time, 1 where work was cut off
 *                                        OVER:     exits with the status that main has
 * </pre>
 *
 * <p>It halts, for the status of a JVM that a signal ends is never 0. A second signal ends it at
 * once, with 1 ({@link SecondSignal}).
 */
final class Shutdown {
    private enum State {
        STARTING,
        SERVING,
        OVER
    }

    /** A second signal within this time is the first one, sent twice. */
    private static final long GRACE_NANOS = 500_000_000L;

    /**
     * How long an interrupted start may take to give up: it is, at the most, a round of warm-up.
     */
    private static final long START_END_NANOS = 2_000_000_000L;

    private final Duration drain;
    private final PrintStream out;
    private final PrintStream err;
    private final Thread starting = Thread.currentThread();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    // Guarded by the lock.
    private State state = State.STARTING;
    private HttpServer server;
    private boolean told;

    /** Of the thread that is about to start a server. */
    Shutdown(Duration drain, PrintStream out, PrintStream err) {
        this.drain = drain;
        this.out = out;
        this.err = err;
    }

    /** From now on the process ends in order. */
    void register() {
        Runtime.getRuntime().addShutdownHook(new Thread(this::run, "bareloop-drain"));
    }

    /** The start has come to its end. */
    void serving(HttpServer started) {
        lock.lock();
        try {
            server = started;
            state = State.SERVING;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * The start has failed, or the server: main exits with a status of its own.
     *
     * @return whether there is anything to say of it: not where the start was told to end
     */
    boolean over() {
        lock.lock();
        try {
            state = State.OVER;
            changed.signalAll();
            return !told;
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        HttpServer serving;
        lock.lock();
        try {
            if (state == State.OVER) {
                return;
            }
            told = true;
        } finally {
            lock.unlock();
        }
        SecondSignal.endsAtOnce(GRACE_NANOS, Main.FAILED, err);
        serving = awaitStart();
        if (serving == null) {
            out.println("ended before it was ready");
            halt(Main.OK);
            return;
        }
        boolean inTime = false;
        try {
            inTime = serving.drain(drain);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Banner.printEnd(serving, inTime, drain, out);
        halt(inTime ? Main.OK : Main.FAILED);
    }

    /** The server, once it has started; null where it has not, and will not. */
    private HttpServer awaitStart() {
        lock.lock();
        try {
            if (state == State.STARTING) {
                starting.interrupt();
            }
            long left = START_END_NANOS;
            while (state == State.STARTING && left > 0) {
                left = changed.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
        return server;
    }

    private void halt(int status) {
        out.flush();
        err.flush();
        Runtime.getRuntime().halt(status);
    }
}
