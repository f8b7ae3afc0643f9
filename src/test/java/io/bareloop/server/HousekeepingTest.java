package io.bareloop.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bareloop.http.Blocking;
import io.bareloop.http.Prepared;
import io.bareloop.http.Reply;
import io.bareloop.rig.Client;
import io.bareloop.rig.ServerProcess;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Where the threads of a process run that are not loops, by what /proc says of each. */
@Timeout(60)
class HousekeepingTest {
    private static final CpuSet ALL = CpuSet.allowed();
    private static final String FIRST = String.valueOf(ALL.toArray()[0]);
    private static final String LAST = String.valueOf(ALL.toArray()[ALL.size() - 1]);

    @Test
    void allThreadsButTheLoopsRunThere() throws Exception {
        try (ServerProcess server =
                ServerProcess.start(
                        List.of(),
                        "--port=0",
                        "--host=127.0.0.1",
                        "--cpus=" + FIRST,
                        "--housekeeping-cpus=" + LAST)) {
            assertThat(server.line("  others ")).isEqualTo("  others    on CPUs " + LAST);
            try (Client client = Client.connect(server.port())) {
                assertThat(client.get("/plaintext").status()).isEqualTo(200);
            }
            Map<String, String> threads = threads(String.valueOf(server.pid()));
            assertThat(threads).hasSizeGreaterThan(8);
            assertThat(threads.keySet()).anyMatch(name -> name.startsWith("C1 CompilerThre"));
            threads.forEach(
                    (name, cpus) ->
                            assertThat(cpus)
                                    .as(name)
                                    .isEqualTo(name.startsWith("bareloop-0 ") ? FIRST : LAST));
            server.signal("TERM");
            assertThat(server.exit()).isZero();
        }
    }

    /** Carriers of virtual threads are created by a loop, and begin on its CPU. */
    @Test
    void threadsThatALoopCreatesAreMovedToo() throws Exception {
        assumeTrue(ALL.size() > 1, "one CPU is not enough to tell");
        try (HttpServer server =
                HttpServer.builder()
                        .listen("127.0.0.1", 0)
                        .cpus(CpuSet.of(FIRST))
                        .housekeepingCpus(CpuSet.of(LAST))
                        .handler(
                                Blocking.blocking(
                                        request -> {
                                            new Thread(HousekeepingTest::sleep, "born-late")
                                                    .start();
                                            return Reply.text("");
                                        }))
                        .start()) {
            assertThat(server.housekeepingCpus()).isEqualTo(CpuSet.of(LAST));
            try (Client client = Client.connect(server.port())) {
                assertThat(client.get("/").status()).isEqualTo(200);
            }
            Thread.sleep(2500);
            Map<String, String> threads = threads("self");
            assertThat(threads.keySet()).anyMatch(name -> name.startsWith("born-late "));
            threads.forEach(
                    (name, cpus) ->
                            assertThat(cpus)
                                    .as(name)
                                    .isEqualTo(name.startsWith("bareloop-0 ") ? FIRST : LAST));
        }
        threads("self").forEach((name, cpus) -> assertThat(cpus).as(name).isEqualTo("" + ALL));
        assertThat(CpuSet.allowed()).isEqualTo(ALL);
    }

    /** Its loops are no housekeeping, and neither are those of a server beside it. */
    @Test
    void loopsOfAnotherServerStayWhereTheyAre() throws Exception {
        assumeTrue(ALL.size() > 1, "one CPU is not enough to tell");
        try (HttpServer one = server().cpus(CpuSet.of(FIRST)).start();
                HttpServer other = server().housekeepingCpus(CpuSet.of(FIRST)).start()) {
            assertThat(one.cpus()).isEqualTo(CpuSet.of(FIRST));
            assertThat(other.cpus()).as("those that are left").isEqualTo(ALL.without(one.cpus()));
            assertThat(threads("self").entrySet())
                    .filteredOn(thread -> thread.getKey().startsWith("bareloop-0 "))
                    .extracting(Map.Entry::getValue)
                    .contains(FIRST, other.cpus().toString().split(",|-", -1)[0]);
        }
    }

    /** Where nothing would be left for loops, they share. */
    @Test
    void allCpusMayBeShared() throws IOException {
        try (HttpServer server = server().housekeepingCpus(ALL).start()) {
            assertThat(server.cpus()).isEqualTo(ALL);
        }
    }

    @Test
    void loopsHaveToBePinned() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HttpServer.builder().housekeepingCpus(CpuSet.unpinned(2)))
                .withMessage("housekeeping needs CPUs, not 2 not pinned");
        HttpServer.Builder builder =
                server().cpus(CpuSet.unpinned(1)).housekeepingCpus(CpuSet.of(FIRST));
        assertThatIllegalStateException()
                .isThrownBy(builder::start)
                .withMessageContaining("housekeeping CPUs need loops that are pinned");
        assertThat(CpuSet.allowed()).isEqualTo(ALL);
    }

    private static HttpServer.Builder server() {
        return HttpServer.builder()
                .listen("127.0.0.1", 0)
                .log(line -> {})
                .handler(Prepared.text("x"));
    }

    /** Name and number of each thread of a process, and its Cpus_allowed_list. */
    private static Map<String, String> threads(String process) throws IOException {
        Map<String, String> threads = new TreeMap<>();
        Path tasks = Path.of("/proc", process, "task");
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(tasks)) {
            for (Path entry : entries) {
                try {
                    String status = Files.readString(entry.resolve("status"));
                    threads.put(
                            field(status, "Name") + " " + entry.getFileName(),
                            field(status, "Cpus_allowed_list"));
                } catch (NoSuchFileException e) {
                    // It has ended.
                }
            }
        }
        return threads;
    }

    private static String field(String status, String name) {
        return status.replaceAll("(?s).*\\b" + name + ":\\s*([^\\n]*).*", "$1");
    }

    private static void sleep() {
        try {
            Thread.sleep(10_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
