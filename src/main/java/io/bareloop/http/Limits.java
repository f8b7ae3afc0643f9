package io.bareloop.http;

import java.util.Objects;

/**
 * What a client may ask of the server. Each is checked before anything beyond it is stored.
 *
 * <pre>{@code
 * Limits limits = Limits.builder().headBytesMax(32 << 10).bodyBytesMax(4 << 20).build();
 * }</pre>
 *
 * <p>Immutable, for any thread.
 */
public final class Limits {
    private static final Limits DEFAULTS = new Builder().build();

    private final int targetBytesMax;
    private final int headBytesMax;
    private final int fieldsMax;
    private final int bodyBytesMax;
    private final long streamedBytesMax;
    private final int unsentBytesMax;
    private final long requestsPerConnectionMax;
    private final int formParametersMax;
    private final int pipelinedPerTurnMax;

    private Limits(Builder builder) {
        targetBytesMax = builder.targetBytesMax;
        headBytesMax = builder.headBytesMax;
        fieldsMax = builder.fieldsMax;
        bodyBytesMax = builder.bodyBytesMax;
        streamedBytesMax = builder.streamedBytesMax;
        unsentBytesMax = builder.unsentBytesMax;
        requestsPerConnectionMax = builder.requestsPerConnectionMax;
        formParametersMax = builder.formParametersMax;
        pipelinedPerTurnMax = builder.pipelinedPerTurnMax;
    }

    /**
     * 8 KiB of target, 16 KiB of head, 100 fields, 1 MiB of body whole and 1 GiB streamed, 1 MiB
     * unsent, any number of requests per connection, 1000 parameters of a form, 64 requests per
     * turn.
     *
     * @return the defaults, as above
     */
    public static Limits defaults() {
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

    /**
     * Begins with these limits, which stay as they are.
     *
     * @return a builder, to be used by one thread
     */
    public Builder toBuilder() {
        Builder builder = new Builder();
        builder.targetBytesMax = targetBytesMax;
        builder.headBytesMax = headBytesMax;
        builder.fieldsMax = fieldsMax;
        builder.bodyBytesMax = bodyBytesMax;
        builder.streamedBytesMax = streamedBytesMax;
        builder.unsentBytesMax = unsentBytesMax;
        builder.requestsPerConnectionMax = requestsPerConnectionMax;
        builder.formParametersMax = formParametersMax;
        builder.pipelinedPerTurnMax = pipelinedPerTurnMax;
        return builder;
    }

    /** {@return bytes of the request target, 1 to 65536; a longer one is answered 414} */
    public int targetBytesMax() {
        return targetBytesMax;
    }

    /** {@return bytes of request line and fields together, 256 to 65536; more is answered 431} */
    public int headBytesMax() {
        return headBytesMax;
    }

    /** {@return number of fields (header lines), 1 to 1000; more is answered 431} */
    public int fieldsMax() {
        return fieldsMax;
    }

    /**
     * {@return bytes of a body that is handed to its handler whole, 0 to 1 GiB; more is answered
     * 413}
     */
    public int bodyBytesMax() {
        return bodyBytesMax;
    }

    /**
     * {@return bytes of a body that goes to a {@link StreamHandler} in pieces, 0 or more; more is
     * answered 413, or closes the connection where the response has begun}
     */
    public long streamedBytesMax() {
        return streamedBytesMax;
    }

    /**
     * {@return bytes of a response that may wait for a client to read them, 64 KiB to 1 GiB; a
     * handler that writes on regardless has its connection closed}
     */
    public int unsentBytesMax() {
        return unsentBytesMax;
    }

    /** {@return requests after which a connection is closed, 1 or more} */
    public long requestsPerConnectionMax() {
        return requestsPerConnectionMax;
    }

    /**
     * {@return parameters of a form that {@link Request#formValue} looks into, 1 to 1,000,000; more
     * are answered 413}
     */
    public int formParametersMax() {
        return formParametersMax;
    }

    /**
     * {@return requests of one connection that are answered before the other connections of its
     * loop have their turn, 1 to 10,000}
     */
    public int pipelinedPerTurnMax() {
        return pipelinedPerTurnMax;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Limits that
                && targetBytesMax == that.targetBytesMax
                && headBytesMax == that.headBytesMax
                && fieldsMax == that.fieldsMax
                && bodyBytesMax == that.bodyBytesMax
                && streamedBytesMax == that.streamedBytesMax
                && unsentBytesMax == that.unsentBytesMax
                && requestsPerConnectionMax == that.requestsPerConnectionMax
                && formParametersMax == that.formParametersMax
                && pipelinedPerTurnMax == that.pipelinedPerTurnMax;
    }

    @Override
    public int hashCode() {
        return Objects.hash(
                targetBytesMax,
                headBytesMax,
                fieldsMax,
                bodyBytesMax,
                streamedBytesMax,
                unsentBytesMax,
                requestsPerConnectionMax,
                formParametersMax,
                pipelinedPerTurnMax);
    }

    /**
     * {@return all of them by name: {@code Limits[targetBytesMax=8192, headBytesMax=16384, ...]}}
     */
    @Override
    public String toString() {
        return "Limits[targetBytesMax="
                + targetBytesMax
                + ", headBytesMax="
                + headBytesMax
                + ", fieldsMax="
                + fieldsMax
                + ", bodyBytesMax="
                + bodyBytesMax
                + ", streamedBytesMax="
                + streamedBytesMax
                + ", unsentBytesMax="
                + unsentBytesMax
                + ", requestsPerConnectionMax="
                + requestsPerConnectionMax
                + ", formParametersMax="
                + formParametersMax
                + ", pipelinedPerTurnMax="
                + pipelinedPerTurnMax
                + "]";
    }

    /** Makes limits, one call for each that differs. Not safe for several threads at once. */
    public static final class Builder {
        private int targetBytesMax = 8 << 10;
        private int headBytesMax = 16 << 10;
        private int fieldsMax = 100;
        private int bodyBytesMax = 1 << 20;
        private long streamedBytesMax = 1L << 30;
        private int unsentBytesMax = 1 << 20;
        private long requestsPerConnectionMax = Long.MAX_VALUE;
        private int formParametersMax = 1000;
        private int pipelinedPerTurnMax = 64;

        private Builder() {}

        /**
         * Bytes of the request target; a longer one is answered 414. Without this call 8 KiB.
         *
         * @param bytes 1 to 65536
         * @return this builder
         * @throws IllegalArgumentException where it is out of range; the message names the limit
         */
        public Builder targetBytesMax(int bytes) {
            check("targetBytesMax", bytes, 1, 64 << 10);
            targetBytesMax = bytes;
            return this;
        }

        /**
         * Bytes of request line and fields together; more is answered 431. Without this call 16
         * KiB.
         *
         * @param bytes 256 to 65536
         * @return this builder
         * @throws IllegalArgumentException where it is out of range; the message names the limit
         */
        public Builder headBytesMax(int bytes) {
            check("headBytesMax", bytes, 256, 64 << 10);
            headBytesMax = bytes;
            return this;
        }

        /**
         * Number of fields (header lines); more is answered 431. Without this call 100.
         *
         * @param fields 1 to 1000
         * @return this builder
         * @throws IllegalArgumentException where it is out of range; the message names the limit
         */
        public Builder fieldsMax(int fields) {
            check("fieldsMax", fields, 1, 1000);
            fieldsMax = fields;
            return this;
        }

        /**
         * Bytes of a body that is handed to its handler whole; more is answered 413. Without this
         * call 1 MiB.
         *
         * @param bytes 0 to 1 GiB
         * @return this builder
         * @throws IllegalArgumentException where it is out of range; the message names the limit
         */
        public Builder bodyBytesMax(int bytes) {
            check("bodyBytesMax", bytes, 0, 1 << 30);
            bodyBytesMax = bytes;
            return this;
        }

        /**
         * Bytes of a body that goes to a {@link StreamHandler} in pieces, or to {@link
         * Blocking#streaming(BlockingStreamHandler)} as a stream; more is answered 413, or closes
         * the connection where the response has begun. Without this call 1 GiB.
         *
         * @param bytes 0 or more
         * @return this builder
         * @throws IllegalArgumentException where it is out of range; the message names the limit
         */
        public Builder streamedBytesMax(long bytes) {
            check("streamedBytesMax", bytes, 0, Long.MAX_VALUE);
            streamedBytesMax = bytes;
            return this;
        }

        /**
         * Bytes of a response that may wait for a client to read them; a handler that writes on
         * regardless has its connection closed. Without this call 1 MiB.
         *
         * @param bytes 64 KiB to 1 GiB
         * @return this builder
         * @throws IllegalArgumentException where it is out of range; the message names the limit
         */
        public Builder unsentBytesMax(int bytes) {
            check("unsentBytesMax", bytes, 64 << 10, 1 << 30);
            unsentBytesMax = bytes;
            return this;
        }

        /**
         * Requests after which a connection is closed. Without this call any number.
         *
         * @param requests 1 or more
         * @return this builder
         * @throws IllegalArgumentException where it is out of range; the message names the limit
         */
        public Builder requestsPerConnectionMax(long requests) {
            check("requestsPerConnectionMax", requests, 1, Long.MAX_VALUE);
            requestsPerConnectionMax = requests;
            return this;
        }

        /**
         * Parameters of a form that {@link Request#formValue} looks into; more are answered 413.
         * Without this call 1000.
         *
         * @param parameters 1 to 1,000,000
         * @return this builder
         * @throws IllegalArgumentException where it is out of range; the message names the limit
         */
        public Builder formParametersMax(int parameters) {
            check("formParametersMax", parameters, 1, 1_000_000);
            formParametersMax = parameters;
            return this;
        }

        /**
         * Requests of one connection that are answered before the other connections of its loop
         * have their turn. Without this call 64.
         *
         * @param requests 1 to 10,000
         * @return this builder
         * @throws IllegalArgumentException where it is out of range; the message names the limit
         */
        public Builder pipelinedPerTurnMax(int requests) {
            check("pipelinedPerTurnMax", requests, 1, 10_000);
            pipelinedPerTurnMax = requests;
            return this;
        }

        /**
         * Makes the limits.
         *
         * @return limits as this builder has them now
         */
        public Limits build() {
            return new Limits(this);
        }

        private static void check(String name, long value, long min, long max) {
            if (value < min || value > max) {
                throw new IllegalArgumentException(
                        name + " is " + value + "; it must be " + min + " to " + max);
            }
        }
    }
}
