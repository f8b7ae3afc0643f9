package io.bareloop.wire;

import java.lang.foreign.MemorySegment;

/**
 * The body of a writer's response, as far as it is compressed: whether it is is decided at the end
 * of the head, when type and fields are known. Belongs to its writer, which has none where nothing
 * is compressed; used for one response after another.
 */
final class CompressedBody {
    private final Writer writer;
    private final Compressor compressor;
    private final Head head;

    /** The handler does not want this response to be compressed. */
    private boolean refused;

    private final CompressedStream stream;

    CompressedBody(Writer writer, Compressor compressor, Head head) {
        this.writer = writer;
        this.compressor = compressor;
        this.head = head;
        stream = new CompressedStream(writer, compressor);
    }

    /** A response begins. */
    void start() {
        refused = false;
    }

    /** This response is not to be compressed. */
    void refuse() {
        refused = true;
    }

    // ---- a body that is there as a whole

    /** Ends the response with {@code body}; false where it is to go out as it is. */
    boolean whole(byte[] body) {
        if (!isWanted(body.length)) {
            return false;
        }
        int bytes = compressor.whole().compress(body);
        return bytes >= 0 && put(bytes);
    }

    /** As above. */
    boolean whole(MemorySegment body, long offset, int length) {
        if (!isWanted(length)) {
            return false;
        }
        int bytes = compressor.whole().compress(body, offset, length);
        return bytes >= 0 && put(bytes);
    }

    private boolean isWanted(int length) {
        return !refused
                && compressor.isInRange(length)
                && writer.mayHaveBody()
                && isCompressible()
                && compressor.isAccepted(head);
    }

    /** Reads the head as far as it was written; where it may be compressed, says so by Vary. */
    private boolean isCompressible() {
        CompressibleHead found = compressor.found();
        found.clear();
        writer.readHead(found);
        if (found.isCompressible() && !found.varies()) {
            writer.putLines(Compressor.vary());
        }
        return found.isCompressible();
    }

    private boolean put(int bytes) {
        writer.putLines(Compressor.contentEncoding());
        writer.putWhole(compressor.buffer().memory(), 0, bytes);
        return true;
    }

    /** What is to be sent for {@code block}; {@code always} are fields that stand beside. */
    PreparedBlock choose(PreparedBlock block, Lines always) {
        if (refused || isFixed(always)) {
            return block;
        }
        CompressedBlock known = block.compressed(compressor);
        PreparedBlock gzipped = known.gzip();
        return gzipped != null && compressor.isAccepted(head) ? gzipped : known.plain();
    }

    private boolean isFixed(Lines always) {
        if (always.isEmpty()) {
            return false;
        }
        // Read where there are addresses.
        compressor.buffer().out().put(always.bytes(), 0, always.length());
        int length = compressor.buffer().takeOut();
        long start = compressor.buffer().memory().address();
        CompressibleHead found = compressor.found();
        found.clear();
        found.read(start, start + length);
        return found.isFixed();
    }

    // ---- a body in pieces

    /** The head of a stream ends. */
    void beginStream(boolean headOnly) {
        if (refused || !writer.mayHaveBody() || !isCompressible()) {
            return;
        }
        boolean accepted = compressor.isAccepted(head);
        if (accepted && (headOnly ? compressor.pool().hasFree() : stream.begin())) {
            writer.putLines(Compressor.contentEncoding());
        }
    }

    /** The stream, as far as it is compressed. */
    CompressedStream stream() {
        return stream;
    }
}
