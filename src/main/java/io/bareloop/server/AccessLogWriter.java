package io.bareloop.server;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * The thread that writes what stands in the rings of all loops to the file: many lines by one call,
 * every {@value #BUSY_MILLIS} ms while some come, and otherwise when it looks again, {@value
 * #IDLE_MILLIS} ms later at the most. So no loop has to wake it, which would be a system call for a
 * line; only a ring that is half full does.
 */
final class AccessLogWriter {
    private static final int BUFFER_BYTES = 256 << 10;
    private static final long BUSY_MILLIS = 20;
    private static final long IDLE_MILLIS = 250;

    /** So many looks in vain, and it looks less often. */
    private static final int IDLE_LOOKS = 50;

    /** In a row, before it looks what else there is to be done. */
    private static final int WRITES_MAX = 64;

    /** For what is left at the end; a pipe that nobody reads would keep the server for ever. */
    private static final long CLOSE_MILLIS = 5000;

    private static final long COMPLAINT_NANOS = 1_000_000_000L;

    private final AccessLogFile file;
    private final Log log;
    private final List<LineRing> rings = new CopyOnWriteArrayList<>();
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
    private final Thread thread = new Thread(this::run, "bareloop-access-log");

    /** Lines that could not be written. */
    private final AtomicLong unwritten = new AtomicLong();

    private volatile boolean reopening;
    private volatile boolean closing;

    // Of the thread.
    private int turn;
    private long complainedNanos = System.nanoTime() - COMPLAINT_NANOS;
    private long complainedOf;
    private String trouble;

    AccessLogWriter(AccessLogFile file, Log log) {
        this.file = file;
        this.log = log;
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** Another loop's. */
    void add(LineRing ring) {
        ring.readBy(thread);
        rings.add(ring);
    }

    /** As {@link AccessLog#reopen}. */
    void reopen() {
        reopening = true;
        LockSupport.unpark(thread);
    }

    /** The loops have ended: writes what is left. Returns when that is done, or given up. */
    void close() {
        closing = true;
        LockSupport.unpark(thread);
        boolean interrupted = Thread.interrupted();
        interrupted |= join();
        if (thread.isAlive() && file.isOwn()) {
            // Closes the file, so that what is left fails, and is counted.
            thread.interrupt();
            interrupted |= join();
        }
        if (thread.isAlive()) {
            log.line("access log: lines are lost that could not be written at the end");
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Waits for the end of the thread; returns whether an interrupt has come meanwhile. */
    private boolean join() {
        boolean interrupted = false;
        long end = System.nanoTime() + CLOSE_MILLIS * 1_000_000;
        long left = CLOSE_MILLIS;
        while (thread.isAlive() && left > 0) {
            try {
                thread.join(left);
            } catch (InterruptedException e) {
                interrupted = true;
            }
            left = (end - System.nanoTime()) / 1_000_000;
        }
        return interrupted;
    }

    long dropped() {
        long dropped = unwritten.get();
        for (LineRing ring : rings) {
            dropped += ring.dropped();
        }
        return dropped;
    }

    // ---- the thread

    private void run() {
        int looks = 0;
        boolean last;
        do {
            last = closing;
            boolean wrote = look();
            looks = wrote ? 0 : looks + 1;
            if (!last) {
                long millis = looks < IDLE_LOOKS ? BUSY_MILLIS : IDLE_MILLIS;
                LockSupport.parkNanos(millis * 1_000_000);
            }
        } while (!last);
        complain(true);
        try {
            file.close();
        } catch (IOException e) {
            log.line("the access log could not be closed: " + e);
        }
    }

    /** Nothing that goes wrong here may end the thread: the heap may be full. */
    private boolean look() {
        boolean wrote = false;
        try {
            boolean again = reopening;
            wrote = drain();
            if (again) {
                // What came before it is in the file before it.
                reopening = false;
                reopenFile();
            }
            complain(false);
        } catch (Throwable failure) {
            trouble = String.valueOf(failure);
        }
        return wrote;
    }

    private void reopenFile() {
        try {
            file.open();
        } catch (IOException e) {
            trouble = e + "; lines still go to the file that was open";
            reopening = true;
        }
    }

    private boolean drain() {
        int writes = 0;
        do {
            buffer.clear();
            // One that is full all the time does not keep the others waiting.
            int first = turn++;
            for (int i = 0; i < rings.size(); i++) {
                rings.get(Math.floorMod(first + i, rings.size())).take(buffer);
            }
            write();
            writes++;
        } while (isAnythingLeft() && (writes < WRITES_MAX || closing));
        return buffer.limit() > 0;
    }

    private boolean isAnythingLeft() {
        for (LineRing ring : rings) {
            if (!ring.isEmpty()) {
                return true;
            }
        }
        return false;
    }

    private void write() {
        buffer.flip();
        if (!buffer.hasRemaining()) {
            return;
        }
        try {
            file.write(buffer);
        } catch (IOException e) {
            // ENOSPC, EIO, EPIPE: what is not written is lost, for more comes all the time.
            trouble = String.valueOf(e.getMessage());
            long lines = 0;
            while (buffer.hasRemaining()) {
                lines += buffer.get() == '\n' ? 1 : 0;
            }
            unwritten.addAndGet(lines);
        }
    }

    private void complain(boolean atLast) {
        long dropped = dropped();
        if (dropped == complainedOf && trouble == null) {
            return;
        }
        long now = System.nanoTime();
        if (!atLast && now - complainedNanos < COMPLAINT_NANOS) {
            return;
        }
        complainedNanos = now;
        String why = trouble != null ? trouble : "the disk is slower than the requests";
        String lost =
                dropped == complainedOf
                        ? ""
                        : (dropped - complainedOf) + " lines dropped, " + dropped + " in all: ";
        log.line("access log: " + lost + why);
        complainedOf = dropped;
        trouble = null;
    }
}
