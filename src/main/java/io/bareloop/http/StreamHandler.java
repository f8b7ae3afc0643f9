package io.bareloop.http;

/**
 * Answers requests whose bodies it takes in pieces, as they arrive, instead of whole.
 *
 * <p>It may begin the response at any of its calls. While the client does not read what has been
 * written, no further pieces are presented, so a handler that writes what it gets needs no buffer.
 * One that hands them to something slower pauses the body: {@link Response#pauseBody}. If it ends
 * the response before the body has ended, the rest of the body is discarded. All calls are on the
 * loop; request and response are valid through all of them. State of one request goes into {@link
 * Request#attach}.
 */
public interface StreamHandler extends Handler {
    /**
     * The head is there. Comes before any piece, and before "100 Continue" is sent; a response
     * begun here takes the place of that, and a client that asked for it may wait a while, or not
     * send its body at all. Where the body is paused here, it is sent when that is resumed.
     *
     * @param request without a body; contentLength says how much is to come
     * @param response to write the response to
     * @throws HttpException to answer with another status
     * @throws Exception anything else is answered 500, or closes the connection where part of the
     *     response has been sent
     */
    void begin(Request request, Response response) throws Exception;

    /**
     * The next bytes of the body, at least one; {@code piece} is valid until this returns.
     *
     * @param request as {@link #begin} had it
     * @param response as {@link #begin} had it
     * @param piece of the body, decoded where it is chunked
     * @throws HttpException to answer with another status
     * @throws Exception anything else is answered 500, or closes the connection where part of the
     *     response has been sent
     */
    void piece(Request request, Response response, ByteView piece) throws Exception;

    /**
     * The body is complete.
     *
     * @param request as {@link #begin} had it
     * @param response as {@link #begin} had it; what was not written by the time that this returns
     *     is written empty, unless the response was suspended or is being streamed
     * @throws HttpException to answer with another status
     * @throws Exception anything else is answered 500, or closes the connection where part of the
     *     response has been sent
     */
    void end(Request request, Response response) throws Exception;

    /**
     * The connection was lost, or the body was refused, before {@link #end} was called.
     *
     * @param request as {@link #begin} had it; valid until this returns
     */
    default void aborted(Request request) {}

    /**
     * As {@link #aborted(Request)}, which this calls, with the reason.
     *
     * @param request as {@link #begin} had it; valid until this returns
     * @param refusal the status with which the body was refused: 400 where it is malformed, 408
     *     where it came too slowly, 413 where it is too large; null where the connection was lost
     */
    default void aborted(Request request, Status refusal) {
        aborted(request);
    }

    @Override
    default Intake intake() {
        return Intake.PIECES;
    }

    /**
     * A request whose body is there as a whole, or that has none: it begins, the body is one piece
     * where there is any, and it ends. So this may be called by another handler, too, which has
     * collected the body, 1 MiB at the most unless {@link Limits#bodyBytesMax} says otherwise.
     */
    @Override
    default void handle(Request request, Response response) throws Exception {
        WholeBody.present(this, request, response, WholeBody.Step.BEGIN);
    }
}
