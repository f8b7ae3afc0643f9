package io.bareloop.app;

import io.bareloop.server.HttpServer;
import io.bareloop.server.LoopStats;
import io.bareloop.server.WarmUp;
import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;

/** What the server says when it starts and when it ends. */
final class Banner {
    private Banner() {}

    static String versionLine() {
        Module module = Banner.class.getModule();
        String version =
                module.isNamed()
                        ? module.getDescriptor().rawVersion().orElse(null)
                        : Banner.class.getPackage().getImplementationVersion();
        return "bareloop " + (version != null ? version : "(built without a version)");
    }

    static void print(HttpServer server, boolean files, PrintStream out) {
        List<String> taken = server.featuresTaken();
        List<String> refused = server.featuresRefused();
        out.printf(
                "%s, pid %d, JDK %s%n",
                versionLine(), ProcessHandle.current().pid(), Runtime.version());
        out.printf("  serving   %s/%n", server.origin());
        out.printf("  loops     %d, %s%n", server.cpus().size(), server.cpus().placement());
        if (server.housekeepingCpus() != null) {
            out.printf("  others    on CPUs %s%n", server.housekeepingCpus());
        }
        out.printf("  memory    %s%n", server.nativeMemory());
        WarmUp warmUp = server.warmUp();
        if (warmUp.requests() > 0) {
            out.printf(
                    "  warm-up   %d requests in %d ms%n",
                    warmUp.requests(), warmUp.time().toMillis());
        }
        out.printf("  kernel    %s%n", taken.isEmpty() ? "-" : String.join(", ", taken));
        if (!refused.isEmpty()) {
            out.printf(
                    "  without   %s (reasons above)%n",
                    refused.stream()
                            .map(line -> line.substring(0, line.indexOf(':')))
                            .collect(Collectors.joining(", ")));
        }
        out.printf(
                "  ready     %s; SIGTERM or Ctrl-C drains and ends, a second one at once%n",
                files ? "files" : "GET /plaintext, /json, /sse; POST /echo");
        out.flush();
    }

    static void printEnd(HttpServer server, boolean inTime, Duration drain, PrintStream out) {
        if (!inTime) {
            out.printf(
                    "drain: work was still in flight after %d s, and was cut off%n",
                    drain.toSeconds());
        }
        long matches = 0;
        long mismatches = 0;
        for (LoopStats loop : server.stats()) {
            out.printf(
                    "loop %d%s: %d requests, %d connections, %d errors%n",
                    loop.loop(),
                    loop.cpu() >= 0 ? " on CPU " + loop.cpu() : "",
                    loop.requests(),
                    loop.connections(),
                    loop.errors());
            matches += loop.cpuMatches();
            mismatches += loop.cpuMismatches();
        }
        if (matches + mismatches > 0) {
            out.printf(
                    "connections received on their loop's CPU (SO_INCOMING_CPU): %d of %d"
                            + " (on loopback that is the client's CPU)%n",
                    matches, matches + mismatches);
        }
    }
}
