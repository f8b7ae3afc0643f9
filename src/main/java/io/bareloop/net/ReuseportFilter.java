package io.bareloop.net;

import io.bareloop.sys.Linux;

/**
 * The classic BPF program that gives a new connection to the listener of the CPU on which its first
 * packet is processed: SO_ATTACH_REUSEPORT_CBPF of socket(7).
 *
 * <p>What the program returns is the index of a listener in the order in which the group's sockets
 * were bound, not a CPU. So the listeners are bound in the order of {@code cpus}, and stay open:
 * closing one moves the last into its place.
 */
public final class ReuseportFilter {
    private ReuseportFilter() {}

    /**
     * Builds the program for listeners that were bound in the order of {@code cpus}.
     *
     * <p>CPUs 0 to n-1 in order need no table: their number is the index. Others get a table of
     * jumps. A packet on a CPU that has no listener (every packet on loopback may be one) goes to
     * CPU number modulo n, so that such traffic is spread too.
     *
     * @param cpus distinct CPU numbers; at most about 2000, the length of a BPF program
     * @return instructions as {@link io.bareloop.sys.Syscalls#attachReuseportFilter} takes them
     */
    public static long[] program(int[] cpus) {
        boolean identity = true;
        for (int i = 0; i < cpus.length; i++) {
            identity &= cpus[i] == i;
        }
        int table = identity ? 0 : cpus.length * 2;
        long[] program = new long[1 + table + 2];
        if (program.length > Linux.BPF_MAXINSNS) {
            throw new IllegalArgumentException(
                    cpus.length + " CPUs need more instructions than a BPF program may have");
        }
        int at = 0;
        program[at++] =
                instruction(
                        Linux.BPF_LD | Linux.BPF_W | Linux.BPF_ABS,
                        0,
                        0,
                        Linux.SKF_AD_OFF + Linux.SKF_AD_CPU);
        if (!identity) {
            // A jump spans 255 instructions at the most: "if equal, fall into the return; else
            // skip it" needs none that is longer than one.
            for (int i = 0; i < cpus.length; i++) {
                program[at++] =
                        instruction(Linux.BPF_JMP | Linux.BPF_JEQ | Linux.BPF_K, 0, 1, cpus[i]);
                program[at++] = instruction(Linux.BPF_RET | Linux.BPF_K, 0, 0, i);
            }
        }
        program[at++] = instruction(Linux.BPF_ALU | Linux.BPF_MOD | Linux.BPF_K, 0, 0, cpus.length);
        program[at] = instruction(Linux.BPF_RET | Linux.BPF_A, 0, 0, 0);
        return program;
    }

    private static long instruction(int code, int ifTrue, int ifFalse, int operand) {
        return (operand & 0xFFFF_FFFFL) << 32 | (long) ifFalse << 24 | (long) ifTrue << 16 | code;
    }
}
