package io.bareloop.net;

import io.bareloop.sys.Errno;
import io.bareloop.sys.Syscalls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.HashSet;
import java.util.Set;

/**
 * Keeps the threads of this process that are not loops on some CPUs: the compilers, collectors and
 * watchers of the JVM, and the application's own. sched_setaffinity(2) for each in /proc/self/task
 * whose name is not a loop's; loops of other servers in the process are left alone too.
 *
 * <p>A thread inherits the CPUs of the one that creates it. Most are born of threads that have been
 * moved; those born of a loop, such as carriers of virtual threads, begin on the loop's CPU, and
 * are moved within {@link #PERIOD_MILLIS} by a watching thread.
 */
public final class Housekeeping implements AutoCloseable {
    /** How often new threads are looked for: reading a small directory of /proc. */
    public static final long PERIOD_MILLIS = 1000;

    /** What the name of a loop's thread begins with; its number follows. */
    public static final String LOOP_PREFIX = "bareloop-";

    private static final int SWEEPS_MAX = 10;

    private static final Path TASKS = Path.of("/proc/self/task");

    private final BitSet cpus;
    private final BitSet before;
    private final Set<Integer> seen = new HashSet<>();
    private Thread watcher;
    private boolean closed;

    private Housekeeping(BitSet cpus, BitSet before) {
        this.cpus = cpus;
        this.before = before;
    }

    /**
     * Moves every thread that the process has now.
     *
     * @param cpus where they may run from now on
     * @throws IllegalStateException where the kernel refuses, with the reason
     */
    public static Housekeeping start(int[] cpus) {
        BitSet wanted = new BitSet();
        for (int cpu : cpus) {
            wanted.set(cpu);
        }
        BitSet before = new BitSet();
        try (Arena arena = Arena.ofConfined()) {
            int[] allowed = Affinity.allowed(new Syscalls(arena));
            for (int cpu : allowed) {
                before.set(cpu);
            }
        }
        Housekeeping housekeeping = new Housekeeping(wanted, before);
        // Again, for one that had not been moved may have created another meanwhile.
        for (int i = 0; i < SWEEPS_MAX && housekeeping.sweep() > 0; i++) {}
        return housekeeping;
    }

    /** Watches for new threads from now on; to be called when the loops are running. */
    public synchronized void watch() {
        sweep();
        watcher = new Thread(this::run, "bareloop-housekeeping");
        watcher.setDaemon(true);
        watcher.start();
    }

    /** Ends the watch and gives the threads back the CPUs that they had. */
    @Override
    public void close() {
        Thread watching;
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            watching = watcher;
            for (int thread : threads()) {
                if (!isLoop(thread)) {
                    set(thread, before);
                }
            }
        }
        if (watching != null) {
            watching.interrupt();
        }
    }

    /** Moves the threads that have come since the last time; returns how many have come. */
    synchronized int sweep() {
        if (closed) {
            return 0;
        }
        Set<Integer> present = threads();
        // The kernel uses numbers again.
        seen.retainAll(present);
        int come = 0;
        for (int thread : present) {
            if (!seen.add(thread)) {
                continue;
            }
            come++;
            int result = isLoop(thread) ? 0 : set(thread, cpus);
            if (result < 0) {
                throw new IllegalStateException(
                        "cannot keep thread "
                                + thread
                                + " on the housekeeping CPUs "
                                + cpus
                                + ": "
                                + Errno.describe(result));
            }
        }
        return come;
    }

    private void run() {
        try {
            while (true) {
                Thread.sleep(PERIOD_MILLIS);
                sweep();
            }
        } catch (InterruptedException e) {
            // Closed.
            Thread.currentThread().interrupt();
        }
    }

    /** Returns 0 or -errno; a thread that has ended since it was seen needs no CPU. */
    private static int set(int thread, BitSet cpus) {
        try (Arena arena = Arena.ofConfined()) {
            int result = new Syscalls(arena).schedSetaffinity(thread, cpus);
            return result == -Errno.ESRCH ? 0 : result;
        }
    }

    private static Set<Integer> threads() {
        Set<Integer> threads = new HashSet<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(TASKS)) {
            for (Path entry : entries) {
                threads.add(Integer.parseInt(entry.getFileName().toString()));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list the threads in " + TASKS, e);
        }
        return threads;
    }

    private static boolean isLoop(int thread) {
        try {
            String name = Files.readString(TASKS.resolve(thread + "/comm")).strip();
            return name.length() > LOOP_PREFIX.length()
                    && name.startsWith(LOOP_PREFIX)
                    && Character.isDigit(name.charAt(LOOP_PREFIX.length()));
        } catch (IOException e) {
            // It has ended.
            return false;
        }
    }
}
