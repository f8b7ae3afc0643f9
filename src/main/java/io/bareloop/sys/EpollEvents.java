package io.bareloop.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.bareloop.generated.epoll_event;
import java.lang.foreign.MemorySegment;

/**
 * An array of {@code struct epoll_event}, as epoll_wait(2) fills it.
 *
 * <p>The struct is packed on x86_64 (12 bytes, data at 4), so every access is unaligned. The
 * generated accessor of the nested union hands out an aligned view and throws here; only its
 * offsets and its size are used.
 */
public final class EpollEvents {
    /** The size of one element. */
    public static final int BYTES = (int) epoll_event.sizeof();

    private static final int EVENTS_OFFSET = (int) epoll_event.events$offset();
    private static final int DATA_OFFSET = (int) epoll_event.data$offset();

    private EpollEvents() {}

    /** Returns the ready set of element {@code index}: EPOLLIN and others. */
    public static int events(MemorySegment array, int index) {
        return array.get(JAVA_INT_UNALIGNED, (long) index * BYTES + EVENTS_OFFSET);
    }

    /** Returns the 64 bits of user data of element {@code index}. */
    public static long data(MemorySegment array, int index) {
        return array.get(JAVA_LONG_UNALIGNED, (long) index * BYTES + DATA_OFFSET);
    }

    /** Writes element {@code index}. */
    public static void set(MemorySegment array, int index, int events, long data) {
        array.set(JAVA_INT_UNALIGNED, (long) index * BYTES + EVENTS_OFFSET, events);
        array.set(JAVA_LONG_UNALIGNED, (long) index * BYTES + DATA_OFFSET, data);
    }
}
