package io.bareloop.files;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.bareloop.sys.FileStatus;
import io.bareloop.sys.Syscalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;

/** What a thread that waits for the disk has of its own: its system calls, and memory for them. */
final class Reader {
    static final int BUFFER_BYTES = 64 << 10;

    final Syscalls sys;
    final MemorySegment status;
    final MemorySegment buffer;
    private final MemorySegment path;

    Reader(Function<Arena, Syscalls> calls) {
        // Automatic: it ends with the thread, whenever that is.
        Arena arena = Arena.ofAuto();
        sys = calls.apply(arena);
        status = arena.allocate(FileStatus.BYTES, Long.BYTES);
        buffer = arena.allocate(BUFFER_BYTES, Long.BYTES);
        path = arena.allocate(RequestPath.BYTES_MAX + 64L);
    }

    /**
     * {@code name}, whose characters are bytes, as C wants it; valid until the next call.
     *
     * @return null where it is longer than any path can be
     */
    MemorySegment path(String name) {
        byte[] bytes = name.getBytes(StandardCharsets.ISO_8859_1);
        if (bytes.length >= path.byteSize()) {
            return null;
        }
        MemorySegment.copy(bytes, 0, path, JAVA_BYTE, 0, bytes.length);
        path.set(JAVA_BYTE, bytes.length, (byte) 0);
        return path;
    }

    /** Reads the status of {@code fd}; returns 0 or -errno. */
    int readStatus(int fd) {
        return sys.statx(fd, status);
    }
}
