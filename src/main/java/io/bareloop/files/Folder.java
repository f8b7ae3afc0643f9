package io.bareloop.files;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.bareloop.sys.DirectoryEntries;
import io.bareloop.sys.Errno;
import io.bareloop.sys.FileStatus;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * What is in a directory, as far as a request would be answered for it, by its spelling and its
 * type. Links are followed as a request would have them followed, so that one that leads out is
 * left out.
 */
final class Folder {
    /** Items of one directory; where there are more, some are left out. */
    static final int ITEMS_MAX = 10_000;

    /** Directories first, then by name. The case of letters counts only where nothing else does. */
    private static final Comparator<Item> ORDER =
            Comparator.comparing(Item::isFile)
                    .thenComparing(Item::text, String.CASE_INSENSITIVE_ORDER)
                    .thenComparing(Item::name);

    private final String path;
    private final boolean dotFiles;
    private final List<Item> items = new ArrayList<>();
    private boolean cut;

    /**
     * A file or directory.
     *
     * @param name its characters being bytes, with a slash at the end of a directory's
     * @param text the name as people read it
     * @param size bytes of a file, -1 of a directory
     * @param modifiedNanos since 1970
     */
    record Item(String name, String text, long size, long modifiedNanos) {
        boolean isFile() {
            return size >= 0;
        }
    }

    /**
     * Describes the directory at {@code path}, which ends with a slash; {@link #read} it.
     *
     * @param dotFiles whether names that begin with a dot are served
     */
    Folder(String path, boolean dotFiles) {
        this.path = path;
        this.dotFiles = dotFiles;
    }

    /** In their order. */
    List<Item> items() {
        return items;
    }

    /** Whether items have been left out. */
    boolean isCut() {
        return cut;
    }

    /** Reads it; returns 0 or -errno. */
    int read(Reader reader, Root root) {
        int fd = root.open(reader, path.substring(1, Math.max(1, path.length() - 1)), true);
        if (fd < 0) {
            return fd;
        }
        int error = readItems(reader, root, fd);
        reader.sys.close(fd);
        items.sort(ORDER);
        return error;
    }

    private int readItems(Reader reader, Root root, int fd) {
        while (!cut) {
            int bytes = reader.sys.getdents64(fd, reader.buffer);
            if (bytes <= 0) {
                return bytes;
            }
            for (int at = 0; at < bytes && !cut; at += DirectoryEntries.length(reader.buffer, at)) {
                String name = new String(DirectoryEntries.name(reader.buffer, at), ISO_8859_1);
                // Not ".well-known" either: it is there for who knows what is in it.
                if (isServed(name)) {
                    int error = add(reader, root, name);
                    if (Refusal.of(error) == Refusal.SHORT) {
                        return error;
                    }
                }
            }
        }
        return 0;
    }

    private boolean isServed(String name) {
        byte[] bytes = (path + name).getBytes(ISO_8859_1);
        return RequestPath.isServed(bytes, bytes.length, dotFiles, false);
    }

    /** Adds what is at {@code name}, if it is a file or a directory; returns 0 or -errno. */
    private int add(Reader reader, Root root, String name) {
        int fd = root.openWithStatus(reader, path.substring(1) + name, false);
        if (fd < 0) {
            return fd;
        }
        reader.sys.close(fd);
        boolean directory = FileStatus.isDirectory(reader.status);
        String full = directory ? name + "/" : name;
        if (directory ? !isServed(full) : !FileStatus.isRegular(reader.status)) {
            return -Errno.ENXIO;
        }
        cut = items.size() == ITEMS_MAX;
        if (!cut) {
            items.add(
                    new Item(
                            full,
                            new String(full.getBytes(ISO_8859_1), UTF_8),
                            directory ? -1 : FileStatus.size(reader.status),
                            FileStatus.modifiedNanos(reader.status)));
        }
        return 0;
    }
}
