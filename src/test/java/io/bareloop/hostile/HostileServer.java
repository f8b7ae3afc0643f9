package io.bareloop.hostile;

import io.bareloop.files.StaticFiles;
import io.bareloop.http.Limits;
import io.bareloop.http.Timeouts;
import io.bareloop.rig.HttpRig;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.stream.Stream;

/**
 * The server under fire: a small JVM of its own, with loops whose system calls fail. Says on
 * standard output, a line each, {@code ready PORT...}, {@code killed ...} ({@link ChaosSyscalls}),
 * {@code astray ...}, {@code dead ...}, and answers to what it is asked on standard input: {@code
 * calm} ends the faults, {@code report} is answered by {@code report NAME VALUE} lines and {@code
 * reported}, {@code quit}.
 *
 * <p>Arguments: seed, loops, whether there are faults, MiB of what may be pending on even loops and
 * on odd ones, directory of files, faults left out.
 */
final class HostileServer {
    static final Duration HEAD_TIME = Duration.ofSeconds(4);
    static final Duration BODY_TIME = Duration.ofSeconds(5);
    static final Duration IDLE_TIME = Duration.ofSeconds(5);
    static final Duration SEND_TIME = Duration.ofSeconds(4);
    static final int BODY_BYTES_MAX = 256 << 10;
    static final int STREAMED_BYTES_MAX = 1 << 20;

    private static final int UNSENT_BYTES_MAX = 256 << 10;
    private static final int REQUESTS_PER_CONNECTION_MAX = 30;
    private static final int PIPELINED_PER_TURN_MAX = 8;
    private static final int ODD_TRACES_MAX = 20;
    private static final int REPORTS_MAX = 20;

    private static final Limits LIMITS =
            Limits.builder()
                    .bodyBytesMax(BODY_BYTES_MAX)
                    .streamedBytesMax(STREAMED_BYTES_MAX)
                    .unsentBytesMax(UNSENT_BYTES_MAX)
                    .requestsPerConnectionMax(REQUESTS_PER_CONNECTION_MAX)
                    .pipelinedPerTurnMax(PIPELINED_PER_TURN_MAX)
                    .build();
    private static final Timeouts TIMEOUTS =
            Timeouts.builder()
                    .head(HEAD_TIME)
                    .body(BODY_TIME)
                    .idle(IDLE_TIME)
                    .send(SEND_TIME)
                    .build();

    private final PrintStream out = System.out;
    private final Tally failures = new Tally();
    private final List<ChaosSyscalls> calls = new ArrayList<>();
    private final List<HttpRig> rigs = new ArrayList<>();
    private final List<Ends> ends = new ArrayList<>();
    private final List<Hub> hubs = new ArrayList<>();
    private final ScheduledExecutorService others = Executors.newScheduledThreadPool(3);
    private final SplittableRandom random;
    private int oddTraces;
    private volatile boolean quitting;

    private HostileServer(
            long seed,
            int loops,
            boolean faults,
            long[] pendingMiB,
            Path directory,
            Set<ChaosSyscalls.Fault> without)
            throws IOException {
        random = new SplittableRandom(seed);
        StaticFiles files =
                StaticFiles.builder(directory).mount("/file").memoryBytesMax(2 << 20).build();
        for (int i = 0; i < loops; i++) {
            hubs.add(new Hub());
        }
        for (int i = 0; i < loops; i++) {
            long loopSeed = random.nextLong();
            Ends counted =
                    new Ends(
                            new HostileHandler(
                                    i, random.nextLong(), files, hubs, others, this::tell));
            ends.add(counted);
            rigs.add(
                    HttpRig.start(
                            LIMITS,
                            TIMEOUTS,
                            counted.handler(),
                            arena -> {
                                ChaosSyscalls chaos =
                                        new ChaosSyscalls(arena, loopSeed, without, this::tell);
                                if (!faults) {
                                    chaos.calm();
                                }
                                calls.add(chaos);
                                return chaos;
                            },
                            pendingMiB[i % 2] << 20,
                            this::failed,
                            counted));
        }
        Thread.ofPlatform().daemon().name("crier").start(this::cry);
        Thread.ofPlatform().daemon().name("watch").start(this::watch);
    }

    public static void main(String[] arguments) throws Exception {
        Set<ChaosSyscalls.Fault> without = EnumSet.noneOf(ChaosSyscalls.Fault.class);
        for (int i = 6; i < arguments.length; i++) {
            without.add(ChaosSyscalls.Fault.valueOf(arguments[i]));
        }
        HostileServer server =
                new HostileServer(
                        Long.parseLong(arguments[0]),
                        Integer.parseInt(arguments[1]),
                        Boolean.parseBoolean(arguments[2]),
                        new long[] {Long.parseLong(arguments[3]), Long.parseLong(arguments[4])},
                        Path.of(arguments[5]),
                        without);
        StringBuilder ready = new StringBuilder("ready");
        server.rigs.forEach(rig -> ready.append(' ').append(rig.port()));
        server.tell(ready.toString());
        server.obey();
        server.others.shutdownNow();
        server.rigs.forEach(HttpRig::close);
        System.exit(0);
    }

    /** A line for the parent. Whole, whoever else prints. */
    private void tell(String line) {
        synchronized (out) {
            out.println(line.replace('\n', ' '));
            out.flush();
        }
    }

    // ---- what user code does beside requests

    /** What a log does that is told of a failure: it may fail itself. Runs on the loops. */
    private void failed(Throwable failure) {
        failures.add(failure.getClass().getSimpleName());
        if (failure instanceof Trouble.Thrown thrown) {
            switch (thrown.trouble()) {
                case LOG_ERROR -> throw new Error("hostile log");
                case LOG_EXCEPTION -> throw new IllegalArgumentException("hostile log");
                case LOG_INTERRUPTS -> Thread.currentThread().interrupt();
                default -> {}
            }
        }
        String message = String.valueOf(failure.getMessage());
        if (!isExpected(failure, message)) {
            failures.add("odd " + failure.getClass().getSimpleName());
            tellOdd(failure);
        }
    }

    private synchronized void tellOdd(Throwable failure) {
        if (oddTraces++ < ODD_TRACES_MAX) {
            failure.printStackTrace();
            tell("odd " + failure);
        }
    }

    private static boolean isExpected(Throwable failure, String message) {
        return message.startsWith(Trouble.TEXT)
                || failure instanceof StackOverflowError
                || failure instanceof OutOfMemoryError
                || message.equals("Already closed")
                || message.equals("the handler returned without a response");
    }

    /** Sends events, and pieces of bodies, from a thread that is no loop. */
    private void cry() {
        SplittableRandom mine = new SplittableRandom(random.nextLong());
        while (!quitting) {
            Hub.Events events = hubs.get(mine.nextInt(hubs.size())).anyStream(mine);
            if (events != null) {
                events.stream().execute(events::advance);
            }
            Hub.Held held = hubs.get(mine.nextInt(hubs.size())).anyHeld(mine);
            if (held != null) {
                held.advanceSoon();
            }
            pause(3);
        }
    }

    /** Says it at once where a loop has ended, for then its clients only hang. */
    private void watch() {
        while (!quitting) {
            for (int i = 0; i < rigs.size(); i++) {
                HttpRig rig = rigs.get(i);
                if (!rig.isAlive() && !quitting) {
                    Throwable death = rig.death();
                    if (death != null) {
                        death.printStackTrace();
                    }
                    tell("dead loop " + i + ": " + death);
                    return;
                }
            }
            pause(50);
        }
    }

    private static void pause(int millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    // ---- what the parent asks

    private void obey() throws IOException {
        BufferedReader in =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            switch (line) {
                case "calm" -> calls.forEach(ChaosSyscalls::calm);
                case "report" -> reportOnceThereIsMemory();
                case "quit" -> {
                    quitting = true;
                    return;
                }
                default -> throw new IllegalArgumentException(line);
            }
        }
    }

    private void reportOnceThereIsMemory() throws IOException {
        for (int i = 0; i < REPORTS_MAX; i++) {
            try {
                report();
                return;
            } catch (OutOfMemoryError full) {
                // Of HOARD, which soon gives it back.
                pause(200);
            }
        }
    }

    private void report() throws IOException {
        System.gc();
        long open = 0;
        long slices = 0;
        long slab = 0;
        long requests = 0;
        for (int i = 0; i < rigs.size(); i++) {
            HttpRig rig = rigs.get(i);
            Ends counted = ends.get(i);
            try {
                open += rig.open();
                String complaint = rig.ask(() -> complaint(rig, counted));
                if (complaint != null) {
                    tell("astray " + complaint);
                }
                slices += rig.slicesInUse();
                slab += rig.slabBytes();
                requests += rig.counters().requests();
            } catch (AssertionError gone) {
                tell("astray a loop does not answer: " + gone + ", it ended by " + rig.death());
                open = -1;
                break;
            }
        }
        Tally faults = new Tally();
        for (ChaosSyscalls chaos : calls) {
            chaos.counts()
                    .forEach(
                            (fault, count) ->
                                    faults.add(fault.name().toLowerCase(Locale.ROOT), count.get()));
        }
        tell("report open " + open);
        tell("report slices " + slices);
        tell("report slab " + slab);
        tell("report requests " + requests);
        tell("report sockets " + descriptors("socket:"));
        tell("report descriptors " + descriptors(""));
        tell("report direct " + direct());
        tell("report heap " + heap());
        tell("report rss " + rss());
        tell("report threads " + Thread.activeCount());
        tell("report faults " + faults);
        tell("report failures " + failures);
        tell("reported");
    }

    /** Requests that are still under way have not ended. */
    private static String complaint(HttpRig rig, Ends counted) {
        return rig.counters().open() == 0 ? counted.complaint() : null;
    }

    private static long heap() {
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    private static long direct() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
    }

    private static long rss() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
            }
        }
        throw new AssertionError("no VmRSS");
    }

    private static int descriptors(String kind) throws IOException {
        int count = 0;
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            for (Path fd : (Iterable<Path>) all::iterator) {
                try {
                    if (Files.readSymbolicLink(fd).toString().startsWith(kind)) {
                        count++;
                    }
                } catch (NoSuchFileException closed) {
                    // Since the directory was read.
                }
            }
        }
        return count;
    }
}
