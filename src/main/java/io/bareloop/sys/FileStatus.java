package io.bareloop.sys;

import io.bareloop.generated.statx;
import io.bareloop.generated.statx_timestamp;
import java.lang.foreign.MemorySegment;

/** A {@code struct statx}, as {@link Syscalls#statx} fills it. */
public final class FileStatus {
    /** The size of the struct. */
    public static final int BYTES = (int) statx.sizeof();

    private static final long NANOS_PER_SECOND = 1_000_000_000L;

    private FileStatus() {}

    /** Whether it is a regular file: with bytes that can be read again. */
    public static boolean isRegular(MemorySegment status) {
        return type(status) == Linux.S_IFREG;
    }

    /** Whether it is a directory. */
    public static boolean isDirectory(MemorySegment status) {
        return type(status) == Linux.S_IFDIR;
    }

    /** The size in bytes. */
    public static long size(MemorySegment status) {
        return statx.stx_size(status);
    }

    /** The inode number, unique among the files that exist on its device. */
    public static long inode(MemorySegment status) {
        return statx.stx_ino(status);
    }

    /** The device that holds it: major number in the upper 32 bits, minor in the lower. */
    public static long device(MemorySegment status) {
        return (long) statx.stx_dev_major(status) << 32
                | (statx.stx_dev_minor(status) & 0xFFFF_FFFFL);
    }

    /** The number of names that it has: 0 once the last was removed, or given to another file. */
    public static int links(MemorySegment status) {
        return statx.stx_nlink(status);
    }

    /** When the bytes were last changed, or are said to have been: nanoseconds since 1970. */
    public static long modifiedNanos(MemorySegment status) {
        return nanos(statx.stx_mtime(status));
    }

    /** When bytes, name, owner or anything else was last changed: nanoseconds since 1970. */
    public static long changedNanos(MemorySegment status) {
        return nanos(statx.stx_ctime(status));
    }

    private static int type(MemorySegment status) {
        return statx.stx_mode(status) & Linux.S_IFMT;
    }

    /** Wraps around for times before 1677 and after 2262, which still compare as equal or not. */
    private static long nanos(MemorySegment time) {
        return statx_timestamp.tv_sec(time) * NANOS_PER_SECOND + statx_timestamp.tv_nsec(time);
    }
}
