package io.bareloop.hostile;

import io.bareloop.http.Completion;
import io.bareloop.http.CompletionListener;
import io.bareloop.http.Handler;
import io.bareloop.http.Request;
import io.bareloop.http.Response;

/**
 * Counts the requests of one loop that have begun, and those that have come to their end: each of
 * them once, however many of them were cut off, by whatever.
 */
final class Ends implements CompletionListener {
    private final Handler handler;
    private long begun;
    private long ended;

    /** Those of which nothing is known: the heap was full. */
    private long unknown;

    Ends(Handler handler) {
        this.handler = handler;
    }

    /** The handler of the loop, all of whose requests are counted. */
    Handler handler() {
        return new Handler() {
            @Override
            public Handler route(Request request) {
                begun++;
                return handler.route(request);
            }

            @Override
            public void handle(Request request, Response response) {
                throw new AssertionError("it is routed to another");
            }
        };
    }

    @Override
    public void completed(Completion completion) {
        if (completion.minorVersion() >= 0) {
            ended++;
        } else if (completion.target().isEmpty()) {
            unknown++;
        }
    }

    /** What is wrong, or null; on the loop, when it has no connections. */
    String complaint() {
        return ended > begun || ended + unknown < begun
                ? begun + " requests have begun, " + ended + " ended, " + unknown + " unknown"
                : null;
    }
}
