package io.bareloop.app;

import io.bareloop.http.Limits;
import io.bareloop.http.Timeouts;
import io.bareloop.server.CpuSet;
import io.bareloop.server.HttpServer;
import io.bareloop.server.Setting;
import java.time.Duration;
import java.util.function.Function;
import java.util.function.IntFunction;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/**
 * The options of {@code serve}. Built by calls, not annotations: no reflection at start.
 *
 * @param builder the server as configured, without a handler
 * @param drain how long requests in flight may take after SIGTERM
 */
record ServeOptions(HttpServer.Builder builder, Duration drain) {
    static CommandLine commandLine() {
        CommandSpec spec = CommandSpec.create().name("java -jar bareloop.jar [serve]");
        add(spec, "--port", "PORT", Integer.class, "2342", "TCP port, 0 for one that is free.");
        add(
                spec,
                "--host",
                "ADDRESS",
                String.class,
                "0.0.0.0",
                "Address or name to listen on; :: serves IPv6 and IPv4.");
        add(
                spec,
                "--cpus",
                "LIST",
                String.class,
                null,
                "CPUs to use, one pinned loop each, such as 0-3 or 0,2. Default: all that this"
                        + " process may run on.");
        add(
                spec,
                "--accept",
                "auto|cbpf|reuseport",
                String.class,
                "auto",
                "How connections find a loop: cbpf, by the CPU that received them (fails where the"
                        + " kernel refuses); reuseport, by hash; auto, cbpf where it can be had.");
        add(
                spec,
                "--busy-poll",
                "auto|off|MICROS",
                String.class,
                "auto",
                "How long a wait polls the network device before it sleeps, 1 to 1000 (fails where"
                        + " the kernel refuses); auto, 50 where it can be had.");
        add(
                spec,
                "--congestion",
                "NAME",
                String.class,
                null,
                "TCP congestion control, such as reno. Default: the system's.");
        add(
                spec,
                "--private-descriptors",
                "auto|on|off",
                String.class,
                "auto",
                "Whether each loop has a descriptor table of its own: the kernel counts no"
                        + " references to descriptors then, and lsof and ss -p do not see the"
                        + " connections.");
        add(
                spec,
                "--backlog",
                "N",
                Integer.class,
                "4096",
                "Connections per loop that may wait to be accepted; net.core.somaxconn bounds it.");
        add(
                spec,
                "--max-connections",
                "N",
                Integer.class,
                "65536",
                "Open connections per loop; more wait in the backlog.");
        add(
                spec,
                "--max-target",
                "BYTES",
                Integer.class,
                "8192",
                "Bytes of a request target; a longer one is answered 414.");
        add(
                spec,
                "--max-head",
                "BYTES",
                Integer.class,
                "16384",
                "Bytes of request line and fields; more is answered 431.");
        add(
                spec,
                "--max-fields",
                "N",
                Integer.class,
                "100",
                "Fields of a request; more are answered 431.");
        add(
                spec,
                "--max-body",
                "BYTES",
                Long.class,
                "1073741824",
                "Bytes of a request body; more is answered 413.");
        add(
                spec,
                "--max-unsent",
                "BYTES",
                Integer.class,
                "1048576",
                "Bytes of responses that may wait for a client to read them.");
        add(
                spec,
                "--max-pending",
                "BYTES",
                Long.class,
                "67108864",
                "Memory per loop for requests and responses under way.");
        add(
                spec,
                "--max-requests",
                "N",
                Long.class,
                null,
                "Requests after which a connection is closed. Default: any number.");
        add(
                spec,
                "--max-pipelined",
                "N",
                Integer.class,
                "64",
                "Requests of one connection answered before others have their turn.");
        add(
                spec,
                "--head-timeout",
                "SECONDS",
                Integer.class,
                "10",
                "How long the head of a request may take; then 408.");
        add(
                spec,
                "--body-timeout",
                "SECONDS",
                Integer.class,
                "30",
                "How long a body may take, and 1 s more for each KiB; then 408.");
        add(
                spec,
                "--idle-timeout",
                "SECONDS",
                Integer.class,
                "60",
                "How long a connection is kept without a request.");
        add(
                spec,
                "--send-timeout",
                "SECONDS",
                Integer.class,
                "30",
                "How long a client may take no byte of what is sent to it.");
        add(
                spec,
                "--drain",
                "SECONDS",
                Integer.class,
                "10",
                "How long requests in flight may take after SIGTERM or SIGINT, 0 to 3600.");
        spec.addOption(
                OptionSpec.builder("-h", "--help")
                        .usageHelp(true)
                        .description("Print this and exit.")
                        .build());
        spec.addOption(
                OptionSpec.builder("-V", "--version")
                        .versionHelp(true)
                        .description("Print the version and exit.")
                        .build());
        spec.usageMessage()
                .customSynopsis("java -jar bareloop.jar [serve] [OPTIONS]")
                .description(
                        "%nServes the demonstration application over HTTP/1.1, on one pinned"
                                + " thread per CPU: GET /plaintext, /json, /sse, /pipeline,"
                                + " /baseline11; POST /echo, /baseline11.%n")
                .footer(
                        "",
                        "Exit status: 0 drained in time; 1 could not start, or work was cut off;"
                                + " 2 wrong options.")
                .sortOptions(false)
                .width(100);
        return new CommandLine(spec);
    }

    /**
     * @throws IllegalArgumentException where a value is out of range, naming its option
     */
    static ServeOptions of(ParseResult parsed) {
        HttpServer.Builder builder = HttpServer.builder();
        named("--port", () -> builder.listen(value(parsed, "--host"), number(parsed, "--port")));
        String cpus = parsed.matchedOptionValue("--cpus", null);
        if (cpus != null) {
            named("--cpus", () -> builder.cpus(CpuSet.of(cpus)));
        }
        named("--accept", () -> builder.steering(steering(value(parsed, "--accept"))));
        named("--busy-poll", () -> busyPoll(builder, value(parsed, "--busy-poll")));
        String congestion = parsed.matchedOptionValue("--congestion", null);
        if (congestion != null) {
            named("--congestion", () -> builder.congestion(congestion));
        }
        named(
                "--private-descriptors",
                () -> builder.privateDescriptors(setting(value(parsed, "--private-descriptors"))));
        named("--backlog", () -> builder.backlog(number(parsed, "--backlog")));
        named(
                "--max-connections",
                () -> builder.connectionsMax(number(parsed, "--max-connections")));
        builder.limits(limits(parsed));
        named("--max-pending", () -> builder.pendingBytesMax(longNumber(parsed, "--max-pending")));
        builder.timeouts(timeouts(parsed));
        int drain = number(parsed, "--drain");
        if (drain < 0 || drain > 3600) {
            throw new IllegalArgumentException(
                    "--drain: " + drain + " seconds; it must be 0 to 3600");
        }
        return new ServeOptions(builder, Duration.ofSeconds(drain));
    }

    static String versionLine() {
        String version = ServeOptions.class.getPackage().getImplementationVersion();
        return "bareloop " + (version != null ? version : "(built without a version)");
    }

    private static void add(
            CommandSpec spec,
            String name,
            String label,
            Class<?> type,
            String defaultValue,
            String description) {
        OptionSpec.Builder option = OptionSpec.builder(name).paramLabel(label).type(type);
        if (defaultValue == null) {
            option.description(description);
        } else {
            option.defaultValue(defaultValue)
                    .description(description + " Default: ${DEFAULT-VALUE}.");
        }
        spec.addOption(option.build());
    }

    private static String value(ParseResult parsed, String option) {
        return parsed.commandSpec().findOption(option).getValue();
    }

    private static int number(ParseResult parsed, String option) {
        Integer number = parsed.commandSpec().findOption(option).getValue();
        return number;
    }

    private static long longNumber(ParseResult parsed, String option) {
        Long number = parsed.commandSpec().findOption(option).getValue();
        return number;
    }

    private static Limits limits(ParseResult parsed) {
        Limits limits = Limits.defaults();
        limits = with("--max-target", parsed, limits::targetBytesMax);
        limits = with("--max-head", parsed, limits::headBytesMax);
        limits = with("--max-fields", parsed, limits::fieldsMax);
        limits = with("--max-unsent", parsed, limits::unsentBytesMax);
        limits = with("--max-pipelined", parsed, limits::pipelinedPerTurnMax);
        // Bodies that are handed over whole have a bound of their own, which the memory sets.
        long body = longNumber(parsed, "--max-body");
        limits = named("--max-body", body, limits::streamedBytesMax);
        limits = limits.bodyBytesMax((int) Math.min(body, limits.bodyBytesMax()));
        Long requests = parsed.matchedOptionValue("--max-requests", null);
        return requests == null
                ? limits
                : named("--max-requests", requests, limits::requestsPerConnectionMax);
    }

    private static Timeouts timeouts(ParseResult parsed) {
        Timeouts timeouts = Timeouts.defaults();
        timeouts = named("--head-timeout", seconds(parsed, "--head-timeout"), timeouts::head);
        timeouts = named("--body-timeout", seconds(parsed, "--body-timeout"), timeouts::body);
        timeouts = named("--idle-timeout", seconds(parsed, "--idle-timeout"), timeouts::idle);
        return named("--send-timeout", seconds(parsed, "--send-timeout"), timeouts::send);
    }

    private static Duration seconds(ParseResult parsed, String option) {
        return Duration.ofSeconds(number(parsed, option));
    }

    private static Limits with(String option, ParseResult parsed, IntFunction<Limits> set) {
        return named(option, number(parsed, option), set::apply);
    }

    private static Setting steering(String text) {
        return switch (text) {
            case "auto" -> Setting.AUTO;
            case "cbpf" -> Setting.ON;
            case "reuseport" -> Setting.OFF;
            default ->
                    throw new IllegalArgumentException(
                            "\"" + text + "\" is none of auto, cbpf, reuseport");
        };
    }

    private static Setting setting(String text) {
        return switch (text) {
            case "auto" -> Setting.AUTO;
            case "on" -> Setting.ON;
            case "off" -> Setting.OFF;
            default ->
                    throw new IllegalArgumentException("\"" + text + "\" is none of auto, on, off");
        };
    }

    private static void busyPoll(HttpServer.Builder builder, String text) {
        if (text.equals("auto")) {
            builder.busyPoll(Setting.AUTO);
        } else if (text.equals("off")) {
            builder.busyPoll(Setting.OFF);
        } else {
            try {
                builder.busyPollMicros(Integer.parseInt(text));
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException(
                        "\"" + text + "\" is none of auto, off, or a number of microseconds", e);
            }
        }
    }

    private static void named(String option, Runnable set) {
        named(
                option,
                set,
                run -> {
                    run.run();
                    return null;
                });
    }

    /** Calls {@code set}; what it says against the value is said against the option. */
    private static <T, R> R named(String option, T value, Function<T, R> set) {
        try {
            return set.apply(value);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(option + ": " + e.getMessage(), e);
        }
    }
}
