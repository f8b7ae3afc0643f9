package io.bareloop.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bareloop.rig.Client;
import io.bareloop.rig.ServerProcess;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How many loops the command line has where it is granted one CPU of several. */
@Timeout(60)
class CpuQuotaServerTest {
    private static final List<String> ONE = List.of("-Xmx64m", "-XX:ActiveProcessorCount=1");
    private static final CpuSet ALL = CpuSet.allowed();

    @BeforeEach
    void needsTwo() {
        assumeTrue(ALL.isPinned() && ALL.size() > 1, "one CPU is not enough to tell");
    }

    @Test
    void asManyLoopsAsTheJvmCounts() throws Exception {
        assertThat(loops())
                .isEqualTo("  loops     1, not pinned: the JVM counts 1 of " + ALL.size());
    }

    /** Who names CPUs means them. */
    @Test
    void namedCpusWin() throws Exception {
        assertThat(loops("--cpus=" + ALL))
                .isEqualTo("  loops     " + ALL.size() + ", pinned to CPUs " + ALL);
    }

    @Test
    void whatNeedsPinnedLoopsHasThem() throws Exception {
        int[] cpus = ALL.toArray();
        assertThat(loops("--housekeeping-cpus=" + cpus[0]))
                .isEqualTo("  loops     1, pinned to CPUs " + cpus[1]);
        assertThat(loops("--accept=cbpf")).isEqualTo("  loops     1, pinned to CPUs " + cpus[0]);
    }

    private static String loops(String... options) throws Exception {
        List<String> all = new ArrayList<>(List.of(options));
        all.add("--host=127.0.0.1");
        all.add("--port=0");
        try (ServerProcess server = ServerProcess.start(ONE, all.toArray(String[]::new))) {
            try (Client client = Client.connect(server.port())) {
                assertThat(client.get("/plaintext").status()).isEqualTo(200);
            }
            return server.line("  loops ");
        }
    }
}
