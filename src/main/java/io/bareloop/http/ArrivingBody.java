package io.bareloop.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A body as a stream: the loop puts pieces into a ring, one thread at a time takes them out, and
 * neither waits for a lock. Full, it pauses the body, and whoever has made room resumes it.
 *
 * <pre>
 *     taken                arrived
 *       |  bytes to be read   |        room
 *   ----+---------------------+---------------->  both count up, their place is the rest by length
 * </pre>
 */
final class ArrivingBody extends InputStream {
    /** What waits to be read, at the most. */
    static final int BYTES_MAX = 128 << 10;

    /** No piece is longer: what a loop receives at once. */
    private static final int PIECE_BYTES_MAX = 64 << 10;

    private static final byte[] NONE = {};

    /** In place of a reason: all of it has arrived. */
    private static final String COMPLETE = "";

    private static final Handler RESUME = (request, response) -> response.resumeBody();

    private final Suspended suspended;
    private final Parking parking = new Parking();

    /** As the client has announced it, or -1. */
    private final long length;

    /**
     * The loop's, and the reader's as far as {@link #arrived} says. A power of two, or none yet.
     */
    private byte[] ring = NONE;

    private volatile long arrived;
    private volatile long taken;
    private final AtomicBoolean paused = new AtomicBoolean();
    private volatile boolean closed;

    /** Why no more comes: {@link #COMPLETE}, or what a reader is told; null while more may. */
    private volatile String end;

    ArrivingBody(Suspended suspended, long length) {
        this.suspended = suspended;
        this.length = length;
    }

    // ---- on the loop

    /** Nothing comes before the reader wants it. */
    void waitForReader(Response response) {
        paused.set(true);
        response.pauseBody();
    }

    void arrives(Response response, ByteView piece) {
        if (closed) {
            // Nobody reads it. What becomes of the rest is up to the end of the response.
            response.pauseBody();
            return;
        }
        put(piece);
        parking.changed();
        if (!hasRoom()) {
            response.pauseBody();
            paused.set(true);
            // It may have been read since; then nobody would say so.
            if (hasRoom() && paused.compareAndSet(true, false)) {
                response.resumeBody();
            }
        }
    }

    private void put(ByteView piece) {
        int bytes = piece.length();
        if (ring.length == 0) {
            long wanted = length < 0 ? BYTES_MAX : Math.min(length, BYTES_MAX);
            int least = (int) Math.max(wanted, bytes);
            ring = new byte[Integer.highestOneBit(least - 1 | 1) << 1];
        }
        long at = arrived;
        if (bytes > ring.length - (at - taken)) {
            throw new IllegalStateException("a piece of " + bytes + " bytes");
        }
        int place = place(at);
        int first = Math.min(bytes, ring.length - place);
        piece.copyTo(0, ring, place, first);
        piece.copyTo(first, ring, 0, bytes - first);
        arrived = at + bytes;
    }

    /** All of it has arrived. */
    void complete() {
        end(COMPLETE);
    }

    /** No more of it comes; {@code reason} is for the reader, unless it has one already. */
    void end(String reason) {
        if (end == null) {
            end = reason;
        }
        parking.changed();
    }

    // ---- for both

    /** Whether the next piece has room, whatever its length. */
    private boolean hasRoom() {
        long left = length < 0 ? Long.MAX_VALUE : length - arrived;
        int room = ring.length == 0 ? BYTES_MAX : ring.length - (int) (arrived - taken);
        return room >= Math.min(left, PIECE_BYTES_MAX);
    }

    private int place(long at) {
        return (int) at & (ring.length - 1);
    }

    // ---- for the reader

    @Override
    public int read() throws IOException {
        if (await() < 0) {
            return -1;
        }
        int value = ring[place(taken)] & 0xFF;
        take(1);
        return value;
    }

    @Override
    public int read(byte[] to, int offset, int wanted) throws IOException {
        Objects.checkFromIndexSize(offset, wanted, to.length);
        if (wanted == 0) {
            return 0;
        }
        int there = await();
        if (there < 0) {
            return -1;
        }
        int bytes = Math.min(there, wanted);
        int place = place(taken);
        int first = Math.min(bytes, ring.length - place);
        System.arraycopy(ring, place, to, offset, first);
        System.arraycopy(ring, 0, to, offset + first, bytes - first);
        take(bytes);
        return bytes;
    }

    /** As {@link InputStream#transferTo}, from where the bytes are. */
    @Override
    public long transferTo(OutputStream out) throws IOException {
        Objects.requireNonNull(out, "out");
        long transferred = 0;
        int there = await();
        while (there >= 0) {
            int place = place(taken);
            int bytes = Math.min(there, ring.length - place);
            out.write(ring, place, bytes);
            take(bytes);
            transferred += bytes;
            there = await();
        }
        return transferred;
    }

    /** {@return the bytes that can be read without waiting} */
    @Override
    public int available() throws IOException {
        if (closed) {
            throw new IOException("the stream is closed");
        }
        return (int) (arrived - taken);
    }

    /** Reads no more. What is still to come is not taken before the response has ended. */
    @Override
    public void close() {
        closed = true;
    }

    /** Waits for bytes; returns how many there are, or -1 at the end. */
    private int await() throws IOException {
        if (closed) {
            throw new IOException("the stream is closed");
        }
        if (arrived == taken) {
            resume();
            parking.until(() -> arrived != taken || end != null);
        }
        // First the end: what has arrived before that is there.
        String reason = end;
        int there = (int) (arrived - taken);
        if (reason != null && !reason.equals(COMPLETE)) {
            throw new IOException(reason);
        }
        return there > 0 ? there : -1;
    }

    private void take(int bytes) {
        long at = taken;
        taken = at + bytes;
        resume();
    }

    private void resume() {
        if (paused.get() && hasRoom() && paused.compareAndSet(true, false)) {
            suspended.resume(RESUME);
        }
    }
}
