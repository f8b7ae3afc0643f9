package io.bareloop.exchange;

import io.bareloop.wire.Transport;

/**
 * What carries exchanges over a connection: a protocol. It knows the connection, and an exchange
 * knows the request. Belongs to the loop's thread.
 */
public interface Carrier {
    /** Of the connection; null once that is gone. */
    Transport transport();

    /** The exchange outlasts the call in which it was received: its response is still open. */
    void keep(Exchange exchange);

    /** Whether {@code exchange} is one that was kept, and its connection has not begun to close. */
    boolean carries(Exchange exchange);

    /** Whether bytes of the request's body are still to come. */
    boolean awaitsBody();

    /** No more of the body of {@code exchange} is taken, where some is to come. */
    void pauseBody(Exchange exchange);

    /** It is taken again. */
    void resumeBody(Exchange exchange);

    /** Whether the client has ended its sending side, as far as is known. */
    boolean hasHungUp();

    /** Whether the connection is to end when what is in flight has. */
    boolean isDraining();

    /** The connection cannot go on behind this response. */
    void closeAfterResponse();

    /** What is left of a large body is not sent any more. */
    void dropRest();

    /**
     * The exchange is over. Whatever was kept of it is forgotten.
     *
     * @return whether it was one that was kept
     */
    boolean forget(Exchange exchange);

    /**
     * The response has ended, the exchange is over: what comes next?
     *
     * @param failed whether the client may be in the middle of something
     */
    void next(boolean failed);

    /** Those of its requests that are over but for their end; null where nobody wants to know. */
    CompletionChain completions();

    /** A turn of a kept exchange, outside the call in which input comes, has ended. */
    void turnEnded();
}
