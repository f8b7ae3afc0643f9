package io.bareloop.hostile;

/** How a client behaves, for the time of a connection. */
enum ClientKind {
    /** Hundreds of connections at once, each with a part of a request; some go on. */
    CROWD,
    /** Sends all of a large body, and reads only afterwards. */
    DEAF,
    /** Asks for a series of large bodies at once, and reads them as fast as it can. */
    GREEDY,
    /** Sends a part of a body, and then the end of its output, or the end. */
    HALF_BODY,
    /** Ends its output behind its requests, and reads all responses. */
    HALF_CLOSING,
    /** Waits for responses that others write, or leaves meanwhile. */
    LISTENING,
    /** Sends what is no request, behind some that are. */
    MALFORMED,
    /** Asks for large bodies, and does not read them for long. */
    NEVER_READING,
    /** Sends too much of something. */
    OVERSIZED,
    /** Sends its requests at once. */
    PIPELINING,
    /** One request after another. */
    POLITE,
    /** Leaves in the midst of it by a reset. */
    RESETTING,
    /** Sends and reads a few bytes at a time. */
    SLOW,
    /** Sends a part of a head, and waits. */
    UNFINISHED,
    /** Sends bodies, in pieces. */
    UPLOADING,
    /** Connects and leaves. */
    VANISHING
}
