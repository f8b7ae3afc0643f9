package io.bareloop.http;

/**
 * Answers requests whose handler has thrown an exception of one kind: {@code
 * HttpServer.Builder.exception}.
 *
 * @param <T> the kind
 */
@FunctionalInterface
public interface ExceptionHandler<T extends Throwable> {
    /**
     * Answers {@code request}. The status is 500, unless {@link Response#status Response.status} is
     * called. Runs on the loop, and has to end the response before it returns.
     *
     * @param request whose handler has failed
     * @param response of which nothing has been written
     * @param failure that was thrown; it is not reported to the {@link FailureListener}
     * @throws HttpException to answer with that error
     * @throws Exception anything else is reported, and answered 500
     */
    void handle(Request request, Response response, T failure) throws Exception;
}
