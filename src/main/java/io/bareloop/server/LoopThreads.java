package io.bareloop.server;

import io.bareloop.loop.Loop;
import io.bareloop.net.Housekeeping;
import io.bareloop.net.ListenerGroup;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/**
 * The threads of a server's loops, one each: pinned and prepared before any of them serves.
 *
 * <p>Started by one thread; the other methods are for any.
 */
final class LoopThreads {
    private final List<Loop> loops;
    private final ListenerGroup listeners;
    private final LifeCycle life;
    private final List<Thread> threads = new ArrayList<>();
    private final CountDownLatch prepared;
    private final CountDownLatch go = new CountDownLatch(1);
    private volatile IllegalStateException refusal;

    LoopThreads(List<Loop> loops, ListenerGroup listeners, LifeCycle life) {
        this.loops = loops;
        this.listeners = listeners;
        this.life = life;
        prepared = new CountDownLatch(loops.size());
    }

    /**
     * Starts all threads; none serves before every one is pinned.
     *
     * @throws IllegalStateException where one cannot be pinned, or lacks a feature that must be on,
     *     or the caller is interrupted
     */
    void start() {
        boolean allPrepared = false;
        try {
            for (int i = 0; i < loops.size(); i++) {
                Loop loop = loops.get(i);
                int[] others = listeners.others(i);
                start(new Thread(() -> run(loop, others), Housekeeping.LOOP_PREFIX + i));
            }
            prepared.await();
            allPrepared = refusal == null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            if (!allPrepared) {
                loops.forEach(Loop::stop);
            }
            go.countDown();
        }
        if (!allPrepared) {
            throw refusal != null
                    ? new IllegalStateException(refusal.getMessage(), refusal)
                    : new IllegalStateException("interrupted while starting");
        }
    }

    private void start(Thread thread) {
        boolean started = false;
        life.loopBegins();
        try {
            thread.start();
            started = true;
        } finally {
            if (!started) {
                life.loopEnded();
            }
        }
        synchronized (threads) {
            threads.add(thread);
        }
    }

    private void run(Loop loop, int[] others) {
        try {
            try {
                loop.pin();
                loop.separateDescriptors(others);
                loop.openBatch();
            } catch (IllegalStateException e) {
                refusal = e;
            } finally {
                prepared.countDown();
            }
            go.await();
            loop.serve();
        } catch (Throwable t) {
            // Without one loop its share of the connections would hang: the server ends as a whole.
            // Before the connections are closed, for that may call handlers that do not return.
            life.failed(t);
        } finally {
            end(loop);
        }
    }

    private void end(Loop loop) {
        try {
            loop.end();
        } catch (Throwable t) {
            life.failed(t);
        } finally {
            life.loopEnded();
        }
    }

    /** Whether the calling thread runs one of the loops: a handler, or what it calls. */
    boolean isLoop() {
        synchronized (threads) {
            return threads.contains(Thread.currentThread());
        }
    }

    /** Those that have not ended, by name, each with where it is. */
    String alive() {
        StringBuilder alive = new StringBuilder();
        synchronized (threads) {
            for (Thread thread : threads) {
                StackTraceElement[] frames = thread.getStackTrace();
                if (thread.isAlive()) {
                    alive.append(alive.isEmpty() ? "" : ", ").append(thread.getName());
                    if (frames.length > 0) {
                        alive.append(" (at ").append(frames[0]).append(')');
                    }
                }
            }
        }
        return alive.toString();
    }

    /** Waits until all have ended, and with them their tables of descriptors. */
    void join() {
        List<Thread> all;
        synchronized (threads) {
            all = List.copyOf(threads);
        }
        boolean interrupted = false;
        for (Thread thread : all) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
