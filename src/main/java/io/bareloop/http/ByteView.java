package io.bareloop.http;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.bareloop.wire.Ascii;
import io.bareloop.wire.Checks;
import io.bareloop.wire.Memory;
import io.bareloop.wire.Span;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/**
 * Bytes that stand somewhere in the loop's memory: an offset and a length, no copy.
 *
 * <p>Views are not compared by their bytes: equals is identity. Compare by {@link #contentEquals},
 * and use {@link #toString} as the key of a map.
 *
 * <p>A view that a {@link Request} hands out is valid until the handler returns, on the loop's
 * thread only, and is used again for the next request. Whoever wants to keep the bytes copies them:
 * {@link #toString}, {@link #toByteArray}.
 */
public final class ByteView {
    private final Span span;

    ByteView() {
        this(new Span());
    }

    /**
     * For the server: a view of what it has received.
     *
     * @param span where the bytes are
     * @hidden
     */
    @SuppressWarnings({"exports", "InvalidBlockTag"}) // only the server can call it
    public ByteView(Span span) {
        this.span = span;
    }

    ByteView set(MemorySegment segment, int offset, int length) {
        span.set(segment, offset, length);
        return this;
    }

    /** Ends the view: in checked mode, every further use throws. */
    void expire() {
        span.expire();
    }

    /** {@return the number of bytes} */
    public int length() {
        if (Checks.ENABLED) {
            segment();
        }
        return span.length();
    }

    /** {@return whether there are no bytes} */
    public boolean isEmpty() {
        return length() == 0;
    }

    /**
     * {@return the byte at {@code index}, as it is: -128 to 127}
     *
     * @param index of the byte, from 0
     * @throws IndexOutOfBoundsException unless {@code 0 <= index < length()}
     */
    public byte at(int index) {
        return segment().get(JAVA_BYTE, span.offset() + Objects.checkIndex(index, span.length()));
    }

    /**
     * {@return the first index of {@code wanted} at or after {@code from}, or -1}
     *
     * @param wanted the byte to look for
     * @param from where to begin; less than 0 is 0, and from {@link #length} on there is none
     */
    public int indexOf(byte wanted, int from) {
        MemorySegment in = segment();
        int offset = span.offset();
        int length = span.length();
        for (int i = Math.max(from, 0); i < length; i++) {
            if (in.get(JAVA_BYTE, offset + i) == wanted) {
                return i;
            }
        }
        return -1;
    }

    /**
     * Whether the bytes are exactly the ASCII characters of {@code text}. Allocates nothing.
     *
     * @param text of ASCII characters; with others it is never equal
     * @return whether they are equal
     */
    public boolean contentEquals(String text) {
        MemorySegment in = segment();
        int offset = span.offset();
        int length = span.length();
        if (text.length() != length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (in.get(JAVA_BYTE, offset + i) != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /**
     * As {@link #contentEquals}, but the letters A to Z equal a to z.
     *
     * @param text of ASCII characters; with others it is never equal
     * @return whether they are equal but for case
     */
    public boolean contentEqualsIgnoreCase(String text) {
        MemorySegment in = segment();
        int offset = span.offset();
        int length = span.length();
        if (text.length() != length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (Ascii.lower(in.get(JAVA_BYTE, offset + i)) != Ascii.lower(text.charAt(i))) {
                return false;
            }
        }
        return true;
    }

    /**
     * Parses the whole view as an unsigned decimal number.
     *
     * @return the number, or -1 where the bytes are none, not all digits, or more than 18
     */
    public long toUnsignedLong() {
        int from = span.offset();
        long start = Memory.address(segment(), from, from + span.length());
        return Ascii.parseUnsignedLong(start, start + span.length());
    }

    /**
     * Copies the bytes to {@code to} at {@code toOffset}.
     *
     * @param to the memory to copy to, which has to be writable
     * @param toOffset where the first byte goes, in bytes from its start
     * @throws IndexOutOfBoundsException where they do not fit
     */
    public void copyTo(MemorySegment to, long toOffset) {
        MemorySegment.copy(segment(), span.offset(), to, toOffset, span.length());
    }

    /** Copies {@code count} bytes from {@code from} on to {@code to} at {@code at}. */
    void copyTo(int from, byte[] to, int at, int count) {
        MemorySegment.copy(segment(), JAVA_BYTE, span.offset() + from, to, at, count);
    }

    /**
     * Copies the bytes into a new array.
     *
     * @return the copy, which stays valid
     */
    public byte[] toByteArray() {
        byte[] copy = new byte[span.length()];
        MemorySegment.copy(segment(), JAVA_BYTE, span.offset(), copy, 0, copy.length);
        return copy;
    }

    /** Decodes the bytes as UTF-8 into a new string; malformed bytes become U+FFFD. */
    @Override
    public String toString() {
        return new String(toByteArray(), StandardCharsets.UTF_8);
    }

    /** A view of a copy that stays. */
    ByteView copy() {
        byte[] bytes = toByteArray();
        return new ByteView().set(MemorySegment.ofArray(bytes), 0, bytes.length);
    }

    MemorySegment segment() {
        return span.segment();
    }

    int offset() {
        return span.offset();
    }
}
