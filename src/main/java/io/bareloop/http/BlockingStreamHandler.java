package io.bareloop.http;

/**
 * Answers requests on a thread of its own, with the bodies of request and response as streams of
 * any length: see {@link Blocking#streaming(BlockingStreamHandler)}.
 */
@FunctionalInterface
public interface BlockingStreamHandler {
    /**
     * Answers {@code request}. Runs on a virtual thread, from when the head of the request is
     * there. Returning ends the response, so the stream of its body need not be closed; better is
     * it not, for a try that closes it makes a response look whole which an exception cut short.
     *
     * @param request without its body; valid until this returns, for this thread
     * @param exchange the body of the request, and the response
     * @throws HttpException to answer with another status, before anything of the response was sent
     * @throws Exception anything else is answered 500; or closes the connection, where a part of
     *     the response has been sent. Where the client is gone, it is nobody's
     */
    void handle(Request request, BlockingExchange exchange) throws Exception;
}
