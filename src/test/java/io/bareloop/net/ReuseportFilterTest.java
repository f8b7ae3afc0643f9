package io.bareloop.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bareloop.rig.Loopback;
import io.bareloop.rig.PinnedThread;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Syscalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The program, run here instruction by instruction, then by the kernel on real connections. */
@Timeout(120)
class ReuseportFilterTest {
    private static final int CPUS = 512;
    private static final int REPETITIONS = 200;

    // The instructions of linux/bpf_common.h that the program may use, as numbers, so that a wrong
    // constant in main does not agree with itself here.
    private static final int LOAD_WORD_ABSOLUTE = 0x20;
    private static final int JUMP_IF_EQUAL = 0x15;
    private static final int MODULO = 0x94;
    private static final int RETURN_CONSTANT = 0x06;
    private static final int RETURN_ACCUMULATOR = 0x16;

    /** Load from "packet offset" -4096 + 36 means the number of the CPU: linux/filter.h. */
    private static final int CPU_NUMBER = -4096 + 36;

    private final Arena arena = Arena.ofConfined();
    private final Syscalls sys = new Syscalls(arena);
    private final Loopback loopback = new Loopback(sys);

    @AfterEach
    void free() {
        loopback.close();
        arena.close();
    }

    static Stream<int[]> cpuSets() {
        return Stream.of(
                new int[] {0},
                new int[] {0, 1},
                IntStream.range(0, 7).toArray(),
                IntStream.range(0, 300).toArray(),
                IntStream.range(0, CPUS).toArray(),
                new int[] {1},
                new int[] {1, 0},
                new int[] {0, 2},
                new int[] {2, 5, 7},
                new int[] {7, 2, 5},
                new int[] {0, 1, 2, 4},
                new int[] {511, 0, 256, 255, 128, 127},
                // More than a jump can span, from its first to its last.
                IntStream.range(0, 127).map(i -> 2 * i + 1).toArray(),
                IntStream.range(0, 128).map(i -> 2 * i + 1).toArray(),
                IntStream.range(0, 129).map(i -> 2 * i + 1).toArray(),
                IntStream.range(0, 300).map(i -> 299 - i).toArray(),
                IntStream.range(0, 300).map(i -> i + 200).toArray());
    }

    @ParameterizedTest
    @MethodSource("cpuSets")
    void picksTheListenerOfTheCpu(int[] cpus) {
        long[] program = ReuseportFilter.program(cpus);
        checkAsTheKernelDoes(program);
        for (int cpu = 0; cpu < CPUS; cpu++) {
            int index = indexOf(cpus, cpu);
            int expected = index >= 0 ? index : cpu % cpus.length;
            assertThat(run(program, cpu))
                    .as("%d CPUs from %d, on CPU %d", cpus.length, cpus[0], cpu)
                    .isEqualTo(expected);
        }
    }

    @Test
    void identityNeedsNoTable() {
        assertThat(ReuseportFilter.program(IntStream.range(0, 64).toArray())).hasSize(3);
    }

    @Test
    void tooManyForAProgramAreRefused() {
        int[] most = IntStream.range(1, 2047).toArray();
        long[] program = ReuseportFilter.program(most);
        assertThat(program.length).isLessThanOrEqualTo(4096);
        checkAsTheKernelDoes(program);
        assertThat(run(program, 2046)).isEqualTo(2045);

        assertThatThrownBy(() -> ReuseportFilter.program(IntStream.range(1, 2048).toArray()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("2047 CPUs");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 127, 300})
    void theKernelTakesIt(int count) {
        for (int first : new int[] {0, 1}) {
            int fd = loopback.socket();
            assertThat(sys.setsockopt(fd, Linux.SOL_SOCKET, Linux.SO_REUSEPORT, 1)).isZero();
            long[] program =
                    ReuseportFilter.program(IntStream.range(first, first + count).toArray());
            int result = sys.attachReuseportFilter(fd, program);
            assertThat(result).as(Errno.describe(result)).isZero();
        }
    }

    /** Over loopback, a connection's first packet is processed on the CPU of the client. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void connectionsArriveAtTheListenerOfTheirCpu(boolean swapped) throws Exception {
        int[] cpus = twoCpus(swapped);
        try (ListenerGroup group = open(cpus, Knob.on(0))) {
            assertThat(group.steered()).isTrue();
            for (int index = 0; index < cpus.length; index++) {
                int[] arrived = connectFrom(cpus[index], group);
                int[] expected = new int[cpus.length];
                expected[index] = REPETITIONS;
                assertThat(arrived).as("from CPU " + cpus[index]).isEqualTo(expected);
            }
        }
    }

    /** So it is the program that does it. */
    @Test
    void withoutItConnectionsAreSpread() throws Exception {
        int[] cpus = twoCpus(false);
        try (ListenerGroup group = open(cpus, Knob.OFF)) {
            assertThat(group.steered()).isFalse();
            assertThat(connectFrom(cpus[0], group)).doesNotContain(0);
        }
    }

    /** How many of many connections from {@code cpu} each listener got. */
    private static int[] connectFrom(int cpu, ListenerGroup group) throws Exception {
        int[] arrived = new int[2];
        PinnedThread.run(
                cpu,
                own -> {
                    try (Arena memory = Arena.ofConfined();
                            Epoll epoll = new Epoll(own, memory, arrived.length)) {
                        for (int i = 0; i < arrived.length; i++) {
                            assertThat(epoll.add(group.fd(i), Linux.EPOLLIN, i)).isZero();
                        }
                        for (int i = 0; i < REPETITIONS; i++) {
                            arrived[connectOnce(own, epoll, group)]++;
                        }
                    }
                });
        return arrived;
    }

    private static int connectOnce(Syscalls own, Epoll epoll, ListenerGroup group)
            throws IOException {
        try (Socket client = new Socket()) {
            client.connect(group.address(), Loopback.WAIT_MILLIS);
            client.setSoLinger(true, 0); // a reset leaves nothing behind in TIME_WAIT
            assertThat(epoll.await(Loopback.WAIT_MILLIS)).isEqualTo(1);
            int index = (int) epoll.token(0);
            int fd = own.accept4(group.fd(index), Linux.SOCK_CLOEXEC);
            assertThat(fd).isNotNegative();
            assertThat(own.close(fd)).isZero();
            return index;
        }
    }

    private ListenerGroup open(int[] cpus, Knob steering) throws IOException {
        return ListenerGroup.open(
                sys,
                new InetSocketAddress(Loopback.ipv4Loopback(), 0),
                cpus,
                new ListenOptions(steering, Knob.OFF, null, 128),
                new KnobLog());
    }

    private int[] twoCpus(boolean swapped) throws IOException {
        int[] allowed = Affinity.allowed(sys);
        assumeTrue(allowed.length >= 2, "one CPU: nothing to steer");
        Path steering = Path.of("/sys/class/net/lo/queues/rx-0/rps_cpus");
        if (Files.isReadable(steering)) {
            assumeTrue(
                    Files.readString(steering).strip().matches("[0,]*"),
                    "packets on loopback are steered to other CPUs (rps_cpus)");
        }
        return swapped ? new int[] {allowed[1], allowed[0]} : Arrays.copyOf(allowed, 2);
    }

    private static int indexOf(int[] cpus, int cpu) {
        for (int i = 0; i < cpus.length; i++) {
            if (cpus[i] == cpu) {
                return i;
            }
        }
        return -1;
    }

    private static int code(long instruction) {
        return (int) instruction & 0xFFFF;
    }

    private static int ifTrue(long instruction) {
        return (int) (instruction >>> 16) & 0xFF;
    }

    private static int ifFalse(long instruction) {
        return (int) (instruction >>> 24) & 0xFF;
    }

    private static int operand(long instruction) {
        return (int) (instruction >>> 32);
    }

    /** Known instructions only, no jump out of the program, no division by 0, a return at last. */
    private static void checkAsTheKernelDoes(long[] program) {
        for (int at = 0; at < program.length; at++) {
            long instruction = program[at];
            switch (code(instruction)) {
                case JUMP_IF_EQUAL:
                    int furthest = Math.max(ifTrue(instruction), ifFalse(instruction));
                    assertThat(at + 1 + furthest).isLessThan(program.length);
                    break;
                case MODULO:
                    assertThat(operand(instruction)).isPositive();
                    break;
                case LOAD_WORD_ABSOLUTE:
                case RETURN_CONSTANT:
                case RETURN_ACCUMULATOR:
                    break;
                default:
                    throw new AssertionError("instruction " + Long.toHexString(instruction));
            }
        }
        assertThat(code(program[program.length - 1])).isIn(RETURN_CONSTANT, RETURN_ACCUMULATOR);
    }

    /** Runs the program for a packet on {@code cpu}. */
    private static int run(long[] program, int cpu) {
        int accumulator = -1;
        for (int at = 0; at < program.length; at++) {
            long instruction = program[at];
            int operand = operand(instruction);
            switch (code(instruction)) {
                case LOAD_WORD_ABSOLUTE:
                    assertThat(operand).isEqualTo(CPU_NUMBER);
                    accumulator = cpu;
                    break;
                case JUMP_IF_EQUAL:
                    at += accumulator == operand ? ifTrue(instruction) : ifFalse(instruction);
                    break;
                case MODULO:
                    accumulator = Integer.remainderUnsigned(accumulator, operand);
                    break;
                case RETURN_CONSTANT:
                    return operand;
                case RETURN_ACCUMULATOR:
                    return accumulator;
                default:
                    throw new AssertionError("instruction " + Long.toHexString(instruction));
            }
        }
        throw new AssertionError("ran past its end");
    }
}
