package io.bareloop.exchange;

import io.bareloop.http.CompletionListener;
import io.bareloop.http.HeaderName;
import io.bareloop.http.Request;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/**
 * Tells of the requests of one loop that have come to their end: when the last byte of the response
 * is with the kernel, or the connection is gone. What is known of a request is copied when its
 * exchange is over, and waits in the chain of its connection.
 *
 * <pre>
 *   free --over--> in a chain --turn ends, all is sent--> told of --> free
 *    |                 |  ^
 *    |                 |  +-- turn ends, not all is sent: until there is room to write
 *    |                 +--connection is gone--> told of --> free
 *    +--a part of a head--> head of a chain --whole--> free, or --refused--> in a chain
 * </pre>
 *
 * <p>Belongs to the loop's thread. Not even a full heap makes it miss a request, though it may not
 * know what was asked then.
 */
final class Completions {
    /** Kept for the next requests; a burst of more leaves the others to the heap. */
    private static final int FREE_MAX = 256;

    /** There from the beginning. */
    private static final int FREE_MIN = 16;

    private final CompletionListener listener;
    private final HeaderName[] names;
    private final Consumer<Throwable> failures;

    private Completed free;
    private int freeCount;

    /** For where the heap has no room for another. */
    private final Completed reserve;

    private CompletionChain firstDue;

    /** Completions of one loop; what {@code listener} throws goes to {@code failures}. */
    Completions(CompletionListener listener, Consumer<Throwable> failures) {
        this.listener = listener;
        this.failures = failures;
        names = listener.fields().toArray(HeaderName[]::new);
        reserve = new Completed(names);
        for (int i = 0; i < FREE_MIN; i++) {
            give(new Completed(names));
        }
    }

    private Completed take() {
        Completed taken = free;
        if (taken == null) {
            return new Completed(names);
        }
        free = taken.next;
        freeCount--;
        taken.next = null;
        return taken;
    }

    private void give(Completed given) {
        if (freeCount < FREE_MAX) {
            freeCount++;
            given.next = free;
            free = given;
        }
    }

    // ---- what becomes of a request

    /** What stands in [from, to) of {@code in} is no head, or none yet. */
    void noHead(CompletionChain chain, MemorySegment in, int from, int to) {
        try {
            if (chain.head == null) {
                chain.head = take();
            }
            chain.head.line(in, from, to);
        } catch (OutOfMemoryError full) {
            // Then it is not known what was asked.
        }
    }

    /** A head is there as a whole, or stands in for one that is not. */
    void begun(Exchange exchange) {
        // The kernel does not know it any more when the connection is lost.
        exchange.transport().peer();
        CompletionChain chain = exchange.carrier().completions();
        if (chain.head != null && !exchange.head().isStandIn()) {
            dropHead(chain);
        }
    }

    private void dropHead(CompletionChain chain) {
        Completed head = chain.head;
        if (head != null) {
            chain.head = null;
            give(head);
        }
    }

    /** A copy of what is to be told of {@code request}, for which it is too late at its end. */
    Completed copyOf(Request request) {
        Completed copy = take();
        copy.request(request);
        return copy;
    }

    /**
     * The exchange is over.
     *
     * @param copy of the request, or null
     * @param hasEnded whether its response has come to its end
     */
    void over(Exchange exchange, Request request, Completed copy, boolean hasEnded) {
        Carrier carrier = exchange.carrier();
        CompletionChain chain = carrier.completions();
        chain.carrier = carrier;
        Completed completed = copy;
        try {
            if (exchange.head().isStandIn()) {
                completed = chain.head;
                chain.head = null;
                if (completed == null) {
                    completed = take();
                    completed.clear();
                }
                completed.client(request);
            } else if (completed == null) {
                completed = take();
                completed.request(request);
            }
        } catch (Throwable failure) {
            // The heap is full, or the stack.
            completed = completed != null ? completed : reserve;
            completed.clear();
        }
        completed.answered(
                exchange.writer(),
                carrier.transport().outputBytes() + exchange.rest().left(),
                hasEnded,
                exchange.startNanos());
        if (completed == reserve) {
            tell(completed, carrier.transport().sentBytes());
            return;
        }
        chain.add(completed);
        due(chain);
    }

    /** What is sent in this turn may be what the responses in {@code chain} wait for. */
    void due(CompletionChain chain) {
        if (!chain.isDue && !chain.isEmpty()) {
            chain.isDue = true;
            chain.nextDue = firstDue;
            firstDue = chain;
        }
    }

    /** A turn of the loop has ended: tells of what has been sent in it. */
    void turnEnded() {
        if (firstDue == null) {
            return;
        }
        long nowNanos = System.nanoTime();
        long nowMillis = System.currentTimeMillis();
        while (firstDue != null) {
            CompletionChain chain = firstDue;
            firstDue = chain.nextDue;
            chain.nextDue = null;
            chain.isDue = false;
            while (!chain.isEmpty()) {
                long sentBytes = chain.carrier.transport().sentBytes();
                if (!chain.first.isSent(sentBytes)) {
                    break;
                }
                tell(chain.take(), sentBytes, nowNanos, nowMillis);
            }
        }
    }

    /** The connection is gone, and what it has not sent will never be. */
    void closed(CompletionChain chain) {
        dropHead(chain);
        while (!chain.isEmpty()) {
            tell(chain.take(), chain.carrier.transport().sentBytes());
        }
        chain.carrier = null;
    }

    private void tell(Completed completed, long sentBytes) {
        tell(completed, sentBytes, System.nanoTime(), System.currentTimeMillis());
    }

    private void tell(Completed completed, long sentBytes, long nowNanos, long nowMillis) {
        completed.end(sentBytes, nowNanos, nowMillis);
        try {
            listener.completed(completed);
        } catch (Throwable failure) {
            failures.accept(failure);
        }
        Exchange.endUserCode();
        if (completed != reserve) {
            completed.forget();
            give(completed);
        }
    }
}
