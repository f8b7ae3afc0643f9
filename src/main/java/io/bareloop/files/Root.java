package io.bareloop.files;

import io.bareloop.sys.Errno;
import io.bareloop.sys.FileStatus;
import io.bareloop.sys.Linux;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.FileSystems;
import java.nio.file.Path;

/**
 * The directory that is served, and the one way to open something in it.
 *
 * <p>The kernel sees to it that no way leads out: openat2(2) with RESOLVE_BENEATH refuses "..",
 * absolute symbolic links, and relative ones that leave the directory, at every step and whoever
 * renames what meanwhile. A kernel without openat2 (before 5.6, or a seccomp filter) gets a walk
 * that opens one segment after the other and follows no symbolic link at all: stricter, for a link
 * cannot be judged without a race.
 *
 * <p>For all readers at the same time.
 */
final class Root {
    /** A file that is replaced all the time is not opened more often. */
    private static final int OPENS_MAX = 3;

    private static final int OPEN_FLAGS =
            // A pipe must not wait for its other end, nor a terminal become ours.
            Linux.O_RDONLY | Linux.O_CLOEXEC | Linux.O_NONBLOCK | Linux.O_NOCTTY;

    private static final int DIRECTORY_FLAGS = Linux.O_PATH | Linux.O_DIRECTORY | Linux.O_CLOEXEC;
    private static final int BENEATH = Linux.RESOLVE_BENEATH | Linux.RESOLVE_NO_MAGICLINKS;

    /** For how long the directory's own path is taken to lead to the same place. */
    private static final long FRESH_NANOS = 300_000_000L;

    /** A rename meanwhile makes the kernel give up, with EAGAIN; this often it is asked again. */
    private static final int TRIES_MAX = 4;

    private final MemorySegment location;
    private final boolean leavesRoot;
    private final boolean hasOpenat2;
    private final int fd;
    private long device;
    private long inode;
    private long refreshedNanos;

    /**
     * Opens {@code directory}.
     *
     * @param leavesRoot whether symbolic links may lead anywhere
     * @throws IllegalArgumentException where it is none, or cannot be opened or searched
     */
    Root(Path directory, boolean leavesRoot, Reader reader) {
        this.leavesRoot = leavesRoot;
        location = Arena.ofAuto().allocateFrom(ValueLayout.JAVA_BYTE, bytesOf(directory));
        fd = reader.sys.openat(Linux.AT_FDCWD, location, DIRECTORY_FLAGS);
        if (fd < 0) {
            throw new IllegalArgumentException(
                    "cannot serve " + directory + ": " + Errno.describe(fd));
        }
        if (reader.readStatus(fd) == 0) {
            device = FileStatus.device(reader.status);
            inode = FileStatus.inode(reader.status);
        }
        refreshedNanos = System.nanoTime();
        int itself = reader.sys.openat2(fd, reader.path("."), DIRECTORY_FLAGS, BENEATH);
        // ENOSYS: the kernel has no such call. EPERM, or whatever they are told to say: seccomp
        // filters.
        hasOpenat2 = itself >= 0;
        if (!hasOpenat2) {
            itself = reader.sys.openat(fd, reader.path("."), DIRECTORY_FLAGS);
        }
        if (itself < 0) {
            reader.sys.close(fd);
            throw new IllegalArgumentException(
                    "cannot serve what is in "
                            + directory
                            + ": "
                            + Errno.describe(itself)
                            + "; this process needs to be allowed to search it (chmod +x)");
        }
        reader.sys.close(itself);
    }

    /**
     * The path's own bytes, and a zero. A string of them would have gone through the charset of the
     * locale, which not every name survives. What is relative stays so: the kernel knows the
     * working directory, and the JVM only a string of it.
     */
    private static byte[] bytesOf(Path path) {
        if (path.toString().isEmpty()) {
            throw new IllegalArgumentException(
                    "the path of the directory is empty; the working directory is \".\"");
        }
        if (!path.getFileSystem().equals(FileSystems.getDefault())) {
            throw new IllegalArgumentException(path + " is in no file system of the kernel's");
        }
        // The one way to the bytes: each that is no ASCII stands there as an escape.
        String escaped = Path.of("/").resolve(path).toUri().getRawPath();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = path.isAbsolute() ? 0 : 1; i < escaped.length(); i++) {
            char c = escaped.charAt(i);
            if (c == '%') {
                bytes.write(Integer.parseInt(escaped, i + 1, i + 3, 16));
                i += 2;
            } else {
                bytes.write(c);
            }
        }
        bytes.write(0);
        return bytes.toByteArray();
    }

    /**
     * Opens {@code name} to be read, or only to be looked at: a path of segments none of which is
     * empty, "." or "..", its characters being bytes; empty for the root itself.
     *
     * @return the descriptor, or -errno
     */
    int open(Reader reader, String name, boolean toRead) {
        int flags = toRead ? OPEN_FLAGS : Linux.O_PATH | Linux.O_CLOEXEC;
        if (hasOpenat2 || leavesRoot) {
            MemorySegment path = reader.path(name.isEmpty() ? "." : name);
            if (path == null) {
                return -Errno.ENAMETOOLONG;
            }
            if (leavesRoot) {
                return reader.sys.openat(fd, path, flags);
            }
            int opened = -Errno.EAGAIN;
            for (int i = 0; i < TRIES_MAX && opened == -Errno.EAGAIN; i++) {
                opened = reader.sys.openat2(fd, path, flags, BENEATH);
            }
            return opened;
        }
        return walk(reader, name, flags);
    }

    /**
     * As {@link #open}, and reads the status of what was opened, for the reader to have it.
     *
     * <p>What was replaced in between has lost its name, and by that got another time of change: it
     * would seem to be another version than the one that was known. So its successor is opened.
     *
     * @return the descriptor, or -errno of either
     */
    int openWithStatus(Reader reader, String name, boolean toRead) {
        // Some file systems count no names: there the last try is as good as the first.
        for (int tries = 1; ; tries++) {
            int opened = open(reader, name, toRead);
            if (opened < 0) {
                return opened;
            }
            int error = reader.readStatus(opened);
            if (error < 0) {
                reader.sys.close(opened);
                return error;
            }
            if (tries == OPENS_MAX
                    || !FileStatus.isRegular(reader.status)
                    || FileStatus.links(reader.status) > 0) {
                return opened;
            }
            reader.sys.close(opened);
        }
    }

    /** Why {@code name} cannot be read, as a file or a directory; null where it can. */
    String fault(Reader reader, String name, boolean directory) {
        int opened = openWithStatus(reader, name, true);
        if (opened < 0) {
            return Errno.describe(opened);
        }
        reader.sys.close(opened);
        boolean good =
                directory
                        ? FileStatus.isDirectory(reader.status)
                        : FileStatus.isRegular(reader.status);
        return good ? null : directory ? "it is no directory" : "it is no regular file";
    }

    private int walk(Reader reader, String name, int flags) {
        int directory = fd;
        int from = 0;
        while (true) {
            int slash = name.indexOf('/', from);
            boolean last = slash < 0;
            String segment = last ? name.substring(from) : name.substring(from, slash);
            MemorySegment path = reader.path(segment.isEmpty() ? "." : segment);
            int next =
                    path == null
                            ? -Errno.ENAMETOOLONG
                            : reader.sys.openat(
                                    directory,
                                    path,
                                    (last ? flags : DIRECTORY_FLAGS) | Linux.O_NOFOLLOW);
            if (directory != fd) {
                reader.sys.close(directory);
            }
            if (last || next < 0) {
                return next < 0 || isNoLink(reader, next) ? next : closeLink(reader, next);
            }
            directory = next;
            from = slash + 1;
        }
    }

    /** O_PATH with O_NOFOLLOW opens a symbolic link itself, instead of failing with ELOOP. */
    private static boolean isNoLink(Reader reader, int opened) {
        return reader.readStatus(opened) == 0
                && (FileStatus.isRegular(reader.status) || FileStatus.isDirectory(reader.status));
    }

    private static int closeLink(Reader reader, int opened) {
        reader.sys.close(opened);
        return -Errno.ELOOP;
    }

    /**
     * Follows the directory's own path again, where that was not done lately: a symbolic link in it
     * may have been switched to another release.
     */
    synchronized void refresh(Reader reader) {
        long now = System.nanoTime();
        if (now - refreshedNanos < FRESH_NANOS) {
            return;
        }
        refreshedNanos = now;
        int again = reader.sys.openat(Linux.AT_FDCWD, location, DIRECTORY_FLAGS);
        if (again < 0) {
            // Not there for a moment; what is open still is what was asked for.
            return;
        }
        if (reader.readStatus(again) == 0
                && (FileStatus.inode(reader.status) != inode
                        || FileStatus.device(reader.status) != device)) {
            // The number stays, and leads elsewhere from one call to the next.
            if (reader.sys.dup3(again, fd, Linux.O_CLOEXEC) == fd) {
                device = FileStatus.device(reader.status);
                inode = FileStatus.inode(reader.status);
            }
        }
        reader.sys.close(again);
    }

    void close(Reader reader) {
        reader.sys.close(fd);
    }
}
