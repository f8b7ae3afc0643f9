package io.bareloop.loop;

/** How far the life of a connection has come; see {@link Connection}. */
enum Life {
    /** There is no descriptor, and nothing else. */
    CLOSED,
    /** Input is taken. */
    OPEN,
    /** What is unsent is sent first; input is not taken any more. */
    CLOSING,
    /** The same, but the peer may still be sending, and has a moment for it. */
    CLOSING_SLOWLY,
    /** All is sent; what the peer sends is discarded. */
    LINGERING
}
