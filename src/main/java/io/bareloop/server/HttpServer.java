package io.bareloop.server;

import io.bareloop.http.Handler;
import io.bareloop.http.Limits;
import io.bareloop.http.Timeouts;
import io.bareloop.net.ListenerGroup;
import io.bareloop.sys.Syscalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * An HTTP/1.1 server: one pinned thread per CPU, each with a loop, a listener and its connections.
 *
 * <pre>{@code
 * try (HttpServer server = HttpServer.builder()
 *         .listen("127.0.0.1", 8080)
 *         .handler((request, response) -> response.body("hello\n"))
 *         .drainOnShutdown(Duration.ofSeconds(10))
 *         .start()) {
 *     server.awaitTermination();
 * }
 * }</pre>
 *
 * <p>It is running when {@link Builder#start} returns. All methods are for any thread.
 */
public final class HttpServer implements AutoCloseable {
    private final RunningServer running;

    private HttpServer(RunningServer running) {
        this.running = running;
    }

    /** {@return a builder with all defaults, to be used by one thread} */
    public static Builder builder() {
        return new Builder();
    }

    /** {@return the address bound} */
    public InetSocketAddress address() {
        return running.listeners.address();
    }

    /** {@return the port bound; where port 0 was asked for, the one the kernel chose} */
    public int port() {
        return address().getPort();
    }

    /**
     * {@return what a URL of this server begins with, for example {@code http://127.0.0.1:8080}}
     */
    public String origin() {
        return "http://" + ListenerGroup.describe(address());
    }

    /** {@return the CPUs of the loops} */
    public CpuSet cpus() {
        return running.configuration.cpus;
    }

    /** {@return the CPUs that all other threads are kept on; null where that was not asked for} */
    public CpuSet housekeepingCpus() {
        return running.configuration.housekeepingCpus;
    }

    /**
     * {@return what the server takes outside the heap at most, one term per owner, and whether it
     * would be more with a larger heap; not what handlers take, StaticFiles among them}
     */
    public NativeMemory nativeMemory() {
        return running.memory;
    }

    /**
     * {@return what was done before the server listened; no requests where that was not asked for}
     */
    public WarmUp warmUp() {
        return running.warmUp;
    }

    /**
     * Optional kernel features that took, for people to read.
     *
     * @return the features, each as one line
     */
    public List<String> featuresTaken() {
        return running.knobs.taken();
    }

    /**
     * Optional kernel features that the kernel refused, each with the errno and what to do.
     *
     * @return the features, each as one line
     */
    public List<String> featuresRefused() {
        return running.knobs.refused();
    }

    /**
     * What each loop has counted, now; exact after the server has ended.
     *
     * @return one for each loop, in their order
     */
    public List<LoopStats> stats() {
        return running.loops.stats();
    }

    /** {@return where the server is in its life; a handler may ask, for it costs one read} */
    public ServerState state() {
        return running.life.state();
    }

    /**
     * Stops accepting, finishes the requests in flight, and ends the server. Returns at the latest
     * half a second after {@code time}, also where a handler does not return, as {@link #close}
     * does. A drain that is under way already is shortened by a further call, never made longer.
     *
     * <p>Called on a loop, in a handler, it begins the drain and returns at once, for the request
     * at hand is one of those in flight: {@link #awaitTermination} tells when it has ended. So is
     * that of a blocking handler, which is no loop: there a drain takes all of its time.
     *
     * @param time after which connections that still have work in flight are closed; where it is
     *     zero or less, at once
     * @return whether nothing was cut off, true also where the server had ended before; on a loop
     *     false
     * @throws InterruptedException where the caller was interrupted; the drain goes on
     */
    public boolean drain(Duration time) throws InterruptedException {
        return running.life.drain(time);
    }

    /**
     * Waits until the server has ended, by whatever way.
     *
     * @throws IllegalStateException where a loop failed, with its failure as the cause; or where it
     *     is called on a loop, which would wait for itself
     * @throws InterruptedException where the caller was interrupted; the server goes on
     */
    public void awaitTermination() throws InterruptedException {
        running.life.awaitTermination();
    }

    /**
     * Ends the server at once, cutting off what is in flight; a drain that is under way too. Later
     * calls have no effect.
     *
     * <p>Returns within half a second. A handler that has not returned by then is left behind, and
     * a line in the log names its thread: the server's memory and descriptors stay until it
     * returns. Called on a loop, in a handler, it returns at once, and the loop ends after its
     * turn.
     */
    @Override
    public void close() {
        running.life.close();
    }

    /** Configures a server. Not safe for several threads at once. */
    public static final class Builder extends ApplicationOptions {
        // Configuration takes all of this.
        String host = "0.0.0.0";
        int port = 2342;
        Supplier<Handler> handlers;
        Limits limits = Limits.defaults();
        Timeouts timeouts = Timeouts.defaults();
        Duration warmUpTime = Duration.ZERO;
        List<String> warmUpTargets = List.of();
        Duration shutdownDrain;
        Runnable onDrain;
        Consumer<String> log = Log.SYSTEM;

        /** For tests: the calls of each loop, which fail where a test says so. */
        Function<Arena, Syscalls> syscalls = Syscalls::new;

        private Builder() {}

        /**
         * Where to listen; without this call 0.0.0.0:2342.
         *
         * @param host an address of this machine or a name for one; "0.0.0.0" for all of IPv4, "::"
         *     for all of IPv6 and IPv4
         * @param port 1 to 65535, or 0 for one that the kernel chooses
         * @return this builder
         * @throws IllegalArgumentException where the host is empty, or the port is out of range
         */
        public Builder listen(String host, int port) {
            if (host.isEmpty()) {
                throw new IllegalArgumentException(
                        "host is empty; 0.0.0.0 stands for every address of this machine");
            }
            this.host = host;
            this.port = Configuration.between("port", port, 0, 65_535);
            return this;
        }

        /**
         * Serves requests of the server's own for {@code time} before it listens, so that the JVM
         * has compiled the loop, the parser and the response writer when the first client comes;
         * without this call, or with zero, it does not.
         *
         * <p>A private server with a handler of its own does that, on a loopback port that is
         * closed before the real one opens. The application's handler is not called, for it may
         * have side effects, and no connection or request is counted.
         *
         * @param time zero, or 10 ms to 60 s
         * @return this builder
         * @throws IllegalArgumentException where it is another time
         */
        public Builder warmUp(Duration time) {
            return warmUp(time, List.of());
        }

        /**
         * As {@link #warmUp(Duration)}, but with GET requests for {@code targets} to the
         * application's own handler, again and again: for targets without side effects.
         *
         * @param time zero, or 10 ms to 60 s
         * @param targets such as {@code "/users/1?full=yes"}; each has to be answered with a
         *     Content-Length
         * @return this builder
         * @throws IllegalArgumentException where it is another time, or a target does not begin
         *     with a slash or has other characters than visible ASCII
         */
        public Builder warmUp(Duration time, List<String> targets) {
            WarmUp.check(time, targets);
            this.warmUpTime = time;
            this.warmUpTargets = List.copyOf(targets);
            return this;
        }

        /**
         * What answers requests, on all loops at the same time: it must be safe for that.
         *
         * @param handler of all requests
         * @return this builder
         */
        public Builder handler(Handler handler) {
            Objects.requireNonNull(handler, "handler");
            return handlerPerLoop(() -> handler);
        }

        /**
         * Called once per loop, and once more for a {@link #warmUp(Duration, List) warm-up} with
         * targets: each handler then is used by one thread only.
         *
         * @param handlers called once for each loop, by the thread that starts the server; must not
         *     return null
         * @return this builder
         */
        public Builder handlerPerLoop(Supplier<Handler> handlers) {
            this.handlers = Objects.requireNonNull(handlers, "handlers");
            return this;
        }

        /**
         * What requests may ask of memory.
         *
         * @param limits without this call {@link Limits#defaults}
         * @return this builder
         */
        public Builder limits(Limits limits) {
            this.limits = limits;
            return this;
        }

        /**
         * How long connections may keep the server waiting.
         *
         * @param timeouts without this call {@link Timeouts#defaults}
         * @return this builder
         */
        public Builder timeouts(Timeouts timeouts) {
            this.timeouts = timeouts;
            return this;
        }

        /**
         * Has the server drained when the process is told to end. Without this call that cuts off
         * what is in flight.
         *
         * <p>On SIGTERM or SIGINT (Ctrl-C) all such servers of the JVM drain at the same time. Then
         * {@code System.exit} is called, and the program's shutdown hooks run: with status 0 where
         * every server has finished its work, 1 where something was cut off. A second signal, half
         * a second later or more, ends the process at once, with 1 and without hooks. What the
         * program has to do behind the drain belongs in a shutdown hook, for main may not get to
         * it.
         *
         * <p>On {@code System.exit} by the program, and on SIGHUP, the server drains in a shutdown
         * hook, beside those of the program, and the status is not ours: for a signal it is 128 and
         * its number. So it is for SIGTERM (143) and SIGINT (130) too, where they cannot be heard:
         * without the module {@code jdk.unsupported}, which on the module path takes {@code
         * --add-modules jdk.unsupported}. A signal that the program handles itself is left to it,
         * and with {@code -Xrs} signals end the JVM at once, without any hook.
         *
         * <p>A jar that is replaced while the server runs is to be moved into its place, not
         * written over: classes that are loaded at the end come from it.
         *
         * <p>Signals and hook are in place from {@link #start} to the end of the server.
         *
         * @param time as of {@link HttpServer#drain}
         * @return this builder
         */
        public Builder drainOnShutdown(Duration time) {
            shutdownDrain = Objects.requireNonNull(time, "time");
            return this;
        }

        /**
         * Called once when a drain begins, whoever has asked for it; not by {@link
         * HttpServer#close}. The state is {@link ServerState#DRAINING} by then, and the server goes
         * on accepting connections until {@code listener} returns, at the longest for half of the
         * drain's time. So it can have a health check fail, and wait until a load balancer has seen
         * that.
         *
         * @param listener called on a thread of its own, on which it may wait; what it throws is
         *     logged. A later call of this method replaces it
         * @return this builder
         */
        public Builder onDrain(Runnable listener) {
            onDrain = Objects.requireNonNull(listener, "listener");
            return this;
        }

        /**
         * Where lines about the server go; without this call to System.Logger io.bareloop.
         *
         * @param log takes each line, without a line break at its end; called by several threads,
         *     loops among them, so it must not block
         * @return this builder
         */
        public Builder log(Consumer<String> log) {
            this.log = log;
            return this;
        }

        /**
         * Opens the listeners and starts the loops.
         *
         * @return the server, running
         * @throws java.net.BindException where the address cannot be had, saying why
         * @throws IOException where the kernel refuses something else that is needed
         * @throws IllegalStateException where a feature that must be on is refused, a CPU cannot be
         *     pinned to, or there is no handler
         */
        public HttpServer start() throws IOException {
            return new HttpServer(new RunningServer(new Configuration(this)));
        }

        Builder syscalls(Function<Arena, Syscalls> newSyscalls) {
            this.syscalls = newSyscalls;
            return this;
        }
    }
}
