package io.bareloop.server;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.bareloop.http.ByteView;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** One line of a log in the making, in an array that grows and is used again. Of one loop. */
final class LogLine {
    /** Of a value; the rest of a longer one is left out. */
    static final int VALUE_BYTES_MAX = 4096;

    private static final byte[] HEXADECIMAL = "0123456789ABCDEF".getBytes(US_ASCII);
    private static final byte[] REPLACEMENT = {'\\', 'u', 'f', 'f', 'f', 'd'};

    private byte[] bytes = new byte[1024];
    private int length;

    /** What is to be escaped. */
    private byte[] value = new byte[1024];

    private MemorySegment valueSegment = MemorySegment.ofArray(value);
    private int valueLength;

    void clear() {
        length = 0;
    }

    byte[] bytes() {
        return bytes;
    }

    int length() {
        return length;
    }

    private void reserve(int more) {
        if (length + more > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, length + more));
        }
    }

    void put(char c) {
        reserve(1);
        bytes[length++] = (byte) c;
    }

    /** Characters of ASCII. */
    void put(String text) {
        reserve(text.length());
        for (int i = 0; i < text.length(); i++) {
            bytes[length++] = (byte) text.charAt(i);
        }
    }

    void put(byte[] more) {
        reserve(more.length);
        System.arraycopy(more, 0, bytes, length, more.length);
        length += more.length;
    }

    /** A number that is not negative. */
    void put(long number) {
        reserve(20);
        int end = length + 1;
        for (long rest = number / 10; rest > 0; rest /= 10) {
            end++;
        }
        long rest = number;
        for (int at = end - 1; at >= length; at--) {
            bytes[at] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
        length = end;
    }

    private void load(ByteView view) {
        if (view.length() > value.length) {
            // No field of a request exceeds its head.
            value = new byte[view.length()];
            valueSegment = MemorySegment.ofArray(value);
        }
        view.copyTo(valueSegment, 0);
        valueLength = Math.min(view.length(), VALUE_BYTES_MAX);
    }

    /** With {@code \xHH} for whatever is no printable ASCII, or could end or escape something. */
    void putEscaped(ByteView view) {
        load(view);
        reserve(4 * valueLength);
        for (int i = 0; i < valueLength; i++) {
            byte b = value[i];
            if (b >= ' ' && b <= '~' && b != '"' && b != '\\') {
                bytes[length++] = b;
            } else {
                bytes[length++] = '\\';
                bytes[length++] = 'x';
                bytes[length++] = HEXADECIMAL[b >> 4 & 15];
                bytes[length++] = HEXADECIMAL[b & 15];
            }
        }
    }

    /** As a string of JSON (RFC 8259); U+FFFD stands for what is no UTF-8. */
    void putJson(ByteView view) {
        load(view);
        reserve(6 * valueLength + 2);
        bytes[length++] = '"';
        for (int i = 0; i < valueLength; ) {
            byte b = value[i];
            if (b >= 0) {
                putJson(b);
                i++;
                continue;
            }
            int sequence = Utf8.sequence(value, i, valueLength);
            if (sequence > 0) {
                System.arraycopy(value, i, bytes, length, sequence);
                length += sequence;
                i += sequence;
            } else {
                put(REPLACEMENT);
                i++;
            }
        }
        bytes[length++] = '"';
    }

    private void putJson(byte b) {
        if (b == '"' || b == '\\') {
            bytes[length++] = '\\';
            bytes[length++] = b;
        } else if (b >= ' ' && b != 0x7F) {
            bytes[length++] = b;
        } else {
            bytes[length++] = '\\';
            bytes[length++] = 'u';
            bytes[length++] = '0';
            bytes[length++] = '0';
            bytes[length++] = HEXADECIMAL[b >> 4 & 15];
            bytes[length++] = HEXADECIMAL[b & 15];
        }
    }
}
