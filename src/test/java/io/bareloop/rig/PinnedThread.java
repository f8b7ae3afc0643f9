package io.bareloop.rig;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.net.Affinity;
import io.bareloop.sys.Syscalls;
import java.lang.foreign.Arena;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/** Work on a thread of its own, with system calls of its own, pinned to a CPU. */
public final class PinnedThread {
    /** What is done there. */
    public interface Work {
        void run(Syscalls sys) throws Exception;
    }

    private PinnedThread() {}

    /** Does {@code work} on {@code cpu} and waits for its end; what it throws comes out here. */
    public static void run(int cpu, Work work) throws Exception {
        Callable<Void> pinned =
                () -> {
                    try (Arena arena = Arena.ofConfined()) {
                        Syscalls sys = new Syscalls(arena);
                        assertThat(Affinity.pinCurrentThread(sys, cpu)).isZero();
                        work.run(sys);
                    }
                    return null;
                };
        FutureTask<Void> task = new FutureTask<>(pinned);
        Thread thread = new Thread(task, "pinned-to-" + cpu);
        thread.setDaemon(true);
        thread.start();
        task.get(3L * Loopback.WAIT_MILLIS, TimeUnit.MILLISECONDS);
    }
}
