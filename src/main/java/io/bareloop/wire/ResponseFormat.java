package io.bareloop.wire;

import java.lang.foreign.MemorySegment;

/**
 * How the parts of a response look on the wire: what a protocol says, and {@link Writer} calls in
 * their order.
 */
public abstract class ResponseFormat {
    /** The length of a body that is not known before its end. */
    protected static final long UNKNOWN = -1;

    /** A head without a response, which leaves at once; nothing where the client knows of none. */
    protected abstract void putInterim(Encoded statusLine, Encoded lines);

    /** Finds room for a head, and remembers where it begins. */
    protected abstract void open();

    protected abstract void putOk();

    protected abstract void putStatus(int code, Encoded statusLine);

    /** Whether the head may have {@code more} bytes; throws IllegalStateException where not. */
    protected abstract void checkHead(int more);

    protected abstract void putLines(Encoded lines);

    /** Has {@code found} read the head as far as it was written. */
    protected abstract void readHead(CompressibleHead found);

    protected abstract void putLines(byte[] lines, int length);

    protected abstract void putField(Encoded name, String value);

    protected abstract void putField(Encoded name, MemorySegment from, int offset, int length);

    protected abstract void putContentRange(long first, long last, long size);

    /** The head ends; a body of {@code length} bytes follows, unless the status has none. */
    protected abstract void putEndOfHead(long length, boolean noBody);

    /** The head ends; a body of a length that is not known follows, unless the status has none. */
    protected abstract void putEndOfHeadOfStream(boolean noBody);

    protected abstract void putBody(byte[] body);

    protected abstract void putBody(MemorySegment body, long offset, int length);

    protected abstract void putBlock(PreparedBlock block, boolean head);

    /** A copy of a piece; {@code framed} where the length of the body was not announced. */
    protected abstract void putPiece(byte[] piece, boolean framed);

    protected abstract void putPiece(MemorySegment piece, long offset, int length, boolean framed);

    protected abstract void putFile(FileSource file, long offset, long length);

    /** The end of a stream of which {@code missing} bytes were not written, or UNKNOWN. */
    protected abstract void putEnd(long missing, boolean body);

    /** What was written in a call before is on its way: it cannot be taken back any more. */
    public abstract void seal();

    /** Takes back what was written since {@link #open}; false where part of it has left. */
    protected abstract boolean rewind();

    /** Whether something that was written last is not all in the buffer yet. */
    protected abstract boolean hasRest();

    /** Whether the kernel has taken what had to leave the buffer. */
    protected abstract boolean isSent();

    /** Bytes that were written and that the kernel has not taken. */
    public abstract long unsentBytes();

    /** As many may be. */
    public abstract int unsentBytesMax();
}
