package io.bareloop.net;

import io.bareloop.sys.Errno;
import io.bareloop.sys.Syscalls;
import java.util.BitSet;

/** The CPUs a thread may run on: sched_setaffinity(2). */
public final class Affinity {
    private Affinity() {}

    /**
     * The CPUs that the calling thread may run on, ascending: what taskset(1), a cpuset or a
     * container left of the machine's.
     *
     * @throws IllegalStateException where the kernel refuses, with the reason
     */
    public static int[] allowed(Syscalls sys) {
        BitSet cpus = new BitSet();
        int result = sys.schedGetaffinity(cpus);
        if (result < 0) {
            throw new IllegalStateException("sched_getaffinity: " + Errno.describe(result));
        }
        int[] allowed = new int[cpus.cardinality()];
        for (int i = 0, cpu = cpus.nextSetBit(0); i < allowed.length; i++) {
            allowed[i] = cpu;
            cpu = cpus.nextSetBit(cpu + 1);
        }
        return allowed;
    }

    /**
     * Pins the calling thread to {@code cpu}.
     *
     * @return 0 or -errno (-EINVAL: no such CPU, or not allowed to this process)
     */
    public static int pinCurrentThread(Syscalls sys, int cpu) {
        BitSet cpus = new BitSet();
        cpus.set(cpu);
        return sys.schedSetaffinity(0, cpus);
    }
}
