package io.bareloop.hostile;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Clients of every bad sort against a server with handlers of every bad sort, in a small JVM and
 * over system calls that fail; see {@link HostileOptions#HELP}. Exits with 1 where something went
 * astray.
 *
 * <pre>{@code
 * java -cp target/test-classes:target/classes io.bareloop.hostile.HostileRun --seconds 3600
 * }</pre>
 */
final class HostileRun {
    private static final int FAULTS_SHOWN_MAX = 30;

    private final HostileOptions options;
    private final PrintStream out;
    private final Tallies tallies = new Tallies();
    private final List<String> faults = new ArrayList<>();
    private int faultCount;

    HostileRun(HostileOptions options, PrintStream out) {
        this.options = options;
        this.out = out;
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream out = System.out;
        if (List.of(arguments).contains("--help")) {
            out.print(HostileOptions.HELP);
            return;
        }
        if (List.of(arguments).contains("--names")) {
            HostileOptions.sorts().forEach(out::println);
            return;
        }
        HostileRun run = new HostileRun(HostileOptions.parse(arguments), out);
        out.println("HostileRun " + run.options);
        run.run();
        out.println(run.summary());
        System.exit(run.faultCount() == 0 ? 0 : 1);
    }

    /** Runs all rounds. */
    void run() throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory("hostile");
        try {
            MarkedFiles.write(directory);
            for (int i = 0; i < options.rounds(); i++) {
                new HostileRound(
                                options,
                                options.firstRound() + i,
                                tallies,
                                this::fault,
                                this::progress)
                        .run(directory, options.seconds() * 1000L / options.rounds());
            }
        } finally {
            try (Stream<Path> files = Files.list(directory)) {
                for (Path file : (Iterable<Path>) files::iterator) {
                    Files.delete(file);
                }
            }
            Files.delete(directory);
        }
    }

    private synchronized void progress(String line) {
        out.println("  " + line);
        out.flush();
    }

    private synchronized void fault(String what) {
        faultCount++;
        if (faults.size() < FAULTS_SHOWN_MAX) {
            faults.add(what);
            progress("ASTRAY " + what);
        }
    }

    synchronized int faultCount() {
        return faultCount;
    }

    Tallies tallies() {
        return tallies;
    }

    /** Requests by handler kind, and for FAIL by place and trouble too. */
    Tally requests() {
        Tally requests = new Tally();
        tallies.requests()
                .forEach(
                        (label, count) -> {
                            for (String word : label.split(" ", -1)) {
                                requests.add(word, count);
                            }
                        });
        return requests;
    }

    /** All that was counted, and how to have it again. */
    synchronized String summary() {
        String text =
                "clients: "
                        + tallies.clients()
                        + "\nrequests: "
                        + tallies.requests().sum()
                        + ": "
                        + requests()
                        + "\nresponses: "
                        + tallies.statuses().sum()
                        + ": "
                        + tallies.statuses()
                        + "\nconnections: "
                        + tallies.clients().sum()
                        + ": "
                        + tallies.fates()
                        + "\nfaults of system calls: "
                        + tallies.faults()
                        + "\n"
                        + tallies.bytes()
                        + ", astray "
                        + faultCount;
        if (faultCount == 0) {
            return text;
        }
        return text
                + "\n"
                + "again: HostileRun "
                + options
                + " (--first-round N --rounds 1 for one of the rounds, --without NAME,... to narrow"
                + " it down)";
    }
}
