package io.bareloop.testkit;

import java.util.function.Predicate;

/** One request, on a connection of its own, while it is answered. Belongs to its thread. */
final class Exchanging {
    /** What a test can keep: more is a response that never ends. */
    private static final int BODY_BYTES_MAX = 64 << 20;

    private final MemoryLoop loop;
    private final TestRequest request;
    private final ResponseReader reader;
    private final MemoryTransport transport;
    private boolean hasMore;
    private Throwable unreadable;

    Exchanging(MemoryLoop loop, TestRequest request) {
        this.loop = loop;
        this.request = request;
        reader = new ResponseReader(request.isHead());
        transport = loop.connection(this::read);
    }

    /** The request arrives, or a part of it. */
    void begin() {
        transport.open(request.arriving());
    }

    /** Throws nothing: it is called amid the handler, who would be taken to have failed. */
    private void read(byte[] bytes) {
        if (unreadable != null || reader.bodyBytes() > BODY_BYTES_MAX) {
            return;
        }
        try {
            reader.read(bytes);
            hasMore = true;
        } catch (RuntimeException | AssertionError | OutOfMemoryError wrong) {
            unreadable = wrong;
        }
    }

    /** Whether the response has ended, or what has come is {@code enough}, which may be null. */
    boolean isOver(Predicate<TestResponse> enough) {
        if (unreadable != null) {
            throw new AssertionError(
                    request + ": this is no response of HTTP/1.1, or too large", unreadable);
        }
        if (reader.bodyBytes() > BODY_BYTES_MAX) {
            throw failed("it is too large");
        }
        if (transport.isClosed()) {
            reader.closed();
            if (!reader.hasBegun()) {
                throw failed("the connection was closed");
            }
            return true;
        }
        if (reader.isDone()) {
            return true;
        }
        boolean asks = enough != null && hasMore && reader.hasBegun();
        hasMore = false;
        return asks && enough.test(response());
    }

    void turn(long untilNanos) throws InterruptedException {
        loop.turn();
        transport.turn(untilNanos);
    }

    TestResponse response() {
        return reader.response(loop.failures());
    }

    /** The client leaves. */
    void end() {
        transport.close();
        loop.ended();
    }

    AssertionError failed(String what) {
        String message = request + ": " + what + "; " + soFar();
        AssertionError error = new AssertionError(message);
        loop.failures().forEach(error::addSuppressed);
        return error;
    }

    private String soFar() {
        if (!reader.hasBegun()) {
            return "the handler has sent nothing: it has suspended the response and not resumed it,"
                    + " or still blocks";
        }
        TestResponse begun = response();
        return "the handler has begun a response of status "
                + begun.status()
                + " and sent "
                + reader.bodyBytes()
                + " bytes of its body, without response.end()"
                + " (sendUntil(...) is for those without an end)";
    }
}
