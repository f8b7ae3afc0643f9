package io.bareloop.http;

/**
 * What a client may ask of the server. Each is checked before anything beyond it is stored.
 *
 * @param targetBytesMax bytes of the request target, 1 to 65536; a longer one is answered 414
 * @param headBytesMax bytes of request line and fields together, 256 to 65536; more is answered 431
 * @param fieldsMax number of fields (header lines), 1 to 1000; more is answered 431
 * @param bodyBytesMax bytes of a body that is handed to its handler whole, 0 to 1 GiB; more is
 *     answered 413
 * @param streamedBytesMax bytes of a body that goes to a {@link StreamHandler} in pieces, 0 or
 *     more; more is answered 413, or closes the connection where the response has begun
 * @param unsentBytesMax bytes of a response that may wait for a client to read them, 64 KiB to 1
 *     GiB; a handler that writes on regardless has its connection closed
 * @param requestsPerConnectionMax requests after which a connection is closed, 1 or more
 * @param formParametersMax parameters of a form that {@link Request#formValue} looks into, 1 to
 *     1,000,000; more are answered 413
 * @param pipelinedPerTurnMax requests of one connection that are answered before the other
 *     connections of its loop have their turn, 1 to 10000
 */
public record Limits(
        int targetBytesMax,
        int headBytesMax,
        int fieldsMax,
        int bodyBytesMax,
        long streamedBytesMax,
        int unsentBytesMax,
        long requestsPerConnectionMax,
        int formParametersMax,
        int pipelinedPerTurnMax) {
    private static final Limits DEFAULTS =
            new Limits(
                    8 << 10, 16 << 10, 100, 1 << 20, 1L << 30, 1 << 20, Long.MAX_VALUE, 1000, 64);

    /**
     * Limits, each of which is in its range.
     *
     * @throws IllegalArgumentException where one is out of its range; the message names it
     */
    public Limits {
        check("targetBytesMax", targetBytesMax, 1, 64 << 10);
        check("headBytesMax", headBytesMax, 256, 64 << 10);
        check("fieldsMax", fieldsMax, 1, 1000);
        check("bodyBytesMax", bodyBytesMax, 0, 1 << 30);
        check("streamedBytesMax", streamedBytesMax, 0, Long.MAX_VALUE);
        check("unsentBytesMax", unsentBytesMax, 64 << 10, 1 << 30);
        check("requestsPerConnectionMax", requestsPerConnectionMax, 1, Long.MAX_VALUE);
        check("formParametersMax", formParametersMax, 1, 1_000_000);
        check("pipelinedPerTurnMax", pipelinedPerTurnMax, 1, 10_000);
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
     * As these, with another {@link #targetBytesMax()}.
     *
     * @param bytes 1 to 65536
     * @return new limits
     * @throws IllegalArgumentException where it is out of range
     */
    public Limits targetBytesMax(int bytes) {
        return new Limits(
                bytes,
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
     * As these, with another {@link #headBytesMax()}.
     *
     * @param bytes 256 to 65536
     * @return new limits
     * @throws IllegalArgumentException where it is out of range
     */
    public Limits headBytesMax(int bytes) {
        return new Limits(
                targetBytesMax,
                bytes,
                fieldsMax,
                bodyBytesMax,
                streamedBytesMax,
                unsentBytesMax,
                requestsPerConnectionMax,
                formParametersMax,
                pipelinedPerTurnMax);
    }

    /**
     * As these, with another {@link #fieldsMax()}.
     *
     * @param fields 1 to 1000
     * @return new limits
     * @throws IllegalArgumentException where it is out of range
     */
    public Limits fieldsMax(int fields) {
        return new Limits(
                targetBytesMax,
                headBytesMax,
                fields,
                bodyBytesMax,
                streamedBytesMax,
                unsentBytesMax,
                requestsPerConnectionMax,
                formParametersMax,
                pipelinedPerTurnMax);
    }

    /**
     * As these, with another {@link #bodyBytesMax()}.
     *
     * @param bytes 0 to 1 GiB
     * @return new limits
     * @throws IllegalArgumentException where it is out of range
     */
    public Limits bodyBytesMax(int bytes) {
        return new Limits(
                targetBytesMax,
                headBytesMax,
                fieldsMax,
                bytes,
                streamedBytesMax,
                unsentBytesMax,
                requestsPerConnectionMax,
                formParametersMax,
                pipelinedPerTurnMax);
    }

    /**
     * As these, with another {@link #streamedBytesMax()}.
     *
     * @param bytes 0 or more
     * @return new limits
     * @throws IllegalArgumentException where it is out of range
     */
    public Limits streamedBytesMax(long bytes) {
        return new Limits(
                targetBytesMax,
                headBytesMax,
                fieldsMax,
                bodyBytesMax,
                bytes,
                unsentBytesMax,
                requestsPerConnectionMax,
                formParametersMax,
                pipelinedPerTurnMax);
    }

    /**
     * As these, with another {@link #unsentBytesMax()}.
     *
     * @param bytes 64 KiB to 1 GiB
     * @return new limits
     * @throws IllegalArgumentException where it is out of range
     */
    public Limits unsentBytesMax(int bytes) {
        return new Limits(
                targetBytesMax,
                headBytesMax,
                fieldsMax,
                bodyBytesMax,
                streamedBytesMax,
                bytes,
                requestsPerConnectionMax,
                formParametersMax,
                pipelinedPerTurnMax);
    }

    /**
     * As these, with another {@link #requestsPerConnectionMax()}.
     *
     * @param requests 1 or more
     * @return new limits
     * @throws IllegalArgumentException where it is out of range
     */
    public Limits requestsPerConnectionMax(long requests) {
        return new Limits(
                targetBytesMax,
                headBytesMax,
                fieldsMax,
                bodyBytesMax,
                streamedBytesMax,
                unsentBytesMax,
                requests,
                formParametersMax,
                pipelinedPerTurnMax);
    }

    /**
     * As these, with another {@link #formParametersMax()}.
     *
     * @param parameters 1 to 1,000,000
     * @return new limits
     * @throws IllegalArgumentException where it is out of range
     */
    public Limits formParametersMax(int parameters) {
        return new Limits(
                targetBytesMax,
                headBytesMax,
                fieldsMax,
                bodyBytesMax,
                streamedBytesMax,
                unsentBytesMax,
                requestsPerConnectionMax,
                parameters,
                pipelinedPerTurnMax);
    }

    /**
     * As these, with another {@link #pipelinedPerTurnMax()}.
     *
     * @param requests 1 to 10,000
     * @return new limits
     * @throws IllegalArgumentException where it is out of range
     */
    public Limits pipelinedPerTurnMax(int requests) {
        return new Limits(
                targetBytesMax,
                headBytesMax,
                fieldsMax,
                bodyBytesMax,
                streamedBytesMax,
                unsentBytesMax,
                requestsPerConnectionMax,
                formParametersMax,
                requests);
    }

    private static void check(String name, long value, long min, long max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(
                    name + " is " + value + "; it must be " + min + " to " + max);
        }
    }
}
