package io.bareloop.http;

/** Answers requests on a thread of its own, where it may wait: see {@link Blocking}. */
@FunctionalInterface
public interface BlockingHandler {
    /**
     * Returns the response to {@code request}. Runs on a virtual thread; the request is valid until
     * it returns, for this thread. Whether the client is still there, a {@link
     * BlockingStreamHandler} is told.
     *
     * @param request with its whole body, 1 MiB at the most unless {@link Limits#bodyBytesMax} says
     *     otherwise
     * @return the response; not null
     * @throws HttpException to answer with another status
     * @throws Exception anything else is answered 500
     */
    Reply handle(Request request) throws Exception;
}
