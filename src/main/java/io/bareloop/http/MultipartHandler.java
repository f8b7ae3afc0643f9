package io.bareloop.http;

/**
 * Takes a form of multipart/form-data, with files of any size, on the loop: an {@link Upload} for
 * each request is told what is in it as it arrives, and then answers.
 *
 * <pre>{@code
 * router.post("/photos", MultipartHandler.of(limits, request -> new SavedPhotos(directory)))
 * }</pre>
 *
 * <p>What is too large, malformed or of another type is answered by the handler itself, with 413,
 * 400 or 415; the message says what is wrong. It uses {@link Request#attach} itself. The server's
 * {@link Limits#streamedBytesMax} holds, too.
 *
 * <p>For any number of loops and servers.
 */
public final class MultipartHandler implements StreamHandler {
    /**
     * One request: is told what its form has, and answers.
     *
     * <pre>
     *   (field | begin piece* end)* complete answer
     * </pre>
     *
     * <p>All calls are on the loop: work that waits for long is not for them.
     */
    public interface Upload extends MultipartListener {
        /**
         * All of the form has been read.
         *
         * @param request the request, without a body
         * @param response to write the response to; as in {@link StreamHandler#end}
         * @throws HttpException to answer with another status
         * @throws Exception anything else is answered 500
         */
        void answer(Request request, Response response) throws Exception;

        /**
         * The form does not come to its end, or has failed: the connection was lost, the body
         * refused, or a method of this, {@link #answer} among them, has thrown. The last call, made
         * at most once: the place to close and delete files.
         *
         * @throws Exception which is reported as a failure
         */
        default void aborted() throws Exception {}
    }

    /** Makes an {@link Upload} for each request. */
    @FunctionalInterface
    public interface Uploads {
        /**
         * A request of the right type has begun. Called on the loop, before "100 Continue" is sent.
         *
         * @param request its head; valid as in {@link StreamHandler#begin}
         * @return what takes its form
         * @throws HttpException to refuse it with another status
         * @throws Exception anything else is answered 500
         */
        Upload begin(Request request) throws Exception;
    }

    private record Work(Upload upload, MultipartReader reader) {}

    private final MultipartLimits limits;
    private final Uploads uploads;

    private MultipartHandler(MultipartLimits limits, Uploads uploads) {
        this.limits = limits;
        this.uploads = uploads;
    }

    /**
     * Makes a handler.
     *
     * @param limits of each form
     * @param uploads called once for each request
     * @return the handler
     */
    public static MultipartHandler of(MultipartLimits limits, Uploads uploads) {
        return new MultipartHandler(limits, uploads);
    }

    @Override
    public void begin(Request request, Response response) throws Exception {
        Boundary boundary = Boundary.of(request);
        if (request.contentLength() > limits.bodyBytesMax()) {
            throw new HttpException(
                    Status.CONTENT_TOO_LARGE,
                    "a body of more than " + limits.bodyBytesMax() + " bytes");
        }
        Upload upload = uploads.begin(request);
        request.attach(new Work(upload, new MultipartReader(boundary, limits, upload)));
    }

    @Override
    public void piece(Request request, Response response, ByteView piece) throws Exception {
        Work work = (Work) request.attachment();
        try {
            work.reader.feed(piece);
        } catch (Throwable failure) {
            abort(request, work, failure);
            throw failure;
        }
    }

    @Override
    public void end(Request request, Response response) throws Exception {
        Work work = (Work) request.attachment();
        try {
            work.reader.end();
            work.upload.answer(request, response);
        } catch (Throwable failure) {
            abort(request, work, failure);
            throw failure;
        }
    }

    @Override
    public void aborted(Request request) {
        // Not where it was refused before there was one.
        if (request.attachment() instanceof Work work) {
            try {
                work.upload.aborted();
            } catch (RuntimeException failure) {
                throw failure;
            } catch (Exception failure) {
                throw new IllegalStateException("an upload failed to end", failure);
            }
        }
    }

    /** The server does not say so of what a handler throws itself. */
    private static void abort(Request request, Work work, Throwable failure) {
        try {
            request.attach(null);
            work.upload.aborted();
        } catch (Exception again) {
            failure.addSuppressed(again);
        }
    }
}
