package io.bareloop.http;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Thrown by a handler, or by a method that a handler calls, to answer with an error status.
 *
 * <p>The answer is what the server has for that status ({@code HttpServer.Builder.error}); without
 * that a page, a line of text or application/problem+json (RFC 9457), as Accept says. The
 * connection goes on, unless that is a 5xx ({@link #isLast}).
 *
 * <p>It is control flow, not a defect: it has no stack trace, and is not reported as a failure. So
 * one object may be thrown again and again, on any thread.
 */
public final class HttpException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private static final int CODE_MAX = 599;

    /** By code, without a message: the pages of these are made once. */
    private static final AtomicReferenceArray<HttpException> PLAIN =
            new AtomicReferenceArray<>(CODE_MAX + 1);

    // Transient: an answer is for the server at hand, and stays in it.
    private final transient Status status;
    private final transient Fields fields;

    /** Null where the answer is put together each time. */
    private final transient ErrorPage page;

    /**
     * An answer with {@code status}, which is not null.
     *
     * @param status 4xx or 5xx, as a rule; any from 200 on is sent
     * @param message goes into the body of the response, behind code and reason; null for none
     * @throws IllegalArgumentException where the status is 1xx
     */
    public HttpException(Status status, String message) {
        this(status, message, Fields.NONE, null, null);
    }

    /**
     * As above, with fields of the response: Retry-After, WWW-Authenticate and the like.
     *
     * @param status 4xx or 5xx, as a rule; any from 200 on is sent
     * @param message goes into the body of the response, behind code and reason; null for none
     * @param fields of the response, whatever its body will be; not null, see {@link Fields#NONE}
     * @throws IllegalArgumentException where the status is 1xx
     */
    public HttpException(Status status, String message, Fields fields) {
        this(status, message, fields, null, null);
    }

    /**
     * As {@link #HttpException(Status, String)}, with what led to it.
     *
     * @param status 4xx or 5xx, as a rule; any from 200 on is sent
     * @param message goes into the body of the response, behind code and reason; null for none
     * @param cause is not sent; null for none
     * @throws IllegalArgumentException where the status is 1xx
     */
    public HttpException(Status status, String message, Throwable cause) {
        this(status, message, Fields.NONE, cause, null);
    }

    /** Of {@code page}, which it is the answer with. */
    HttpException(Status status, String message, Fields fields, ErrorPage page) {
        this(status, message, fields, null, page);
    }

    private HttpException(
            Status status, String message, Fields fields, Throwable cause, ErrorPage page) {
        super(message, cause, false, false);
        this.status = status.checkFinal();
        this.fields = Objects.requireNonNull(fields, "fields");
        this.page = page;
    }

    /**
     * The answer with {@code status} and no more. For a code, it is always the same object.
     *
     * @param status 4xx or 5xx, as a rule; any from 200 on is sent
     * @return the exception, to be thrown
     * @throws IllegalArgumentException where the status is 1xx
     */
    public static HttpException of(Status status) {
        HttpException known = PLAIN.get(status.code());
        if (known == null) {
            PLAIN.compareAndSet(
                    status.code(), null, ErrorPage.of(Status.of(status.code())).exception());
            known = PLAIN.get(status.code());
        }
        return known;
    }

    /** {@return the status to answer with} */
    public Status status() {
        return status;
    }

    /**
     * {@return whether the connection ends behind the answer} So it is with a 5xx of a handler,
     * which says that something has failed; but not with an {@link ErrorPage}, as {@link #of} has
     * one.
     */
    public boolean isLast() {
        return status.code() >= 500 && page == null;
    }

    /** {@return fields of the response, whatever its body will be} */
    public Fields fields() {
        return fields;
    }

    /**
     * Answers with what a server sends by itself: a page, a line of text, or
     * application/problem+json, as Accept says. For an {@link ErrorHandler} that wants it so. The
     * fields are not among what this writes: they are in the response already.
     *
     * @param request of which Accept is read
     * @param response of which nothing has been written
     * @throws IllegalStateException where the response has begun
     */
    public void answer(Request request, Response response) {
        if (page != null) {
            response.send(page.choose(request));
        } else if (getMessage() == null
                && status.reason().equals(Status.of(status.code()).reason())) {
            response.send(of(status).page.choose(request));
        } else {
            ErrorPage.write(status, getMessage(), request, response);
        }
    }
}
