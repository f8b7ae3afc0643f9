package io.bareloop.http1;

import io.bareloop.exchange.Exchange;
import io.bareloop.exchange.Rest;
import io.bareloop.wire.CompressibleHead;
import io.bareloop.wire.Encoded;
import io.bareloop.wire.FileSource;
import io.bareloop.wire.Head;
import io.bareloop.wire.OutputBuffer;
import io.bareloop.wire.PreparedBlock;
import io.bareloop.wire.Swar;
import io.bareloop.wire.Writer;
import java.lang.foreign.MemorySegment;

/**
 * Responses as HTTP/1.1 has them (RFC 9112), straight into the loop's output buffer.
 *
 * <p>Not final: a test extends it by another format, which shows that {@link Writer} is a seam. A
 * subclass that is not loaded costs nothing.
 */
class Http1Writer extends Writer {
    /** What status line and fields together may take. */
    static final int HEAD_BYTES_MAX = 16 << 10;

    private static final Encoded CLOSE = Encoded.ascii("Connection: close\r\n");
    private static final Encoded KEEP_ALIVE = Encoded.ascii("Connection: keep-alive\r\n");
    private static final Encoded CONTENT_LENGTH = Encoded.ascii("Content-Length: ");
    private static final Encoded CONTENT_RANGE = Encoded.ascii("Content-Range: bytes ");
    private static final Encoded CHUNKED_FIELD = Encoded.ascii("Transfer-Encoding: chunked\r\n");
    private static final Encoded LAST_CHUNK = Encoded.ascii("0\r\n\r\n");
    private static final short CRLF = (short) Swar.ascii("\r\n");

    /** What the server writes behind the fields of a handler, Vary and Content-Encoding too. */
    private static final int END_BYTES = 144;

    /** Room for the largest chunk size and the two line breaks around a chunk. */
    private static final int CHUNK_FRAME_BYTES = 16;

    final Http1 http;
    final OutputBuffer out;
    final Head head;
    private final Exchange exchange;
    final Rest rest;

    /** Whose response it is; stays the last one's between requests. */
    Http1Connection connection;

    /** Where the response begins in the buffer. */
    private int start;

    /** What was written first has left the buffer. */
    private boolean flushed;

    Http1Writer(Http1 http, Exchange exchange) {
        super(exchange.head(), http.compressor);
        this.http = http;
        out = http.out;
        head = exchange.head();
        this.exchange = exchange;
        rest = exchange.rest();
    }

    /** The next response is one of {@code newConnection}. */
    void start(Http1Connection newConnection) {
        connection = newConnection;
        start(head.method == Head.HEAD);
    }

    // ---- the head

    @Override
    protected void putInterim(Encoded statusLine, Encoded lines) {
        int length = statusLine.length() + lines.length() + Short.BYTES;
        if (length > HEAD_BYTES_MAX) {
            throw headTooLong();
        }
        // To HTTP/1.0 there is no such thing (RFC 9110, section 15.2).
        if (head.minorVersion != 0) {
            ensureRoom(length);
            out.put(statusLine);
            out.put(lines);
            out.putShort(CRLF);
            connection.transport().flush();
        }
    }

    @Override
    protected void open() {
        ensureRoom(HEAD_BYTES_MAX);
        flushed = false;
        connection.beginResponse();
        start = out.position();
    }

    @Override
    protected void putOk() {
        http.date.putOk(out);
        putClose();
    }

    @Override
    protected void putStatus(int code, Encoded statusLine) {
        if (code == 200) {
            http.date.putOk(out);
        } else {
            out.put(statusLine);
            http.date.putFields(out);
        }
        putClose();
    }

    private void putClose() {
        if (!connection.persistence.goesOn() && head.minorVersion != 0) {
            out.put(CLOSE);
        }
    }

    /** To HTTP/1.0 it is said at the end of the fields: by then it is known how the body ends. */
    private void putConnection() {
        if (head.minorVersion == 0) {
            out.put(connection.persistence.goesOn() ? KEEP_ALIVE : CLOSE);
        }
    }

    @Override
    protected void checkHead(int more) {
        if (out.position() - start + more > HEAD_BYTES_MAX - END_BYTES) {
            throw headTooLong();
        }
    }

    private static IllegalStateException headTooLong() {
        return new IllegalStateException(
                "status line and fields exceed "
                        + HEAD_BYTES_MAX
                        + " bytes: write fewer fields, or shorter ones");
    }

    @Override
    protected void putLines(Encoded lines) {
        out.put(lines);
    }

    @Override
    protected void putLines(byte[] lines, int length) {
        out.put(lines, 0, length);
    }

    @Override
    protected void readHead(CompressibleHead found) {
        found.read(out.end() - (out.position() - start), out.end());
    }

    @Override
    protected void putField(Encoded name, String value) {
        out.put(name);
        out.putAscii(value);
        out.putShort(CRLF);
    }

    @Override
    protected void putField(Encoded name, MemorySegment from, int offset, int length) {
        out.put(name);
        out.put(from, offset, length);
        out.putShort(CRLF);
    }

    @Override
    protected void putContentRange(long first, long last, long size) {
        out.put(CONTENT_RANGE);
        out.putDecimal(first);
        out.put((byte) '-');
        out.putDecimal(last);
        out.put((byte) '/');
        out.putDecimal(size);
        out.putShort(CRLF);
    }

    @Override
    protected void putEndOfHead(long length, boolean noBody) {
        if (!noBody) {
            out.put(CONTENT_LENGTH);
            out.putDecimal(length);
            out.putShort(CRLF);
        }
        putConnection();
        out.putShort(CRLF);
    }

    /** Chunked, or ended by the end of the connection where the client speaks HTTP/1.0. */
    @Override
    protected void putEndOfHeadOfStream(boolean noBody) {
        if (!noBody) {
            if (isChunked()) {
                out.put(CHUNKED_FIELD);
            } else {
                connection.closeAfterResponse();
            }
        }
        putConnection();
        out.putShort(CRLF);
    }

    private boolean isChunked() {
        return head.minorVersion == 1;
    }

    // ---- the body

    @Override
    protected void putBody(byte[] body) {
        if (body.length <= out.room()) {
            out.put(body, 0, body.length);
        } else {
            rest.begin(body);
            sendRest();
        }
    }

    @Override
    protected void putBody(MemorySegment body, long offset, int length) {
        if (length <= out.room()) {
            out.put(body, offset, length);
        } else {
            rest.begin(body, offset, length);
            sendRest();
        }
    }

    @Override
    protected void putFile(FileSource file, long offset, long length) {
        rest.begin(file, offset, length);
        sendRest();
    }

    final void sendRest() {
        connection.sendRest(exchange);
        flushed = true;
    }

    @Override
    protected void putBlock(PreparedBlock block, boolean headOnly) {
        // What does not depend on the request, as it usually does not.
        boolean same =
                connection.persistence.goesOn()
                        && head.minorVersion != 0
                        && !headOnly
                        && !hasAlways();
        if (!same || !http.lastSent.put(block, http.date.second(), out)) {
            putNewBlock(block, headOnly, same);
        }
    }

    private void putNewBlock(PreparedBlock block, boolean headOnly, boolean same) {
        putStatus(block.code(), block.statusLine());
        putAlways();
        putConnection();
        Encoded tail = block.tail();
        int length = headOnly ? block.fieldBytes() : tail.length();
        if (length <= out.room()) {
            out.put(tail, length);
            if (same) {
                http.lastSent.note(block, http.date.second(), out, out.position() - start);
            }
        } else {
            rest.begin(tail.segment(), 0, length);
            sendRest();
        }
    }

    @Override
    protected void putPiece(byte[] piece, boolean framed) {
        if (piece.length + CHUNK_FRAME_BYTES > out.room()) {
            putPiece(MemorySegment.ofArray(piece), 0, piece.length, framed);
        } else if (framed && isChunked()) {
            out.putHexadecimal(piece.length);
            out.putShort(CRLF);
            out.put(piece, 0, piece.length);
            out.putShort(CRLF);
        } else {
            out.put(piece, 0, piece.length);
        }
    }

    @Override
    protected void putPiece(MemorySegment piece, long offset, int length, boolean framed) {
        if (framed && isChunked()) {
            putChunks(piece, offset, length);
        } else {
            putCopy(piece, offset, length);
        }
    }

    /** Copies all of it, however often the buffer has to be flushed. */
    private void putCopy(MemorySegment from, long offset, int length) {
        long at = offset;
        long end = offset + length;
        while (at < end) {
            ensureRoom(1);
            int piece = (int) Math.min(out.room(), end - at);
            out.put(from, at, piece);
            at += piece;
        }
    }

    private void putChunks(MemorySegment from, long offset, int length) {
        long at = offset;
        long end = offset + length;
        while (at < end) {
            ensureRoom(CHUNK_FRAME_BYTES + (int) Math.min(end - at, out.capacity() / 4));
            int piece = (int) Math.min(out.room() - CHUNK_FRAME_BYTES, end - at);
            out.putHexadecimal(piece);
            out.putShort(CRLF);
            out.put(from, at, piece);
            out.putShort(CRLF);
            at += piece;
        }
    }

    @Override
    protected void putEnd(long missing, boolean body) {
        if (missing == UNKNOWN && isChunked()) {
            if (body) {
                ensureRoom(LAST_CHUNK.length());
                out.put(LAST_CHUNK);
            }
        } else if (missing == UNKNOWN || (missing > 0 && body)) {
            connection.closeAfterResponse();
        }
    }

    // ---- what has left

    final void ensureRoom(int bytes) {
        if (out.room() < bytes) {
            connection.transport().flush();
            flushed = true;
        }
    }

    @Override
    public void seal() {
        flushed = true;
    }

    @Override
    protected boolean rewind() {
        // Behind the flush that a file or memory begins with, the buffer is empty, and nobody has
        // come to say so where the file's own code failed.
        if (flushed || out.position() <= start) {
            return false;
        }
        out.rewind(start);
        connection.dropRest();
        return true;
    }

    @Override
    protected boolean hasRest() {
        return connection.isSending();
    }

    @Override
    protected boolean isSent() {
        return connection.transport().unsentBytes() == 0;
    }

    @Override
    public long unsentBytes() {
        return (long) connection.transport().unsentBytes() + out.position();
    }

    @Override
    public int unsentBytesMax() {
        return http.limits.unsentBytesMax();
    }
}
