package io.bareloop.http;

/**
 * What a body of multipart/form-data may be. Each is checked before anything beyond it is handed
 * on, and more is answered 413.
 *
 * <p>A reader holds a head, a field and nothing of a file at a time. What a handler keeps is within
 * partsMax heads, and fieldsBytesMax. What means nothing (preamble, epilogue, blanks behind
 * delimiters) is bounded to 16 KiB, and the lines of a head to 32.
 *
 * <p>Immutable, for any thread.
 */
public final class MultipartLimits {
    private static final MultipartLimits DEFAULTS = new Builder().build();

    private final int partsMax;
    private final int headBytesMax;
    private final int fieldBytesMax;
    private final long fieldsBytesMax;
    private final long fileBytesMax;
    private final long bodyBytesMax;

    private MultipartLimits(Builder builder) {
        partsMax = builder.partsMax;
        headBytesMax = builder.headBytesMax;
        fieldBytesMax = builder.fieldBytesMax;
        fieldsBytesMax = builder.fieldsBytesMax;
        fileBytesMax = builder.fileBytesMax;
        bodyBytesMax = builder.bodyBytesMax;
    }

    /**
     * 100 parts, 4 KiB of head, 64 KiB of a field, 1 MiB of all fields, 1 GiB of a file and of the
     * whole body.
     *
     * @return the defaults, as above
     */
    public static MultipartLimits defaults() {
        return DEFAULTS;
    }

    /**
     * Begins with {@link #defaults()}.
     *
     * @return a builder, to be used by one thread
     */
    public static Builder builder() {
        return new Builder();
    }

    /** {@return parts, fields and files together, 1 to 10,000} */
    public int partsMax() {
        return partsMax;
    }

    /** {@return bytes of the head of a part, 64 to 65536} */
    public int headBytesMax() {
        return headBytesMax;
    }

    /** {@return bytes of a field, which is collected in memory, 0 to 1 GiB} */
    public int fieldBytesMax() {
        return fieldBytesMax;
    }

    /** {@return bytes of all fields together, without their names, 0 or more} */
    public long fieldsBytesMax() {
        return fieldsBytesMax;
    }

    /** {@return bytes of a file, 0 or more} */
    public long fileBytesMax() {
        return fileBytesMax;
    }

    /** {@return bytes of the whole body, 0 or more} */
    public long bodyBytesMax() {
        return bodyBytesMax;
    }

    /** Makes limits, one call for each that differs. Not safe for several threads at once. */
    public static final class Builder {
        private int partsMax = 100;
        private int headBytesMax = 4 << 10;
        private int fieldBytesMax = 64 << 10;
        private long fieldsBytesMax = 1 << 20;
        private long fileBytesMax = 1L << 30;
        private long bodyBytesMax = 1L << 30;

        private Builder() {}

        /**
         * Number of parts, fields and files together; more is answered 413. Without this call 100.
         *
         * @param parts 1 to 10,000
         * @return this builder
         * @throws IllegalArgumentException where it is out of range; the message names the limit
         */
        public Builder partsMax(int parts) {
            check("partsMax", parts, 1, 10000);
            partsMax = parts;
            return this;
        }

        /**
         * Bytes of the head of a part; more is answered 413. Without this call 4 KiB.
         *
         * @param bytes 64 to 65536
         * @return this builder
         * @throws IllegalArgumentException where it is out of range; the message names the limit
         */
        public Builder headBytesMax(int bytes) {
            check("headBytesMax", bytes, 64, 64 << 10);
            headBytesMax = bytes;
            return this;
        }

        /**
         * Bytes of a field, which is collected in memory; more is answered 413. Without this call
         * 64 KiB.
         *
         * @param bytes 0 to 1 GiB
         * @return this builder
         * @throws IllegalArgumentException where it is out of range; the message names the limit
         */
        public Builder fieldBytesMax(int bytes) {
            check("fieldBytesMax", bytes, 0, 1 << 30);
            fieldBytesMax = bytes;
            return this;
        }

        /**
         * Bytes of all fields together, without their names; more is answered 413. Without this
         * call 1 MiB.
         *
         * @param bytes 0 or more
         * @return this builder
         * @throws IllegalArgumentException where it is out of range; the message names the limit
         */
        public Builder fieldsBytesMax(long bytes) {
            check("fieldsBytesMax", bytes, 0, Long.MAX_VALUE);
            fieldsBytesMax = bytes;
            return this;
        }

        /**
         * Bytes of a file; more is answered 413. Without this call 1 GiB.
         *
         * @param bytes 0 or more
         * @return this builder
         * @throws IllegalArgumentException where it is out of range; the message names the limit
         */
        public Builder fileBytesMax(long bytes) {
            check("fileBytesMax", bytes, 0, Long.MAX_VALUE);
            fileBytesMax = bytes;
            return this;
        }

        /**
         * Bytes of the whole body; more is answered 413. Without this call 1 GiB.
         *
         * @param bytes 0 or more
         * @return this builder
         * @throws IllegalArgumentException where it is out of range; the message names the limit
         */
        public Builder bodyBytesMax(long bytes) {
            check("bodyBytesMax", bytes, 0, Long.MAX_VALUE);
            bodyBytesMax = bytes;
            return this;
        }

        /**
         * Makes the limits.
         *
         * @return limits as this builder has them now
         */
        public MultipartLimits build() {
            return new MultipartLimits(this);
        }

        private static void check(String name, long value, long min, long max) {
            if (value < min || value > max) {
                throw new IllegalArgumentException(
                        name + " is " + value + "; it must be " + min + " to " + max);
            }
        }
    }
}
