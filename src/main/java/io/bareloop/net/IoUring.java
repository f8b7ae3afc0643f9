package io.bareloop.net;

import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.sys.RecentLinux;
import io.bareloop.sys.RingMemory;
import io.bareloop.sys.Syscalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * An io_uring(7), used to make several receives or sends by one system call: what is asked for is
 * done when {@link #run} returns, and never waits. Belongs to one thread.
 *
 * <p>Neither recv(2) nor send(2) does much work for a small request: to get into the kernel and out
 * of it again is a tenth of the cost of each. Whatever the kernel does not take from the ring, or
 * has no memory for, is done by those two calls: nobody has to know.
 */
public final class IoUring implements AutoCloseable {
    /** Calls that one {@link #run} can make: their entries fill a page. */
    public static final int CALLS_MAX = 64;

    /** The kernel makes the completion ring twice as long as the one of submissions. */
    private static final int COMPLETIONS_MASK = 2 * CALLS_MAX - 1;

    private static final int FLAGS =
            RecentLinux.IORING_SETUP_NO_MMAP
                    | RecentLinux.IORING_SETUP_REGISTERED_FD_ONLY
                    | RecentLinux.IORING_SETUP_NO_SQARRAY
                    | Linux.IORING_SETUP_SUBMIT_ALL;

    private static final int MESSAGE_FLAGS = Linux.MSG_DONTWAIT | Linux.MSG_NOSIGNAL;

    private static final int NONE = -1;

    private final Syscalls sys;
    private final MemorySegment in;
    private final MemorySegment out;
    private RingPages pages;
    private MemorySegment sqes;
    private MemorySegment rings;

    private final boolean[] sends = new boolean[CALLS_MAX];
    private final int[] fds = new int[CALLS_MAX];
    private final int[] offsets = new int[CALLS_MAX];
    private final int[] lengths = new int[CALLS_MAX];
    private int count;

    private Thread owner;
    private int ring = NONE;
    private long sqTail;
    private long cqHead;
    private long cqTail;
    private long cqes;
    private int submitted;
    private int completed;

    /**
     * For calls on this memory; {@link #open} does the rest.
     *
     * @param in what is received into
     * @param out what is sent from
     */
    public IoUring(Syscalls sys, MemorySegment in, MemorySegment out) {
        this.sys = sys;
        this.in = in;
        this.out = out;
    }

    /**
     * Makes the ring, for the calling thread alone.
     *
     * @return 0 or -errno; what is then asked for is done by recv(2) and send(2)
     */
    public int open() {
        pages = RingPages.take();
        sqes = pages.sqes();
        rings = pages.rings();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment params = arena.allocate(RingMemory.PARAMS_BYTES, Long.BYTES);
            RingMemory.params(params, FLAGS, sqes, rings);
            int index = sys.ioUringSetup(CALLS_MAX, params);
            if (index < 0) {
                RingPages.give(pages);
                return index;
            }
            ring = index;
            owner = Thread.currentThread();
            sqTail = RingMemory.sqTailOffset(params);
            cqHead = RingMemory.cqHeadOffset(params);
            cqTail = RingMemory.cqTailOffset(params);
            cqes = RingMemory.cqesOffset(params);
            return 0;
        }
    }

    /**
     * Asks for a receive into bytes of the input memory; it is call {@link #count}() of the run.
     */
    public void receive(int fd, int offset, int length) {
        add(false, fd, offset, length);
    }

    /** Asks for bytes of the output memory to be sent; it is call {@link #count}() of the run. */
    public void send(int fd, int offset, int length) {
        add(true, fd, offset, length);
    }

    private void add(boolean send, int fd, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, (send ? out : in).byteSize());
        int call = count++;
        sends[call] = send;
        fds[call] = fd;
        offsets[call] = offset;
        lengths[call] = length;
    }

    /** The number of calls asked for since the last run. */
    public int count() {
        return count;
    }

    /** Forgets what was asked for since the last run. */
    public void clear() {
        count = 0;
    }

    /**
     * Makes the calls.
     *
     * @param results is given what each call came to, in the order in which they were asked for: a
     *     number of bytes or -errno, as {@link Syscalls#recv} and {@link Syscalls#send} return it
     */
    public void run(int[] results) {
        int calls = count;
        count = 0;
        // For one call alone the ring is the longer way.
        int taken = ring == NONE || calls < 2 ? 0 : submit(calls, results);
        for (int call = taken; call < calls; call++) {
            results[call] = callAlone(call);
        }
    }

    private int callAlone(int call) {
        return sends[call]
                ? sys.send(fds[call], out, offsets[call], lengths[call], 0)
                : sys.recv(fds[call], in, offsets[call], lengths[call]);
    }

    /** Returns how many of the first calls the ring has made. */
    private int submit(int calls, int[] results) {
        for (int call = 0; call < calls; call++) {
            MemorySegment memory = sends[call] ? out : in;
            RingMemory.transfer(
                    sqes,
                    submitted + call & CALLS_MAX - 1,
                    sends[call] ? Linux.IORING_OP_SEND : Linux.IORING_OP_RECV,
                    fds[call],
                    memory.address() + offsets[call],
                    lengths[call],
                    MESSAGE_FLAGS,
                    call);
        }
        RingMemory.setIndex(rings, sqTail, submitted + calls);
        int taken = Math.max(sys.ioUringEnter(ring, calls), 0);
        submitted += taken;
        if (taken < calls) {
            // No memory for a request: the kernel looks at the tail again in the next call only.
            RingMemory.setIndex(rings, sqTail, submitted);
        }
        int tail = RingMemory.index(rings, cqTail);
        if (tail - completed != taken) {
            throw new AssertionError(
                    "io_uring: " + (tail - completed) + " of " + taken + " calls have completed");
        }
        while (completed != tail) {
            long cqe = cqes + (long) (completed++ & COMPLETIONS_MASK) * RingMemory.CQE_BYTES;
            int call = (int) RingMemory.userData(rings, cqe);
            int result = RingMemory.result(rings, cqe);
            // ENOMEM may be of the ring's own; nothing has been transferred then.
            results[call] = result == -Errno.ENOMEM ? callAlone(call) : result;
        }
        RingMemory.setIndex(rings, cqHead, completed);
        return taken;
    }

    /** Gives the ring back. On the thread that opened it, or after that has ended. */
    @Override
    public void close() {
        if (ring == NONE) {
            return;
        }
        if (owner.equals(Thread.currentThread())) {
            sys.ioUringUnregister(ring);
            RingPages.give(pages);
        } else if (!owner.isAlive()) {
            // The kernel has done it. Where the thread lives on, so does its ring.
            RingPages.give(pages);
        }
        ring = NONE;
    }
}
