package io.bareloop.http1;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import io.bareloop.exchange.Exchange;
import io.bareloop.http.Status;
import io.bareloop.rig.Bytes;
import io.bareloop.wire.Encoded;
import io.bareloop.wire.FileSource;
import io.bareloop.wire.PreparedBlock;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Stands for HTTP/2: writes responses as frames, each a type of one byte, a length of four, and so
 * many bytes.
 *
 * <pre>
 *   HEAD   status (2 bytes), what becomes of the connection (1), fields: each a name and a value
 *          behind its length (2)
 *   DATA   bytes of the body
 *   LAST   the same, and the end of the response
 *   END    the end of the response
 * </pre>
 *
 * <p>{@link #text} turns them back.
 */
final class FrameWriter extends Http1Writer {
    private static final byte HEAD = 1;
    private static final byte DATA = 2;
    private static final byte LAST = 3;
    private static final byte END = 4;

    private static final byte GOES_ON = 0;
    private static final byte CLOSES = 1;
    private static final byte KEEPS_ALIVE = 2;

    private static final int FRONT_BYTES = 1 + Integer.BYTES;
    private static final int HEAD_FRONT_BYTES = FRONT_BYTES + 3;

    private static final String CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

    /** Where in the buffer the head's frame begins. */
    private int headAt;

    /** Bytes of the body that are still to come, or UNKNOWN. */
    private long left;

    private boolean ended;

    FrameWriter(Http1 http, Exchange exchange) {
        super(http, exchange);
    }

    // ---- the head

    @Override
    protected void putInterim(Encoded statusLine, Encoded lines) {
        throw new AssertionError("this format has no interim responses");
    }

    @Override
    protected void putOk() {
        putStatus(200, null);
    }

    @Override
    protected void putStatus(int code, Encoded statusLine) {
        ended = false;
        headAt = out.position();
        putFront(HEAD, 0);
        out.putShort((short) code);
        out.put(GOES_ON);
        // Server and Date, from the text that there is of them.
        int at = out.position();
        http.date.putFields(out);
        int length = out.position() - at;
        byte[] text = out.segment().asSlice((long) out.start() + at, length).toArray(JAVA_BYTE);
        out.rewind(at);
        putLines(MemorySegment.ofArray(text), length);
    }

    private void putFront(byte type, int length) {
        out.put(type);
        out.putShort((short) length);
        out.putShort((short) (length >>> 16));
    }

    @Override
    protected void putLines(Encoded lines) {
        putLines(lines.segment(), lines.length());
    }

    @Override
    protected void putLines(byte[] lines, int length) {
        putLines(MemorySegment.ofArray(lines), length);
    }

    private void putLines(MemorySegment lines, int length) {
        int at = 0;
        while (at < length) {
            int colon = indexOf(lines, ':', at);
            int end = indexOf(lines, '\r', colon);
            putString(lines, at, colon - at);
            putString(lines, colon + 2, end - colon - 2);
            at = end + 2;
        }
    }

    private static int indexOf(MemorySegment bytes, char wanted, int from) {
        int at = from;
        while (bytes.get(JAVA_BYTE, at) != wanted) {
            at++;
        }
        return at;
    }

    private void putString(MemorySegment from, int offset, int length) {
        out.putShort((short) length);
        out.put(from, offset, length);
    }

    private void putString(String ascii) {
        out.putShort((short) ascii.length());
        out.putAscii(ascii);
    }

    @Override
    protected void putField(Encoded name, String value) {
        putName(name);
        putString(value);
    }

    @Override
    protected void putField(Encoded name, MemorySegment from, int offset, int length) {
        putName(name);
        putString(from, offset, length);
    }

    /** A name has what HTTP/1.1 has between it and the value. */
    private void putName(Encoded name) {
        putString(name.segment(), 0, name.length() - ": ".length());
    }

    @Override
    protected void putContentRange(long first, long last, long size) {
        putString("Content-Range");
        putString("bytes " + first + "-" + last + "/" + size);
    }

    @Override
    protected void putEndOfHead(long length, boolean noBody) {
        if (!noBody) {
            putString("Content-Length");
            putString(Long.toString(length));
        }
        endHead(noBody ? 0 : length);
    }

    @Override
    protected void putEndOfHeadOfStream(boolean noBody) {
        endHead(noBody ? 0 : UNKNOWN);
    }

    private void endHead(long length) {
        byte what = GOES_ON;
        if (!connection.persistence.goesOn()) {
            what = CLOSES;
        } else if (head.minorVersion == 0) {
            what = KEEPS_ALIVE;
        }
        MemorySegment buffer = out.segment();
        long at = (long) out.start() + headAt;
        buffer.set(JAVA_INT_UNALIGNED, at + 1, out.position() - headAt - FRONT_BYTES);
        buffer.set(JAVA_BYTE, at + HEAD_FRONT_BYTES - 1, what);
        left = isHeadOnly() ? 0 : length;
        endWhereAllIsPut();
    }

    // ---- the body

    private void endWhereAllIsPut() {
        if (left == 0 && !ended) {
            putEnd();
        }
    }

    private void putEnd() {
        ensureRoom(FRONT_BYTES);
        putFront(END, 0);
        ended = true;
    }

    @Override
    protected void putBody(byte[] body) {
        if (isSmall(body.length)) {
            putPiece(body, false);
        } else {
            putLast(body.length);
            rest.begin(body);
            sendRest();
        }
    }

    @Override
    protected void putBody(MemorySegment body, long offset, int length) {
        if (isSmall(length)) {
            putPiece(body, offset, length, false);
        } else {
            putLast(length);
            rest.begin(body, offset, length);
            sendRest();
        }
    }

    private boolean isSmall(int length) {
        return length + 2 * FRONT_BYTES <= out.room();
    }

    /** Nothing can follow what is sent from where it is: so its front says that it is the last. */
    private void putLast(long length) {
        left -= length;
        ended = left == 0;
        putFront(ended ? LAST : DATA, Math.toIntExact(length));
    }

    @Override
    protected void putFile(FileSource file, long offset, long length) {
        ensureRoom(FRONT_BYTES);
        putLast(length);
        rest.begin(file, offset, length);
        sendRest();
    }

    @Override
    protected void putBlock(PreparedBlock block, boolean headOnly) {
        putStatus(block.code(), block.statusLine());
        putAlways();
        MemorySegment tail = block.tail().segment();
        int bodyAt = block.fieldBytes();
        putLines(tail, bodyAt - 2);
        int length = block.tail().length() - bodyAt;
        endHead(length);
        if (!headOnly && length > 0) {
            putBody(tail, bodyAt, length);
        }
    }

    @Override
    protected void putPiece(byte[] piece, boolean framed) {
        putPiece(MemorySegment.ofArray(piece), 0, piece.length, framed);
    }

    @Override
    protected void putPiece(MemorySegment from, long offset, int length, boolean framed) {
        for (int done = 0; done < length; ) {
            ensureRoom(FRONT_BYTES + Math.min(length - done, out.capacity() / 4));
            int piece = Math.min(out.room() - FRONT_BYTES, length - done);
            putFront(DATA, piece);
            out.put(from, offset + done, piece);
            done += piece;
        }
        if (left != UNKNOWN) {
            left -= length;
            endWhereAllIsPut();
        }
    }

    @Override
    protected void putEnd(long missing, boolean body) {
        if (missing > 0 && body) {
            connection.closeAfterResponse();
        } else if (!ended) {
            putEnd();
        }
    }

    // ---- back

    /** The responses in {@code frames} as HTTP/1.1 has them. */
    static byte[] text(byte[] frames) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        ByteBuffer in = ByteBuffer.wrap(frames).order(ByteOrder.LITTLE_ENDIAN);
        boolean begun = false;
        while (in.hasRemaining()) {
            byte type = in.get(in.position());
            if (type == CONTINUE.charAt(0)) {
                // That is no response: the connection itself writes it.
                check(!begun, "between frames of a response");
                check(Bytes.toString(bytes(in, CONTINUE.length())).equals(CONTINUE), "no frame");
                text.writeBytes(Bytes.of(CONTINUE));
                continue;
            }
            in.get();
            ByteBuffer frame =
                    ByteBuffer.wrap(bytes(in, in.getInt())).order(ByteOrder.LITTLE_ENDIAN);
            check(begun == (type != HEAD), "frame " + type + " is not due");
            begun = type == HEAD || type == DATA;
            if (type == HEAD) {
                text.writeBytes(Bytes.of(head(frame)));
            } else if (type == DATA || type == LAST) {
                text.writeBytes(frame.array());
            } else {
                check(type == END && !frame.hasRemaining(), "frame " + type);
            }
        }
        check(!begun, "a response without an end");
        return text.toByteArray();
    }

    private static String head(ByteBuffer frame) {
        Status status = Status.of(frame.getShort());
        byte what = frame.get();
        StringBuilder head = new StringBuilder();
        head.append("HTTP/1.1 ").append(status.code()).append(' ').append(status.reason());
        while (frame.hasRemaining()) {
            String name = Bytes.toString(bytes(frame, frame.getShort()));
            String value = Bytes.toString(bytes(frame, frame.getShort()));
            head.append("\r\n").append(name).append(": ").append(value);
        }
        if (what != GOES_ON) {
            head.append("\r\nConnection: ").append(what == CLOSES ? "close" : "keep-alive");
        }
        return head.append("\r\n\r\n").toString();
    }

    private static byte[] bytes(ByteBuffer from, int length) {
        check(length >= 0 && length <= from.remaining(), "an unfinished frame");
        byte[] bytes = new byte[length];
        from.get(bytes);
        return bytes;
    }

    private static void check(boolean right, String otherwise) {
        if (!right) {
            throw new AssertionError(otherwise);
        }
    }
}
