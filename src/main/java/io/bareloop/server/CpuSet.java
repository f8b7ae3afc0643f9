package io.bareloop.server;

import io.bareloop.net.Affinity;
import io.bareloop.net.CpuQuota;
import io.bareloop.sys.Syscalls;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Objects;

/** The CPUs that a server uses, one loop on each; or a number of loops that are not pinned. */
public final class CpuSet {
    private static final int LOOPS_MAX = 1024;
    private static final int NOT_PINNED = -1;

    /** For how long the JVM may go by what it has counted before, and some. */
    private static final long JVM_COUNT_MILLIS = 25;

    private final int[] cpus;

    /** Why there are fewer loops than CPUs; or null. Two sets that differ in this are equal. */
    private final String bound;

    private CpuSet(int[] cpus) {
        this(cpus, null);
    }

    private CpuSet(int[] cpus, String bound) {
        this.cpus = cpus;
        this.bound = bound;
    }

    /**
     * Every CPU that this process may run on: what taskset, a cpuset or a container allows. Where
     * it may have the time of fewer only, that many loops, which are not pinned: by a quota of its
     * control groups (rounded up), or by what the JVM counts (-XX:ActiveProcessorCount).
     *
     * <p>For a quota is a number of CPUs and no choice of them. Were the first ones taken, all
     * containers of a host would crowd on those, and the scheduler could not help.
     *
     * @return the CPUs, or as many loops that are not pinned; one at least
     */
    public static CpuSet allowed() {
        int[] mask = allowedCpus();
        int quota = CpuQuota.cpus();
        int processors = Runtime.getRuntime().availableProcessors();
        if (processors < Math.min(mask.length, quota)) {
            processors = countAgain();
        }
        return bounded(mask, quota, processors);
    }

    /**
     * The JVM keeps what it counted for 20 ms in a container. That may be from when this thread was
     * kept on fewer CPUs, as by housekeeping.
     */
    private static int countAgain() {
        try {
            Thread.sleep(JVM_COUNT_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return Runtime.getRuntime().availableProcessors();
    }

    /** {@code mask}, or as many loops as {@code quota} and {@code processors} allow. */
    static CpuSet bounded(int[] mask, int quota, int processors) {
        int loops = Math.min(Math.min(quota, processors), Math.min(mask.length, LOOPS_MAX));
        if (loops == mask.length) {
            return new CpuSet(mask);
        }
        int[] cpus = new int[loops];
        Arrays.fill(cpus, NOT_PINNED);
        String why =
                quota == loops
                        ? "a CPU quota of " + loops
                        : processors == loops
                                ? "the JVM counts " + loops
                                : "loops are " + LOOPS_MAX + " at the most";
        return new CpuSet(cpus, why + " of " + mask.length);
    }

    /**
     * CPUs to pin loops to, where something needs pinned ones: of those allowed, less {@code
     * others}, as many as there may be loops. Whoever asks for that lays out the host's CPUs.
     */
    static CpuSet allowedPinned(CpuSet others) {
        CpuSet all = new CpuSet(allowedCpus());
        CpuSet left = others == null ? all : all.without(others);
        int loops = Math.min(allowed().size(), left.size());
        return new CpuSet(Arrays.copyOf(left.cpus, loops));
    }

    /**
     * The CPUs of {@code list}, in ascending order.
     *
     * @param list numbers and ranges as taskset -c takes them: {@code "0-3"}, {@code "0,2,8-11"}
     * @return the CPUs, one loop on each
     * @throws IllegalArgumentException where it is no such list, or names a CPU that this process
     *     may not run on
     */
    public static CpuSet of(String list) {
        // Loops, not streams: each lambda costs a start what ten system calls do.
        BitSet named = new BitSet();
        for (String part : list.split(",", -1)) {
            String[] ends = part.trim().split("-", -1);
            if (ends.length > 2) {
                throw malformed(list);
            }
            int from = number(ends[0], list);
            int to = number(ends[ends.length - 1], list);
            if (from > to || to - from >= LOOPS_MAX) {
                throw malformed(list);
            }
            named.set(from, to + 1);
        }
        int[] cpus = new int[named.cardinality()];
        for (int i = 0, cpu = named.nextSetBit(0); i < cpus.length; i++) {
            cpus[i] = cpu;
            cpu = named.nextSetBit(cpu + 1);
        }
        int[] allowed = allowedCpus();
        for (int cpu : cpus) {
            if (Arrays.binarySearch(allowed, cpu) < 0) {
                throw new IllegalArgumentException(
                        "CPU "
                                + cpu
                                + " is not one this process may run on; those are "
                                + new CpuSet(allowed));
            }
        }
        return new CpuSet(cpus);
    }

    /**
     * {@code loops} loops that the scheduler may move, without steering of connections by CPU.
     *
     * @param loops how many, 1 to 1024
     * @return that many loops
     * @throws IllegalArgumentException unless it is 1 to 1024
     */
    public static CpuSet unpinned(int loops) {
        if (loops < 1 || loops > LOOPS_MAX) {
            throw new IllegalArgumentException(loops + " loops; it must be 1 to " + LOOPS_MAX);
        }
        int[] cpus = new int[loops];
        Arrays.fill(cpus, NOT_PINNED);
        return new CpuSet(cpus);
    }

    /** {@return the number of loops} */
    public int size() {
        return cpus.length;
    }

    /** {@return whether each loop stays on a CPU of its own} */
    public boolean isPinned() {
        return cpus[0] != NOT_PINNED;
    }

    /** The CPU of each loop, or -1s. */
    int[] toArray() {
        return cpus.clone();
    }

    /** These less {@code others}; these where nothing would be left. */
    CpuSet without(CpuSet others) {
        int[] left =
                Arrays.stream(cpus)
                        .filter(cpu -> Arrays.binarySearch(others.cpus, cpu) < 0)
                        .toArray();
        return left.length == 0 ? this : new CpuSet(left);
    }

    /** The first alone. */
    CpuSet first() {
        return new CpuSet(new int[] {cpus[0]});
    }

    /**
     * {@return where the loops run, for people to read: {@code "pinned to CPUs 0-3"}, {@code "not
     * pinned"}, or {@code "not pinned: a CPU quota of 2 of 64"}}
     */
    public String placement() {
        if (isPinned()) {
            return "pinned to CPUs " + this;
        }
        return bound == null ? "not pinned" : "not pinned: " + bound;
    }

    /** The list in its shortest form, for example {@code "0-3,8"}; or {@code "2 not pinned"}. */
    @Override
    public String toString() {
        if (!isPinned()) {
            return cpus.length + " not pinned";
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < cpus.length; i++) {
            int from = i;
            while (i + 1 < cpus.length && cpus[i + 1] == cpus[i] + 1) {
                i++;
            }
            text.append(text.isEmpty() ? "" : ",").append(cpus[from]);
            if (i > from) {
                text.append('-').append(cpus[i]);
            }
        }
        return text.toString();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CpuSet set && Arrays.equals(cpus, set.cpus);
    }

    @Override
    public int hashCode() {
        return Objects.hash(CpuSet.class, Arrays.hashCode(cpus));
    }

    private static int[] allowedCpus() {
        try (Arena arena = Arena.ofConfined()) {
            return Affinity.allowed(new Syscalls(arena));
        }
    }

    private static int number(String text, String list) {
        if (text.isEmpty() || text.length() > 5) {
            throw malformed(list);
        }
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) < '0' || text.charAt(i) > '9') {
                throw malformed(list);
            }
        }
        return Integer.parseInt(text);
    }

    private static IllegalArgumentException malformed(String list) {
        return new IllegalArgumentException(
                "not a CPU list: \"" + list + "\"; write numbers and ranges, such as 0-3 or 0,2");
    }
}
