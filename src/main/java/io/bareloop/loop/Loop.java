package io.bareloop.loop;

import io.bareloop.http.OutputBuffer;
import io.bareloop.http.Protocol;
import io.bareloop.http.Slab;
import io.bareloop.net.Affinity;
import io.bareloop.net.DescriptorTable;
import io.bareloop.net.Epoll;
import io.bareloop.net.Knob;
import io.bareloop.net.KnobLog;
import io.bareloop.net.ListenerGroup;
import io.bareloop.net.Timer;
import io.bareloop.net.Wakeup;
import io.bareloop.sys.EpollEvents;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Syscalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;

/**
 * One event loop: one thread, one epoll descriptor, one listener, and the connections it accepted.
 *
 * <p>Memory, per loop: 64 KiB to receive into, 142 KiB more where connections are served together
 * ({@link Batch}), 128 KiB to send from, 512 events of 12 B ({@link #nativeBytes}), and the slab,
 * which is resident as far as work in flight has needed it lately. A connection costs its objects
 * and four numbers in {@link Deadlines}, and no buffer.
 *
 * <p>What one connection or its handler does is that connection's matter: where the heap, the stack
 * or mapped memory fails while it is served, it is closed, and the loop goes on. Any other
 * exception that reaches {@link #run} is a defect of this code, and ends it.
 *
 * <p>Created by one thread and then run by another; {@link #execute}, {@link #stop} and {@link
 * #drain} are for any thread, the counters for any reader, everything else for the loop's own.
 */
public final class Loop implements Runnable, AutoCloseable {
    public static final int IN_BYTES = 64 << 10;
    public static final int OUT_BYTES = 64 << 10;

    private static final int EVENTS_MAX = 512;

    /** The loop's own calls, and those by which others wake it. */
    private static final int SYSCALLS = 2;

    /** So that tasks which make tasks let the connections have their turn. */
    private static final int TASKS_PER_TURN_MAX = 1024;

    /** For so long memory that was needed and is free stays with the process. */
    private static final long TRIM_NANOS = 2_000_000_000L;

    private static final int NOT_LOOSE = 0;

    /** Tokens of connections are never negative; {@link Acceptor#TOKEN} is another of these. */
    private static final long WAKEUP_TOKEN = -2;
    private static final long TIMER_TOKEN = -3;

    final Counters counters = new Counters();
    final BodySlices slices = new BodySlices();
    final Complaints complaints;
    final Slots slots;

    private final Syscalls sys;
    private final LoopOptions options;
    private final Protocol.Factory protocols;
    private final KnobLog log;
    private final Acceptor acceptor;
    private final Epoll epoll;
    private final Wakeup wakeup;
    private final Timer timer;
    private final MemorySegment in;
    private final OutputBuffer out;
    private final Slab slab;
    private final Deadlines deadlines;
    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();

    /** Made once: a method reference to a method of this object is an object too. */
    private final Deadlines.Expired expiry = this::expired;

    // A list by the connections themselves: to schedule one takes no memory that could be short.
    private Connection firstScheduled;
    private Connection lastScheduled;

    private long now;

    /** When the slab's free memory goes back to the system; {@link #NOT_LOOSE} for never. */
    private long trimNanos = NOT_LOOSE;

    /** What has cut the last turn short; or null. */
    private Error interruption;

    private boolean draining;
    private long drainUntilNanos;
    private boolean ended;
    private int forced;
    private volatile boolean stopping;

    /** Null where every connection is served by itself. */
    private Batch batch;

    private final boolean paced;

    /** The thread has a descriptor table of its own: the listener has to be closed there too. */
    private boolean privateTable;

    /**
     * Creates the loop; nothing runs yet.
     *
     * @param sys the calls of the thread that will run it
     * @param arena memory of the loop, to be closed after it has ended
     * @param listener a listening descriptor, which the loop watches but does not close
     * @param out the buffer that {@code protocols} write into
     * @param slab memory for what is pending, which {@code protocols} may use too
     * @param log is told what optional kernel features came to
     * @param lines is told what goes wrong while it runs, in lines for people, a few a minute
     */
    public Loop(
            Syscalls sys,
            Arena arena,
            LoopOptions options,
            int listener,
            OutputBuffer out,
            Slab slab,
            Protocol.Factory protocols,
            KnobLog log,
            Consumer<String> lines) {
        this.sys = sys;
        this.options = options;
        this.out = out;
        this.slab = slab;
        this.protocols = protocols;
        this.log = log;
        complaints = new Complaints(lines);
        now = System.nanoTime();
        paced = Acceptor.isPaced(sys, listener);
        in = arena.allocate(IN_BYTES, 4096);
        batch = options.ioUring().wanted() ? new Batch(this, sys, arena, out) : null;
        deadlines = new Deadlines(now);
        slots = new Slots(this, deadlines);
        epoll = new Epoll(sys, arena, EVENTS_MAX);
        acceptor = new Acceptor(this, sys, listener, epoll, options);
        wakeup = newWakeup(new Syscalls(arena));
        timer = newTimer();
        int added = epoll.add(wakeup.fd(), Linux.EPOLLIN, WAKEUP_TOKEN);
        if (added >= 0) {
            added = epoll.add(timer.fd(), Linux.EPOLLIN | Linux.EPOLLET, TIMER_TOKEN);
        }
        if (added >= 0) {
            added = acceptor.start();
        }
        if (added < 0) {
            close();
            throw new IllegalStateException("epoll_ctl: " + Errno.describe(added));
        }
        if (options.busyPoll().wanted()) {
            log.note(
                    "epoll busy poll " + options.busyPoll().value() + " us",
                    Knob.Mode.AUTO,
                    epoll.busyPoll(
                            options.busyPoll().value(), ListenerGroup.BUSY_POLL_BUDGET, true),
                    "needs Linux 6.9; before, net.core.busy_poll sets it for the whole system");
        }
    }

    /**
     * The native memory of one loop, in bytes, but for the slab and what protocols take.
     *
     * @param batched whether connections are served together
     */
    public static long nativeBytes(boolean batched) {
        return IN_BYTES
                + 2L * OUT_BYTES
                + (batched ? Batch.NATIVE_BYTES : 0)
                + (long) EVENTS_MAX * EpollEvents.BYTES
                + SYSCALLS * Syscalls.NATIVE_BYTES;
    }

    private Wakeup newWakeup(Syscalls waking) {
        try {
            return new Wakeup(sys, waking);
        } catch (IllegalStateException refused) {
            epoll.close();
            throw refused;
        }
    }

    private Timer newTimer() {
        try {
            return new Timer(sys);
        } catch (IllegalStateException refused) {
            wakeup.close();
            epoll.close();
            throw refused;
        }
    }

    /**
     * Has connections that are ready in the same turn received from by one system call, and sent to
     * by another, where that is wanted ({@link Batch}). On the thread that is to run the loop.
     */
    public void openBatch() {
        if (batch != null
                && !log.note(
                        "io_uring",
                        options.ioUring().mode(),
                        batch.open(),
                        "needs Linux 6.6, kernel.io_uring_disabled=0, a seccomp filter that allows"
                                + " it, and an RLIMIT_MEMLOCK of 8 KiB for each loop")) {
            batch = null;
        }
    }

    /** {@link #serve}, and then {@link #end}. */
    @Override
    public void run() {
        try {
            serve();
        } finally {
            end();
        }
    }

    /**
     * Serves until {@link #stop}, or until a drain has come to its end. On the loop's thread.
     *
     * <p>What it throws is a broken invariant; whoever has to know is told before {@link #end},
     * which runs code of the application.
     */
    public void serve() {
        while (!stopping && !ended) {
            try {
                runOnce(prepareWait());
            } catch (VirtualMachineError | LinkageError error) {
                interruption = error;
            }
        }
    }

    /** Closes all connections. On the loop's thread, once {@link #serve} has come back. */
    public void end() {
        try {
            closeAll();
        } finally {
            closeBatch();
            protocols.ended();
        }
    }

    /** Pins the calling thread, which is to run the loop, to its CPU. */
    public void pin() {
        if (options.cpu() >= 0) {
            int result = Affinity.pinCurrentThread(sys, options.cpu());
            if (result < 0) {
                throw new IllegalStateException(
                        "cannot pin to CPU " + options.cpu() + ": " + Errno.describe(result));
            }
        }
    }

    /**
     * Gives the calling thread, which is to run the loop, a descriptor table of its own where that
     * is wanted ({@link DescriptorTable}).
     *
     * @param others the descriptors of the other loops' listeners, which have no place in it
     */
    public void separateDescriptors(int[] others) {
        Knob wanted = options.privateDescriptors();
        if (wanted.wanted()) {
            privateTable =
                    log.note(
                            "private descriptors",
                            wanted.mode(),
                            DescriptorTable.unshare(sys, others),
                            "allow unshare(2) with CLONE_FILES, or leave the tables shared");
        }
    }

    /** One turn: a single wait, then each ready descriptor once. Tests drive the loop by it. */
    int runOnce(int timeoutMillis) {
        int ready = 0;
        try {
            if (interruption != null) {
                recover();
            }
            ready = epoll.await(timeoutMillis);
            beginTurn();
            for (int i = 0; i < ready; i++) {
                long token = epoll.token(i);
                if (token >= 0) {
                    Connection connection = slots.find(token);
                    int events = epoll.events(i);
                    if (connection == null) {
                        counters.staleEvents++;
                    } else if (ready > 1 && canBatch(connection, events)) {
                        batch.add(connection);
                    } else {
                        // Here, and not in a method of its own: the JIT inlines so deep and no
                        // deeper, and would end amid the system call that sends.
                        try {
                            connection.ready(events);
                        } catch (VirtualMachineError | LinkageError error) {
                            failed(connection, error);
                        }
                    }
                } else if (token == Acceptor.TOKEN) {
                    acceptor.accept(Acceptor.PER_TURN_MAX);
                } else if (token == TIMER_TOKEN) {
                    timer.hasCome();
                } else {
                    wakeup.drain();
                }
            }
            if (batch != null) {
                batch.run();
            }
            if (firstScheduled != null) {
                proceedScheduled();
            }
            runTasks();
            // After the I/O, so that bytes received in this turn count as progress.
            deadlines.expire(now, expiry);
            endTurn();
        } catch (VirtualMachineError | LinkageError error) {
            // No more here: whatever is done about it may fail for the same reason.
            interruption = error;
        }
        return ready;
    }

    private void beginTurn() {
        now = System.nanoTime();
        protocols.turn(now);
        counters.turns++;
    }

    private void endTurn() {
        acceptor.endTurn();
        if (slab.isLoose() || trimNanos != NOT_LOOSE) {
            trim();
        }
        if (draining) {
            continueDrain();
        }
    }

    /** A burst has passed: what it needed of memory goes back to the system after a while. */
    private void trim() {
        if (!slab.isLoose()) {
            trimNanos = NOT_LOOSE;
        } else if (trimNanos == NOT_LOOSE) {
            trimNanos = now + TRIM_NANOS;
        } else if (now - trimNanos >= 0) {
            slab.trim();
            trimNanos = NOT_LOOSE;
        }
    }

    // ---- what the JVM cannot give

    /**
     * OutOfMemoryError, StackOverflowError, InternalError (a mapped file was cut short), or
     * LinkageError (a class cannot be read: out of descriptors, or the jar was replaced) while
     * {@code connection} was served: it ends, and the loop goes on.
     */
    void failed(Connection connection, Error error) {
        counters.errors++;
        connection.fail();
        complain("a connection was closed", error);
    }

    /**
     * A turn was cut short where it is not known whom it concerns: InternalError comes when the JVM
     * finds time to throw it. What the turn still had to do is not known either, and an edge comes
     * once: so every connection has a turn. Where this fails it is done again, in the next turn.
     */
    private void recover() {
        out.clear();
        if (batch != null) {
            batch.interrupted();
        }
        for (int slot = 0; slot < slots.count(); slot++) {
            Connection connection = slots.at(slot);
            if (connection != null && connection.isOpen()) {
                connection.interrupted();
            }
        }
        Error error = interruption;
        interruption = null;
        complain("a turn of the loop was interrupted", error);
    }

    /** Where there is no memory to say it with, it is not said. */
    void complain(String what, Error error) {
        try {
            complaints.say(what, error, now);
        } catch (VirtualMachineError | LinkageError again) {
            counters.errors++;
        }
    }

    private boolean canBatch(Connection connection, int events) {
        // EPOLLOUT stays on once it was wanted, and means nothing to one that waits for nothing.
        return batch != null && (events & ~Linux.EPOLLOUT) == Linux.EPOLLIN && connection.isIdle();
    }

    /**
     * Sets the timer for what is to come. Returns the time-out for the wait: 0 where there is
     * something to do at once, or -1.
     */
    private int prepareWait() {
        if (firstScheduled != null || interruption != null || !tasks.isEmpty()) {
            return 0;
        }
        long wait = deadlines.nanosToNext(now);
        if (draining) {
            wait = sooner(wait, drainUntilNanos - now);
        } else if (acceptor.isPaused()) {
            wait = sooner(wait, acceptor.againNanos() - now);
        }
        if (trimNanos != NOT_LOOSE) {
            wait = sooner(wait, trimNanos - now);
        }
        if (wait == 0) {
            return 0;
        }
        if (wait > 0) {
            timer.comeWithin(now, wait);
        }
        return -1;
    }

    /** The shorter of two times, the first of which may be -1 for none. */
    private static long sooner(long wait, long other) {
        long atOnce = Math.max(0, other);
        return wait < 0 ? atOnce : Math.min(wait, atOnce);
    }

    private void proceedScheduled() {
        // Those that are scheduled again meanwhile have their turn in the next.
        Connection last = lastScheduled;
        Connection connection;
        do {
            connection = firstScheduled;
            firstScheduled = connection.nextScheduled;
            if (firstScheduled == null) {
                lastScheduled = null;
            }
            connection.nextScheduled = null;
            connection.scheduled = false;
            if (connection.isOpen()) {
                try {
                    connection.proceed();
                } catch (VirtualMachineError | LinkageError error) {
                    failed(connection, error);
                }
            }
        } while (connection != last);
    }

    private void expired(int slot) {
        Connection connection = slots.at(slot);
        try {
            connection.expired();
        } catch (VirtualMachineError | LinkageError error) {
            failed(connection, error);
        }
    }

    // ---- what connections ask for

    /** A connection has closed its descriptor. */
    void closed(Connection connection) {
        counters.closed++;
        deadlines.cancel(connection.slot());
        slots.give(connection);
        acceptor.closed();
    }

    void schedule(Connection connection) {
        if (!connection.scheduled) {
            connection.scheduled = true;
            if (lastScheduled == null) {
                firstScheduled = connection;
            } else {
                lastScheduled.nextScheduled = connection;
            }
            lastScheduled = connection;
        }
    }

    /** Takes what stands in the output buffer, to be sent at the end of the batch at hand. */
    boolean queue(Connection connection) {
        return batch != null && batch.queue(connection);
    }

    /** Sends what is queued, of all connections, at once. */
    void sendQueued() {
        if (batch != null) {
            batch.sendQueued();
        }
    }

    /** Begins to watch for input, and {@code more}. Returns 0 or -errno. */
    int watch(Connection connection, int more) {
        return epoll.add(connection.fd(), interest(more), connection.token());
    }

    /** Watches for input, and {@code more}, from now on. Returns 0 or -errno. */
    int rewatch(Connection connection, int more) {
        return epoll.modify(connection.fd(), interest(more), connection.token());
    }

    private static int interest(int more) {
        return Linux.EPOLLIN | Linux.EPOLLRDHUP | Linux.EPOLLET | more;
    }

    MemorySegment in() {
        return in;
    }

    OutputBuffer output() {
        return out;
    }

    Slab slab() {
        return slab;
    }

    Deadlines deadlines() {
        return deadlines;
    }

    LoopOptions options() {
        return options;
    }

    long now() {
        return now;
    }

    /** Whether the connections' segments wait for timers of the kernel ({@link #isPaced}). */
    boolean paced() {
        return paced;
    }

    /** Whether descriptors that other threads open have no meaning here. */
    boolean hasPrivateDescriptors() {
        return privateTable;
    }

    /** Whether all connections, also those that are still accepted, are to end. */
    boolean isDraining() {
        return draining;
    }

    /** Whether the loop ends with the turn at hand, whatever is in flight. */
    boolean isStopping() {
        return stopping;
    }

    /** A connection for {@code slot}, which has none. */
    Connection newConnection(int slot, int generation) {
        return new Connection(this, sys, protocols.newProtocol(), slot, generation);
    }

    /** Connections open now. */
    int openConnections() {
        return slots.openCount();
    }

    // ---- what other threads ask for

    /** What the loop has counted. For any thread. */
    public Counters counters() {
        return counters;
    }

    /** The CPU that the loop is pinned to, or -1. */
    public int cpu() {
        return options.cpu();
    }

    /** Runs {@code task} on the loop, soon. For any thread. */
    public void execute(Runnable task) {
        tasks.add(task);
        wakeup.wake();
    }

    /** Ends {@link #serve} after the turn at hand, whatever is in flight. For any thread. */
    public void stop() {
        stopping = true;
        wakeup.wake();
    }

    /**
     * Takes the connections that wait for accept4, then no more; finishes what is in flight; ends
     * {@link #serve}, at the latest after {@code nanos}. {@code accepted} is run on the loop once
     * it has stopped accepting. To be called once; for any thread.
     *
     * @param nanos 0 to Long.MAX_VALUE, which is for ever
     */
    public void drain(long nanos, Runnable accepted) {
        execute(
                () -> {
                    beginDrain(nanos);
                    accepted.run();
                });
    }

    private void runTasks() {
        for (int i = 0; i < TASKS_PER_TURN_MAX; i++) {
            Runnable task = tasks.poll();
            if (task == null) {
                return;
            }
            try {
                task.run();
            } catch (VirtualMachineError | LinkageError error) {
                // Of our own part of it: a handler's has its guard, and so has its connection.
                out.clear();
                complain("a task of the loop failed", error);
            }
        }
    }

    private void beginDrain(long nanos) {
        draining = true;
        acceptor.drain();
        drainUntilNanos = now + nanos;
        for (int slot = 0; slot < slots.count(); slot++) {
            Connection connection = slots.at(slot);
            if (connection != null && connection.isOpen()) {
                connection.drain();
            }
        }
    }

    private void continueDrain() {
        ended = openConnections() == 0 || now - drainUntilNanos >= 0;
    }

    /**
     * Closes what is still open; what that cut off is {@link #forced}. One that cannot be closed is
     * no reason to leave the others open.
     */
    private void closeAll() {
        forced = openConnections();
        Throwable failure = null;
        for (int slot = 0; slot < slots.count(); slot++) {
            Connection connection = slots.at(slot);
            if (connection != null) {
                try {
                    connection.close();
                } catch (Throwable t) {
                    failure = t;
                }
            }
        }
        if (failure != null) {
            throw new AssertionError("a connection could not be closed: " + failure, failure);
        }
    }

    /** Without the ring a batch goes on, call by call. On the thread that opened it. */
    void closeBatch() {
        if (batch != null) {
            batch.close();
        }
    }

    /**
     * Releases what the loop has of the kernel. For any thread, once {@link #end} has come back.
     */
    @Override
    public void close() {
        closeBatch();
        epoll.close();
        wakeup.close();
        timer.close();
    }

    /** Connections that were closed with work in flight when the loop ended. */
    public int forced() {
        return forced;
    }
}
