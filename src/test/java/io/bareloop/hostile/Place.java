package io.bareloop.hostile;

/** Where user code throws: each place is called by another way of the server. */
enum Place {
    AT_ABORT,
    AT_ABORTED,
    AT_BEGIN,
    AT_BLOCKING,
    AT_END,
    AT_EXECUTE,
    AT_HANDLE,
    /** After the response has ended. */
    AT_LATE,
    /** After a part of the response has been written. */
    AT_MIDWAY,
    AT_PIECE,
    AT_RESUME,
    AT_ROUTE,
    AT_TICK,
    AT_WRITABLE;

    /** Whether the request needs a body for the code to be called. */
    boolean needsBody() {
        return switch (this) {
            case AT_ABORTED, AT_BEGIN, AT_END, AT_PIECE, AT_ROUTE -> true;
            default -> false;
        };
    }
}
