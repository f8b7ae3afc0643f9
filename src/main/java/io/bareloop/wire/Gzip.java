package io.bareloop.wire;

import java.nio.ByteBuffer;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/**
 * One body at a time as gzip has it (RFC 1952): a header, what the deflater makes of the bytes, and
 * their sum. Belongs to the loop's thread; used again for the next body, and allocates nothing
 * after the first. Buffers to put into are little-endian.
 */
final class Gzip {
    /** What zlib takes for a window of 32 KiB and its tables: 262 KiB, measured with a thousand. */
    static final long NATIVE_BYTES = 272 << 10;

    /** No name, no time, an unknown system. */
    private static final byte[] HEADER = {0x1f, (byte) 0x8b, 8, 0, 0, 0, 0, 0, 0, (byte) 0xff};

    private static final int TRAILER_BYTES = 8;

    /** Below that, zlib may put the mark of a flush twice. */
    private static final int ROOM_MIN = 16;

    private final Deflater deflater;
    private final CRC32 sum = new CRC32();
    private boolean begun;

    private Gzip(int level) {
        deflater = new Deflater(level, true);
    }

    /** One without a body; null where there is no native memory for it. */
    static Gzip make(int level) {
        try {
            return new Gzip(level);
        } catch (OutOfMemoryError none) {
            return null;
        }
    }

    /** Forgets the body, as far as it has come. */
    void reset() {
        deflater.reset();
        sum.reset();
        begun = false;
    }

    /** Gives its memory back; it is not used again. */
    void close() {
        deflater.end();
    }

    /**
     * Takes bytes, and puts what comes of them; the last ones may stay with the deflater.
     *
     * @return false where {@code out} is full, and is to be emptied before {@link #goOn}
     */
    boolean take(byte[] bytes, int from, int length, ByteBuffer out) {
        sum.update(bytes, from, length);
        deflater.setInput(bytes, from, length);
        return goOn(out);
    }

    /** Puts more of what was taken last; false as above. */
    boolean goOn(ByteBuffer out) {
        return deflate(out, Deflater.NO_FLUSH);
    }

    /** Puts all that was taken so far, so that it can be read; false as above. */
    boolean flush(ByteBuffer out) {
        return deflate(out, Deflater.SYNC_FLUSH);
    }

    /** The array that was taken from last is its owner's again. */
    void leaveInput() {
        deflater.setInput(HEADER, 0, 0);
    }

    private boolean deflate(ByteBuffer out, int flush) {
        if (out.remaining() < ROOM_MIN) {
            return false;
        }
        int start = out.position();
        if (!begun) {
            out.put(HEADER);
        }
        int bytes = deflater.deflate(out, flush);
        if (!begun && bytes == 0) {
            // The header leaves with something, for it takes a chunk of its own otherwise.
            out.position(start);
        } else {
            begun = true;
        }
        return out.hasRemaining();
    }

    /** Ends the body; false where {@code out} is full, and it is to be called again. */
    boolean finish(ByteBuffer out) {
        deflater.finish();
        if (!deflater.finished()) {
            goOn(out);
        }
        if (!deflater.finished() || out.remaining() < TRAILER_BYTES) {
            return false;
        }
        out.putInt((int) sum.getValue()).putInt((int) deflater.getBytesRead());
        return true;
    }
}
