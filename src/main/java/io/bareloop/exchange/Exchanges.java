package io.bareloop.exchange;

import io.bareloop.http.ByteView;
import io.bareloop.http.Limits;
import io.bareloop.http.Request;
import io.bareloop.wire.Checks;
import io.bareloop.wire.FileSource;
import io.bareloop.wire.Head;
import io.bareloop.wire.Slab;
import io.bareloop.wire.Span;
import io.bareloop.wire.Writer;
import java.lang.foreign.MemorySegment;
import java.util.function.Function;

/**
 * The exchanges of one loop, of which those that are over are used again, and what they share.
 * Belongs to the loop's thread.
 */
public final class Exchanges {
    /**
     * Exchanges that are kept for the next requests; a burst of more leaves the others to the heap.
     */
    private static final int SPARE_MAX = 64;

    final Limits limits;
    final Application application;
    final Slab slab;

    /** Null where nobody wants to know. */
    final Completions completions;

    private final Function<Exchange, Writer> writers;

    /** The number of the loop's thread, once there has been a request. */
    long thread;

    /**
     * For requests that come to their end in the call in which they are received; null where the
     * last one outlived that.
     */
    private Exchange atHand;

    private Span span = new Span();
    private ByteView piece = new ByteView(span);

    private final Exchange[] spare = new Exchange[SPARE_MAX];
    private int spareCount;

    /** Made when first needed. */
    private Request standIn;

    /** What the last head that is not used again has left; or null. */
    private long[] fieldsOfRetired;

    /**
     * Creates the exchanges of one loop.
     *
     * @param slab memory for requests that are not answered at once
     * @param application what answers the requests, and hears of them
     * @param writers makes the writer of an exchange, in the protocol's format
     */
    public Exchanges(
            Limits limits, Slab slab, Application application, Function<Exchange, Writer> writers) {
        this.limits = limits;
        this.slab = slab;
        this.application = application;
        this.writers = writers;
        completions =
                application.completions() == null
                        ? null
                        : new Completions(
                                application.completions(), failure -> report(null, failure));
        atHand = newExchange(new Head(limits.fieldsMax()));
    }

    /** An empty request, for who has to be shown one and cannot be shown the one at hand. */
    Request standIn() {
        if (standIn == null) {
            Head head = new Head(0);
            head.clear();
            head.standIn();
            standIn = new Request(head, limits, application.proxies());
        }
        return standIn;
    }

    private Exchange newExchange(Head head) {
        return new Exchange(this, head, writers);
    }

    /** The exchange of the next request: the one that is at hand, or another. */
    public Exchange next() {
        Exchange next = atHand;
        return next != null ? next : another();
    }

    private Exchange another() {
        if (spareCount > 0) {
            atHand = spare[--spareCount];
        } else if (fieldsOfRetired != null) {
            atHand = newExchange(new Head(fieldsOfRetired));
            fieldsOfRetired = null;
        } else {
            atHand = newExchange(new Head(limits.fieldsMax()));
        }
        return atHand;
    }

    // ---- their ends

    /** For a connection; null where nobody wants to know. */
    public CompletionChain newCompletions() {
        return completions == null ? null : new CompletionChain();
    }

    /** What stands in [from, to) of {@code in} is no head, or none yet. */
    public void noHead(Carrier carrier, MemorySegment in, int from, int to) {
        if (completions != null) {
            completions.noHead(carrier.completions(), in, from, to);
        }
    }

    /** Something of what {@code carrier} had to send may have been sent. */
    public void sending(Carrier carrier) {
        if (completions != null) {
            completions.due(carrier.completions());
        }
    }

    /** A turn of the loop has ended. */
    public void turnEnded() {
        if (completions != null) {
            completions.turnEnded();
        }
    }

    /**
     * The connection of {@code carrier} is gone, and with it the request at hand, where that is one
     * of it: its answer has failed so badly that it has not come to its end.
     */
    public void closed(Carrier carrier) {
        if (atHand != null && atHand.isOf(carrier)) {
            atHand.abort();
        }
        if (completions != null) {
            completions.closed(carrier.completions());
        }
    }

    /** Whoever's turn it was, it is over: the connection has come to its end in it. */
    public void endTurn() {
        if (atHand != null) {
            atHand.loseTurn();
        }
    }

    /**
     * The loop has ended: whoever kept a request finds it over, and not in memory that is freed.
     */
    public void ended() {
        if (atHand != null) {
            atHand.head().expire();
        }
    }

    /** {@code used} outlasts the call: the next request gets another one. */
    void handOver(Exchange used) {
        if (used == atHand) {
            atHand = null;
        }
    }

    /** {@code used} is over, and nobody reads it any more. */
    void recycle(Exchange used, boolean known) {
        if (known || Checks.ENABLED) {
            // Never used again, so that a late use is seen.
            handOver(used);
            fieldsOfRetired = used.head().retire();
        } else if (used.rest().isPending()) {
            // Used again once that is sent.
            handOver(used);
        } else {
            reuse(used);
        }
    }

    void reuse(Exchange used) {
        if (used != atHand && spareCount < SPARE_MAX) {
            spare[spareCount++] = used;
        }
    }

    /**
     * Tells of what user code has thrown. What the log throws itself is nobody's loss but its.
     *
     * @param request that is still valid, or null
     */
    public void report(Request request, Throwable failure) {
        try {
            application.failures().failed(request, failure);
        } catch (Throwable ofTheLog) {
            // The request has its answer all the same.
        }
    }

    /** Runs what user code has asked for, if anything; what it throws is reported. */
    void tell(Runnable action) {
        if (action == null) {
            return;
        }
        try {
            action.run();
        } catch (Throwable failure) {
            report(null, failure);
        }
        Exchange.endUserCode();
    }

    /** Ends a use of {@code file}, if there is one; its own code may fail. */
    void release(FileSource file) {
        if (file == null) {
            return;
        }
        try {
            file.release();
        } catch (Throwable failure) {
            report(null, failure);
        }
    }

    /** A view of a piece of a body; the one before has come to its end. */
    ByteView piece(MemorySegment in, int start, int length) {
        if (Checks.ENABLED) {
            span = new Span();
            piece = new ByteView(span);
        }
        span.set(in, start, length);
        return piece;
    }

    void pieceEnded() {
        span.expire();
    }
}
