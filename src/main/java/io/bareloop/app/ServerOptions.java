package io.bareloop.app;

import io.bareloop.http.Fields;
import io.bareloop.http.HeaderName;
import io.bareloop.http.Limits;
import io.bareloop.server.AccessLog;
import io.bareloop.server.CpuSet;
import io.bareloop.server.Setting;
import java.time.Duration;
import java.util.List;

/** The options of {@code serve} that are about the server, in the order of the help. */
final class ServerOptions {
    static final List<ServeOption> OPTIONS =
            List.of(
                    ServeOption.ofInt(
                            "--port",
                            "PORT",
                            "2342",
                            "TCP port, 0 for one that is free.",
                            (serve, port) -> serve.server.listen(serve.value("--host"), port)),
                    ServeOption.ofText(
                            "--host",
                            "ADDRESS",
                            "0.0.0.0",
                            "Address or name to listen on; :: serves IPv6 and IPv4.",
                            (serve, host) -> {
                                // --port listens there.
                            }),
                    ServeOption.ofText(
                            "--cpus",
                            "LIST",
                            null,
                            "CPUs to use, one pinned loop each, such as 0-3 or 0,2. Default: all"
                                    + " that this process may run on; where a CPU quota (cgroup) or"
                                    + " -XX:ActiveProcessorCount grants fewer, that many loops,"
                                    + " not pinned.",
                            (serve, cpus) -> serve.server.cpus(CpuSet.of(cpus))),
                    ServeOption.ofText(
                            "--housekeeping-cpus",
                            "LIST",
                            null,
                            "CPUs that all other threads are kept on: compilers, collectors and"
                                    + " watchers of the JVM. Without --cpus no loop has these"
                                    + " then. Default: any.",
                            (serve, cpus) -> serve.server.housekeepingCpus(CpuSet.of(cpus))),
                    ServeOption.ofInt(
                            "--warmup",
                            "MILLIS",
                            "0",
                            "How long the server serves itself before it listens, 10 to 60000,"
                                    + " so that its code is compiled when the first client comes;"
                                    + " 0, not at all.",
                            ServerOptions::warmUp),
                    ServeOption.ofText(
                            "--accept",
                            "auto|cbpf|reuseport",
                            "auto",
                            "How connections find a loop: cbpf, by the CPU that"
                                    + " received them (fails where the"
                                    + " kernel refuses); reuseport, by hash; auto,"
                                    + " cbpf where it can be had.",
                            (serve, how) -> serve.server.steering(steering(how))),
                    ServeOption.ofText(
                            "--busy-poll",
                            "auto|off|MICROS",
                            "auto",
                            "How long a wait polls the network device before it"
                                    + " sleeps, 1 to 1000 (fails where"
                                    + " the kernel refuses); auto, 50 where it can be had.",
                            ServerOptions::busyPoll),
                    ServeOption.ofText(
                            "--congestion",
                            "NAME",
                            null,
                            "TCP congestion control, such as reno. Default: the system's.",
                            (serve, name) -> serve.server.congestion(name)),
                    ServeOption.ofText(
                            "--io-uring",
                            "auto|on|off",
                            "auto",
                            "Whether connections that are ready at the same time are received from"
                                    + " by one system call and sent to by another (on fails where"
                                    + " the kernel refuses).",
                            (serve, on) -> serve.server.ioUring(setting(on))),
                    ServeOption.ofText(
                            "--private-descriptors",
                            "auto|on|off",
                            "auto",
                            "Whether each loop has a descriptor table of its"
                                    + " own: the kernel counts no"
                                    + " references to descriptors then, and lsof"
                                    + " and ss -p do not see the"
                                    + " connections.",
                            ServerOptions::privateDescriptors),
                    ServeOption.ofInt(
                            "--backlog",
                            "N",
                            "4096",
                            "Connections per loop that may wait to be accepted;"
                                    + " net.core.somaxconn bounds it.",
                            (serve, n) -> serve.server.backlog(n)),
                    ServeOption.ofInt(
                            "--max-connections",
                            "N",
                            "65536",
                            "Open connections per loop; more wait in the backlog.",
                            (serve, n) -> serve.server.connectionsMax(n)),
                    ServeOption.ofTexts(
                            "--add-header",
                            "'NAME: VALUE'",
                            "A field of all responses, errors among them; may be given again.",
                            ServerOptions::addHeader),
                    ServeOption.ofInt(
                            "--max-target",
                            "BYTES",
                            "8192",
                            "Bytes of a request target; a longer one is answered 414.",
                            (serve, bytes) -> serve.limits.targetBytesMax(bytes)),
                    ServeOption.ofInt(
                            "--max-head",
                            "BYTES",
                            "16384",
                            "Bytes of request line and fields; more is answered 431.",
                            (serve, bytes) -> serve.limits.headBytesMax(bytes)),
                    ServeOption.ofInt(
                            "--max-fields",
                            "N",
                            "100",
                            "Fields of a request; more are answered 431.",
                            (serve, n) -> serve.limits.fieldsMax(n)),
                    ServeOption.ofLong(
                            "--max-body",
                            "BYTES",
                            "1073741824",
                            "Bytes of a request body; more is answered 413.",
                            ServerOptions::maxBody),
                    ServeOption.ofInt(
                            "--max-unsent",
                            "BYTES",
                            "1048576",
                            "Bytes of responses that may wait for a client to read them.",
                            (serve, bytes) -> serve.limits.unsentBytesMax(bytes)),
                    ServeOption.ofLong(
                            "--max-pending",
                            "BYTES",
                            null,
                            "Memory per loop for requests and responses under way, at least"
                                    + " 1048576. Default: 67108864, or less where the largest heap"
                                    + " (-Xmx) is less than twice that for all loops.",
                            (serve, bytes) -> serve.server.pendingBytesMax(bytes)),
                    ServeOption.ofLong(
                            "--max-requests",
                            "N",
                            null,
                            "Requests after which a connection is closed. Default: any number.",
                            (serve, n) -> serve.limits.requestsPerConnectionMax(n)),
                    ServeOption.ofInt(
                            "--max-form-parameters",
                            "N",
                            "1000",
                            "Parameters of a form that a handler asks for; more are answered 413.",
                            (serve, n) -> serve.limits.formParametersMax(n)),
                    ServeOption.ofInt(
                            "--max-pipelined",
                            "N",
                            "64",
                            "Requests of one connection answered before others have their turn.",
                            (serve, n) -> serve.limits.pipelinedPerTurnMax(n)),
                    ServeOption.ofInt(
                            "--head-timeout",
                            "SECONDS",
                            "10",
                            "How long the head of a request may take; then 408.",
                            (serve, seconds) -> serve.timeouts.head(Duration.ofSeconds(seconds))),
                    ServeOption.ofInt(
                            "--body-timeout",
                            "SECONDS",
                            "30",
                            "How long a body may take, and 1 s more for each KiB; then 408.",
                            (serve, seconds) -> serve.timeouts.body(Duration.ofSeconds(seconds))),
                    ServeOption.ofInt(
                            "--idle-timeout",
                            "SECONDS",
                            "60",
                            "How long a connection is kept without a request.",
                            (serve, seconds) -> serve.timeouts.idle(Duration.ofSeconds(seconds))),
                    ServeOption.ofInt(
                            "--send-timeout",
                            "SECONDS",
                            "30",
                            "How long a client may take no byte of what is sent to it.",
                            (serve, seconds) -> serve.timeouts.send(Duration.ofSeconds(seconds))),
                    ServeOption.ofInt(
                            "--linger",
                            "SECONDS",
                            "30",
                            "How long a client that still sends when its connection is to be closed"
                                    + " is listened to, so that it reads the answer; or until it"
                                    + " has sent nothing for 5 s.",
                            (serve, seconds) -> serve.timeouts.linger(Duration.ofSeconds(seconds))),
                    ServeOption.ofText(
                            "--trust-proxy",
                            "NETS",
                            null,
                            "Proxies whose Forwarded or X-Forwarded-For says who the client is:"
                                    + " addresses and networks, such as 127.0.0.1,10.0.0.0/8."
                                    + " Default: none.",
                            (serve, nets) -> serve.server.trustedProxies(nets.split(",", -1))),
                    ServeOption.ofText(
                            "--access-log",
                            "FILE|-",
                            null,
                            "Appends a line for each request to FILE, which SIGHUP has opened"
                                    + " anew, for rotation; or to the standard output."
                                    + " Default: none.",
                            ServerOptions::accessLog),
                    ServeOption.ofText(
                            "--access-log-format",
                            "combined|common|json",
                            "combined",
                            "What a line of --access-log looks like.",
                            (serve, format) -> accessLogFormat(format)),
                    ServeOption.ofInt(
                            "--drain",
                            "SECONDS",
                            "10",
                            "How long requests in flight may take after"
                                    + " SIGTERM or SIGINT, 0 to 3600.",
                            ServerOptions::drain));

    private ServerOptions() {}

    private static void warmUp(Serve serve, int millis) {
        List<String> targets = serve.files != null ? List.of("/") : Demo.WARM_UP;
        serve.server.warmUp(Duration.ofMillis(millis), targets);
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

    private static void busyPoll(Serve serve, String text) {
        if (text.equals("auto")) {
            serve.server.busyPoll(Setting.AUTO);
        } else if (text.equals("off")) {
            serve.server.busyPoll(Setting.OFF);
        } else {
            try {
                serve.server.busyPollMicros(Integer.parseInt(text));
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException(
                        "\"" + text + "\" is none of auto, off, or a number of microseconds", e);
            }
        }
    }

    private static void addHeader(Serve serve, String field) {
        int colon = field.indexOf(':');
        if (colon < 1) {
            throw new IllegalArgumentException(
                    "\"" + field + "\" is no field: it is written 'Name: value'");
        }
        serve.server.fields(
                Fields.NONE.with(
                        HeaderName.of(field.substring(0, colon)),
                        field.substring(colon + 1).strip()));
    }

    /** A file is opened on one thread and sent by all loops: they need one table. */
    private static void privateDescriptors(Serve serve, String text) {
        Setting setting = setting(text);
        if (serve.files != null && setting == Setting.ON) {
            throw new IllegalArgumentException(
                    "a loop with a table of its own cannot send the files of --root");
        }
        serve.server.privateDescriptors(serve.files != null ? Setting.OFF : setting);
    }

    /** Bodies that are handed over whole have a bound of their own, which the memory sets. */
    private static void maxBody(Serve serve, long bytes) {
        serve.limits
                .streamedBytesMax(bytes)
                .bodyBytesMax((int) Math.min(bytes, Limits.defaults().bodyBytesMax()));
    }

    private static void accessLog(Serve serve, String file) {
        AccessLog.Format format = accessLogFormat(serve.value("--access-log-format"));
        boolean isFile = !file.equals("-");
        AccessLog log =
                isFile
                        ? AccessLog.file(Arguments.path(file), format)
                        : AccessLog.standardOutput(format);
        serve.server.accessLog(log);
        serve.rotatedLog = isFile ? log : null;
    }

    private static AccessLog.Format accessLogFormat(String text) {
        return switch (text) {
            case "combined" -> AccessLog.Format.COMBINED;
            case "common" -> AccessLog.Format.COMMON;
            case "json" -> AccessLog.Format.JSON;
            default ->
                    throw new IllegalArgumentException(
                            "\"" + text + "\" is none of combined, common, json");
        };
    }

    private static void drain(Serve serve, int seconds) {
        if (seconds < 0 || seconds > 3600) {
            throw new IllegalArgumentException(seconds + " seconds; it must be 0 to 3600");
        }
        serve.drain = Duration.ofSeconds(seconds);
    }
}
