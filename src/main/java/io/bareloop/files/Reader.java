package io.bareloop.files;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.bareloop.sys.Errno;
import io.bareloop.sys.FileStatus;
import io.bareloop.sys.Syscalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
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

    /** Up to {@code size} bytes of a file from {@code from} on; null where the disk fails. */
    byte[] bytes(int fd, long from, int size) {
        byte[] bytes = new byte[size];
        int done = 0;
        while (done < size) {
            int piece = Math.min(BUFFER_BYTES, size - done);
            int read = sys.pread(fd, buffer, 0, piece, from + done);
            if (read == 0) {
                return Arrays.copyOf(bytes, done);
            }
            if (read < 0 && read != -Errno.EINTR) {
                return null;
            }
            if (read > 0) {
                MemorySegment.copy(buffer, JAVA_BYTE, 0, bytes, done, read);
                done += read;
            }
        }
        return bytes;
    }

    /** Reads the status of {@code fd}; returns 0 or -errno. */
    int readStatus(int fd) {
        return sys.statx(fd, status);
    }
}
