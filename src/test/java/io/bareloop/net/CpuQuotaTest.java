package io.bareloop.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What control groups grant, from files as hosts and containers have them. */
class CpuQuotaTest {
    private static final String V2 =
            "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

    @TempDir private Path root;

    @ParameterizedTest
    @CsvSource({
        "100000 100000, 1",
        "150000 100000, 2",
        "200000 100000, 2",
        "200001 100000, 3",
        "1000 100000, 1",
        "50000 50000, 1",
        "6400000 100000, 64"
    })
    void roundsUp(String max, int cpus) throws IOException {
        write("proc/self/cgroup", "0::/\n");
        write("proc/self/mountinfo", V2);
        write("sys/fs/cgroup/cpu.max", max + "\n");
        assertThat(CpuQuota.cpus(root)).isEqualTo(cpus);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"max 100000\n", "max\n", "", "100000", "x 100000\n", "5 0\n", "-1 100000\n"})
    void noneWhereNoneIsSaid(String max) throws IOException {
        write("proc/self/cgroup", "0::/\n");
        write("proc/self/mountinfo", V2);
        write("sys/fs/cgroup/cpu.max", max);
        assertThat(CpuQuota.cpus(root)).isEqualTo(CpuQuota.NONE);
    }

    /** The least of all counts: a slice of systemd bounds its services. */
    @Test
    void groupsAboveBoundToo() throws IOException {
        write("proc/self/cgroup", "0::/app.slice/web.slice/server.service\n");
        write("proc/self/mountinfo", V2);
        write("sys/fs/cgroup/app.slice/web.slice/server.service/cpu.max", "max 100000\n");
        assertThat(CpuQuota.cpus(root)).isEqualTo(CpuQuota.NONE);
        write("sys/fs/cgroup/app.slice/cpu.max", "300000 100000\n");
        assertThat(CpuQuota.cpus(root)).isEqualTo(3);
        write("sys/fs/cgroup/app.slice/web.slice/cpu.max", "200000 100000\n");
        assertThat(CpuQuota.cpus(root)).isEqualTo(2);
        write("sys/fs/cgroup/app.slice/web.slice/server.service/cpu.max", "100000 100000\n");
        assertThat(CpuQuota.cpus(root)).isEqualTo(1);
        write("sys/fs/cgroup/other.slice/cpu.max", "1 100000\n");
        write("sys/fs/cpu.max", "1 100000\n");
        assertThat(CpuQuota.cpus(root)).isEqualTo(1);
    }

    /** v1 in a container without a namespace for cgroups: the path is the host's. */
    @Test
    void pathsOfTheHostAreFoundBelowTheMount() throws IOException {
        write("proc/self/cgroup", "5:memory:/docker/3f1\n4:cpu,cpuacct:/docker/3f1\n0::/\n");
        write(
                "proc/self/mountinfo",
                """
                40 31 0:35 /docker/3f1 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory
                41 31 0:36 /docker/3f1 /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct
                """);
        write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "250000\n");
        write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
        assertThat(CpuQuota.cpus(root)).isEqualTo(3);
        write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
        assertThat(CpuQuota.cpus(root)).isEqualTo(CpuQuota.NONE);
    }

    /** Both mounted, and the controller where it is: in v1 here, and v2 has nothing to say. */
    @Test
    void hybridHostsHaveTheControllerInOne() throws IOException {
        write("proc/self/cgroup", "2:cpuacct:/\n1:cpu:/jobs\n0::/\n");
        write(
                "proc/self/mountinfo",
                """
                33 31 0:30 / /sys/fs/cgroup/cpuacct rw - cgroup cgroup rw,cpuacct
                32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu
                41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
                """);
        write("sys/fs/cgroup/cpu/jobs/cpu.cfs_quota_us", "100000\n");
        write("sys/fs/cgroup/cpu/jobs/cpu.cfs_period_us", "100000\n");
        write("sys/fs/cgroup/unified/cgroup.procs", "1\n");
        assertThat(CpuQuota.cpus(root)).isEqualTo(1);
    }

    /** Moved out of the namespace's root, or shown something else: the mount is what there is. */
    @ParameterizedTest
    @ValueSource(strings = {"0::/../other\n", "0::/not/here\n", "0::/\n"})
    void whatCannotBeSeenIsTheMountItself(String group) throws IOException {
        write("proc/self/cgroup", group);
        write("proc/self/mountinfo", V2);
        write("sys/fs/cgroup/cpu.max", "200000 100000\n");
        write("sys/fs/other/cpu.max", "100000 100000\n");
        assertThat(CpuQuota.cpus(root)).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "\n", "nonsense\n", "0::\n", "1:name=systemd:/\n", "7:cpuset:/\n"})
    void nonsenseIsNoBound(String text) throws IOException {
        assertThat(CpuQuota.cpus(root)).isEqualTo(CpuQuota.NONE);
        write("proc/self/cgroup", text);
        assertThat(CpuQuota.cpus(root)).isEqualTo(CpuQuota.NONE);
        write("proc/self/mountinfo", text);
        assertThat(CpuQuota.cpus(root)).isEqualTo(CpuQuota.NONE);
    }

    private void write(String file, String text) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }
}
