package io.bareloop.wire;

import java.lang.foreign.Arena;

/**
 * What a loop compresses bodies with: a deflater for whole ones, a bounded number of them for
 * streams, and memory for what comes of it. Belongs to the loop's thread. Deflaters are made when
 * first needed, and kept.
 */
public final class Compressor {
    private static final Encoded CONTENT_ENCODING = Encoded.ascii("Content-Encoding: gzip\r\n");
    private static final Encoded VARY = Encoded.ascii("Vary: Accept-Encoding\r\n");

    private final Object source;
    private final CompressionChoice choice;
    private final CompressibleHead found;
    private final GzipAcceptance acceptance = new GzipAcceptance();
    private final GzipBuffer buffer;
    private final WholeGzip whole;
    private final GzipPool pool;

    /**
     * A compressor of one loop.
     *
     * @param arena where its memory comes from
     * @param source whoever has the same one compresses alike
     * @param choice what is compressed, and how
     */
    public Compressor(Arena arena, Object source, CompressionChoice choice) {
        this.source = source;
        this.choice = choice;
        found = new CompressibleHead(choice.types());
        buffer = new GzipBuffer(arena, outBytes(choice.bodyBytesMax()));
        whole = new WholeGzip(choice.level(), buffer);
        pool = new GzipPool(choice.level(), choice.streamsMax());
    }

    private static int outBytes(int bodyBytesMax) {
        return Math.max(GzipBuffer.PIECE_BYTES, bodyBytesMax);
    }

    /** Native memory that one takes at the most. */
    public static long nativeBytes(int bodyBytesMax, int streamsMax) {
        return outBytes(bodyBytesMax) + (1 + streamsMax) * Gzip.NATIVE_BYTES;
    }

    /** Gives all memory of deflaters back. */
    public void close() {
        whole.close();
        pool.close();
    }

    // ---- whether

    /** Whether a whole body may have so many bytes. */
    boolean isInRange(long bytes) {
        return bytes >= choice.bodyBytesMin() && bytes <= choice.bodyBytesMax();
    }

    /** What the head of a response says; to be cleared and read first. */
    CompressibleHead found() {
        return found;
    }

    /** Whether the client of {@code head} prefers gzip to what that is made of. */
    boolean isAccepted(Head head) {
        return acceptance.isSaid(head);
    }

    // ---- with what

    /** Compresses bodies that are there as a whole. */
    WholeGzip whole() {
        return whole;
    }

    /** What deflaters take from and put into. */
    GzipBuffer buffer() {
        return buffer;
    }

    /** The deflaters of streams. */
    GzipPool pool() {
        return pool;
    }

    // ---- fields

    static Encoded contentEncoding() {
        return CONTENT_ENCODING;
    }

    static Encoded vary() {
        return VARY;
    }

    /** Whoever has the same one compresses alike. */
    Object source() {
        return source;
    }
}
