package io.bareloop.wire;

/**
 * What the fields of a response say about whether its body may be compressed. Used for one response
 * after another; belongs to the loop's thread.
 */
public final class CompressibleHead {
    private static final long COLONS = ':' * Swar.ONES;
    private static final long LINE_FEEDS = '\n' * Swar.ONES;
    private static final long SEMICOLONS = ';' * Swar.ONES;

    private final MediaRanges types;

    /** Its Content-Type is one of the types. */
    private boolean fits;

    /** A field says that the body is to stay what it is. */
    private boolean fixed;

    /** A field Vary names Accept-Encoding, or everything. */
    private boolean varies;

    /** Looks out for {@code types}. */
    public CompressibleHead(MediaRanges types) {
        this.types = types;
    }

    /** Forgets the head before. */
    void clear() {
        fits = false;
        fixed = false;
        varies = false;
    }

    /**
     * Reads lines, each with its line break; what has no colon is no field. Reads up to seven bytes
     * from {@code to} on.
     */
    public void read(long from, long to) {
        long at = from;
        while (at < to) {
            long end = Swar.indexOf(LINE_FEEDS, at, to);
            if (isOfInterest(Memory.getByte(at))) {
                long colon = Swar.indexOf(COLONS, at, end);
                if (colon < end) {
                    readField(at, colon, end);
                }
            }
            at = end + 1;
        }
    }

    /** Whether a name that matters begins with {@code b}. */
    private static boolean isOfInterest(byte b) {
        return switch (b | 0x20) {
            case 'c', 'd', 'e', 'r', 'v' -> true;
            default -> false;
        };
    }

    private void readField(long name, long colon, long end) {
        // The length tells most of them apart.
        switch ((int) (colon - name)) {
            case 4 -> readShort(name, colon, end);
            case 6 -> fixed |= is(name, colon, "digest");
            case 11 -> fixed |= is(name, colon, "repr-digest") || is(name, colon, "content-md5");
            case 12 -> readType(name, colon, end);
            case 13 -> readControl(name, colon, end);
            case 14 -> fixed |= is(name, colon, "content-digest");
            case 16 -> fixed |= is(name, colon, "content-encoding");
            default -> {}
        }
    }

    /** A strong tag is of these very bytes (RFC 9110, section 8.8.3). */
    private void readShort(long name, long colon, long end) {
        if (is(name, colon, "etag")) {
            long value = behindBlanks(colon + 1, end);
            fixed |= end - value < 2 || Memory.getByte(value) != 'W';
        } else if (is(name, colon, "vary")) {
            varies |= contains(colon, end, "*") || contains(colon, end, "accept-encoding");
        }
    }

    private void readType(long name, long colon, long end) {
        if (is(name, colon, "content-type")) {
            long value = behindBlanks(colon + 1, end);
            long valueEnd = Swar.indexOf(SEMICOLONS, value, end);
            while (valueEnd > value && Memory.getByte(valueEnd - 1) <= ' ') {
                valueEnd--;
            }
            fits = types.contain(value, valueEnd);
        }
    }

    private void readControl(long name, long colon, long end) {
        fixed |=
                is(name, colon, "content-range")
                        || (is(name, colon, "cache-control")
                                && contains(colon, end, "no-transform"));
    }

    private static boolean is(long from, long to, String lowerCase) {
        return Ascii.equalsIgnoreCase(from, to, lowerCase);
    }

    private static long behindBlanks(long from, long end) {
        long at = from;
        while (at < end && Memory.getByte(at) <= ' ') {
            at++;
        }
        return at;
    }

    private static boolean contains(long from, long end, String lowerCase) {
        int length = lowerCase.length();
        for (long at = from; at + length <= end; at++) {
            if (is(at, at + length, lowerCase)) {
                return true;
            }
        }
        return false;
    }

    /** Whether the body may be compressed, by all that was read. */
    boolean isCompressible() {
        return fits && !fixed;
    }

    /** Whether some field forbids it, whatever others say. */
    public boolean isFixed() {
        return fixed;
    }

    boolean varies() {
        return varies;
    }
}
