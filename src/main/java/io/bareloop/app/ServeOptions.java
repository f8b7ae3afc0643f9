package io.bareloop.app;

import io.bareloop.app.ServeOption.Kind;
import io.bareloop.files.StaticFiles;
import io.bareloop.http.Limits;
import io.bareloop.http.Timeouts;
import io.bareloop.server.CpuSet;
import io.bareloop.server.HttpServer;
import io.bareloop.server.Setting;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.Stream;

/**
 * The options of {@code serve}.
 *
 * @param builder the server as configured, without a handler
 * @param drain how long requests in flight may take after SIGTERM
 * @param files the files to serve, or null for the demonstration application
 */
record ServeOptions(HttpServer.Builder builder, Duration drain, StaticFiles.Builder files) {
    private static final List<ServeOption> OF_THE_SERVER =
            List.of(
                    new ServeOption(
                            "--port",
                            "PORT",
                            Kind.INT,
                            "2342",
                            "TCP port, 0 for one that is free."),
                    new ServeOption(
                            "--host",
                            "ADDRESS",
                            Kind.TEXT,
                            "0.0.0.0",
                            "Address or name to listen on; :: serves IPv6 and IPv4."),
                    new ServeOption(
                            "--cpus",
                            "LIST",
                            Kind.TEXT,
                            null,
                            "CPUs to use, one pinned loop each, such as 0-3 or 0,2. Default: all"
                                    + " that this process may run on; where a CPU quota (cgroup) or"
                                    + " -XX:ActiveProcessorCount grants fewer, that many loops,"
                                    + " not pinned."),
                    new ServeOption(
                            "--housekeeping-cpus",
                            "LIST",
                            Kind.TEXT,
                            null,
                            "CPUs that all other threads are kept on: compilers, collectors and"
                                    + " watchers of the JVM. Without --cpus no loop has these"
                                    + " then. Default: any."),
                    new ServeOption(
                            "--warmup",
                            "MILLIS",
                            Kind.INT,
                            "0",
                            "How long the server serves itself before it listens, 10 to 60000,"
                                    + " so that its code is compiled when the first client comes;"
                                    + " 0, not at all."),
                    new ServeOption(
                            "--accept",
                            "auto|cbpf|reuseport",
                            Kind.TEXT,
                            "auto",
                            "How connections find a loop: cbpf, by the CPU that"
                                    + " received them (fails where the"
                                    + " kernel refuses); reuseport, by hash; auto,"
                                    + " cbpf where it can be had."),
                    new ServeOption(
                            "--busy-poll",
                            "auto|off|MICROS",
                            Kind.TEXT,
                            "auto",
                            "How long a wait polls the network device before it"
                                    + " sleeps, 1 to 1000 (fails where"
                                    + " the kernel refuses); auto, 50 where it can be had."),
                    new ServeOption(
                            "--congestion",
                            "NAME",
                            Kind.TEXT,
                            null,
                            "TCP congestion control, such as reno. Default: the system's."),
                    new ServeOption(
                            "--io-uring",
                            "auto|on|off",
                            Kind.TEXT,
                            "auto",
                            "Whether connections that are ready at the same time are received from"
                                    + " by one system call and sent to by another (on fails where"
                                    + " the kernel refuses)."),
                    new ServeOption(
                            "--private-descriptors",
                            "auto|on|off",
                            Kind.TEXT,
                            "auto",
                            "Whether each loop has a descriptor table of its"
                                    + " own: the kernel counts no"
                                    + " references to descriptors then, and lsof"
                                    + " and ss -p do not see the"
                                    + " connections."),
                    new ServeOption(
                            "--backlog",
                            "N",
                            Kind.INT,
                            "4096",
                            "Connections per loop that may wait to be accepted;"
                                    + " net.core.somaxconn bounds it."),
                    new ServeOption(
                            "--max-connections",
                            "N",
                            Kind.INT,
                            "65536",
                            "Open connections per loop; more wait in the backlog."),
                    new ServeOption(
                            "--max-target",
                            "BYTES",
                            Kind.INT,
                            "8192",
                            "Bytes of a request target; a longer one is answered 414."),
                    new ServeOption(
                            "--max-head",
                            "BYTES",
                            Kind.INT,
                            "16384",
                            "Bytes of request line and fields; more is answered 431."),
                    new ServeOption(
                            "--max-fields",
                            "N",
                            Kind.INT,
                            "100",
                            "Fields of a request; more are answered 431."),
                    new ServeOption(
                            "--max-body",
                            "BYTES",
                            Kind.LONG,
                            "1073741824",
                            "Bytes of a request body; more is answered 413."),
                    new ServeOption(
                            "--max-unsent",
                            "BYTES",
                            Kind.INT,
                            "1048576",
                            "Bytes of responses that may wait for a client to read them."),
                    new ServeOption(
                            "--max-pending",
                            "BYTES",
                            Kind.LONG,
                            null,
                            "Memory per loop for requests and responses under way, at least"
                                    + " 1048576. Default: 67108864, or less where the largest heap"
                                    + " (-Xmx) is less than twice that for all loops."),
                    new ServeOption(
                            "--max-requests",
                            "N",
                            Kind.LONG,
                            null,
                            "Requests after which a connection is closed. Default: any number."),
                    new ServeOption(
                            "--max-form-parameters",
                            "N",
                            Kind.INT,
                            "1000",
                            "Parameters of a form that a handler asks for; more are answered 413."),
                    new ServeOption(
                            "--max-pipelined",
                            "N",
                            Kind.INT,
                            "64",
                            "Requests of one connection answered before others have their turn."),
                    new ServeOption(
                            "--head-timeout",
                            "SECONDS",
                            Kind.INT,
                            "10",
                            "How long the head of a request may take; then 408."),
                    new ServeOption(
                            "--body-timeout",
                            "SECONDS",
                            Kind.INT,
                            "30",
                            "How long a body may take, and 1 s more for each KiB; then 408."),
                    new ServeOption(
                            "--idle-timeout",
                            "SECONDS",
                            Kind.INT,
                            "60",
                            "How long a connection is kept without a request."),
                    new ServeOption(
                            "--send-timeout",
                            "SECONDS",
                            Kind.INT,
                            "30",
                            "How long a client may take no byte of what is sent to it."),
                    new ServeOption(
                            "--linger",
                            "SECONDS",
                            Kind.INT,
                            "30",
                            "How long a client that still sends when its connection is to be closed"
                                    + " is listened to, so that it reads the answer; or until it"
                                    + " has sent nothing for 5 s."),
                    new ServeOption(
                            "--drain",
                            "SECONDS",
                            Kind.INT,
                            "10",
                            "How long requests in flight may take after"
                                    + " SIGTERM or SIGINT, 0 to 3600."));

    static final List<ServeOption> OPTIONS =
            Stream.concat(OF_THE_SERVER.stream(), FileOptions.OPTIONS.stream()).toList();

    /**
     * The values of a command line that is nothing but options with values, each once and in two
     * words; null for any other, which {@link CommandLineSpec} is to judge. It knows more and says
     * more, at 50 ms of loading picocli.
     */
    static Map<String, String> plain(String[] arguments) {
        Map<String, String> values = new HashMap<>();
        for (int i = 0; i < arguments.length; i += 2) {
            ServeOption option = find(arguments[i]);
            if (option == null
                    || i + 1 == arguments.length
                    || !option.accepts(arguments[i + 1])
                    || values.put(option.name(), arguments[i + 1]) != null) {
                return null;
            }
        }
        return values;
    }

    private static ServeOption find(String name) {
        for (ServeOption option : OPTIONS) {
            if (option.name().equals(name)) {
                return option;
            }
        }
        return null;
    }

    /**
     * The options that {@code given} says, and the defaults.
     *
     * @throws IllegalArgumentException where a value is out of range, naming its option
     */
    static ServeOptions of(Map<String, String> given) {
        refuseEmpty(given);
        HttpServer.Builder builder = HttpServer.builder();
        named("--port", () -> builder.listen(value(given, "--host"), number(given, "--port")));
        String cpus = given.get("--cpus");
        if (cpus != null) {
            named("--cpus", () -> builder.cpus(CpuSet.of(cpus)));
        }
        String housekeeping = given.get("--housekeeping-cpus");
        if (housekeeping != null) {
            named("--housekeeping-cpus", () -> builder.housekeepingCpus(CpuSet.of(housekeeping)));
        }
        StaticFiles.Builder files = FileOptions.of(given);
        List<String> targets = files != null ? List.of("/") : Demo.WARM_UP;
        named(
                "--warmup",
                () -> builder.warmUp(Duration.ofMillis(number(given, "--warmup")), targets));
        named("--accept", () -> builder.steering(steering(value(given, "--accept"))));
        named("--busy-poll", () -> busyPoll(builder, value(given, "--busy-poll")));
        String congestion = given.get("--congestion");
        if (congestion != null) {
            named("--congestion", () -> builder.congestion(congestion));
        }
        named("--io-uring", () -> builder.ioUring(setting(value(given, "--io-uring"))));
        named(
                "--private-descriptors",
                () -> builder.privateDescriptors(privateDescriptors(given, files != null)));
        named("--backlog", () -> builder.backlog(number(given, "--backlog")));
        named(
                "--max-connections",
                () -> builder.connectionsMax(number(given, "--max-connections")));
        builder.limits(limits(given));
        String pending = given.get("--max-pending");
        if (pending != null) {
            named("--max-pending", () -> builder.pendingBytesMax(Long.parseLong(pending)));
        }
        builder.timeouts(timeouts(given));
        int drain = number(given, "--drain");
        if (drain < 0 || drain > 3600) {
            throw new IllegalArgumentException(
                    "--drain: " + drain + " seconds; it must be 0 to 3600");
        }
        return new ServeOptions(builder, Duration.ofSeconds(drain), files);
    }

    /** None of them means something: a script whose variable was not set has written it. */
    private static void refuseEmpty(Map<String, String> given) {
        for (ServeOption option : OPTIONS) {
            String value = given.get(option.name());
            if (value != null && value.isEmpty()) {
                throw new IllegalArgumentException(
                        option.name()
                                + ": the value is empty"
                                + (option.name().equals("--root")
                                        ? "; the working directory is \".\""
                                        : ""));
            }
        }
    }

    /** A file is opened on one thread and sent by all loops: they need one table. */
    private static Setting privateDescriptors(Map<String, String> given, boolean files) {
        Setting setting = setting(value(given, "--private-descriptors"));
        if (!files) {
            return setting;
        }
        if (setting == Setting.ON) {
            throw new IllegalArgumentException(
                    "a loop with a table of its own cannot send the files of --root");
        }
        return Setting.OFF;
    }

    static String value(Map<String, String> given, String name) {
        String value = given.get(name);
        return value != null ? value : find(name).defaultValue();
    }

    private static int number(Map<String, String> given, String name) {
        return Integer.parseInt(value(given, name));
    }

    private static long longNumber(Map<String, String> given, String name) {
        return Long.parseLong(value(given, name));
    }

    private static Limits limits(Map<String, String> given) {
        Limits.Builder limits = Limits.builder();
        with("--max-target", given, limits::targetBytesMax);
        with("--max-head", given, limits::headBytesMax);
        with("--max-fields", given, limits::fieldsMax);
        with("--max-unsent", given, limits::unsentBytesMax);
        with("--max-form-parameters", given, limits::formParametersMax);
        with("--max-pipelined", given, limits::pipelinedPerTurnMax);
        // Bodies that are handed over whole have a bound of their own, which the memory sets.
        long body = longNumber(given, "--max-body");
        named("--max-body", () -> limits.streamedBytesMax(body));
        limits.bodyBytesMax((int) Math.min(body, Limits.defaults().bodyBytesMax()));
        String requests = given.get("--max-requests");
        if (requests != null) {
            named(
                    "--max-requests",
                    () -> limits.requestsPerConnectionMax(Long.parseLong(requests)));
        }
        return limits.build();
    }

    private static Timeouts timeouts(Map<String, String> given) {
        Timeouts.Builder timeouts = Timeouts.builder();
        named("--head-timeout", () -> timeouts.head(seconds(given, "--head-timeout")));
        named("--body-timeout", () -> timeouts.body(seconds(given, "--body-timeout")));
        named("--idle-timeout", () -> timeouts.idle(seconds(given, "--idle-timeout")));
        named("--send-timeout", () -> timeouts.send(seconds(given, "--send-timeout")));
        named("--linger", () -> timeouts.linger(seconds(given, "--linger")));
        return timeouts.build();
    }

    private static Duration seconds(Map<String, String> given, String option) {
        return Duration.ofSeconds(number(given, option));
    }

    private static void with(
            String option, Map<String, String> given, IntFunction<Limits.Builder> set) {
        named(option, () -> set.apply(number(given, option)));
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

    /** Calls {@code set}; what it says against the value is said against the option. */
    static void named(String option, Runnable set) {
        try {
            set.run();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(option + ": " + e.getMessage(), e);
        }
    }
}
