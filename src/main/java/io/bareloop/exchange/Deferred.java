package io.bareloop.exchange;

import io.bareloop.wire.FileSource;
import io.bareloop.wire.Turn;
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

    private static final Turn.Action NOTHING = () -> {};

    private final Exchange exchange;
    private final Exchanges all;

    /** Made when first needed: most responses are written in their own turn alone. */
    private Deque<Call> calls;

    /** Of the bodies that the calls hold. */
    private int bytes;

    /** A task of the loop is on its way that gives the response its turn. */
    private boolean posted;

    /**
     * A call.
     *
     * @param file what the response is to release, where it is not done; or null
     */
    private record Call(Turn.Action action, int bytes, FileSource file) {}

    Deferred(Exchange exchange, Exchanges all) {
        this.exchange = exchange;
        this.all = all;
    }

    /** Whether a call that holds so many bytes may wait, beside those that do. */
    boolean hasRoom(int more) {
        return calls == null
                || (calls.size() < CALLS_MAX && bytes + (long) more <= all.limits.unsentBytesMax());
    }

    /**
     * Has {@code action} wait for the next turn.
     *
     * @throws IllegalStateException where too much waits already
     */
    void add(Turn.Action action, int more, FileSource file) {
        if (!hasRoom(more)) {
            throw new IllegalStateException(
                    "too much waits for the response's own turn: write only while isWritable(),"
                            + " and less in one turn of another request");
        }
        if (calls == null) {
            calls = new ArrayDeque<>();
        }
        calls.add(new Call(action, more, file));
        bytes += more;
        post();
    }

    private void post() {
        if (posted) {
            return;
        }
        long expected = exchange.serial();
        exchange.transport()
                .execute(
                        () -> {
                            if (exchange.isUse(expected)) {
                                posted = false;
                                exchange.later().resumed(NOTHING);
                            }
                        });
        posted = true;
    }

    /**
     * The turn has begun. Does the calls that wait now; what they call themselves waits for the
     * next turn, lest one that calls for itself keep the loop.
     */
    void run() throws Exception {
        if (calls == null) {
            return;
        }
        for (int i = calls.size(); i > 0 && !calls.isEmpty(); i--) {
            Call call = calls.poll();
            bytes -= call.bytes();
            if (exchange.writer().hasEnded()) {
                release(call);
                continue;
            }
            try {
                call.action().run();
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
        if (calls == null) {
            return;
        }
        while (!calls.isEmpty()) {
            release(calls.poll());
        }
        bytes = 0;
        posted = false;
    }

    private void release(Call call) {
        all.release(call.file());
    }
}
