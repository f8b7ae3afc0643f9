package io.bareloop.http;

/**
 * Answers in the place of the pages that a server has for errors: {@code HttpServer.Builder.error}.
 */
@FunctionalInterface
public interface ErrorHandler {
    /**
     * Answers {@code error}. The response has its status already, unless {@link Response#status
     * Response.status} is called: {@code response.contentType(MediaType.HTML).body(page)} is
     * enough. Runs on the loop, and has to end the response before it returns.
     *
     * <p>What is no valid request (400, 408, 414, 431 and the like, before any handler) comes here
     * too: {@code request} is an empty one then, {@code GET /} without fields. So it is where a
     * body is refused that a handler reads on a thread of its own ({@link Blocking#streaming}).
     *
     * <p>A page of one's own for browsers, and what the server has for all others:
     *
     * <pre>{@code
     * (request, response, error) ->
     *         ErrorPage.of(error.status(), Fields.NONE, error.getMessage(), "<p>Try again.</p>")
     *                 .exception()
     *                 .answer(request, response)
     * }</pre>
     *
     * @param request that could not be answered
     * @param response of which nothing has been written; fields of filters, and of the error, are
     *     in it already
     * @param error its status and message; {@link HttpException#answer} writes what the server
     *     would
     * @throws Exception to have the server's own page instead; reported as a failure
     */
    void handle(Request request, Response response, HttpException error) throws Exception;
}
