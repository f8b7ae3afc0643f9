package io.bareloop.hostile;

import java.io.IOException;
import java.nio.channels.Selector;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * One server, its clients, and what is compared when they have left: whether it answers, and
 * whether everything that it took has been given back.
 */
final class HostileRound {
    private static final int STALL_SECONDS_MAX = 40;
    private static final int SETTLE_SECONDS_MAX = 20;
    private static final long ANSWER_NANOS_MAX = TimeUnit.SECONDS.toNanos(1);
    private static final int ANSWER_TRIES = 3;
    private static final int PROGRESS_SECONDS = 5;
    private static final int BODY_BYTES = 200_000;
    private static final int BODY_MILLIS = 10_000;
    private static final int CROWDS_MAX = 4;

    /** Of requests that are no client's. */
    private static final int ADDRESS = 0x7F00_0002;

    /** More than a small JVM may reserve: one of its loops has that, in one of two rounds. */
    private static final int PENDING_MIB = 64;

    private static final int PENDING_MIB_LESS = 5;

    /** Bodies at once, less than a loop with little memory has room for. */
    private static final int BODIES = 6;

    private static final boolean TRACE = Boolean.getBoolean("bareloop.hostile.trace");
    private static final int TRACE_MILLIS = 200;

    /** Descriptors that a JVM may open when it likes: archives, cached files. */
    private static final int DESCRIPTORS_MORE_MAX = 12;

    /** Native memory for what is cached and for what the JDK keeps, beside the slabs. */
    private static final long DIRECT_MORE_MAX = 4L << 20;

    /** What a JVM takes beside heap and direct memory: code, classes, stacks. */
    private static final long RSS_MORE_MAX = 220L << 20;

    private enum Memory {
        SHORT(32, 16),
        AMPLE(160, 160);

        private final int heapMiB;
        private final int directMiB;

        Memory(int heapMiB, int directMiB) {
            this.heapMiB = heapMiB;
            this.directMiB = directMiB;
        }
    }

    private final HostileOptions options;
    private final int number;
    private final Tallies tallies;
    private final Consumer<String> faults;
    private final Consumer<String> progress;
    private final long seed;
    private final Memory memory;
    private final boolean checks;

    /** What so many keep pending is less than the ample memory has. */
    private final Semaphore crowds = new Semaphore(CROWDS_MAX);

    private HostileProcess server;
    private int[] ports;
    private volatile boolean over;

    HostileRound(
            HostileOptions options,
            int number,
            Tallies tallies,
            Consumer<String> faults,
            Consumer<String> progress) {
        this.options = options;
        this.number = number;
        this.tallies = tallies;
        this.faults = faults;
        this.progress = progress;
        this.seed = MarkedBytes.mix(options.seed() * 31 + number);
        this.memory = number % 2 == 0 ? Memory.SHORT : Memory.AMPLE;
        this.checks = number % 4 == 0 || number % 4 == 3;
    }

    HostileOptions options() {
        return options;
    }

    Tallies tallies() {
        return tallies;
    }

    long seed() {
        return seed;
    }

    int port(int loop) {
        return ports[loop];
    }

    boolean isMemoryShort() {
        return memory == Memory.SHORT;
    }

    /** Whether clients are to come to their end. */
    boolean isOver() {
        return over || server.isDead();
    }

    /** Whether another crowd may come; then {@link #endCrowd} follows. */
    boolean beginCrowd() {
        return crowds.tryAcquire();
    }

    void endCrowd() {
        crowds.release();
    }

    /** Something that must not be; from any thread. */
    void fault(String what) {
        // What clients see behind the end of a loop is no news.
        if (server == null || !server.isDead() || what.startsWith("dead")) {
            faults.accept("round " + number + " (" + this + "): " + what);
        }
    }

    /** Whether a fault has ended the connection of {@code address}, as is known in that time. */
    boolean wasKilled(int address, int millis) {
        long limit = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        while (server.killed(address) == null) {
            if (System.nanoTime() - limit >= 0) {
                return false;
            }
            Wire.sleep(5);
        }
        return true;
    }

    /** Of even loops, and of odd ones. */
    private int pendingMiB(int loop) {
        if (options.pendingMiB() > 0) {
            return options.pendingMiB();
        }
        if (!isMemoryShort()) {
            return PENDING_MIB;
        }
        return number % 4 == 0 && loop == 0 ? PENDING_MIB : PENDING_MIB_LESS;
    }

    /** Whether all loops together may need more than the JVM may reserve. */
    private boolean isOverbooked() {
        return pendingMiB(0) + pendingMiB(1) > memory.directMiB;
    }

    /** What is known of why the connection of {@code address} was closed. */
    String closed(int address) {
        if (!TRACE) {
            return "";
        }
        Wire.sleep(TRACE_MILLIS);
        return ", closed by " + server.closed(address);
    }

    private List<String> jvmOptions(Path crash) {
        return List.of(
                "-XX:ErrorFile=" + crash,
                "-XX:+UseSerialGC",
                "-Xmx" + memory.heapMiB + "m",
                "-XX:MaxDirectMemorySize=" + memory.directMiB + "m",
                "-XX:-OmitStackTraceInFastThrow",
                "-Dbareloop.hostile.trace=" + TRACE,
                "-Dbareloop.checks=" + checks);
    }

    @Override
    public String toString() {
        return (checks ? "checks, " : "no checks, ")
                + memory.heapMiB
                + " MiB of heap, "
                + memory.directMiB
                + " MiB direct";
    }

    /** Runs it, for {@code millis}. */
    void run(Path directory, long millis) throws IOException, InterruptedException {
        Path crash = directory.resolve("crash.log");
        try (HostileProcess process =
                new HostileProcess(
                        jvmOptions(crash),
                        List.of(
                                Long.toString(seed),
                                Integer.toString(options.loops()),
                                Boolean.toString(options.faults()),
                                Long.toString(pendingMiB(0)),
                                Long.toString(pendingMiB(1)),
                                directory.toString()),
                        options.without(),
                        this::fault)) {
            server = process;
            try {
                ports = process.ports();
                Map<String, String> before = warmUp();
                serve(millis);
                if (!process.isDead()) {
                    afterwards(before);
                }
            } catch (IOException failure) {
                fault(failure.toString());
            }
            if (process.isDead()) {
                fault("dead or without an answer; it printed:\n" + process.tail());
            }
            if (Files.exists(crash)) {
                fault("dead of a crash:\n" + String.join("\n", Files.readAllLines(crash)));
            }
        }
    }

    /** What each loop and its handlers keep from their first use on is there then. */
    private Map<String, String> warmUp() throws IOException, InterruptedException {
        for (int port : ports) {
            plainRequests(port, true);
        }
        return server.report();
    }

    private void serve(long millis) throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < options.clients(); i++) {
            threads.add(Thread.ofPlatform().name("client " + i).start(new HostileClient(this, i)));
        }
        long begin = System.nanoTime();
        long end = begin + TimeUnit.MILLISECONDS.toNanos(millis);
        long said = begin;
        while (System.nanoTime() - end < 0 && !server.isDead()) {
            Thread.sleep(20);
            if (System.nanoTime() - said > TimeUnit.SECONDS.toNanos(PROGRESS_SECONDS)) {
                said = System.nanoTime();
                progress.accept(
                        "round "
                                + number
                                + ", "
                                + TimeUnit.NANOSECONDS.toSeconds(said - begin)
                                + " s: "
                                + tallies.statuses().sum()
                                + " responses, "
                                + (tallies.bytes().sum() >> 20)
                                + " MiB compared");
            }
        }
        over = true;
        if (server.isDead()) {
            // Clients would wait for answers of a loop that has ended.
            server.kill();
        }
        long limit = System.nanoTime() + TimeUnit.SECONDS.toNanos(STALL_SECONDS_MAX);
        for (Thread thread : threads) {
            long left = TimeUnit.NANOSECONDS.toMillis(limit - System.nanoTime());
            if (!thread.join(java.time.Duration.ofMillis(Math.max(1, left)))) {
                fault(thread.getName() + " does not come to its end");
            }
        }
    }

    // ---- when the clients have left

    private void afterwards(Map<String, String> before) throws IOException, InterruptedException {
        server.calm();
        settle();
        for (int port : ports) {
            plainRequests(port, false);
        }
        Map<String, String> after = settle();
        compare("sockets", before, after, 0);
        compare("descriptors", before, after, DESCRIPTORS_MORE_MAX);
        compare("direct", before, after, number(after, "slab") + DIRECT_MORE_MAX);
        long rssMax = (((long) memory.heapMiB + memory.directMiB) << 20) + RSS_MORE_MAX;
        if (number(after, "rss") > rssMax) {
            fault("RSS is " + number(after, "rss") + " bytes, of " + rssMax + " at the most");
        }
        int status = server.quit();
        if (status != 0) {
            fault("the server's JVM ended with status " + status + ":\n" + server.tail());
        }
        for (String words : after.get("faults").split(", ", -1)) {
            String[] nameAndCount = words.split(" ", -1);
            if (nameAndCount.length == 2) {
                tallies.faults().add(nameAndCount[0], Long.parseLong(nameAndCount[1]));
            }
        }
        progress.accept(
                "round "
                        + number
                        + " ("
                        + this
                        + "), before and after:\n    "
                        + resources(before)
                        + "\n    "
                        + resources(after)
                        + "\n    failures of handlers: "
                        + after.get("failures"));
    }

    private static String resources(Map<String, String> of) {
        return String.format(
                "sockets %s, descriptors %s, open %s, slices %s, slab %d KiB, direct %d KiB,"
                        + " heap %d KiB, RSS %d KiB, threads %s",
                of.get("sockets"),
                of.get("descriptors"),
                of.get("open"),
                of.get("slices"),
                number(of, "slab") >> 10,
                number(of, "direct") >> 10,
                number(of, "heap") >> 10,
                number(of, "rss") >> 10,
                of.get("threads"));
    }

    private static long number(Map<String, String> of, String name) {
        return Long.parseLong(of.get(name));
    }

    private void compare(
            String name, Map<String, String> before, Map<String, String> after, long more) {
        if (number(after, name) > number(before, name) + more) {
            fault(
                    name
                            + " before: "
                            + number(before, name)
                            + ", after: "
                            + number(after, name)
                            + ", expected no more than "
                            + more
                            + " in addition");
        }
    }

    /** Waits until no connection is open and nothing is pending. */
    private Map<String, String> settle() throws IOException, InterruptedException {
        long limit = System.nanoTime() + TimeUnit.SECONDS.toNanos(SETTLE_SECONDS_MAX);
        Map<String, String> report = server.report();
        while (number(report, "open") != 0 || number(report, "slices") != 0) {
            if (System.nanoTime() - limit > 0) {
                fault("all clients have left, and still there is: " + resources(report));
                break;
            }
            Thread.sleep(100);
            report = server.report();
        }
        return report;
    }

    /** A small response, all files, and bodies in pieces, each on a connection of its own. */
    private void plainRequests(int port, boolean first) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        Script script = new Script(random, options.without(), first ? "first" : "last");
        long nanos = Long.MAX_VALUE;
        for (int i = 0; i < ANSWER_TRIES && nanos > ANSWER_NANOS_MAX; i++) {
            nanos = plainRequest(port, script.whole());
        }
        if (!first && nanos > ANSWER_NANOS_MAX) {
            fault("a plain request afterwards took " + nanos / 1_000_000 + " ms");
        }
        if (!first) {
            bodiesAtOnce(port, script);
        }
        for (MarkedFiles.MarkedFile file : MarkedFiles.FILES) {
            Ask ask =
                    new Ask("file " + file.name(), "")
                            .may(Ask.Way.UNMARKED)
                            .bytes(
                                    "GET /file/" + file.name() + " HTTP/1.1\r\nHost: a\r\n\r\n",
                                    new byte[0])
                            .answer(200, () -> BodyCheck.marked(file.key(), 0, file.size()));
            if (isOverbooked()) {
                ask.error(503);
            }
            plainRequest(port, ask);
        }
    }

    /** Memory that small pieces had must serve large ones again. */
    private void bodiesAtOnce(int port, Script script) throws IOException {
        List<Ask> asks = new ArrayList<>();
        try (Selector selector = Selector.open()) {
            List<Wire> wires = new ArrayList<>();
            for (int i = 0; i < BODIES; i++) {
                Ask ask = script.upload(HandlerKind.COLLECT, BODY_BYTES);
                if (isOverbooked()) {
                    ask.error(503);
                }
                byte[] bytes = ask.bytes();
                asks.add(ask);
                wires.add(new Wire(selector, ADDRESS, port, 0).sendSlowly(20_000, 1));
                wires.getLast().send(Arrays.copyOf(bytes, bytes.length - 1)).sendAll(BODY_MILLIS);
            }
            for (int i = 0; i < BODIES; i++) {
                byte[] bytes = asks.get(i).bytes();
                try (Wire wire = wires.get(i)) {
                    wire.send(Arrays.copyOfRange(bytes, bytes.length - 1, bytes.length));
                    answerTo(asks.get(i), wire);
                }
            }
        }
    }

    private long plainRequest(int port, Ask ask) throws IOException {
        long since = System.nanoTime();
        try (Selector selector = Selector.open();
                Wire wire = new Wire(selector, ADDRESS, port, 0)) {
            wire.send(ask.head()).send(ask.body());
            answerTo(ask, wire);
        }
        return System.nanoTime() - since;
    }

    private void answerTo(Ask ask, Wire wire) throws IOException {
        try {
            Answer answer = new AnswerReader(wire, tallies.bytes()).read(ask);
            // While system calls fail anything may be cut off.
            if (over && (answer.fate() != Answer.Fate.WHOLE || !ask.allows(answer.status()))) {
                fault("afterwards, to " + ask + ": " + answer);
            }
        } catch (Astray astray) {
            fault("to " + ask + ": " + astray.getMessage());
        }
    }
}
