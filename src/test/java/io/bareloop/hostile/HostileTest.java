package io.bareloop.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Clients and handlers of every bad sort, small memory, and system calls that fail: the server goes
 * on, no byte goes astray, and everything is given back. {@link HostileRun} does it for longer.
 *
 * <p>{@code -Dbareloop.hostile.seed} and {@code -Dbareloop.hostile.seconds} make it another run.
 */
@Timeout(300)
class HostileTest {
    private static final long SEED = Long.getLong("bareloop.hostile.seed", 14);
    private static final int SECONDS = Integer.getInteger("bareloop.hostile.seconds", 30);
    private static final int REQUESTS_MIN = 1000;

    /** The last sort of names: not every system call fails in so short a time. */
    private static final int FAULTS = 4;

    /** With checks and little memory, then without and with more. */
    @Test
    void nobodyEndsItOrReadsAnothersBytes() throws Exception {
        run(HostileOptions.defaults().seed(SEED).rounds(2, 0));
    }

    /** Without checks and with little memory, then with checks and with more. */
    @Test
    void norWithAnySeed() throws Exception {
        run(HostileOptions.defaults().rounds(2, 2));
    }

    private static void run(HostileOptions options) throws Exception {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        HostileRun run =
                new HostileRun(
                        options.seconds(SECONDS / 2),
                        new PrintStream(said, true, StandardCharsets.UTF_8));
        run.run();
        assertThat(run.faultCount())
                .as(() -> said.toString(StandardCharsets.UTF_8) + run.summary())
                .isZero();
        // What it is worth: every kind has had its turn.
        assertThat(run.tallies().statuses().sum()).isGreaterThan(REQUESTS_MIN);
        for (List<String> sort : HostileOptions.sorts().subList(0, FAULTS)) {
            assertThat(sort)
                    .filteredOn(name -> !options.without().contains(name))
                    .allMatch(
                            name ->
                                    run.requests().count(name) > 0
                                            || run.tallies().clients().count(name) > 0);
        }
    }
}
