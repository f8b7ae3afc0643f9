package io.bareloop.server;

import io.bareloop.loop.Loop;
import io.bareloop.net.ListenerGroup;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/**
 * The life of one server: its {@link ServerState}, and how it comes to its end. Owns what the
 * server has of the kernel and of memory, until the last loop has ended.
 *
 * <p>One thread brings the end about, asleep until then; everybody else only asks for it, and waits
 * or not. So it comes in time from whatever thread it is asked for, a handler's too, and beside
 * handlers that do not return:
 *
 * <pre>
 *   RUNNING   asleep
 *   DRAINING  the application is told, where it wants to be, and may take its time; then loops
 *             take what waits in their backlogs; then all listeners close, together; loops
 *             finish what is in flight, at the longest until the end of the drain
 *   STOPPED   loops close all connections after the turn at hand; where one has not ended after
 *             {@link #PATIENCE_NANOS}, the server ends without it: its memory stays until it does
 * </pre>
 *
 * <p>That thread exists from the start, for one made later would inherit from a loop its CPU and
 * its table of descriptors, and could be refused when memory is short.
 */
final class LifeCycle {
    /** How long loops that were told to stop may take for their turn: less than half a second. */
    private static final long PATIENCE_NANOS = 400_000_000L;

    /** How long the listeners of a drain wait for a loop that does not get to its backlog. */
    private static final long ACCEPTING_NANOS = 1_000_000_000L;

    /** A signal that could not be given for want of memory is not waited for longer than this. */
    private static final long LOOK_NANOS = 10_000_000_000L;

    /** How long what needs memory waits where there is none. */
    private static final long HEAP_PAUSE_NANOS = 10_000_000L;

    /** So that no sum with the time of day overflows: 146 years. */
    private static final long DRAIN_NANOS_MAX = Long.MAX_VALUE / 2;

    private final Arena arena;
    private final List<Loop> loops;
    private final Log log;
    private ListenerGroup listeners;
    private final List<Runnable> ends = new ArrayList<>();
    private DrainListener drainListener;
    private LoopThreads threads;
    private Thread ender;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    // Guarded by the lock; the state may be read without.
    private volatile ServerState state = ServerState.RUNNING;
    private long drainEndNanos;
    private int loopsAccepting;
    private int loopsAlive;
    private boolean ended;
    private boolean released;
    private boolean clean;
    private volatile Throwable failure;

    LifeCycle(Arena arena, List<Loop> loops, Log log) {
        this.arena = arena;
        this.loops = loops;
        this.log = log;
    }

    /** Before anything of the server exists; on the thread that starts it. */
    void begin() {
        Thread thread = new Thread(this::end, "bareloop-end");
        thread.setDaemon(true);
        thread.start();
        ender = thread;
    }

    void owns(ListenerGroup group) {
        listeners = group;
    }

    /** Has {@code end} run when the loops have ended, in the order of these calls. */
    void atEnd(Runnable end) {
        ends.add(end);
    }

    /** Before anybody can ask for a drain. */
    void owns(DrainListener listener) {
        drainListener = listener;
    }

    /** Starts the threads of the loops. */
    void startLoops() {
        threads = new LoopThreads(loops, listeners, this);
        threads.start();
    }

    /** Without the lock: handlers ask, on loops. */
    ServerState state() {
        return state;
    }

    // ---- what is asked for

    /**
     * As {@link HttpServer#drain}.
     *
     * @return whether nothing was cut off
     */
    boolean drain(Duration time) throws InterruptedException {
        lock.lock();
        try {
            if (ended) {
                return true;
            }
        } finally {
            lock.unlock();
        }
        beginDrain(time);
        return !isLoop() && awaitDrained();
    }

    /**
     * Waits for the end of a drain that has begun.
     *
     * @return whether nothing was cut off
     */
    boolean awaitDrained() throws InterruptedException {
        awaitEnd();
        lock.lock();
        try {
            return clean;
        } finally {
            lock.unlock();
        }
    }

    /** Begins a drain, or shortens the one under way. */
    void beginDrain(Duration time) {
        long nanos = Math.clamp(TimeUnit.NANOSECONDS.convert(time), 0, DRAIN_NANOS_MAX);
        lock.lock();
        try {
            long end = System.nanoTime() + nanos;
            if (state == ServerState.DRAINING && end - drainEndNanos < 0) {
                drainEndNanos = end;
                changed.signalAll();
            }
            if (state != ServerState.RUNNING) {
                return;
            }
            state = ServerState.DRAINING;
            drainEndNanos = end;
            loopsAccepting = loops.size();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        if (drainListener == null) {
            drainLoops(nanos);
        }
    }

    private void drainLoops(long nanos) {
        for (Loop loop : loops) {
            loop.drain(nanos, this::stoppedAccepting);
        }
    }

    /**
     * Has all loops end after the turn at hand. Waits for nothing, but for a heap that is full: the
     * end has to come all the same.
     */
    private void stop() {
        while (true) {
            try {
                stopOnce();
                return;
            } catch (VirtualMachineError full) {
                pause();
            }
        }
    }

    private void stopOnce() {
        lock.lock();
        try {
            state = ServerState.STOPPED;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        loops.forEach(Loop::stop);
    }

    /** Allocates nothing. */
    private static void pause() {
        LockSupport.parkNanos(HEAP_PAUSE_NANOS);
    }

    /** As {@link HttpServer#close}. */
    void close() {
        stop();
        if (ender == null) {
            // The start failed at once.
            end();
            return;
        }
        boolean interrupted = false;
        while (!isLoop()) {
            try {
                awaitEnd();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** As {@link HttpServer#awaitTermination}. */
    void awaitTermination() throws InterruptedException {
        if (isLoop()) {
            throw new IllegalStateException(
                    "awaitTermination() in a handler: its loop would wait for itself");
        }
        awaitEnd();
        lock.lock();
        try {
            if (failure != null) {
                throw new IllegalStateException(
                        "a loop of the server failed: " + Log.describe(failure), failure);
            }
        } finally {
            lock.unlock();
        }
    }

    private void awaitEnd() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (!ended) {
                changed.await();
            }
            if (!released) {
                return;
            }
        } finally {
            lock.unlock();
        }
        // It has nothing more to do: whoever looks for threads afterwards finds none.
        ender.join();
    }

    private boolean isLoop() {
        return threads != null && threads.isLoop();
    }

    // ---- what loops tell

    void loopBegins() {
        lock.lock();
        try {
            loopsAlive++;
        } finally {
            lock.unlock();
        }
    }

    private void stoppedAccepting() {
        lock.lock();
        try {
            loopsAccepting--;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** A loop has closed its connections, or never had a thread. */
    void loopEnded() {
        boolean counted = false;
        while (!counted) {
            try {
                lock.lock();
                try {
                    loopsAlive--;
                    counted = true;
                    changed.signalAll();
                } finally {
                    lock.unlock();
                }
            } catch (VirtualMachineError full) {
                // Counted or not yet: whoever waits looks again by itself.
                pause();
            }
        }
    }

    /** A loop has come to what must not be. It ends the server, and says so. */
    void failed(Throwable cause) {
        // Without the lock, which may take memory: of two failures either is told.
        failure = cause;
        stop();
        log.error("a loop of the server failed, which ends the server", cause);
    }

    // ---- the end

    /** What the thread of the end does: each step again, where the heap was full. */
    private void end() {
        while (true) {
            try {
                endOnce();
                return;
            } catch (VirtualMachineError full) {
                pause();
            }
        }
    }

    private void endOnce() {
        lock.lock();
        try {
            await(() -> state != ServerState.RUNNING, Long.MAX_VALUE);
        } finally {
            lock.unlock();
        }
        tellListener();
        lock.lock();
        try {
            await(
                    () -> state == ServerState.STOPPED || loopsAccepting <= 0 || loopsAlive == 0,
                    ACCEPTING_NANOS);
        } finally {
            lock.unlock();
        }
        refuseConnections();
        lock.lock();
        try {
            await(() -> state == ServerState.STOPPED || loopsAlive == 0, Long.MAX_VALUE);
        } finally {
            lock.unlock();
        }
        stop();
        awaitLoops();
    }

    /** The loops hear of the drain once the application has, and is done with it. */
    private void tellListener() {
        if (drainListener == null || state == ServerState.STOPPED) {
            return;
        }
        drainListener.call(this::signalChange);
        long left;
        lock.lock();
        try {
            await(
                    () -> state == ServerState.STOPPED || drainListener.hasReturned(),
                    (drainEndNanos - System.nanoTime()) / 2);
            left = drainEndNanos - System.nanoTime();
        } finally {
            lock.unlock();
        }
        drainLoops(left);
    }

    private void signalChange() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Closes the listeners: together, for closing one changes where the others get connections from
     * ({@link io.bareloop.net.ReuseportFilter}).
     */
    private void refuseConnections() {
        if (listeners == null) {
            return;
        }
        boolean inUse;
        lock.lock();
        try {
            inUse = loopsAlive > 0 && (loopsAccepting > 0 || state == ServerState.STOPPED);
        } finally {
            lock.unlock();
        }
        listeners.refuse();
        if (!inUse) {
            listeners.close();
        }
    }

    private void awaitLoops() {
        boolean all;
        lock.lock();
        try {
            await(() -> loopsAlive == 0, PATIENCE_NANOS);
            all = loopsAlive == 0;
        } finally {
            lock.unlock();
        }
        ends.forEach(this::attempt);
        if (all) {
            attempt(this::release);
        }
        ended(all);
        if (!all) {
            log.line(
                    "the server has ended without "
                            + threads.alive()
                            + ", where a handler does not return; memory and descriptors of the"
                            + " server are released when it does");
            attempt(this::release);
        }
    }

    /** Whatever fails on the way, the server ends. */
    private void attempt(Runnable step) {
        try {
            step.run();
        } catch (Throwable failed) {
            log.line("at the end of the server", failed);
        }
    }

    private void ended(boolean all) {
        lock.lock();
        try {
            ended = true;
            released = all;
            clean = all && failure == null && loops.stream().mapToInt(Loop::forced).sum() == 0;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Once the last thread has ended that may use any of it. */
    private void release() {
        if (threads != null) {
            threads.join();
        }
        if (listeners != null) {
            listeners.close();
        }
        loops.forEach(Loop::close);
        arena.close();
    }

    /**
     * Waits, with the lock held, until {@code done}; at the longest for {@code nanos}, and while
     * draining until the end of the drain. An interrupt, which nobody is to send, changes nothing.
     */
    private void await(BooleanSupplier done, long nanos) {
        long until = System.nanoTime() + Math.min(nanos, DRAIN_NANOS_MAX);
        while (!done.getAsBoolean()) {
            long now = System.nanoTime();
            long left = until - now;
            if (state == ServerState.DRAINING) {
                left = Math.min(left, drainEndNanos - now);
            }
            if (left <= 0) {
                return;
            }
            try {
                changed.awaitNanos(Math.min(left, LOOK_NANOS));
            } catch (InterruptedException e) {
                // See above.
            }
        }
    }
}
