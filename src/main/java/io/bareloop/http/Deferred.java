package io.bareloop.http;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What was called on a response in the turns of others, on its own loop: done when its own turn
 * comes, in the order of the calls, and before whatever else that turn is for. Belongs to the
 * loop's thread.
 */
final class Deferred {
    /** Calls that may wait for one response's turn. */
    private static final int CALLS_MAX = 10_000;

    private static final Handler NOTHING = (request, response) -> {};

    private final Exchange exchange;
    private final Http1 http;
    private final Deque<Call> calls = new ArrayDeque<>();

    /** Of the bodies that the calls hold. */
    private int bytes;

    /** A task of the loop is on its way that gives the response its turn. */
    private boolean posted;

    /**
     * A call.
     *
     * @param file what the response is to release, where it is not done; or null
     */
    private record Call(Handler action, int bytes, FileBody file) {}

    Deferred(Exchange exchange, Http1 http) {
        this.exchange = exchange;
        this.http = http;
    }

    /** Whether a call that holds so many bytes may wait, beside those that do. */
    boolean hasRoom(int more) {
        return calls.size() < CALLS_MAX && bytes + (long) more <= http.limits.unsentBytesMax();
    }

    void add(Handler action, int more, FileBody file) {
        calls.add(new Call(action, more, file));
        bytes += more;
        post();
    }

    private void post() {
        if (posted) {
            return;
        }
        long expected = exchange.serial;
        HttpConnection connection = exchange.connection;
        connection
                .transport()
                .execute(
                        () -> {
                            if (exchange.serial == expected && exchange.connection != null) {
                                posted = false;
                                connection.resumed(exchange, NOTHING);
                            }
                        });
        posted = true;
    }

    /**
     * The turn has begun. Does the calls that wait now; what they call themselves waits for the
     * next turn, lest one that calls for itself keep the loop.
     */
    void run() throws Exception {
        for (int i = calls.size(); i > 0 && !calls.isEmpty(); i--) {
            Call call = calls.poll();
            bytes -= call.bytes();
            if (exchange.response.hasEnded()) {
                release(call);
                continue;
            }
            try {
                call.action().handle(exchange.request, exchange.response);
            } catch (Throwable failure) {
                // Nobody is left to release it: to its caller the call has come to an end.
                release(call);
                throw failure;
            }
        }
        if (!calls.isEmpty()) {
            post();
        }
    }

    /** The exchange is over: what waits is for nobody any more. */
    void forget() {
        while (!calls.isEmpty()) {
            release(calls.poll());
        }
        bytes = 0;
        posted = false;
    }

    private void release(Call call) {
        if (call.file() != null) {
            try {
                call.file().release();
            } catch (Throwable failure) {
                http.report(failure);
            }
        }
    }
}
