package io.bareloop.server;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Lines on their way from one loop to the thread that writes them: bytes in a circle, of which the
 * loop writes at the end and the other thread reads at the front, without a lock. Full, it drops
 * lines and counts them.
 *
 * <p>The reader looks by itself every few milliseconds, so that a line costs no system call. Only
 * when the ring is half full is it woken, once until it has been.
 */
final class LineRing {
    /** A power of two: some thousand lines, which are 20 ms of a loop at full speed. */
    static final int BYTES = 1 << 20;

    private static final int MASK = BYTES - 1;

    private final byte[] bytes = new byte[BYTES];
    private final ByteBuffer view = ByteBuffer.wrap(bytes);

    /** Bytes that were ever put, and taken. */
    private final AtomicLong put = new AtomicLong();

    private final AtomicLong taken = new AtomicLong();

    private final AtomicLong dropped = new AtomicLong();

    /** Null where nobody reads yet, or any more. */
    private volatile Thread reader;

    // Of the loop alone.
    private long at;
    private long takenAtLast;
    private long wokenAt = -1;

    void readBy(Thread newReader) {
        reader = newReader;
    }

    /** Puts a line with its end, or none of it. On the loop. */
    void put(byte[] line, int length) {
        if (at + length - takenAtLast > BYTES / 2) {
            takenAtLast = taken.getAcquire();
            if (at + length - takenAtLast > BYTES / 2 && wokenAt != takenAtLast) {
                wokenAt = takenAtLast;
                LockSupport.unpark(reader);
            }
            if (at + length - takenAtLast > BYTES) {
                dropped.setRelease(dropped.getPlain() + 1);
                return;
            }
        }
        int start = (int) at & MASK;
        int first = Math.min(length, BYTES - start);
        System.arraycopy(line, 0, bytes, start, first);
        System.arraycopy(line, first, bytes, 0, length - first);
        at += length;
        put.setRelease(at);
    }

    /** Moves as many lines as there are, and room for, into {@code to}; for the reader. */
    void take(ByteBuffer to) {
        long from = taken.getPlain();
        long end = put.getAcquire();
        if (end - from > to.remaining()) {
            end = from + to.remaining();
            while (end > from && bytes[(int) (end - 1) & MASK] != '\n') {
                end--;
            }
        }
        while (from < end) {
            int start = (int) from & MASK;
            int length = (int) Math.min(end - from, BYTES - start);
            to.put(view.limit(start + length).position(start));
            from += length;
        }
        taken.setRelease(from);
    }

    boolean isEmpty() {
        return put.getAcquire() == taken.getPlain();
    }

    /** Lines for which there was no room. For any thread. */
    long dropped() {
        return dropped.getAcquire();
    }
}
