package io.bareloop.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import io.bareloop.generated.dirent;
import java.lang.foreign.MemorySegment;

/**
 * The entries that {@link Syscalls#getdents64} reads: each as long as it says, one behind the
 * other. The kernel's {@code struct linux_dirent64} stands in no header; on 64 bits it is libc's
 * {@code struct dirent}.
 */
public final class DirectoryEntries {
    private static final long LENGTH_OFFSET = dirent.d_reclen$offset();
    private static final long TYPE_OFFSET = dirent.d_type$offset();
    private static final long NAME_OFFSET = dirent.d_name$offset();

    private DirectoryEntries() {}

    /** The bytes from the entry at {@code at} to the next one. */
    public static int length(MemorySegment entries, int at) {
        return entries.get(JAVA_SHORT_UNALIGNED, at + LENGTH_OFFSET) & 0xFFFF;
    }

    /** Whether it is a directory; false also where the file system does not say. */
    public static boolean isDirectory(MemorySegment entries, int at) {
        return entries.get(JAVA_BYTE, at + TYPE_OFFSET) == Linux.DT_DIR;
    }

    /** Whether it is a regular file; false also where the file system does not say. */
    public static boolean isRegular(MemorySegment entries, int at) {
        // DTTOIF of readdir(3): the types are those of st_mode.
        return entries.get(JAVA_BYTE, at + TYPE_OFFSET) << 12 == Linux.S_IFREG;
    }

    /** The bytes of the name. */
    public static byte[] name(MemorySegment entries, int at) {
        long from = at + NAME_OFFSET;
        int length = 0;
        while (entries.get(JAVA_BYTE, from + length) != 0) {
            length++;
        }
        byte[] name = new byte[length];
        MemorySegment.copy(entries, JAVA_BYTE, from, name, 0, length);
        return name;
    }
}
