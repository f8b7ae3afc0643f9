package io.bareloop.wire;

/**
 * An open file of which responses send parts, straight from the kernel's cache to the socket.
 *
 * <p>Each response that is given one owns a use of it, and ends that with {@link #release} exactly
 * once. All methods are called on a loop, and several loops may do so at the same time.
 */
public interface FileSource {
    /** The descriptor, in the table of the process; open until the last use has ended. */
    int descriptor();

    /**
     * Has bytes read from the disk into the kernel's cache by another thread, then runs {@code
     * then} there, whether that went well or not. Called by a loop that would have to wait for the
     * disk otherwise. The file stays open meanwhile, even where the caller's use of it ends.
     *
     * @param offset of the first byte
     * @param length 1 or more
     * @param then run in any case, exactly once, and not on a loop
     */
    void warm(long offset, int length, Runnable then);

    /**
     * Whether the first {@code end} bytes are known to have been in the kernel's cache not long
     * before {@code nanos}, of {@link System#nanoTime}: then nobody needs to ask the kernel. A
     * guess; being wrong costs one wait.
     */
    boolean isWarm(long end, long nanos);

    /**
     * The first {@code end} bytes have been sent, from {@code nanos} on, and were in the kernel's
     * cache: {@link #isWarm} may know it for a while.
     */
    default void noteWarm(long end, long nanos) {}

    /** Ends a use. */
    void release();
}
