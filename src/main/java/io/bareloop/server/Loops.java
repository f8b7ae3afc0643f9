package io.bareloop.server;

import io.bareloop.http1.Http1;
import io.bareloop.loop.Counters;
import io.bareloop.loop.Loop;
import io.bareloop.net.KnobLog;
import io.bareloop.net.ListenerGroup;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Pages;
import io.bareloop.sys.Syscalls;
import io.bareloop.wire.OutputBuffer;
import io.bareloop.wire.Slab;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * The loops of a server, each with its memory and its protocol, in the order of their CPUs. Opened
 * by the thread that starts the server; from then on for any thread.
 */
final class Loops {
    private final List<Loop> loops = new ArrayList<>();
    private final Configuration configuration;
    private final NativeMemory memory;
    private final Arena arena;

    /** None yet; the arena is the server's, which holds what they take but what is pending. */
    Loops(Configuration configuration, NativeMemory memory, Arena arena) {
        this.configuration = configuration;
        this.memory = memory;
        this.arena = arena;
    }

    /** Those that have been opened; more may come until all are. */
    List<Loop> all() {
        return loops;
    }

    /**
     * Opens a loop for each listener.
     *
     * @throws IllegalStateException where there is no memory for one
     */
    void open(ListenerGroup listeners, KnobLog knobs) {
        try {
            for (int i = 0; i < configuration.cpus.size(); i++) {
                loops.add(newLoop(i, listeners.fd(i), knobs));
            }
        } catch (OutOfMemoryError error) {
            throw new IllegalStateException(
                    "no memory for "
                            + memory
                            + ": "
                            + error.getMessage()
                            + "; raise -XX:MaxDirectMemorySize or -Xmx, or use fewer CPUs",
                    error);
        }
    }

    private Loop newLoop(int index, int listener, KnobLog knobs) {
        OutputBuffer out = new OutputBuffer(arena, Loop.OUT_BYTES);
        Syscalls calls = configuration.syscalls.apply(arena);
        // Not the server's arena: a blocking handler may still read its request when that closes.
        MemorySegment pending = Pages.allocate(memory.pendingBytes(), Arena.ofAuto());
        Slab slab =
                new Slab(
                        pending,
                        (offset, bytes) ->
                                calls.madvise(pending, offset, bytes, Linux.MADV_DONTNEED));
        Http1 http =
                new Http1(
                        arena,
                        out,
                        slab,
                        configuration.limits,
                        configuration.timeouts,
                        configuration.application.apply(
                                Objects.requireNonNull(
                                        configuration.handlers.get(),
                                        "the supplier of handlers returned null")));
        return new Loop(
                calls,
                arena,
                configuration.loopOptions(index),
                listener,
                out,
                slab,
                http,
                knobs,
                configuration.lines);
    }

    /** As {@link HttpServer#stats}. */
    List<LoopStats> stats() {
        List<LoopStats> stats = new ArrayList<>();
        for (int i = 0; i < loops.size(); i++) {
            Counters counters = loops.get(i).counters();
            stats.add(
                    new LoopStats(
                            i,
                            loops.get(i).cpu(),
                            counters.requests(),
                            counters.errors(),
                            counters.accepted(),
                            counters.open(),
                            counters.cpuMatches(),
                            counters.cpuMismatches(),
                            counters.bytesReceived(),
                            counters.bytesSent()));
        }
        return stats;
    }
}
