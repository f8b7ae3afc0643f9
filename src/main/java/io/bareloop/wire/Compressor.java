package io.bareloop.wire;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What a loop compresses bodies with: a deflater for whole ones, a bounded number of them for
 * streams, and memory for what comes of it. Belongs to the loop's thread. Deflaters are made when
 * first needed, and kept.
 */
public final class Compressor {
    /** The deflater takes arrays only this much at a time, for they must not move meanwhile. */
    static final int PIECE_BYTES = 16 << 10;

    private static final Encoded CONTENT_ENCODING = Encoded.ascii("Content-Encoding: gzip\r\n");
    private static final Encoded VARY = Encoded.ascii("Vary: Accept-Encoding\r\n");
    private static final int GZIP = 1;
    private static final int GZIP_OR_IDENTITY = 3;

    private static final String FIELD = "accept-encoding";

    private final Object source;
    private final CompressionChoice choice;
    private final AcceptEncoding accept = new AcceptEncoding("gzip", "identity");
    private final CompressibleHead found;

    /** What has been compressed and not been put yet; as a segment and as a buffer. */
    private final MemorySegment memory;

    private final ByteBuffer out;

    /** The deflater takes arrays: what stands elsewhere is copied here. */
    private final byte[] copy = new byte[PIECE_BYTES];

    /** For whole bodies; null where none has come yet. */
    private Gzip atOnce;

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
        memory = arena.allocate(outBytes(choice.bodyBytesMax()));
        out = memory.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        pool = new GzipPool(choice.level(), choice.streamsMax());
    }

    private static int outBytes(int bodyBytesMax) {
        return Math.max(PIECE_BYTES, bodyBytesMax);
    }

    /** Native memory that one takes at the most. */
    public static long nativeBytes(int bodyBytesMax, int streamsMax) {
        return outBytes(bodyBytesMax) + (1 + streamsMax) * Gzip.NATIVE_BYTES;
    }

    /** Gives all memory of deflaters back. */
    public void close() {
        if (atOnce != null) {
            atOnce.close();
        }
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

    /** Whether the client of {@code head} prefers gzip to what it is made of. */
    boolean isAccepted(Head head) {
        boolean said = false;
        for (int i = 0; i < head.fieldCount(); i++) {
            long name = head.address() + head.fieldOffset(i, 0);
            long nameEnd = head.address() + head.fieldOffset(i, 1);
            if (nameEnd - name == FIELD.length() && Ascii.equalsIgnoreCase(name, nameEnd, FIELD)) {
                if (!said) {
                    accept.clear();
                    said = true;
                }
                readAccept(
                        head.address() + head.fieldOffset(i, 2),
                        head.address() + head.fieldOffset(i, 3));
            }
        }
        return said && accept.best(GZIP_OR_IDENTITY) == GZIP - 1;
    }

    private void readAccept(long from, long to) {
        for (long at = from; at < to; at++) {
            accept.add(Memory.getByte(at));
        }
        accept.endOfField();
    }

    // ---- whole bodies

    /** Where {@link #compress} has put what has come of it, from 0 on. */
    MemorySegment memory() {
        return memory;
    }

    /** Compresses an array; returns how many bytes it takes, or -1 where that is no gain. */
    int compress(byte[] body) {
        Gzip gzip = begin(body.length);
        if (gzip == null) {
            return -1;
        }
        try {
            boolean fits = true;
            for (int at = 0; fits && at < body.length; at += PIECE_BYTES) {
                fits = gzip.take(body, at, Math.min(PIECE_BYTES, body.length - at), out);
            }
            return fits && gzip.finish(out) ? out.position() : -1;
        } finally {
            gzip.reset();
            out.clear();
        }
    }

    /** As above, of memory of any kind. */
    int compress(MemorySegment body, long offset, int length) {
        Gzip gzip = begin(length);
        if (gzip == null) {
            return -1;
        }
        try {
            boolean fits = true;
            for (int at = 0; fits && at < length; at += PIECE_BYTES) {
                fits = gzip.take(copy, 0, copy(body, offset + at, length - at), out);
            }
            return fits && gzip.finish(out) ? out.position() : -1;
        } finally {
            gzip.reset();
            out.clear();
        }
    }

    /** Begins a whole body; null where there is no memory for a deflater. */
    private Gzip begin(int length) {
        if (atOnce == null) {
            atOnce = Gzip.make(choice.level());
        }
        if (atOnce != null) {
            // The field that says so has to be gained, too.
            out.limit(Math.max(0, length - CONTENT_ENCODING.length()));
        }
        return atOnce;
    }

    /** Copies the beginning of memory to where a deflater can take it; returns how much. */
    int copy(MemorySegment from, long offset, int length) {
        int bytes = Math.min(PIECE_BYTES, length);
        MemorySegment.copy(from, ValueLayout.JAVA_BYTE, offset, copy, 0, bytes);
        return bytes;
    }

    byte[] copied() {
        return copy;
    }

    // ---- streams

    /** The deflaters of streams. */
    GzipPool pool() {
        return pool;
    }

    /** What the deflaters of streams put into; empty between two calls. */
    ByteBuffer out() {
        return out;
    }

    /** Empties it; returns how many bytes of {@link #memory} it had. */
    int takeOut() {
        int bytes = out.position();
        out.clear();
        return bytes;
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
