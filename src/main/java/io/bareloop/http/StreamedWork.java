package io.bareloop.http;

/**
 * One request of a {@link BlockingStreamHandler}: the loop's side of it, and what its thread runs.
 * Used once.
 */
final class StreamedWork implements StreamHandler {
    private static final HeaderName EXPECT = HeaderName.of("Expect");

    private final Blocking bound;
    private final BlockingStreamHandler handler;
    private BlockingExchange exchange;

    StreamedWork(Blocking bound, BlockingStreamHandler handler) {
        this.bound = bound;
        this.handler = handler;
    }

    @Override
    public void begin(Request request, Response response) {
        bound.enter();
        boolean started = false;
        Suspended suspended = null;
        try {
            suspended = response.suspend();
            suspended.retain();
            exchange = new BlockingExchange(suspended, request.contentLength());
            if (request.header(EXPECT) != null) {
                exchange.body.waitForReader(response);
            }
            Thread thread = Thread.ofVirtual().unstarted(() -> work(request));
            suspended.onEnd(() -> exchange.over(thread));
            thread.start();
            started = true;
        } finally {
            if (!started) {
                bound.leave();
                if (suspended != null) {
                    suspended.unretain();
                }
            }
        }
    }

    @Override
    public void piece(Request request, Response response, ByteView piece) {
        exchange.body.arrives(response, piece);
    }

    @Override
    public void end(Request request, Response response) {
        exchange.body.complete();
    }

    @Override
    public void aborted(Request request, Status refusal) {
        if (exchange != null && refusal != null) {
            exchange.body.end("the body was refused: " + refusal.code() + " " + refusal.reason());
        }
    }

    /** On the virtual thread. Retained, the request cannot be used for another one meanwhile. */
    private void work(Request request) {
        Throwable failure = null;
        try {
            handler.handle(request, exchange);
        } catch (Throwable thrown) {
            // All of them: without an answer the connection would wait for ever.
            failure = thrown;
        }
        try {
            exchange.returned(failure);
        } finally {
            bound.leave();
        }
    }
}
