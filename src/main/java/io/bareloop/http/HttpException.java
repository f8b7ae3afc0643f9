package io.bareloop.http;

/**
 * Thrown by a handler, or by a method that a handler calls, to answer with an error status.
 *
 * <p>It is control flow, not a defect: it has no stack trace, and is not reported as a failure.
 */
public final class HttpException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What to answer with. */
    private final Status status;

    /**
     * An answer with {@code status}, which is not null.
     *
     * @param status 4xx or 5xx, as a rule; any from 200 on is sent
     * @param message goes into the body of the response, behind code and reason; null for none
     * @throws IllegalArgumentException where the status is 1xx
     */
    public HttpException(Status status, String message) {
        super(message, null, false, false);
        this.status = status.checkFinal();
    }

    /** {@return the status to answer with} */
    public Status status() {
        return status;
    }
}
