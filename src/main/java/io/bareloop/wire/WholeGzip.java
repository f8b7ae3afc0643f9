package io.bareloop.wire;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * Compresses bodies that are there as a whole, into the loop's buffer. Belongs to the loop's
 * thread.
 */
final class WholeGzip {
    private final int level;
    private final GzipBuffer buffer;

    /** Null where no body has come yet. */
    private Gzip gzip;

    WholeGzip(int level, GzipBuffer buffer) {
        this.level = level;
        this.buffer = buffer;
    }

    void close() {
        if (gzip != null) {
            gzip.close();
        }
    }

    /**
     * Compresses an array; the result is in the buffer's memory, from 0 on.
     *
     * @return how many bytes it takes, or -1 where that is no gain
     */
    int compress(byte[] body) {
        if (!begin(body.length)) {
            return -1;
        }
        ByteBuffer out = buffer.out();
        boolean fits = true;
        for (int at = 0; fits && at < body.length; at += GzipBuffer.PIECE_BYTES) {
            fits = gzip.take(body, at, Math.min(GzipBuffer.PIECE_BYTES, body.length - at), out);
        }
        return end(fits);
    }

    /** As above, of memory of any kind. */
    int compress(MemorySegment body, long offset, int length) {
        if (!begin(length)) {
            return -1;
        }
        try {
            boolean fits = true;
            for (int at = 0; fits && at < length; at += GzipBuffer.PIECE_BYTES) {
                int bytes = buffer.copy(body, offset + at, length - at);
                fits = gzip.take(buffer.copied(), 0, bytes, buffer.out());
            }
            return end(fits);
        } finally {
            // The memory may be closed, even while it is read.
            buffer.takeOut();
        }
    }

    /** Begins a body of {@code length} bytes; false where there is no memory for that. */
    private boolean begin(int length) {
        if (gzip == null) {
            gzip = Gzip.make(level);
        } else {
            // Where the one before has failed, for its memory was closed, it is here still.
            gzip.reset();
        }
        if (gzip != null) {
            // The field that says so has to be gained, too.
            int most = length - Compressor.contentEncoding().length();
            buffer.out().clear().limit(Math.max(0, most));
        }
        return gzip != null;
    }

    private int end(boolean fits) {
        boolean whole = fits && gzip.finish(buffer.out());
        int bytes = buffer.takeOut();
        gzip.leaveInput();
        return whole ? bytes : -1;
    }
}
