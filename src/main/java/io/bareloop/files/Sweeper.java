package io.bareloop.files;

import io.bareloop.sys.Syscalls;
import java.lang.foreign.Arena;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * Looks after the files that are known and in use, on a thread of its own: a change is found by the
 * next sweep.
 */
final class Sweeper {
    /** A sweep each so many milliseconds: a change shows after as many, and the time of a sweep. */
    static final int SWEEP_MILLIS = 400;

    /** An entry that nobody asks for is kept for about 10 s, its file open so long at most. */
    private static final int IDLE_SWEEPS_MAX = 25;

    private final Root root;
    private final Disk disk;
    private final FileCache cache;
    private final Loader loader;
    private final ErrorPages errors;

    /** At zero once this is to end. */
    private final CountDownLatch ended = new CountDownLatch(1);

    Sweeper(Root root, Disk disk, FileCache cache, Loader loader, ErrorPages errors) {
        this.root = root;
        this.disk = disk;
        this.cache = cache;
        this.loader = loader;
        this.errors = errors;
    }

    /** Starts the thread, which has system calls of its own. */
    void start(Function<Arena, Syscalls> calls) {
        Thread.ofPlatform().daemon().name("bareloop-files").start(() -> run(new Reader(calls)));
    }

    /** Has the thread end, and the owner's use of the disk with it. For any thread. */
    void end() {
        ended.countDown();
    }

    private void run(Reader reader) {
        while (!isEndedWithin(SWEEP_MILLIS)) {
            try {
                errors.refresh(reader);
                if (cache.size() > 0) {
                    sweep(reader);
                }
            } catch (RuntimeException | Error e) {
                // The next sweep may do better; until then entries stay as they are.
                Thread current = Thread.currentThread();
                current.getUncaughtExceptionHandler().uncaughtException(current, e);
            }
        }
        disk.end();
    }

    private boolean isEndedWithin(int millis) {
        try {
            return ended.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException strange) {
            // Nobody knows this thread. It is needed until the end.
            return false;
        }
    }

    /** Looks after all entries once. */
    private void sweep(Reader reader) {
        root.refresh(reader);
        for (Entry entry : cache.all()) {
            if (entry.used) {
                entry.used = false;
                entry.idleSweeps = 0;
                loader.check(reader, entry);
            } else if (++entry.idleSweeps > IDLE_SWEEPS_MAX) {
                cache.remove(entry);
            } else {
                // Whoever asks for it next has it checked first.
                entry.asleep = true;
            }
        }
    }
}
