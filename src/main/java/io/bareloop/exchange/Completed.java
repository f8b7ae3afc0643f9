package io.bareloop.exchange;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.bareloop.http.ByteView;
import io.bareloop.http.Completion;
import io.bareloop.http.HeaderName;
import io.bareloop.http.Method;
import io.bareloop.http.Request;
import io.bareloop.wire.Span;
import io.bareloop.wire.Writer;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * A request that is over, in a copy of what is to be told of it; what it was copied from is another
 * request's by then. Used for one request after another, on the loop's thread.
 */
final class Completed implements Completion {
    /** So many bytes are there from the beginning, and stay where there is no memory for more. */
    private static final int BYTES_MIN = 512;

    /** More are given back after the use. */
    private static final int BYTES_KEPT_MAX = 8 << 10;

    /** Of the first line of what is no request. */
    private static final int LINE_BYTES_MAX = 1024;

    private static final int ABSENT = -1;

    /** The next in a chain, or among those that are free. */
    Completed next;

    /** Which fields are copied. */
    private final HeaderName[] names;

    private byte[] bytes = new byte[BYTES_MIN];
    private MemorySegment segment = MemorySegment.ofArray(bytes);

    /** How many bytes are in use. */
    private int length;

    private int targetLength;
    private int clientStart;
    private int clientLength;
    private final int[] starts;
    private final int[] lengths;

    private final Span targetSpan = new Span();
    private final ByteView target = new ByteView(targetSpan);
    private final Span clientSpan = new Span();
    private final ByteView client = new ByteView(clientSpan);
    private final Span[] spans;
    private final ByteView[] values;

    private Method method;
    private int minorVersion;
    private int code;
    private long bodyBytes;
    private boolean ended;

    /** Where the response ends in what its connection sends. */
    private long endBytes;

    private long startNanos;
    private long startMillis;
    private long durationNanos;
    private boolean whole;

    Completed(HeaderName[] names) {
        this.names = names;
        starts = new int[names.length];
        lengths = new int[names.length];
        spans = new Span[names.length];
        values = new ByteView[names.length];
        for (int i = 0; i < names.length; i++) {
            spans[i] = new Span();
            values[i] = new ByteView(spans[i]);
        }
    }

    // ---- what was asked

    /** No request: copies the first line of [from, to). */
    void line(MemorySegment in, int from, int to) {
        clear();
        int start = from;
        // Empty lines in front are none (RFC 9112, section 2.2).
        while (start < to && isLineEnd(in, start)) {
            start++;
        }
        int end = Math.min(to, start + LINE_BYTES_MAX);
        int at = start;
        while (at < end && !isLineEnd(in, at)) {
            at++;
        }
        reserve(at - start);
        targetLength = Math.min(at - start, bytes.length);
        MemorySegment.copy(in, JAVA_BYTE, start, bytes, 0, targetLength);
        length = targetLength;
    }

    private static boolean isLineEnd(MemorySegment in, int at) {
        byte b = in.get(JAVA_BYTE, at);
        return b == '\r' || b == '\n';
    }

    /** Nothing is known of what was asked. */
    void clear() {
        length = 0;
        targetLength = 0;
        clientStart = 0;
        clientLength = 0;
        method = null;
        minorVersion = -1;
        Arrays.fill(lengths, ABSENT);
    }

    /** Copies what is to be told of {@code request}. */
    void request(Request request) {
        clear();
        method = request.method();
        minorVersion = request.minorVersion();
        copy(request.target());
        targetLength = length;
        for (int i = 0; i < names.length; i++) {
            ByteView value = request.header(names[i]);
            if (value != null) {
                starts[i] = length;
                copy(value);
                lengths[i] = length - starts[i];
            }
        }
        client(request);
    }

    /** Copies who has sent {@code request}, whatever that is. */
    void client(Request request) {
        clientStart = length;
        copy(request.client().text());
        clientLength = length - clientStart;
    }

    private void copy(ByteView view) {
        int more = view.length();
        reserve(length + more);
        // Where there is no memory for all of it, there is none of it.
        if (length + more <= bytes.length) {
            view.copyTo(segment, length);
            length += more;
        }
    }

    private void reserve(int needed) {
        if (needed > bytes.length) {
            try {
                bytes = Arrays.copyOf(bytes, Math.max(needed, 2 * bytes.length));
                segment = MemorySegment.ofArray(bytes);
            } catch (OutOfMemoryError full) {
                // It is told of all the same.
                segment = MemorySegment.ofArray(bytes);
            }
        }
    }

    // ---- what was answered

    /** The exchange is over; its response ends behind so many bytes of its connection. */
    void answered(Writer writer, long newEndBytes, boolean hasEnded, long newStartNanos) {
        code = writer.code();
        bodyBytes = writer.bodyBytes();
        endBytes = newEndBytes;
        ended = hasEnded && !writer.isCutShort();
        startNanos = newStartNanos;
    }

    /** Whether all of it is with the kernel, where that has {@code sentBytes}. */
    boolean isSent(long sentBytes) {
        return sentBytes >= endBytes;
    }

    /** It is told of now. */
    void end(long sentBytes, long nowNanos, long nowMillis) {
        whole = ended && isSent(sentBytes);
        bodyBytes -= Math.clamp(endBytes - sentBytes, 0, bodyBytes);
        durationNanos = Math.max(0, nowNanos - startNanos);
        startMillis = nowMillis - durationNanos / 1_000_000;
    }

    /** It has been told of. */
    void forget() {
        targetSpan.expire();
        clientSpan.expire();
        for (Span span : spans) {
            span.expire();
        }
        if (bytes.length > BYTES_KEPT_MAX) {
            bytes = new byte[BYTES_MIN];
            segment = MemorySegment.ofArray(bytes);
        }
    }

    // ---- a view

    @Override
    public Method method() {
        return method;
    }

    @Override
    public ByteView target() {
        targetSpan.set(segment, 0, targetLength);
        return target;
    }

    @Override
    public int minorVersion() {
        return minorVersion;
    }

    @Override
    public int status() {
        return code;
    }

    @Override
    public long bodyBytes() {
        return bodyBytes;
    }

    @Override
    public long startMillis() {
        return startMillis;
    }

    @Override
    public long durationNanos() {
        return durationNanos;
    }

    @Override
    public boolean isWhole() {
        return whole;
    }

    @Override
    public ByteView client() {
        clientSpan.set(segment, clientStart, clientLength);
        return client;
    }

    @Override
    public ByteView header(HeaderName name) {
        int index = indexOf(name);
        if (index < 0) {
            throw new IllegalArgumentException(
                    "no listener has declared " + name + ": add it to fields() of the listener");
        }
        if (lengths[index] == ABSENT) {
            return null;
        }
        spans[index].set(segment, starts[index], lengths[index]);
        return values[index];
    }

    private int indexOf(HeaderName name) {
        for (int i = 0; i < names.length; i++) {
            if (names[i] == name) {
                return i;
            }
        }
        for (int i = 0; i < names.length; i++) {
            if (names[i].toString().equalsIgnoreCase(name.toString())) {
                return i;
            }
        }
        return -1;
    }
}
