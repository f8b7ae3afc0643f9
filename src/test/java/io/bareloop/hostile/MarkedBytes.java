package io.bareloop.hostile;

/**
 * Bytes that say whose they are and where they stand: each is a function of a marker and of its
 * offset, so that a byte which is foreign, lost, doubled or swapped shows. Known to both sides.
 */
final class MarkedBytes {
    private static final long STEP = 0x9E37_79B9_7F4A_7C15L;
    private static final int LETTERS = 26;

    private MarkedBytes() {}

    /** The number that stands for {@code marker}. */
    static long key(String marker) {
        long hash = 0xCBF2_9CE4_8422_2325L;
        for (int i = 0; i < marker.length(); i++) {
            hash = (hash ^ marker.charAt(i)) * 0x100_0000_01B3L;
        }
        return mix(hash);
    }

    /** A number that has all bits of {@code value}, well shaken. */
    static long mix(long value) {
        long z = (value ^ value >>> 30) * 0xBF58_476D_1CE4_E5B9L;
        z = (z ^ z >>> 27) * 0x94D0_49BB_1331_11EBL;
        return z ^ z >>> 31;
    }

    private static long word(long key, long index) {
        return mix(key + index * STEP);
    }

    /** Byte {@code offset} of what belongs to {@code key}. */
    static byte at(long key, long offset) {
        return (byte) (word(key, offset >>> 3) >>> ((offset & 7) * Byte.SIZE));
    }

    /** Writes {@code length} bytes, the first of which is byte {@code offset} of {@code key}. */
    static void fill(long key, long offset, byte[] to, int from, int length) {
        long word = word(key, offset >>> 3);
        for (int i = 0; i < length; i++) {
            long at = offset + i;
            if ((at & 7) == 0) {
                word = word(key, at >>> 3);
            }
            to[from + i] = (byte) (word >>> ((at & 7) * Byte.SIZE));
        }
    }

    /** The first {@code length} bytes from {@code offset} on. */
    static byte[] of(long key, long offset, int length) {
        byte[] bytes = new byte[length];
        fill(key, offset, bytes, 0, length);
        return bytes;
    }

    /** Which of the bytes is not the one it should be, counted from {@code from}; or -1. */
    static int mismatch(long key, long offset, byte[] in, int from, int length) {
        long word = word(key, offset >>> 3);
        for (int i = 0; i < length; i++) {
            long at = offset + i;
            if ((at & 7) == 0) {
                word = word(key, at >>> 3);
            }
            if (in[from + i] != (byte) (word >>> ((at & 7) * Byte.SIZE))) {
                return i;
            }
        }
        return -1;
    }

    /** As {@link #of}, in lower-case letters: for forms, queries and events. */
    static String letters(long key, int length) {
        StringBuilder text = new StringBuilder(length);
        for (int i = 0; i < length; i++) {
            text.append((char) ('a' + (at(key, i) & 0xFF) % LETTERS));
        }
        return text.toString();
    }
}
