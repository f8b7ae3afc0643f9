package io.bareloop.rig;

import io.bareloop.exchange.Application;
import io.bareloop.exchange.ErrorHandlers;
import io.bareloop.http.CompletionListener;
import io.bareloop.http.Fields;
import io.bareloop.http.Handler;
import io.bareloop.http.Limits;
import io.bareloop.http.Timeouts;
import io.bareloop.http1.Http1;
import io.bareloop.loop.Counters;
import io.bareloop.loop.Loop;
import io.bareloop.loop.LoopOptions;
import io.bareloop.net.Knob;
import io.bareloop.net.KnobLog;
import io.bareloop.net.ListenOptions;
import io.bareloop.net.ListenerGroup;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Pages;
import io.bareloop.sys.Syscalls;
import io.bareloop.wire.Networks;
import io.bareloop.wire.OutputBuffer;
import io.bareloop.wire.Slab;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * One loop with HTTP on it, on a thread of its own and a port of 127.0.0.1: a server as {@code
 * HttpServer} builds it, of which a test can see the inside.
 */
public final class HttpRig implements AutoCloseable {
    private static final long PENDING_BYTES_MAX = 64 << 20;

    private final Arena arena = Arena.ofShared();
    private final Slab slab;
    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final List<Throwable> failures = new CopyOnWriteArrayList<>();
    private final Consumer<Throwable> failureLog;
    private final ListenerGroup listeners;
    private final Loop loop;
    private final Thread thread;
    private volatile Throwable death;

    private HttpRig(
            Limits limits,
            Timeouts timeouts,
            Handler handler,
            Function<? super Arena, ? extends Syscalls> calls,
            long pendingBytesMax,
            Consumer<Throwable> failureLog,
            Knob ioUring,
            CompletionListener completions)
            throws IOException {
        this.failureLog = failureLog != null ? failureLog : failures::add;
        // Not of the arena: a thread of Blocking may still read its request when the loop has
        // ended.
        Syscalls sys = calls.apply(arena);
        MemorySegment pending = Pages.allocate(pendingBytesMax, Arena.ofAuto());
        slab =
                new Slab(
                        pending,
                        (offset, bytes) ->
                                sys.madvise(pending, offset, bytes, Linux.MADV_DONTNEED));
        KnobLog log = new KnobLog();
        listeners =
                ListenerGroup.open(
                        new Syscalls(arena),
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                        new int[] {-1},
                        new ListenOptions(Knob.OFF, Knob.OFF, null, 1024),
                        log);
        OutputBuffer out = new OutputBuffer(arena, Loop.OUT_BYTES);
        LoopOptions options =
                new LoopOptions(
                        -1,
                        10_000,
                        Knob.OFF,
                        limits.unsentBytesMax() + limits.bodyBytesMax() + Loop.OUT_BYTES,
                        timeouts.send().toNanos(),
                        timeouts.linger().toNanos(),
                        ioUring,
                        Knob.OFF);
        loop =
                new Loop(
                        sys,
                        arena,
                        options,
                        listeners.fd(0),
                        out,
                        slab,
                        new Http1(
                                arena,
                                out,
                                slab,
                                limits,
                                timeouts,
                                new Application(
                                        handler,
                                        Fields.NONE,
                                        ErrorHandlers.NONE,
                                        null,
                                        (request, failure) -> log(failure),
                                        Networks.NONE,
                                        completions)),
                        log,
                        lines::add);
        thread = new Thread(this::run, "rig");
        thread.start();
    }

    /** Starts a server with the default limits. */
    public static HttpRig start(Handler handler) throws IOException {
        return start(Limits.defaults(), Timeouts.defaults(), handler);
    }

    /** Starts a server. */
    public static HttpRig start(Limits limits, Timeouts timeouts, Handler handler)
            throws IOException {
        return start(limits, timeouts, handler, Syscalls::new);
    }

    /** Starts a server whose loop makes {@code calls}. */
    public static HttpRig start(Handler handler, Function<? super Arena, ? extends Syscalls> calls)
            throws IOException {
        return start(Limits.defaults(), Timeouts.defaults(), handler, calls);
    }

    /** Starts a server with these limits whose loop makes {@code calls}. */
    public static HttpRig start(
            Limits limits,
            Timeouts timeouts,
            Handler handler,
            Function<? super Arena, ? extends Syscalls> calls)
            throws IOException {
        return start(limits, timeouts, handler, calls, PENDING_BYTES_MAX, null);
    }

    /** Starts a server that tells {@code report} what handlers throw. */
    public static HttpRig reporting(
            Handler handler,
            Consumer<Throwable> report,
            Function<? super Arena, ? extends Syscalls> calls)
            throws IOException {
        return start(
                Limits.defaults(), Timeouts.defaults(), handler, calls, PENDING_BYTES_MAX, report);
    }

    /**
     * Starts a server as above, whose slab takes {@code pendingBytesMax} bytes at the most.
     *
     * @param failureLog is told what handlers threw, instead of {@link #failures}
     */
    public static HttpRig start(
            Limits limits,
            Timeouts timeouts,
            Handler handler,
            Function<? super Arena, ? extends Syscalls> calls,
            long pendingBytesMax,
            Consumer<Throwable> failureLog)
            throws IOException {
        return start(limits, timeouts, handler, calls, pendingBytesMax, failureLog, null);
    }

    /** As above, where {@code completions} hears of the end of requests. */
    public static HttpRig start(
            Limits limits,
            Timeouts timeouts,
            Handler handler,
            Function<? super Arena, ? extends Syscalls> calls,
            long pendingBytesMax,
            Consumer<Throwable> failureLog,
            CompletionListener completions)
            throws IOException {
        return new HttpRig(
                limits,
                timeouts,
                handler,
                calls,
                pendingBytesMax,
                failureLog,
                Knob.auto(0),
                completions);
    }

    /** Starts a server whose loop serves every connection by itself, or several by io_uring. */
    public static HttpRig start(
            Limits limits, Timeouts timeouts, Handler handler, boolean serveTogether)
            throws IOException {
        return new HttpRig(
                limits,
                timeouts,
                handler,
                Syscalls::new,
                PENDING_BYTES_MAX,
                null,
                serveTogether ? Knob.auto(0) : Knob.OFF,
                null);
    }

    private void log(Throwable failure) {
        failureLog.accept(failure);
    }

    private void run() {
        try {
            loop.openBatch();
            loop.run();
        } catch (Throwable failure) {
            death = failure;
        }
    }

    public int port() {
        return listeners.address().getPort();
    }

    /** What {@link Http1} was told that handlers threw. */
    public List<Throwable> failures() {
        return failures;
    }

    /** What the loop has told people. */
    public List<String> lines() {
        return lines;
    }

    /** What ended the loop before its time; null where nothing did. */
    public Throwable death() {
        return death;
    }

    /** Whether the loop's thread runs. */
    public boolean isAlive() {
        return thread.isAlive();
    }

    public Counters counters() {
        return loop.counters();
    }

    /** Runs {@code question} on the loop, and returns the answer. */
    public <T> T ask(Supplier<T> question) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        loop.execute(
                () -> {
                    try {
                        answer.complete(question.get());
                    } catch (Throwable failure) {
                        answer.completeExceptionally(failure);
                    }
                });
        try {
            return answer.get(10, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new AssertionError("on the loop: " + e.getCause(), e.getCause());
        } catch (Exception e) {
            throw new AssertionError("the loop does not answer", e);
        }
    }

    /** Slices of the slab that something holds. */
    public int slicesInUse() {
        return ask(slab::slicesInUse);
    }

    /** Bytes that the slab has ever needed. */
    public long slabBytes() {
        return ask(slab::bytesTouched);
    }

    /** Connections open now. */
    public long open() {
        return ask(() -> loop.counters().open());
    }

    /** Waits until {@code value} gives {@code expected}, or for 10 s; returns the last value. */
    public static <T> T await(T expected, Supplier<T> value) throws InterruptedException {
        long end = System.nanoTime() + 10_000_000_000L;
        T last = value.get();
        while (!last.equals(expected) && System.nanoTime() < end) {
            Thread.sleep(2);
            last = value.get();
        }
        return last;
    }

    /** Ends the loop and closes all connections, but leaves its memory. */
    public void stop() {
        loop.stop();
        try {
            thread.join(10_000);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        if (thread.isAlive()) {
            throw new AssertionError("the loop does not end");
        }
        if (death != null) {
            throw new AssertionError("the loop died", death);
        }
    }

    @Override
    public void close() {
        try {
            stop();
        } finally {
            listeners.close();
            loop.close();
            if (!thread.isAlive()) {
                arena.close();
            }
        }
    }
}
