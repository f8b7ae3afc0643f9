package io.bareloop.http;

import io.bareloop.wire.Checks;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;

/**
 * Reads a body of multipart/form-data (RFC 7578) that is pushed to it in pieces, and tells a {@link
 * MultipartListener}: fields whole, files in pieces as they arrive. How the body is cut makes no
 * difference. It keeps a head, a field, and nothing of files, all within {@link MultipartLimits};
 * pieces of files allocate nothing.
 *
 * <p>For one body, and one thread at a time. A handler gets one made by {@link MultipartHandler};
 * {@link MultipartStream} reads an InputStream.
 *
 * <pre>{@code
 * reader.feed(piece); // for each, as a StreamHandler gets them
 * reader.end();
 * }</pre>
 *
 * <p>What is refused, with status 400: a part without a name, line ends other than CRLF, lines that
 * are continued, Content-Transfer-Encoding base64, text behind a delimiter in its line, and a body
 * that ends without the closing delimiter. Names, names of files and fields are UTF-8.
 */
public final class MultipartReader {
    private static final int VALUE_BYTES_AT_START = 256;

    private final MultipartParser parser;
    private final MultipartListener listener;
    private final int valueBytesMax;
    private final ByteView piece = new ByteView();

    /** Of the field at hand. */
    private byte[] value = {};

    private int valueLength;

    /** Has ended, or failed, or is at work. */
    private boolean over;

    MultipartReader(Boundary boundary, MultipartLimits limits, MultipartListener listener) {
        parser = new MultipartParser(boundary, limits);
        valueBytesMax = limits.fieldBytesMax();
        this.listener = Objects.requireNonNull(listener, "listener");
    }

    /**
     * Makes a reader for the body of {@code request}.
     *
     * @param request of which the Content-Type is looked at now
     * @param limits of the body
     * @param listener to be told what is found
     * @return a reader
     * @throws HttpException with 415 where the Content-Type is missing or not multipart/form-data,
     *     with 400 where its boundary is missing or is none of RFC 2046
     */
    public static MultipartReader of(
            Request request, MultipartLimits limits, MultipartListener listener) {
        return new MultipartReader(Boundary.of(request), limits, listener);
    }

    /**
     * Makes a reader for a body with that Content-Type.
     *
     * @param contentType for example {@code multipart/form-data; boundary=x}
     * @param limits of the body
     * @param listener to be told what is found
     * @return a reader
     * @throws HttpException with 415 where it is not multipart/form-data, with 400 where its
     *     boundary is missing or is none of RFC 2046
     */
    public static MultipartReader of(
            String contentType, MultipartLimits limits, MultipartListener listener) {
        return new MultipartReader(
                Boundary.of(contentType.getBytes(StandardCharsets.UTF_8)), limits, listener);
    }

    /**
     * Reads the next bytes of the body.
     *
     * @param bytes any number of them; not needed any more when this returns
     * @throws HttpException with 400 where the body is malformed, with 413 where it goes beyond a
     *     limit; the message says which
     * @throws IllegalStateException after {@link #end}, or after it threw
     * @throws Exception what the listener throws
     */
    public void feed(ByteView bytes) throws Exception {
        begin();
        int from = bytes.offset();
        parser.input(bytes.segment(), from, from + bytes.length());
        MultipartParser.Event event = parser.next();
        while (event != MultipartParser.Event.INPUT) {
            tell(event);
            event = parser.next();
        }
        over = false;
    }

    /**
     * The body has ended.
     *
     * @throws HttpException with 400 where that is not its end
     * @throws IllegalStateException after a call of this, or after {@link #feed} threw
     * @throws Exception what the listener throws
     */
    public void end() throws Exception {
        begin();
        parser.endOfInput();
        listener.complete();
    }

    /** Until it has gone well, the call has failed. */
    private void begin() {
        if (over) {
            throw new IllegalStateException("a reader that has ended or failed; make one per body");
        }
        over = true;
    }

    private void tell(MultipartParser.Event event) throws Exception {
        Part part = parser.part();
        if (event == MultipartParser.Event.DATA) {
            if (part.isFile()) {
                tellPiece(part);
            } else {
                collect();
            }
        } else if (event == MultipartParser.Event.PART) {
            if (part.isFile()) {
                listener.begin(part);
            }
        } else if (part.isFile()) {
            listener.end(part);
        } else {
            listener.field(part, new String(value, 0, valueLength, StandardCharsets.UTF_8));
            valueLength = 0;
        }
    }

    private void tellPiece(Part part) throws Exception {
        piece.set(parser.data(), parser.dataStart(), parser.dataLength());
        listener.piece(part, piece);
        if (Checks.ENABLED) {
            piece.expire();
        }
    }

    /** The parser has checked that there may be so much of it. */
    private void collect() {
        int length = valueLength + parser.dataLength();
        if (length > value.length) {
            int room = Math.max(length, Math.max(VALUE_BYTES_AT_START, 2 * value.length));
            value = Arrays.copyOf(value, Math.min(room, valueBytesMax));
        }
        MemorySegment.copy(
                parser.data(),
                ValueLayout.JAVA_BYTE,
                parser.dataStart(),
                value,
                valueLength,
                parser.dataLength());
        valueLength = length;
    }
}
