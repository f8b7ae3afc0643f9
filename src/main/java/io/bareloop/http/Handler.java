package io.bareloop.http;

/** Answers requests. */
@FunctionalInterface
public interface Handler {
    /**
     * Answers {@code request} by writing {@code response}, or arranges for that to happen later:
     * see {@link Response#suspend}, {@link Response#stream}, {@link Blocking}.
     *
     * <p>Called when the request is there as a whole, with its body. Runs on the loop: it must not
     * block, for all connections of the loop wait meanwhile. Both arguments are valid until it
     * returns, or until the response has ended where that comes later.
     *
     * @param request the request, with its body
     * @param response to write the response to
     * @throws HttpException to answer with another status, before anything of the response was sent
     * @throws Exception anything else is answered 500; or closes the connection, where part of the
     *     response has been sent
     */
    void handle(Request request, Response response) throws Exception;

    /** What a handler wants of the body of a request. */
    enum Intake {
        /** All of it, before it is called; {@link Limits#bodyBytesMax} bounds it. */
        WHOLE,
        /** Each piece as it arrives: for a {@link StreamHandler} only. */
        PIECES,
        /** Nothing: it is called when the head is there, and the body is discarded. */
        NONE
    }

    /**
     * What this handler wants of the body of a request.
     *
     * @return the same each time
     */
    default Intake intake() {
        return Intake.WHOLE;
    }

    /**
     * Returns the handler that will answer {@code request}, of which only the head is there. A
     * handler that chooses among others, as {@link Router} does, says here which it is, so that
     * each of them gets its body as it wants it ({@link #intake}). Called first for every request;
     * what it returns is then called, and not asked again.
     *
     * @param request of which there is no body yet
     * @return the handler; not null
     * @throws HttpException to answer with another status
     */
    default Handler route(Request request) {
        return this;
    }
}
