package io.bareloop.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/**
 * Memory in whole pages of the C library, which nobody has touched yet.
 *
 * <p>An arena fills what it allocates with zeros, so that all of it is resident at once. Of this a
 * page becomes resident when it is first written to, and {@link Syscalls#madvise} can take that
 * back. It does not count against -XX:MaxDirectMemorySize: whoever allocates it bounds it.
 */
@SuppressWarnings("restricted") // native memory is made a segment of; the module is granted access
public final class Pages {
    public static final int BYTES = 4096;

    private static final StructLayout CALL_STATE = Linker.Option.captureStateLayout();
    private static final long ERRNO_OFFSET =
            CALL_STATE.byteOffset(MemoryLayout.PathElement.groupElement("errno"));

    private Pages() {}

    /**
     * Allocates {@code bytes}, rounded up to whole pages; what they hold is not known.
     *
     * @param arena whose end frees them
     * @throws IllegalStateException where the system has not so much address space to give, with
     *     the errno
     */
    public static MemorySegment allocate(long bytes, Arena arena) {
        long whole = (bytes + BYTES - 1) / BYTES * BYTES;
        long address;
        try (Arena call = Arena.ofConfined()) {
            MemorySegment callState = call.allocate(CALL_STATE);
            address =
                    (long)
                            PageDowncalls.ALIGNED_ALLOC.invokeExact(
                                    callState, (long) BYTES, whole, 0L, 0L, 0L);
            if (address == 0) {
                throw new IllegalStateException(
                        "aligned_alloc of "
                                + whole
                                + " bytes: "
                                + Errno.describe(callState.get(JAVA_INT, ERRNO_OFFSET)));
            }
        } catch (RuntimeException | Error refused) {
            throw refused;
        } catch (Throwable t) {
            throw new AssertionError("aligned_alloc: a linked downcall never throws", t);
        }
        return MemorySegment.ofAddress(address).reinterpret(whole, arena, Pages::free);
    }

    private static void free(MemorySegment pages) {
        try (Arena call = Arena.ofConfined()) {
            long ignored =
                    (long)
                            PageDowncalls.FREE.invokeExact(
                                    call.allocate(CALL_STATE), pages.address(), 0L, 0L, 0L, 0L);
        } catch (RuntimeException | Error refused) {
            throw refused;
        } catch (Throwable t) {
            throw new AssertionError("free: a linked downcall never throws", t);
        }
    }
}
