package io.bareloop.http;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.BooleanSupplier;

/**
 * The body of a response as a stream: one thread at a time fills a buffer, the loop writes it when
 * the client has caught up with what was written before, and the buffer is then filled again.
 */
final class AnswerStream extends OutputStream {
    /** With what stands around a chunk, as much as a slice of 32 KiB holds. */
    static final int BYTES_MAX = (32 << 10) - 32;

    private static final int BYTES_AT_START = 2 << 10;

    private final BlockingExchange exchange;
    private final Suspended suspended;
    private final Parking parking = new Parking();
    private final Handler take = (request, response) -> take(response);
    private final BooleanSupplier free = this::isFree;

    /** As announced to the client, or -1; and how many of them are still to be written. */
    private final long length;

    private long left;

    private byte[] buffer = new byte[BYTES_AT_START];
    private int count;
    private boolean begun;
    private boolean closed;

    /** Something that was to be handed over never was: the client is gone, or an interrupt came. */
    private boolean lost;

    /** The buffer is the loop's. */
    private volatile boolean handed;

    // What it is to do with it.
    private boolean isFirst;
    private boolean isLast;

    AnswerStream(BlockingExchange exchange, Suspended suspended, long length) {
        this.exchange = exchange;
        this.suspended = suspended;
        this.length = length;
        this.left = length;
    }

    // ---- for the writer

    @Override
    public void write(int value) throws IOException {
        beginWrite(1);
        makeRoom(1);
        buffer[count++] = (byte) value;
    }

    @Override
    public void write(byte[] from, int offset, int bytes) throws IOException {
        Objects.checkFromIndexSize(offset, bytes, from.length);
        beginWrite(bytes);
        int at = offset;
        int end = offset + bytes;
        while (at < end) {
            makeRoom(end - at);
            int piece = Math.min(end - at, buffer.length - count);
            System.arraycopy(from, at, buffer, count, piece);
            count += piece;
            at += piece;
        }
    }

    private void beginWrite(int bytes) throws IOException {
        if (closed) {
            throw new IOException("the stream is closed");
        }
        if (length >= 0) {
            if (bytes > left) {
                throw new IOException(
                        bytes + " bytes, but " + left + " are left of the length announced");
            }
            left -= bytes;
        }
    }

    /** Waits until there is room for a byte; takes more where {@code wanted} are to come. */
    private void makeRoom(int wanted) throws IOException {
        if (count == BYTES_MAX) {
            hand(false);
        }
        awaitFree();
        if (count == buffer.length) {
            int more = Math.max(2 * count, count + wanted);
            // The sum may be too much for an int.
            buffer = Arrays.copyOf(buffer, more < 0 ? BYTES_MAX : Math.min(more, BYTES_MAX));
        }
    }

    /** Sends what has been written so far; the head, where nothing has. */
    @Override
    public void flush() throws IOException {
        // What the loop has is on its way already.
        if (!closed && (!begun || (!handed && count > 0))) {
            hand(false);
        }
    }

    /** Ends the response. */
    @Override
    public void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        hand(true);
        if (left > 0) {
            throw new IOException(
                    left + " bytes are missing of the length announced: the connection ends");
        }
    }

    /** Whether it was closed, and all of it handed over to the loop. */
    boolean isWhole() {
        return closed && !lost;
    }

    /**
     * As {@link #close}, where there is a way back already: by what is returned; or null.
     *
     * @throws IOException where the body cannot be whole any more
     */
    Handler end() throws IOException {
        if (lost) {
            throw new IOException("a write or close() of the response failed, so it is cut short");
        }
        if (closed) {
            return null;
        }
        closed = true;
        prepare(true);
        return take;
    }

    private void hand(boolean last) throws IOException {
        prepare(last);
        suspended.resume(take);
    }

    private void prepare(boolean last) throws IOException {
        awaitFree();
        isFirst = !begun;
        isLast = last;
        begun = true;
        handed = true;
    }

    private void awaitFree() throws IOException {
        try {
            parking.until(free);
        } catch (InterruptedIOException interrupted) {
            lost = true;
            throw interrupted;
        }
        if (suspended.isGone()) {
            lost = true;
            throw new IOException("the client is gone, or the response could not be written");
        }
    }

    private boolean isFree() {
        return !handed || suspended.isGone();
    }

    // ---- on the loop

    private void take(Response response) {
        if (response.isWritable()) {
            put(response);
        } else {
            response.onWritable(
                    () -> {
                        response.onWritable(null);
                        put(response);
                    });
        }
    }

    private void put(Response response) {
        MemorySegment bytes = MemorySegment.ofArray(buffer);
        if (isFirst) {
            exchange.writeHead(response);
        }
        if (isFirst && isLast && length < 0) {
            // All there is: the client may know the length.
            exchange.answered();
            response.body(bytes, 0, count);
            return;
        }
        if (isFirst && length < 0) {
            response.stream();
        } else if (isFirst) {
            response.stream(length);
        }
        response.write(bytes, 0, count);
        if (isLast) {
            exchange.answered();
            response.end();
            return;
        }
        count = 0;
        handed = false;
        parking.changed();
    }

    /** The response has ended, however it came about. */
    void changed() {
        parking.changed();
    }
}
