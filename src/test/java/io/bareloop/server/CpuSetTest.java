package io.bareloop.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Lists of CPUs, as users write them. */
class CpuSetTest {
    /** Whatever machine this is: one CPU that there is. */
    private final int cpu = CpuSet.allowed().toArray()[0];

    @Test
    void allowedAreThoseTheKernelNames() throws IOException {
        String status = Files.readString(Path.of("/proc/thread-self/status"));
        String list = status.replaceAll("(?s).*Cpus_allowed_list:\\s*([-0-9,]+).*", "$1");
        assertThat(CpuSet.allowed().toString()).isEqualTo(list);
        assertThat(CpuSet.of(list)).isEqualTo(CpuSet.allowed());
        assertThat(CpuSet.allowed().isPinned()).isTrue();
        assertThat(CpuSet.allowed().size()).isEqualTo(CpuSet.allowed().toArray().length);
    }

    /** As many loops as there is time for; which CPUs is the scheduler's to say. */
    @ParameterizedTest
    @CsvSource({
        "64, 2, 64, 2, not pinned: a CPU quota of 2 of 64",
        "64, 2, 2, 2, not pinned: a CPU quota of 2 of 64",
        "64, 4, 2, 2, not pinned: the JVM counts 2 of 64",
        "64, 1, 100, 1, not pinned: a CPU quota of 1 of 64",
        "4, 2147483647, 1, 1, not pinned: the JVM counts 1 of 4",
        "2000, 2147483647, 2000, 1024, not pinned: loops are 1024 at the most of 2000",
        "4, 4, 4, 4, pinned to CPUs 10-13",
        "4, 64, 4, 4, pinned to CPUs 10-13",
        "4, 2147483647, 8, 4, pinned to CPUs 10-13",
        "1, 1, 1, 1, pinned to CPUs 10"
    })
    void aQuotaIsANumberOfLoops(int mask, int quota, int processors, int loops, String placement) {
        CpuSet set = CpuSet.bounded(IntStream.range(10, 10 + mask).toArray(), quota, processors);
        assertThat(set.size()).isEqualTo(loops);
        assertThat(set.placement()).isEqualTo(placement);
        assertThat(set.isPinned()).isEqualTo(placement.startsWith("pinned"));
        if (!set.isPinned()) {
            assertThat(set).isEqualTo(CpuSet.unpinned(loops));
            assertThat(set.toString()).isEqualTo(loops + " not pinned");
        }
    }

    @Test
    void readsNumbersAndRanges() {
        for (String list :
                new String[] {
                    "" + cpu, cpu + "-" + cpu, cpu + "," + cpu, " " + cpu + " ,00" + cpu
                }) {
            CpuSet set = CpuSet.of(list);
            assertThat(set.toArray()).containsExactly(cpu);
            assertThat(set.toString()).isEqualTo("" + cpu);
            assertThat(set).isEqualTo(CpuSet.of("" + cpu)).hasSameHashCodeAs(CpuSet.of("" + cpu));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "", " ", ",", "0,", ",0", "-", "0-", "-0", "1-0", "0-1-2", "a", "0x0", "+0", "0;1",
                "0 1", "0-5000", "123456", "\u0660", "0.0"
            })
    void refusesWhatIsNoList(String list) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> CpuSet.of(list))
                .withMessage(
                        "not a CPU list: \""
                                + list
                                + "\"; write numbers and ranges, such as 0-3 or 0,2");
    }

    @Test
    void refusesACpuThatItMayNotUse() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> CpuSet.of(cpu + ",99999"))
                .withMessage(
                        "CPU 99999 is not one this process may run on; those are "
                                + CpuSet.allowed());
    }

    @Test
    void unpinnedIsANumberOfLoops() {
        CpuSet set = CpuSet.unpinned(3);
        assertThat(set.size()).isEqualTo(3);
        assertThat(set.isPinned()).isFalse();
        assertThat(set.toArray()).containsExactly(-1, -1, -1);
        assertThat(set.toString()).isEqualTo("3 not pinned");
        assertThat(set).isEqualTo(CpuSet.unpinned(3)).isNotEqualTo(CpuSet.unpinned(2));
        assertThat(CpuSet.unpinned(1)).isNotEqualTo(CpuSet.of("" + cpu));
        assertThat(CpuSet.unpinned(1024).size()).isEqualTo(1024);
        for (int loops : new int[] {0, -1, 1025, Integer.MIN_VALUE}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> CpuSet.unpinned(loops))
                    .withMessage(loops + " loops; it must be 1 to 1024");
        }
    }

    @Test
    void doesNotHandOutItsOwnArray() {
        CpuSet set = CpuSet.unpinned(1);
        set.toArray()[0] = 0;
        assertThat(set.isPinned()).isFalse();
    }
}
