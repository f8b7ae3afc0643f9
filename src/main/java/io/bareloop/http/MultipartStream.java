package io.bareloop.http;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/**
 * Reads a body of multipart/form-data (RFC 7578) from an InputStream, part by part, for code that
 * may wait: on a virtual thread, not on a loop. Reads and refuses what {@link MultipartReader}
 * does, with a buffer of 16 KiB.
 *
 * <pre>{@code
 * MultipartStream parts = MultipartStream.of(request, limits, body);
 * for (PartStream part = parts.next(); part != null; part = parts.next()) {
 *     if (part.isFile()) {
 *         part.transferTo(directory.resolve(UUID.randomUUID().toString()));
 *     } else {
 *         values.put(part.name(), part.text());
 *     }
 * }
 * }</pre>
 *
 * <p>For one body, and one thread at a time. It does not close the InputStream.
 */
public final class MultipartStream {
    private static final int BUFFER_BYTES = 16 << 10;

    private final InputStream body;
    private final MultipartParser parser;
    private final MultipartLimits limits;
    private final byte[] buffer = new byte[BUFFER_BYTES];
    private final MemorySegment segment = MemorySegment.ofArray(buffer);

    /** The part at hand; null where that has been read, and before the first. */
    private PartStream current;

    // What has been received of its content and not been read.
    private int dataAt;
    private int dataLeft;

    private boolean ended;

    /** A call is under way, or has not gone well. */
    private boolean failed;

    private MultipartStream(Boundary boundary, MultipartLimits limits, InputStream body) {
        parser = new MultipartParser(boundary, limits);
        this.limits = limits;
        this.body = Objects.requireNonNull(body, "body");
    }

    /**
     * Makes a stream of the parts of {@code body}.
     *
     * @param request of which the Content-Type is looked at now
     * @param limits of the body
     * @param body to read from
     * @return a stream
     * @throws HttpException with 415 where the Content-Type is missing or not multipart/form-data,
     *     with 400 where its boundary is missing or is none of RFC 2046
     */
    public static MultipartStream of(Request request, MultipartLimits limits, InputStream body) {
        return new MultipartStream(Boundary.of(request), limits, body);
    }

    /**
     * Makes a stream of the parts of {@code body}, which has that Content-Type.
     *
     * @param contentType for example {@code multipart/form-data; boundary=x}
     * @param limits of the body
     * @param body to read from
     * @return a stream
     * @throws HttpException with 415 where it is not multipart/form-data, with 400 where its
     *     boundary is missing or is none of RFC 2046
     */
    public static MultipartStream of(String contentType, MultipartLimits limits, InputStream body) {
        byte[] type = contentType.getBytes(StandardCharsets.UTF_8);
        return new MultipartStream(Boundary.of(type), limits, body);
    }

    /**
     * Goes to the next part. What has not been read of the one before is passed over.
     *
     * @return the part, of which the content is valid until the next call; null at the end of the
     *     body, which has then been read, and was well-formed
     * @throws HttpException with 400 where the body is malformed, with 413 where it goes beyond a
     *     limit; the message says which
     * @throws IOException where the InputStream throws it
     * @throws IllegalStateException after it, or a part of it, threw
     */
    public PartStream next() throws IOException {
        if (ended) {
            return null;
        }
        current = null;
        dataLeft = 0;
        MultipartParser.Event event = advance();
        while (event != null && event != MultipartParser.Event.PART) {
            event = advance();
        }
        if (event == null) {
            ended = true;
            return null;
        }
        current = new PartStream(parser.part(), this, limits.fieldBytesMax());
        return current;
    }

    /** The next event but {@code INPUT}; null at the end. */
    private MultipartParser.Event advance() throws IOException {
        if (failed) {
            throw new IllegalStateException("the body has failed, and cannot be read on");
        }
        failed = true;
        MultipartParser.Event event = parser.next();
        while (event == MultipartParser.Event.INPUT) {
            int length = body.read(buffer);
            if (length < 0) {
                parser.endOfInput();
                event = null;
            } else {
                parser.input(segment, 0, length);
                event = parser.next();
            }
        }
        failed = false;
        return event;
    }

    /** Reads content of {@code part}: at least one byte, or -1 at its end. */
    int read(PartStream part, byte[] to, int offset, int length) throws IOException {
        if (!hasData(part)) {
            return -1;
        }
        int count = Math.min(length, dataLeft);
        MemorySegment.copy(parser.data(), ValueLayout.JAVA_BYTE, dataAt, to, offset, count);
        dataAt += count;
        dataLeft -= count;
        return count;
    }

    /** How many bytes of {@code part} can be read without waiting. */
    int available(PartStream part) {
        return part == current ? dataLeft : 0;
    }

    /** Whether there is content, for which it waits. */
    private boolean hasData(PartStream part) throws IOException {
        if (part.isRead()) {
            return false;
        }
        if (part != current) {
            throw new IllegalStateException(
                    "the content of a part is to be read before the next one is asked for");
        }
        if (dataLeft > 0) {
            return true;
        }
        if (advance() == MultipartParser.Event.PART_END) {
            part.read();
            return false;
        }
        dataAt = parser.dataStart();
        dataLeft = parser.dataLength();
        return true;
    }
}
