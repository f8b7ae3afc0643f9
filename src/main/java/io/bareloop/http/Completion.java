package io.bareloop.http;

/**
 * How a request came to its end: what was asked, what was answered, and whether that has left. A
 * view for one call of {@link CompletionListener#completed}: it and the views it gives out are
 * valid until that returns, on its thread only. The server implements it; tests may.
 *
 * <p>Where what came was no valid request, {@link #method} is null and {@link #target} is its first
 * line as it came. Nothing here allocates, except what says so.
 */
public interface Completion {
    /** {@return the method; null where there was no valid request} */
    Method method();

    /**
     * The target of the request as it was sent. Without a valid request, the first line as far as
     * it has come, without its end, and 1024 bytes of it at the most: whatever bytes these are.
     *
     * @return a view of it; empty where nothing had come, or no memory was left to keep it
     */
    ByteView target();

    /** {@return the minor version of HTTP/1: 0 or 1; -1 where there was no valid request} */
    int minorVersion();

    /** {@return the code of the status, 200 to 599; 0 where no response had begun} */
    int status();

    /**
     * Bytes of the body that were sent, without the lines around chunks. Where the response was cut
     * off, those that the kernel had taken; with chunks a few bytes more or less.
     *
     * @return 0 or more
     */
    long bodyBytes();

    /**
     * When the head of the request was there as a whole; without a valid request, when it was
     * refused.
     *
     * @return milliseconds since 1970, UTC
     */
    long startMillis();

    /**
     * How long it took from then until the last byte of the response was with the kernel, or until
     * it was cut off. What the loop did for others in the same turns is part of it, for those had
     * to be waited for.
     *
     * @return 0 or more
     */
    long durationNanos();

    /**
     * {@return whether the whole response is with the kernel} That the client has read it nobody
     * knows. False where the client left before, in the middle of its own body too, where the
     * handler failed when a part of the response had left, and where the server was stopped.
     */
    boolean isWhole();

    /**
     * Who has asked: the text of {@link Client#text}.
     *
     * @return a view of it; empty where it is not known
     */
    ByteView client();

    /**
     * The value of the first field of that name in the request, or null.
     *
     * @param name one of those that a listener of the server has declared by {@link
     *     CompletionListener#fields}
     * @return a view of the value; null where the request had none, or was not valid
     * @throws IllegalArgumentException where no listener has declared it
     */
    ByteView header(HeaderName name);
}
