package io.bareloop.loop;

import io.bareloop.net.Epoll;
import io.bareloop.net.KnobLog;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Sockaddr;
import io.bareloop.sys.Syscalls;
import io.bareloop.wire.OutputBuffer;
import io.bareloop.wire.Protocol;
import io.bareloop.wire.Slab;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
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

    final Counters counters = new Counters();
    final BodySlices slices = new BodySlices();
    final Drain drain = new Drain(this);
    final Complaints complaints;
    final Slots slots;
    final LoopOptions options;

    /** What is received by one call stands here until the protocol has had it. */
    final MemorySegment in;

    /** What the kernel writes a peer's address into. */
    final MemorySegment peerName;

    /** Whether the connections' segments wait for timers of the kernel. */
    final boolean paced;

    final Acceptor acceptor;
    final Poll poll;

    private final Protocol.Factory protocols;
    private final Tuning tuning;
    private final Epoll epoll;
    private final OutputBuffer out;
    private final Slab slab;
    private final Deadlines deadlines;
    private final Trim trim;
    private final Scheduled scheduled = new Scheduled();
    private final Tasks tasks = new Tasks(this);

    /** Made once: a method reference to a method of this object is an object too. */
    private final Deadlines.Expired expiry = this::expired;

    private long now;

    /** What has cut the last turn short; or null. */
    private Error interruption;

    private int forced;

    /** The loop ends with the turn at hand, whatever is in flight. */
    volatile boolean stopping;

    /** Null where every connection is served by itself. */
    private Batch batch;

    /** The thread has a table of its own: descriptors that others open have no meaning here. */
    boolean privateTable;

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
        this.options = options;
        this.out = out;
        this.slab = slab;
        this.protocols = protocols;
        tuning = new Tuning(sys, options, log);
        complaints = new Complaints(lines, counters);
        now = System.nanoTime();
        paced = Acceptor.isPaced(sys, listener);
        in = arena.allocate(IN_BYTES, 4096);
        peerName = arena.allocate(Sockaddr.BYTES_MAX, Long.BYTES);
        batch = newBatch(sys, arena);
        deadlines = new Deadlines(now);
        slots = new Slots(this, sys, protocols, deadlines);
        trim = new Trim(slab);
        poll = new Poll(sys, arena);
        epoll = poll.epoll;
        acceptor = new Acceptor(this, sys, listener, epoll, options);
        int watched = acceptor.start();
        if (watched < 0) {
            close();
            throw Poll.refused(watched);
        }
        tuning.busyPoll(epoll);
    }

    private Batch newBatch(Syscalls sys, Arena arena) {
        return options.ioUring().wanted() ? new Batch(this, sys, arena, out) : null;
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
                + Poll.NATIVE_BYTES
                + Sockaddr.BYTES_MAX
                + Syscalls.NATIVE_BYTES;
    }

    /**
     * Has connections that are ready in the same turn received from by one system call, and sent to
     * by another, where that is wanted ({@link Batch}). On the thread that is to run the loop.
     */
    public void openBatch() {
        if (batch != null && !tuning.openBatch(batch)) {
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
        while (!stopping && !drain.hasEnded()) {
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
            forced = openConnections();
            slots.closeAll();
        } finally {
            closeBatch();
            protocols.ended();
        }
    }

    /** Pins the calling thread, which is to run the loop, to its CPU. */
    public void pin() {
        tuning.pin();
    }

    /**
     * Gives the calling thread, which is to run the loop, a descriptor table of its own where that
     * is wanted ({@link io.bareloop.net.DescriptorTable}).
     *
     * @param others the descriptors of the other loops' listeners, which have no place in it
     */
    public void separateDescriptors(int[] others) {
        privateTable = tuning.separateDescriptors(others);
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
                        // What one connection fails for is no matter of the others in this turn.
                        try {
                            connection.ready(events);
                        } catch (VirtualMachineError | LinkageError error) {
                            failed(connection, error);
                        }
                    }
                } else if (token == Acceptor.TOKEN) {
                    acceptor.accept(Acceptor.PER_TURN_MAX);
                } else {
                    poll.hasEnded(token);
                }
            }
            if (batch != null) {
                batch.run();
            }
            if (!scheduled.isEmpty()) {
                proceedScheduled();
            }
            tasks.run();
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
        protocols.turnEnded();
        acceptor.endTurn();
        trim.endTurn(now);
        drain.endTurn();
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
        complaints.say("a connection was closed", error, now);
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
        slots.interruptAll();
        Error error = interruption;
        interruption = null;
        complaints.say("a turn of the loop was interrupted", error, now);
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
        if (!scheduled.isEmpty() || interruption != null || !tasks.isEmpty()) {
            return 0;
        }
        long wait = deadlines.nanosToNext(now);
        if (drain.hasBegun()) {
            wait = Poll.sooner(wait, drain.untilNanos() - now);
        } else if (acceptor.isPaused()) {
            wait = Poll.sooner(wait, acceptor.againNanos() - now);
        }
        if (trim.isDue()) {
            wait = Poll.sooner(wait, trim.nanos() - now);
        }
        return poll.timeout(now, wait);
    }

    private void proceedScheduled() {
        // Those that are scheduled again meanwhile have their turn in the next.
        Connection last = scheduled.last();
        Connection connection;
        do {
            connection = scheduled.take();
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
        scheduled.add(connection);
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

    OutputBuffer output() {
        return out;
    }

    Slab slab() {
        return slab;
    }

    Deadlines deadlines() {
        return deadlines;
    }

    long now() {
        return now;
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
        poll.wake();
    }

    /** Ends {@link #serve} after the turn at hand, whatever is in flight. For any thread. */
    public void stop() {
        stopping = true;
        poll.wake();
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
                    drain.begin(nanos);
                    accepted.run();
                });
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
        poll.close();
    }

    /** Connections that were closed with work in flight when the loop ended. */
    public int forced() {
        return forced;
    }
}
