package io.bareloop.app;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.rig.ServerProcess;
import io.bareloop.server.CpuSet;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The command line: what it says, and how it ends. */
@Timeout(60)
class MainTest {
    private static final int COLUMNS_MAX = 100;
    private static final List<String> OPTIONS =
            List.of(
                    "--port",
                    "--host",
                    "--cpus",
                    "--housekeeping-cpus",
                    "--warmup",
                    "--accept",
                    "--busy-poll",
                    "--congestion",
                    "--io-uring",
                    "--private-descriptors",
                    "--backlog",
                    "--max-connections",
                    "--max-target",
                    "--max-head",
                    "--max-fields",
                    "--max-body",
                    "--max-unsent",
                    "--add-header",
                    "--max-pending",
                    "--max-requests",
                    "--max-form-parameters",
                    "--max-pipelined",
                    "--head-timeout",
                    "--body-timeout",
                    "--idle-timeout",
                    "--send-timeout",
                    "--linger",
                    "--trust-proxy",
                    "--access-log",
                    "--access-log-format",
                    "--drain",
                    "--root",
                    "--index",
                    "--fallback",
                    "--listing",
                    "--dot-files",
                    "--outside-links",
                    "--gzip",
                    "--cache-control",
                    "--cache-control-for",
                    "--small-files",
                    "--file-memory",
                    "--open-files",
                    "--files-unchecked",
                    "--help",
                    "--version");
    private static final int SIGINT = 2;

    // ---- without serving

    @ParameterizedTest
    @ValueSource(strings = {"--help", "-h", "serve --help", "--port 1 -h"})
    void helpNamesEveryOption(String arguments) {
        Outcome outcome = run(arguments.split(" "));
        assertThat(outcome.status()).isZero();
        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.out().lines()).allMatch(line -> line.length() <= COLUMNS_MAX);
        for (String option : OPTIONS) {
            assertThat(outcome.out()).containsPattern("(?m)^ +(-., )?" + option + "\\b");
        }
        assertThat(outcome.out())
                .startsWith("Usage: java -jar bareloop.jar [serve] [OPTIONS]")
                .contains("Default: 2342.", "Default: 0.0.0.0.", "Default: 10.")
                .contains("Exit status: 0 drained in time; 1 could not start")
                .doesNotContain("${", "null", "%n");
    }

    /** No option that the list above, and with it these tests, does not know. */
    @Test
    void helpNamesNoOtherOption() {
        List<String> named = new ArrayList<>();
        Matcher option = Pattern.compile("(?m)^ +(?:-., )?(--[a-z-]+)").matcher(run("-h").out());
        while (option.find()) {
            named.add(option.group(1));
        }
        assertThat(named).containsExactlyInAnyOrderElementsOf(OPTIONS);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--version", "-V", "serve -V"})
    void versionIsALine(String arguments) {
        Outcome outcome = run(arguments.split(" "));
        assertThat(outcome.status()).isZero();
        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.out()).matches("bareloop \\S.*\n");
    }

    /** What is wrong, in one line that names the option, and where to find out more. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--port        | x",
                "--port        | ''",
                "--port        | -1",
                "--port        | 65536",
                "--port        | 99999999999",
                "--cpus        | all",
                "--cpus        | ''",
                "--cpus        | 1-0",
                "--cpus        | 99999",
                "--housekeeping-cpus | ''",
                "--housekeeping-cpus | x",
                "--housekeeping-cpus | 99999",
                "--warmup      | -1",
                "--warmup      | 9",
                "--warmup      | 60001",
                "--warmup      | 1s",
                "--accept      | cbfp",
                "--accept      | CBPF",
                "--trust-proxy | localhost",
                "--access-log-format | apache",
                "--trust-proxy | 10.0.0.0/8,",
                "--busy-poll   | on",
                "--busy-poll   | 0",
                "--io-uring    | yes",
                "--private-descriptors | yes",
                "--busy-poll   | 1001",
                "--busy-poll   | ''",
                "--congestion  | ''",
                "--congestion  | sixteen_letters_",
                "--backlog     | 0",
                "--backlog     | 65536",
                "--backlog     | many",
                "--max-connections | 0",
                "--max-connections | 1048577",
                "--max-connections | -5",
                "--drain       | -1",
                "--drain       | 3601",
                "--drain       | 1s",
                "--index       | index.html",
                "--small-files | 100",
                "--cache-control | no-cache",
            })
    void wrongValuesAreRefused(String option, String value) {
        assertUsage(option, run(option + "=" + value));
        assertUsage(option, run("serve", option, value));
    }

    /** As above, where there are files to serve. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--index         | ../a",
                "--index         | ''",
                "--fallback      | index.html",
                "--fallback      | /../a",
                "--small-files   | -1",
                "--small-files   | 1048577",
                "--file-memory   | 100",
                "--open-files    | 7",
                "--files-unchecked | -1",
                "--files-unchecked | 3601",
                "--cache-control-for | no-cache",
                "--cache-control-for | :no-cache",
                "--private-descriptors | on",
            })
    void wrongValuesForFilesAreRefused(String option, String value) {
        assertUsage(option, run("--root", "/", option + "=" + value));
    }

    /** Before, the working directory was served, or all addresses were listened on. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "--root",
                "--host",
                "--fallback",
                "--index",
                "--cpus",
                "--congestion",
                "--cache-control",
                "--cache-control-for"
            })
    void emptyValuesAreRefused(String option) {
        boolean root = option.equals("--root");
        for (String[] empty : new String[][] {{option, ""}, {option + "="}}) {
            List<String> arguments = new ArrayList<>(List.of(empty));
            if (!root) {
                arguments.addAll(List.of("--root", "/"));
            }
            assertUsage(option, run(arguments.toArray(String[]::new)));
        }
        assertThat(run(option, "").err()).contains(root ? "\".\"" : "empty");
    }

    @Test
    void whatFilesLackIsSaidBeforeTheStart(@TempDir Path root) throws Exception {
        Outcome outcome = run("--root", root.toString(), "--fallback", "/nope.html", "--port", "0");
        assertThat(outcome.status()).isEqualTo(1);
        assertThat(outcome.err()).contains("fallback /nope.html", "ENOENT");
        Path file = Files.writeString(root.resolve("file"), "");
        outcome = run("--root", file.toString(), "--port", "0");
        assertThat(outcome.status()).isEqualTo(1);
        assertThat(outcome.err()).contains(file.toString(), "ENOTDIR");
        try (ServerProcess server =
                ServerProcess.start(List.of(), "--root", root.toString(), "--port", "0")) {
            assertThat(server.err())
                    .anyMatch(line -> line.startsWith("bareloop: files: \"/\" is answered 404"));
        }
    }

    @Test
    void aRootThatIsNoneFails() {
        Outcome outcome = run("serve", "--root", "/nowhere/at/all", "--port", "0");
        assertThat(outcome.status()).isEqualTo(1);
        assertThat(outcome.err()).contains("/nowhere/at/all", "ENOENT");
    }

    @Test
    void filesAreServed(@TempDir Path root) throws IOException, InterruptedException {
        Files.writeString(root.resolve("index.html"), "top");
        Files.writeString(root.resolve("a.js"), "text ".repeat(100));
        try (ServerProcess server =
                        ServerProcess.start(
                                List.of("-Xmx32m"),
                                "serve",
                                "--port=0",
                                "--cpus=" + CpuSet.allowed().toString().replaceAll("[-,].*", ""),
                                "--root=" + root,
                                "--gzip",
                                "--listing",
                                "--cache-control=max-age=60",
                                "--cache-control-for=*.js:no-cache",
                                "--cache-control-for=*.css:no-store");
                Client client = Client.connect(server.port())) {
            assertThat(server.line("  ready")).contains("files").doesNotContain("plaintext");
            // Loops with tables of their own could not send what another thread opens.
            assertThat(server.line("  kernel ")).doesNotContain("private descriptors");
            assertThat(client.get("/").body()).isEqualTo("top");
            assertThat(client.get("/").field("Cache-Control")).isEqualTo("max-age=60");
            client.send(Client.request("GET", "/a.js", "Accept-Encoding: gzip"));
            Answer script = client.answer();
            assertThat(script.field("Cache-Control")).isEqualTo("no-cache");
            assertThat(script.field("Content-Encoding")).isEqualTo("gzip");
            assertThat(client.get("/plaintext").status()).isEqualTo(404);
            server.signal("TERM");
            assertThat(server.exit()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"--port", "--host", "--cpus", "--drain", "--root", "--fallback"})
    void optionsNeedTheirValue(String option) {
        assertUsage(option, run(option));
    }

    @ParameterizedTest
    @ValueSource(strings = {"--prot=80", "-p", "--PORT=80", "80", "start", "serve serve"})
    void whatIsNoOptionIsRefused(String arguments) {
        String[] words = arguments.split(" ");
        assertUsage(words[words.length - 1], run(words));
    }

    @Test
    void anOptionTwiceIsRefused() {
        assertUsage("--port", run("--port=0", "--port=1"));
    }

    @Test
    void aPortInUseIsAFailure() throws IOException {
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
            Outcome outcome = run("--host=127.0.0.1", "--port=" + other.getLocalPort());
            assertFailure("127.0.0.1:" + other.getLocalPort(), outcome);
            assertThat(outcome.err()).contains("EADDRINUSE").contains("another port");
        }
    }

    @Test
    void anAddressOfAnotherMachineIsAFailure() {
        // TEST-NET-1 of RFC 5737: nobody's.
        assertFailure("192.0.2.1:0", run("--host=192.0.2.1", "--port=0"));
    }

    @Test
    void aHostThatIsNoneIsAFailure() {
        assertFailure("no-such-host.invalid", run("--host=no-such-host.invalid", "--port=0"));
    }

    @Test
    void aFeatureThatIsMissingIsAFailure() {
        assertFailure(
                "TCP_CONGESTION no_such_thing",
                run("--host=127.0.0.1", "--port=0", "--congestion=no_such_thing"));
    }

    /** The exit status of the process is that of {@link Main#run}. */
    @Test
    void theProcessExitsWithTheStatus() throws Exception {
        try (ServerProcess help = ServerProcess.run(List.of(), "--help");
                ServerProcess wrong = ServerProcess.run(List.of(), "--port=x");
                ServerProcess failed =
                        ServerProcess.run(List.of(), "--host=192.0.2.1", "--port=0")) {
            assertThat(help.exit()).isZero();
            assertThat(wrong.exit()).isEqualTo(2);
            assertThat(failed.exit()).isEqualTo(1);
            assertThat(help.out()).isNotEmpty();
            assertThat(help.err()).isEmpty();
            assertThat(wrong.err()).hasSize(2);
            assertThat(failed.err()).hasSize(1);
        }
    }

    // ---- plain command lines, which are read without picocli

    /** However it is written, a command line means the same. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "--port 1",
                "--port 1 --host :: --max-body 5",
                "--warmup 20 --drain 0 --max-requests 7"
            })
    void plainOptionsAreReadAsPicocliReadsThem(String line) {
        String[] words = line.isEmpty() ? new String[0] : line.split(" ");
        assertThat(ServeOptions.plain(words))
                .isEqualTo(CommandLineSpec.parse(words, System.out))
                .hasSize(words.length / 2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--help",
                "--port",
                "--port=1",
                "--port x",
                "--port -1",
                "--port 1 --port 2",
                "--nope 1",
                "--host -h",
                "--host @file",
                "--max-body 99999999999",
                "1"
            })
    void othersAreLeftToPicocli(String line) {
        assertThat(ServeOptions.plain(line.split(" "))).isNull();
    }

    @Test
    void aPlainStartLoadsNoClassOfPicocli() throws Exception {
        try (ServerProcess server =
                ServerProcess.start(
                        List.of("-Xlog:class+load:stderr"),
                        "serve",
                        "--port",
                        "0",
                        "--host",
                        "127.0.0.1")) {
            server.signal("TERM");
            assertThat(server.exit()).isZero();
            assertThat(server.err()).anyMatch(line -> line.contains(" io.bareloop.app.Main "));
            assertThat(server.err()).noneMatch(line -> line.contains("picocli"));
            // One signature for all system calls: each further one would cost 5 ms.
            assertThat(server.err()).filteredOn(line -> line.contains("DowncallStub")).hasSize(1);
            // Their initialisers make handles for arrays, at 20 ms each.
            assertThat(server.err())
                    .noneMatch(line -> line.contains("generated.sockaddr_in "))
                    .noneMatch(line -> line.contains("generated.in6_addr"))
                    .noneMatch(line -> line.contains("generated.cpu_set_t "));
        }
    }

    // ---- serving

    @Test
    void warmsUpBeforeItServes() throws Exception {
        try (ServerProcess server = start("--warmup=100")) {
            assertThat(server.line("  warm-up "))
                    .matches("  warm-up   [1-9][0-9]+ requests in [1-9][0-9]{2} ms");
            connectOnce(server).close();
            server.signal("TERM");
            assertThat(server.exit()).isZero();
            assertThat(server.err()).isEmpty();
            long requests = 0;
            for (String line : server.out()) {
                if (line.matches("loop \\d+ on CPU .*")) {
                    requests += Long.parseLong(line.replaceAll(".*: (\\d+) requests.*", "$1"));
                }
            }
            assertThat(requests).isEqualTo(1);
        }
    }

    @Test
    void saysWhatItServesAndWhatItDid() throws Exception {
        try (ServerProcess server = start()) {
            List<String> banner = server.out();
            assertThat(banner.get(0))
                    .isEqualTo(
                            Banner.versionLine()
                                    + ", pid "
                                    + server.pid()
                                    + ", JDK "
                                    + Runtime.version());
            assertThat(banner.get(1))
                    .isEqualTo("  serving   http://127.0.0.1:" + server.port() + "/");
            CpuSet cpus = CpuSet.allowed();
            assertThat(banner.get(2))
                    .isEqualTo("  loops     " + cpus.size() + ", pinned to CPUs " + cpus);
            assertThat(banner.get(3))
                    .matches("  memory    at most [0-9.]+ MiB outside the heap: [0-9]+ loop.*");
            assertThat(banner.get(4)).startsWith("  kernel    ");
            assertThat(banner.get(banner.size() - 1))
                    .isEqualTo(
                            "  ready     GET /plaintext, /json, /sse; POST /echo; SIGTERM or Ctrl-C"
                                    + " drains and ends, a second one at once");
            assertThat(banner).hasSizeLessThanOrEqualTo(7);

            try (Client client = Client.connect(server.port());
                    Client other = Client.connect(server.port())) {
                assertThat(client.get("/plaintext").body()).isEqualTo("Hello, World!");
                assertThat(client.get("/json").body()).isEqualTo("{\"message\":\"Hello, World!\"}");
                assertThat(client.get("/").status()).isEqualTo(404);
                assertThat(other.send("BAD\r\n\r\n").answer().status()).isEqualTo(400);
                assertThat(other.untilEnd()).isEmpty();
            }

            server.signal("TERM");
            assertThat(server.exit()).isZero();
            assertThat(server.out().subList(0, banner.size())).isEqualTo(banner);
            List<String> end = server.out().subList(banner.size(), server.out().size());
            assertThat(end).hasSize(cpus.size() + 1);
            int[] sums = new int[3];
            for (int i = 0; i < cpus.size(); i++) {
                Matcher line =
                        Pattern.compile(
                                        "loop "
                                                + i
                                                + " on CPU \\d+: (\\d+) requests, (\\d+)"
                                                + " connections, (\\d+) errors")
                                .matcher(end.get(i));
                assertThat(line.matches()).as(end.get(i)).isTrue();
                for (int j = 0; j < sums.length; j++) {
                    sums[j] += Integer.parseInt(line.group(j + 1));
                }
            }
            assertThat(sums).containsExactly(4, 2, 1);
            assertThat(end.get(cpus.size()))
                    .matches(
                            "connections received on their loop's CPU \\(SO_INCOMING_CPU\\): [0-2]"
                                    + " of 2 .*");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TERM", "INT"})
    void endsInOrderOnASignal(String signal) throws Exception {
        try (ServerProcess server =
                        start(
                                "serve",
                                "--accept=reuseport",
                                "--busy-poll=off",
                                "--io-uring=off",
                                "--private-descriptors=off");
                Client idle = connectOnce(server)) {
            if (signal.equals("INT")) {
                // As a job of a shell in the background, which has SIGINT ignored: so has its
                // child.
                long ignored = Long.parseUnsignedLong(server.status("SigIgn"), 16);
                Assumptions.assumeTrue((ignored >> (SIGINT - 1) & 1) == 0);
            }
            for (int i = 0; i < 20; i++) {
                connectOnce(server).close();
            }
            long start = System.nanoTime();
            server.signal(signal);
            assertThat(idle.untilEnd()).isEmpty();
            assertThat(server.exit()).isZero();
            assertThat(System.nanoTime() - start).isLessThan(5_000_000_000L);
            assertThat(server.err()).isEmpty();
            assertThat(server.line("drain:")).isNull();
            assertThat(server.line("  kernel ")).isEqualTo("  kernel    -");
            // By hash some come to the other CPU: they are counted, too.
            assertThat(server.line("connections received")).contains(" of 21 (");
        }
    }

    @Test
    void finishesTheRequestInFlight() throws Exception {
        try (ServerProcess server = start();
                Client slow = connectOnce(server)) {
            String request = Client.request("GET", "/plaintext");
            slow.send(request.substring(0, 20));
            // One after it, on the same CPU or not: the half one has long been received.
            Thread.sleep(100);
            server.signal("TERM");
            awaitRefused(server);
            assertThat(server.isAlive()).isTrue();
            slow.send(request.substring(20));
            Answer reply = slow.answer();
            assertThat(reply.body()).isEqualTo("Hello, World!");
            assertThat(reply.field("Connection")).isEqualTo("close");
            assertThat(slow.untilEnd()).isEmpty();
            assertThat(server.exit()).isZero();
        }
    }

    @Test
    void saysSoWhereItCutsWorkOff() throws Exception {
        try (ServerProcess server = start("--drain=1");
                Client slow = connectOnce(server)) {
            slow.send("GET /plaintext HTTP/1.1\r\n");
            Thread.sleep(100);
            long start = System.nanoTime();
            server.signal("TERM");
            assertThat(server.exit()).isEqualTo(1);
            assertThat(System.nanoTime() - start).isBetween(900_000_000L, 4_000_000_000L);
            assertThat(server.line("drain:"))
                    .isEqualTo("drain: work was still in flight after 1 s, and was cut off");
            assertThat(server.line("loop 0")).isNotNull();
        }
    }

    // ---- the means

    private record Outcome(int status, String out, String err) {}

    /** In this JVM: only where it does not come to serving. */
    private static Outcome run(String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status =
                Main.run(
                        arguments,
                        new PrintStream(out, true, UTF_8),
                        new PrintStream(err, true, UTF_8));
        return new Outcome(status, out.toString(UTF_8), err.toString(UTF_8));
    }

    private static void assertUsage(String named, Outcome outcome) {
        assertThat(outcome.err().lines()).as("%s", outcome).hasSize(2);
        assertThat(outcome.err().lines().findFirst().orElseThrow())
                .startsWith("bareloop: ")
                .contains(named)
                .doesNotContain("Exception", "null");
        assertThat(outcome.err().lines().skip(1))
                .containsExactly("Try: java -jar bareloop.jar --help");
        assertThat(outcome.status()).isEqualTo(2);
        assertThat(outcome.out()).isEmpty();
    }

    private static void assertFailure(String named, Outcome outcome) {
        assertThat(outcome.err().lines()).as("%s", outcome).hasSize(1);
        assertThat(outcome.err())
                .startsWith("bareloop: ")
                .contains(named)
                .doesNotContain("Exception", "null");
        assertThat(outcome.status()).isEqualTo(1);
        assertThat(outcome.out()).isEmpty();
    }

    private static ServerProcess start(String... arguments)
            throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.add("--host=127.0.0.1");
        all.add("--port=0");
        return ServerProcess.start(List.of("-Xmx64m"), all.toArray(String[]::new));
    }

    /** A connection that has had a request answered. */
    private static Client connectOnce(ServerProcess server) throws IOException {
        Client client = Client.connect(server.port());
        assertThat(client.get("/json").status()).isEqualTo(200);
        return client;
    }

    private static void awaitRefused(ServerProcess server) throws Exception {
        while (true) {
            try {
                Client.connect(server.port()).close();
            } catch (ConnectException e) {
                return;
            } catch (SocketException e) {
                // Reset: it came in the moment in which the listeners closed.
                continue;
            }
            Thread.sleep(5);
        }
    }
}
