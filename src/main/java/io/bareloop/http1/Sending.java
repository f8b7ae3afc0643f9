package io.bareloop.http1;

import io.bareloop.exchange.Exchange;
import io.bareloop.exchange.Exchanges;
import io.bareloop.wire.Transport;

/**
 * The response of a connection of which a part of a large body is still to be sent; there is one at
 * most. Its exchange may be over, but for that.
 */
final class Sending {
    private Exchange exchange;

    boolean isPending() {
        return exchange != null;
    }

    /**
     * Sends as much of the rest of {@code newExchange} as goes now.
     *
     * @throws RuntimeException where its memory or file refuses: nothing was sent, and nothing will
     *     be; it stays the caller's
     */
    void begin(Exchange newExchange, Transport transport) {
        exchange = newExchange;
        exchange.restBegun();
        try {
            goOn(transport);
        } catch (RuntimeException | Error refused) {
            exchange = null;
            newExchange.rest().keepWithCaller();
            throw refused;
        }
    }

    /** Sends as much more as goes now. */
    void goOn(Transport transport) {
        exchange.rest().send(transport);
        // Sending may have found that the connection is gone.
        if (exchange != null && exchange.rest().isAllSent()) {
            drop();
        }
    }

    /**
     * As {@link #goOn}, where the handler has long returned.
     *
     * @return false where it failed, which has been reported: its memory was closed before it was
     *     sent, or its file's own code has failed
     */
    boolean goesOn(Transport transport, Exchanges exchanges) {
        boolean failed = false;
        try {
            goOn(transport);
        } catch (Throwable failure) {
            failed = true;
            transport.countError();
            exchanges.report(null, failure);
            drop();
        }
        Thread.interrupted();
        return !failed;
    }

    /** Nothing more of it is sent. */
    void drop() {
        Exchange sent = exchange;
        if (sent != null) {
            exchange = null;
            sent.restEnded();
        }
    }
}
