package io.bareloop.wire;

import java.lang.foreign.MemorySegment;

/**
 * Writes one response after another: the order in which its parts may come is kept here, how they
 * look on the wire is up to the protocol that extends this ({@link ResponseFormat}). {@code
 * Response} is a view of it.
 *
 * <pre>
 *   DONE --start--> NOTHING --begin--> FIELDS --stream--> STREAM
 *    ^                 ^                 |                  |
 *    |                 +--- takeBack ----+------------------+   (while it is in the buffer)
 *    +------------- whole, send, end ----+------------------+
 * </pre>
 *
 * <p>Belongs to the loop's thread, and writes only in its exchange's turn ({@link Turn#isMine}).
 * Append-only. Calls are coarse, so that a response costs few of them; nothing here allocates.
 */
public abstract class Writer extends ResponseFormat {
    /** How far the response has come. */
    public enum State {
        NOTHING,
        FIELDS,
        STREAM,
        DONE
    }

    /** Interim responses before one response: what a client can make a handler send is bounded. */
    private static final int INTERIM_MAX = 8;

    private State state = State.DONE;
    private boolean headOnly;

    /** What its status lets the response have. */
    private Content content = Content.ANY;

    /** Bytes of the streamed body that are still to be written; or {@link #UNKNOWN}. */
    private long left;

    /** Field lines of whatever response follows. */
    private final Lines always = new Lines();

    /** The status where none is written; 200 where it is null. */
    private Encoded otherwiseLine;

    private int otherwiseCode;
    private Content otherwiseContent;

    /** Interim responses so far. */
    private int interimCount;

    /** Of the status; 0 where there is none yet. */
    private int code;

    /** Of the body that was written, without the lines around chunks. */
    private long bodyBytes;

    /** The body was ended before its announced length. */
    private boolean cutShort;

    /** Null where nothing is compressed. */
    private final CompressedBody compressed;

    /**
     * Creates a writer of responses to {@code head}.
     *
     * @param compressor of its loop; null where nothing is compressed
     */
    protected Writer(Head head, Compressor compressor) {
        compressed = compressor == null ? null : new CompressedBody(this, compressor, head);
    }

    // ---- what the exchange calls

    /** Prepares for the next request. */
    protected final void start(boolean newHeadOnly) {
        headOnly = newHeadOnly;
        content = Content.ANY;
        always.clear();
        otherwiseLine = null;
        state = State.NOTHING;
        interimCount = 0;
        code = 0;
        bodyBytes = 0;
        cutShort = false;
        if (compressed != null) {
            compressed.start();
        }
    }

    /** The code of the status, as far as it has been written; 0 where it has not. */
    public final int code() {
        return code;
    }

    /** Bytes of the body that were written so far, as the client sees them. */
    public final long bodyBytes() {
        return bodyBytes;
    }

    /** Whether bytes of the announced length are missing in a body that has ended. */
    public final boolean isCutShort() {
        return cutShort;
    }

    public final State state() {
        return state;
    }

    public final boolean hasEnded() {
        return state == State.DONE;
    }

    public final boolean hasBegun() {
        return state != State.NOTHING;
    }

    /** Takes back what has been written of this response; false where part of it has left. */
    public final boolean takeBack() {
        if (state != State.NOTHING) {
            if (!rewind()) {
                return false;
            }
            state = State.NOTHING;
            content = Content.ANY;
            code = 0;
            bodyBytes = 0;
            dropCompressed();
        }
        return true;
    }

    /** Ends the response with an empty body, unless it has ended. */
    public final void finish() {
        if (state != State.DONE) {
            endHead(0);
            state = State.DONE;
        }
    }

    /** Nothing more can be written, however far it has come. */
    public final void expire() {
        state = State.DONE;
        dropCompressed();
    }

    private void dropCompressed() {
        if (compressed != null) {
            compressed.stream().drop();
        }
    }

    /** The response is not to be compressed, whatever else would have it so. */
    public final void noCompression() {
        if (state != State.NOTHING && state != State.FIELDS) {
            throw OutOfOrder.headEnded(state);
        }
        if (compressed != null) {
            compressed.refuse();
        }
    }

    /**
     * The turn ends: what was written in it, and is still with a deflater, goes into the buffer.
     *
     * @return whether more can be written that {@link #isWritable} has denied in this turn
     */
    public final boolean endTurn() {
        return compressed != null && compressed.stream().endTurn();
    }

    /** From here on, a response without a status has this one. */
    public final void otherwise(int code, Encoded statusLine, Content newContent) {
        otherwiseCode = code;
        otherwiseLine = statusLine;
        otherwiseContent = newContent;
    }

    /**
     * An interim response: a status line and fields. It leaves at once, and stays sent where the
     * response after it is taken back. Left out where the client is behind: by then it is late.
     */
    public final void interim(Encoded statusLine, Encoded lines) {
        if (state != State.NOTHING) {
            throw OutOfOrder.interim(state);
        }
        if (interimCount == INTERIM_MAX) {
            throw OutOfOrder.tooManyInterim(INTERIM_MAX);
        }
        interimCount++;
        if (isSent() && !hasRest()) {
            putInterim(statusLine, lines);
        }
    }

    // ---- status and fields

    /** Adds whole field lines to whatever response follows: an error's too. */
    public final void always(Encoded lines) {
        OutOfOrder.checkAlways(state);
        always.add(lines);
    }

    /** Adds a field to whatever response follows; the value has been checked. */
    public final void always(Encoded name, String value) {
        OutOfOrder.checkAlways(state);
        always.add(name, value);
    }

    /** Whether there are fields of whatever response follows. */
    protected final boolean hasAlways() {
        return !always.isEmpty();
    }

    /** Puts the fields of whatever response it is, behind the status line. */
    protected final void putAlways() {
        if (!always.isEmpty()) {
            putLines(always.bytes(), always.length());
        }
    }

    /** Begins with another status than 200, or with that. */
    public final void begin(int newCode, Encoded statusLine, Content newContent) {
        checkNotBegun();
        begin();
        code = newCode;
        putStatus(newCode, statusLine);
        putAlways();
        content = newContent;
    }

    private void checkNotBegun() {
        if (state != State.NOTHING) {
            throw OutOfOrder.notFirst(state);
        }
    }

    private void begin() {
        open();
        state = State.FIELDS;
    }

    /** Makes sure that fields may be written now, and that there is room for {@code bytes}. */
    private void field(int bytes) {
        if (state == State.NOTHING) {
            beginWithout();
        } else if (state != State.FIELDS) {
            throw OutOfOrder.headEnded(state);
        }
        checkHead(bytes);
    }

    /** Begins without a status of the handler's. */
    private void beginWithout() {
        if (otherwiseLine != null) {
            begin(otherwiseCode, otherwiseLine, otherwiseContent);
        } else {
            begin();
            code = 200;
            putOk();
            putAlways();
        }
    }

    /** Whole field lines. */
    public final void lines(Encoded lines) {
        field(lines.length());
        putLines(lines);
    }

    /** A field; the value has been checked. */
    public final void field(Encoded name, String value) {
        field(name.length() + value.length() + 4);
        putField(name, value);
    }

    /** As above, with a value that is somewhere in memory. */
    public final void field(Encoded name, MemorySegment from, int offset, int length) {
        field(name.length() + length + 4);
        putField(name, from, offset, length);
    }

    /** Content-Range: bytes {@code first} to {@code last}, inclusive, of {@code size}. */
    public final void contentRange(long first, long last, long size) {
        if (first < 0 || last < first || size <= last) {
            throw new IllegalArgumentException(first + "-" + last + "/" + size);
        }
        field(RANGE_BYTES_MAX);
        putContentRange(first, last, size);
    }

    /** The name, and three numbers of 19 digits with what stands between and behind them. */
    private static final int RANGE_BYTES_MAX = 96;

    private void endHead(long length) {
        field(0);
        putEndOfHead(content == Content.EMPTY ? 0 : length, content == Content.NONE);
    }

    // ---- a body that is there as a whole

    public final void whole(byte[] body) {
        if (compressed != null && compressed.whole(body)) {
            return;
        }
        endHead(body.length);
        if (hasBody()) {
            bodyBytes = body.length;
            putBody(body);
        }
        state = State.DONE;
    }

    public final void whole(MemorySegment body, long offset, int length) {
        if (compressed != null && compressed.whole(body, offset, length)) {
            return;
        }
        endHead(length);
        if (hasBody()) {
            bodyBytes = length;
            putBody(body, offset, length);
        }
        state = State.DONE;
    }

    /** A copy, however long it is. */
    public final void wholeCopy(MemorySegment body, int offset, int length) {
        if (compressed == null || !compressed.whole(body, offset, length)) {
            putWhole(body, offset, length);
        }
    }

    final void putWhole(MemorySegment body, int offset, int length) {
        endHead(length);
        if (hasBody()) {
            bodyBytes = length;
            putPiece(body, offset, length, false);
        }
        state = State.DONE;
    }

    /** Begins the response where it has not, and has no body to come where its status has none. */
    final boolean mayHaveBody() {
        field(0);
        return content == Content.ANY;
    }

    /** Bytes of a file, which is released when they are sent. */
    public final void whole(FileSource file, long offset, long length) {
        checkRange(offset, length);
        endHead(length);
        file(file, offset, length);
        state = State.DONE;
    }

    /** All of a response. */
    public final void send(PreparedBlock block) {
        checkNotBegun();
        begin();
        PreparedBlock chosen = compressed == null ? block : compressed.choose(block, always);
        code = chosen.code();
        bodyBytes = headOnly ? 0 : chosen.tail().length() - chosen.fieldBytes();
        putBlock(chosen, headOnly);
        state = State.DONE;
    }

    // ---- a body in pieces

    /** Begins a body whose length is not known. */
    public final void stream() {
        if (content == Content.EMPTY) {
            stream(0);
            return;
        }
        field(0);
        if (compressed != null) {
            compressed.beginStream(headOnly);
        }
        putEndOfHeadOfStream(content == Content.NONE);
        left = content == Content.NONE ? 0 : UNKNOWN;
        state = State.STREAM;
    }

    /** Begins a body of {@code length} bytes. */
    public final void stream(long length) {
        if (length < 0) {
            throw new IllegalArgumentException("a length of " + length);
        }
        endHead(length);
        left = length;
        state = State.STREAM;
    }

    public final void write(byte[] piece) {
        if (!beginWrite(piece.length)) {
            return;
        }
        if (isCompressing()) {
            compressed.stream().write(piece);
        } else {
            putPiece(piece, left == UNKNOWN);
        }
    }

    public final void write(MemorySegment piece, long offset, int length) {
        if (!beginWrite(length)) {
            return;
        }
        if (isCompressing()) {
            compressed.stream().write(piece, offset, length);
        } else {
            putPiece(piece, offset, length, left == UNKNOWN);
        }
    }

    /** Bytes of a file, which is released when they are sent. */
    public final void write(FileSource file, long offset, long length) {
        checkRange(offset, length);
        OutOfOrder.checkFile(state, left, length, hasRest());
        left -= length;
        file(file, offset, length);
    }

    private static void checkRange(long offset, long length) {
        if (offset < 0 || length < 0) {
            throw new IllegalArgumentException(length + " bytes from " + offset);
        }
    }

    private void file(FileSource file, long offset, long length) {
        if (length == 0 || !hasBody()) {
            file.release();
        } else {
            bodyBytes += length;
            putFile(file, offset, length);
        }
    }

    private boolean isCompressing() {
        return compressed != null && compressed.stream().isActive();
    }

    /** Some bytes of what has come of a stream. */
    final void putCompressed(MemorySegment bytes, int length) {
        bodyBytes += length;
        putPiece(bytes, 0, length, true);
    }

    /** Checks and counts a piece; returns whether there is anything to put. */
    private boolean beginWrite(int length) {
        OutOfOrder.checkPiece(state, content == Content.ANY ? left : UNKNOWN, length);
        if (unsentBytes() + length > unsentBytesMax() || hasRest()) {
            throw OutOfOrder.clientBehind(unsentBytesMax());
        }
        if (left >= 0) {
            left = Math.max(0, left - length);
        }
        boolean puts = length > 0 && hasBody();
        bodyBytes += puts && !isCompressing() ? length : 0;
        return puts;
    }

    /** Ends the streamed body; where bytes are missing, the connection ends with it. */
    public final void end() {
        if (state != State.STREAM) {
            throw OutOfOrder.notStreamed(state, "end()");
        }
        cutShort = left > 0 && hasBody();
        if (compressed != null) {
            compressed.stream().end();
        }
        putEnd(left, hasBody());
        state = State.DONE;
    }

    /** Whether a body goes out: not to a HEAD, and not with a status that has none. */
    private boolean hasBody() {
        return !headOnly && content == Content.ANY;
    }

    /** Whether the request was a HEAD: what is written of the body goes nowhere. */
    public final boolean isHeadOnly() {
        return headOnly;
    }

    /** Whether the kernel has taken everything that was written so far. */
    public final boolean isWritable() {
        return state != State.DONE
                && isSent()
                && !hasRest()
                && (compressed == null || !compressed.stream().isEnough());
    }
}
