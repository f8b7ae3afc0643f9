package io.bareloop.server;

import io.bareloop.exchange.Application;
import io.bareloop.http.Handler;
import io.bareloop.http.Limits;
import io.bareloop.http.Timeouts;
import io.bareloop.loop.Loop;
import io.bareloop.loop.LoopOptions;
import io.bareloop.net.Knob;
import io.bareloop.net.ListenOptions;
import io.bareloop.sys.Syscalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/** What a server is to be, as its builder had it at the start. Immutable, for any thread. */
final class Configuration {
    private final String host;
    private final int port;

    /** One loop for each. */
    final CpuSet cpus;

    /** Null where no thread is to be kept anywhere. */
    final CpuSet housekeepingCpus;

    final Supplier<Handler> handlers;

    /** What a handler becomes: with filters, fields and what hears of it. */
    final Function<Handler, Application> application;

    final Limits limits;
    final Timeouts timeouts;

    /** Zero where there is none. */
    final Duration warmUpTime;

    /** Empty where the application is not to be asked. */
    final List<String> warmUpTargets;

    /** Of the fields of all responses. */
    final int fieldBytes;

    /** Native memory of each loop to compress with. */
    final long compressionBytes;

    /** For the warm-up, before the builder's caller has it back. */
    private final ApplicationOptions around;

    /** Null where the end of the JVM is to cut off what is in flight. */
    final Duration shutdownDrain;

    /** Null where the application does not want to know. */
    final Runnable onDrain;

    /** Of each loop, or {@link NativeMemory#PENDING_UNSET}. */
    final long pendingBytesMax;

    final Setting ioUring;

    /** Null where there is none. */
    final AccessLog accessLog;

    /** Where lines go: the application's, which may throw; {@link #log} guards it. */
    final Consumer<String> lines;

    final Log log;

    /** The calls of each loop, which fail where a test says so. */
    final Function<Arena, Syscalls> syscalls;

    private final Setting steering;
    private final Knob busyPoll;
    private final String congestion;
    private final int backlog;
    private final int connectionsMax;
    private final Setting privateDescriptors;

    /**
     * Takes what {@code from} has.
     *
     * @throws IllegalStateException where there is no handler, or what is asked for needs loops
     *     that are pinned
     */
    Configuration(HttpServer.Builder from) {
        if (from.handlers == null) {
            throw new IllegalStateException("no handler: call handler(...) before start()");
        }
        if (from.steering == Setting.ON && from.cpus != null && !from.cpus.isPinned()) {
            throw new IllegalStateException(
                    "steering is ON, which needs loops that are pinned to CPUs:"
                            + " call cpus(CpuSet.allowed()), or steering(Setting.AUTO)");
        }
        if (from.housekeepingCpus != null && from.cpus != null && !from.cpus.isPinned()) {
            throw new IllegalStateException(
                    "housekeeping CPUs need loops that are pinned to CPUs:"
                            + " call cpus(CpuSet.allowed())");
        }
        host = from.host;
        port = from.port;
        handlers = from.handlers;
        limits = from.limits;
        timeouts = from.timeouts;
        steering = from.steering;
        busyPoll = from.busyPoll;
        congestion = from.congestion;
        housekeepingCpus = from.housekeepingCpus;
        warmUpTime = from.warmUpTime;
        warmUpTargets = from.warmUpTargets;
        shutdownDrain = from.shutdownDrain;
        onDrain = from.onDrain;
        ioUring = from.ioUring;
        privateDescriptors = from.privateDescriptors;
        backlog = from.backlog;
        connectionsMax = from.connectionsMax;
        pendingBytesMax = from.pendingBytesMax;
        lines = from.log;
        log = new Log(lines);
        application = from.applications(new FailureLog(log));
        fieldBytes = from.fieldBytes();
        compressionBytes = from.compressionBytes();
        around = from;
        accessLog = from.accessLog;
        syscalls = from.syscalls;
        cpus = from.cpus != null ? from.cpus : defaultCpus();
    }

    private CpuSet defaultCpus() {
        return housekeepingCpus != null || steering == Setting.ON
                ? CpuSet.allowedPinned(housekeepingCpus)
                : CpuSet.allowed();
    }

    /** One that is alike, to warm up with: one loop, on a loopback port, that says nothing. */
    HttpServer.Builder forWarmUp() {
        HttpServer.Builder builder =
                HttpServer.builder()
                        .listen("127.0.0.1", 0)
                        .cpus(cpus.first())
                        .limits(limits)
                        .timeouts(timeouts)
                        .handlerPerLoop(handlers)
                        .busyPoll(Setting.OFF)
                        .ioUring(ioUring)
                        .privateDescriptors(privateDescriptors)
                        .log(line -> {});
        builder.like(around, !warmUpTargets.isEmpty());
        return pendingBytesMax == NativeMemory.PENDING_UNSET
                ? builder
                : builder.pendingBytesMax(pendingBytesMax);
    }

    InetSocketAddress address() throws IOException {
        try {
            return new InetSocketAddress(InetAddress.getByName(host), port);
        } catch (UnknownHostException e) {
            throw new IOException("no such host: " + host, e);
        }
    }

    ListenOptions listenOptions() {
        return new ListenOptions(new Knob(mode(steering), 0), busyPoll, congestion, backlog);
    }

    /** Of the loop with that index. */
    LoopOptions loopOptions(int index) {
        return new LoopOptions(
                cpus.toArray()[index],
                connectionsMax,
                busyPoll,
                (int)
                        Math.min(
                                Integer.MAX_VALUE / 2,
                                (long) limits.unsentBytesMax()
                                        + limits.bodyBytesMax()
                                        + Loop.OUT_BYTES),
                timeouts.send().toNanos(),
                timeouts.linger().toNanos(),
                new Knob(mode(ioUring), 0),
                new Knob(mode(privateDescriptors), 0));
    }

    static Knob.Mode mode(Setting setting) {
        return Knob.Mode.valueOf(setting.name());
    }

    /** {@code value}, where it is in its range; an IllegalArgumentException that names it else. */
    static int between(String name, int value, int min, int max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(
                    name + " is " + value + "; it must be " + min + " to " + max);
        }
        return value;
    }
}
