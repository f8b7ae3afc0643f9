package io.bareloop.server;

import io.bareloop.net.Housekeeping;
import io.bareloop.net.KnobLog;
import io.bareloop.net.ListenerGroup;
import io.bareloop.sys.Syscalls;
import java.io.IOException;
import java.lang.foreign.Arena;

/**
 * What a running server consists of. Brought up in order, by the thread that makes this; from then
 * on for any thread. What brings it down is its {@link LifeCycle}.
 */
final class RunningServer {
    private final Arena arena = Arena.ofShared();
    final KnobLog knobs = new KnobLog();
    final Configuration configuration;
    final NativeMemory memory;
    final Loops loops;
    final LifeCycle life;
    final WarmUp warmUp;
    final ListenerGroup listeners;

    /**
     * Opens the listeners and starts the loops, all or none.
     *
     * @throws IOException where the kernel refuses what is needed
     * @throws IllegalStateException as of {@link HttpServer.Builder#start}
     */
    RunningServer(Configuration configuration) throws IOException {
        this.configuration = configuration;
        memory = NativeMemory.of(configuration);
        loops = new Loops(configuration, memory, arena);
        life = new LifeCycle(arena, loops.all(), configuration.log);
        boolean started = false;
        try {
            Syscalls sys = new Syscalls(arena);
            sys.raiseDescriptorLimit();
            Housekeeping housekeeping = null;
            // First of all: threads that are created from here on inherit the CPUs.
            if (configuration.housekeepingCpus != null) {
                housekeeping = Housekeeping.start(configuration.housekeepingCpus.toArray());
                life.atEnd(housekeeping::close);
            }
            ShutdownDrain shutdownDrain = null;
            if (configuration.shutdownDrain != null) {
                shutdownDrain =
                        ShutdownDrain.register(
                                life, configuration.shutdownDrain, configuration.log);
                life.atEnd(shutdownDrain::close);
            }
            if (configuration.onDrain != null) {
                life.owns(new DrainListener(configuration.onDrain, configuration.log));
            }
            if (configuration.accessLog != null) {
                configuration.accessLog.open(configuration.log);
                life.atEnd(configuration.accessLog::close);
            }
            life.begin();
            warmUp = WarmUp.run(configuration);
            listeners =
                    ListenerGroup.open(
                            sys,
                            configuration.address(),
                            configuration.cpus.toArray(),
                            configuration.listenOptions(),
                            knobs);
            life.owns(listeners);
            loops.open(listeners, knobs);
            life.startLoops();
            if (housekeeping != null) {
                housekeeping.watch();
            }
            if (shutdownDrain != null) {
                shutdownDrain.serving();
            }
            knobs.refused().forEach(configuration.log::line);
            started = true;
        } finally {
            if (!started) {
                life.close();
            }
        }
    }
}
