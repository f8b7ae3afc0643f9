package io.bareloop.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bareloop.rig.PinnedThread;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Syscalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Where a thread may run, against what /proc tells of it. */
@Timeout(60)
class AffinityTest {
    private final Arena arena = Arena.ofConfined();
    private final Syscalls sys = new Syscalls(arena);

    @AfterEach
    void free() {
        arena.close();
    }

    @Test
    void allowedIsWhatTheKernelTells() throws IOException {
        assertThat(Affinity.allowed(sys)).isEqualTo(allowedByProc()).isNotEmpty().isSorted();
    }

    @Test
    void pinsTheCallingThreadAlone() throws Exception {
        int[] before = Affinity.allowed(sys);
        for (int cpu : before) {
            PinnedThread.run(
                    cpu,
                    own -> {
                        assertThat(Affinity.allowed(own)).containsExactly(cpu);
                        assertThat(allowedByProc()).containsExactly(cpu);
                    });
        }
        assertThat(Affinity.allowed(sys)).isEqualTo(before);
    }

    @Test
    void pinningToACpuThatIsNotThereIsRefused() {
        int[] before = Affinity.allowed(sys);
        assumeTrue(before[before.length - 1] < 1023, "a machine of a thousand CPUs");
        assertThat(Affinity.pinCurrentThread(sys, 1023)).isEqualTo(-Errno.EINVAL);
        assertThat(Affinity.pinCurrentThread(sys, 5000)).isEqualTo(-Errno.EINVAL);
        assertThat(Affinity.allowed(sys)).isEqualTo(before);
    }

    @Test
    void aRefusalToTellNamesItsReason() {
        Syscalls refusing =
                new Syscalls(arena) {
                    @Override
                    public int schedGetaffinity(BitSet cpus) {
                        return -Errno.EPERM;
                    }
                };
        assertThatThrownBy(() -> Affinity.allowed(refusing))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("sched_getaffinity: EPERM (not permitted)");
    }

    /** The list of proc_pid_status(5), such as {@code 0-2,7}. */
    private static int[] allowedByProc() throws IOException {
        List<Integer> cpus = new ArrayList<>();
        for (String line : Files.readAllLines(Path.of("/proc/thread-self/status"))) {
            if (line.startsWith("Cpus_allowed_list:")) {
                for (String range : line.substring(line.indexOf(':') + 1).strip().split(",", -1)) {
                    String[] ends = range.split("-", -1);
                    int last = Integer.parseInt(ends[ends.length - 1]);
                    for (int cpu = Integer.parseInt(ends[0]); cpu <= last; cpu++) {
                        cpus.add(cpu);
                    }
                }
            }
        }
        return cpus.stream().mapToInt(Integer::intValue).toArray();
    }
}
