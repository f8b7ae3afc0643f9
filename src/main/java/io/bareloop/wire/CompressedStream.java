package io.bareloop.wire;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * The body that a writer streams, as it is compressed. Belongs to its writer; used for one response
 * after another.
 *
 * <p>What is written stays with the deflater until the turn ends, and then leaves as a whole: a
 * handler that writes in small pieces pays once for the flush, and nobody waits longer.
 */
final class CompressedStream {
    /** What may be compressed in one turn, before others have theirs: 1 ms. */
    private static final int TURN_BYTES_MAX = 256 << 10;

    private final Writer writer;
    private final Compressor compressor;

    /** At work on the body at hand; null where that is not compressed. */
    private Gzip gzip;

    /** Something was written that may be with the deflater still. */
    private boolean unflushed;

    /** Bytes of this turn. */
    private long turnBytes;

    CompressedStream(Writer writer, Compressor compressor) {
        this.writer = writer;
        this.compressor = compressor;
    }

    /** Begins a body; false where there is no deflater for it. */
    boolean begin() {
        gzip = compressor.pool().take();
        return gzip != null;
    }

    /** What was begun is over, or taken back. */
    void drop() {
        if (gzip != null) {
            compressor.pool().giveBack(gzip);
            gzip = null;
        }
        unflushed = false;
        turnBytes = 0;
    }

    /** Whether what is written has to come by {@link #write}. */
    boolean isActive() {
        return gzip != null;
    }

    void write(byte[] piece) {
        Gzip mine = gzip;
        int at = 0;
        while (at < piece.length && mine == gzip) {
            int bytes = Math.min(GzipBuffer.PIECE_BYTES, piece.length - at);
            take(mine, piece, at, bytes);
            at += bytes;
        }
        written(mine, piece.length);
    }

    void write(MemorySegment piece, long offset, int length) {
        Gzip mine = gzip;
        int at = 0;
        while (at < length && mine == gzip) {
            int bytes = compressor.buffer().copy(piece, offset + at, length - at);
            take(mine, compressor.buffer().copied(), 0, bytes);
            at += bytes;
        }
        written(mine, length);
    }

    /** Puts what comes of a piece; sending may find that the connection is gone, and all over. */
    private void take(Gzip mine, byte[] from, int offset, int length) {
        ByteBuffer out = compressor.buffer().out();
        boolean fits = mine.take(from, offset, length, out);
        put();
        while (!fits && mine == gzip) {
            fits = mine.goOn(out);
            put();
        }
    }

    private void put() {
        int bytes = compressor.buffer().takeOut();
        if (bytes > 0) {
            writer.putCompressed(compressor.buffer().memory(), bytes);
        }
    }

    private void written(Gzip mine, int length) {
        if (mine == gzip) {
            mine.leaveInput();
            unflushed = true;
            turnBytes += length;
        }
    }

    /** Whether it is enough for one turn: the next piece is to wait for another. */
    boolean isEnough() {
        return turnBytes >= TURN_BYTES_MAX;
    }

    /**
     * The turn ends: what was written in it leaves.
     *
     * @return whether it has been enough, and whoever waits to write has to be told
     */
    boolean endTurn() {
        Gzip mine = gzip;
        boolean enough = isEnough();
        turnBytes = 0;
        if (mine == null || !unflushed) {
            return false;
        }
        unflushed = false;
        boolean fits = false;
        while (!fits && mine == gzip) {
            fits = mine.flush(compressor.buffer().out());
            put();
        }
        return enough && mine == gzip;
    }

    /** The stream ends. */
    void end() {
        Gzip mine = gzip;
        boolean fits = false;
        while (!fits && mine != null && mine == gzip) {
            fits = mine.finish(compressor.buffer().out());
            put();
        }
        drop();
    }
}
