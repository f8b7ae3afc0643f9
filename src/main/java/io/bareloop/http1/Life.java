package io.bareloop.http1;

/** How far the life of a connection has come; see {@link Http1Connection}. */
enum Life {
    OPEN,
    DRAINING,
    /** It ends when all is sent. */
    CLOSING,
    /** The same, and slowly, for the peer may still be sending. */
    CLOSING_SLOWLY,
    CLOSED;

    boolean isClosing() {
        return compareTo(CLOSING) >= 0;
    }
}
