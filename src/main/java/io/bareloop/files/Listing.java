package io.bareloop.files;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.bareloop.http.Fields;
import io.bareloop.http.MediaType;
import io.bareloop.http.Prepared;
import io.bareloop.http.Status;
import io.bareloop.sys.DirectoryEntries;
import io.bareloop.sys.FileStatus;
import java.util.SortedSet;

/** A page with the names in a directory. */
final class Listing {
    /** Names on one page; a directory with more is cut off. */
    static final int NAMES_MAX = 10_000;

    private static final Fields FIELDS =
            Fields.NONE.with(MediaType.HTML).with(Names.CACHE_CONTROL, "no-cache");

    private Listing() {}

    /**
     * Reads the names in directory {@code fd}, which is at {@code path}: those that a request would
     * be answered for, by their spelling and their type. Links are followed as a request would have
     * them followed, so that one that leads out is not among them.
     *
     * @param path with a slash at its end
     * @param names where they are put, directories with a slash at their end
     * @return 0 or -errno
     */
    static int read(
            Reader reader,
            Root root,
            int fd,
            String path,
            boolean dotFiles,
            SortedSet<String> names) {
        while (names.size() < NAMES_MAX) {
            int bytes = reader.sys.getdents64(fd, reader.buffer);
            if (bytes <= 0) {
                return bytes;
            }
            for (int at = 0; at < bytes; at += DirectoryEntries.length(reader.buffer, at)) {
                String name = new String(DirectoryEntries.name(reader.buffer, at), ISO_8859_1);
                // Not ".well-known" either: it is there for who knows what is in it.
                if (!isServed(path + name, dotFiles)) {
                    continue;
                }
                boolean directory = DirectoryEntries.isDirectory(reader.buffer, at);
                if (!directory && !DirectoryEntries.isRegular(reader.buffer, at)) {
                    // A link, or the file system does not say; a pipe or a device.
                    int error = readStatus(reader, root, path.substring(1) + name);
                    if (Loader.isShortage(error)) {
                        return error;
                    }
                    directory = error == 0 && FileStatus.isDirectory(reader.status);
                    if (error < 0 || (!directory && !FileStatus.isRegular(reader.status))) {
                        continue;
                    }
                }
                if (!directory) {
                    names.add(name);
                } else if (isServed(path + name + "/", dotFiles)) {
                    names.add(name + "/");
                }
            }
        }
        return 0;
    }

    private static boolean isServed(String path, boolean dotFiles) {
        return RequestPath.isServed(path.getBytes(ISO_8859_1), path.length(), dotFiles, false);
    }

    private static int readStatus(Reader reader, Root root, String name) {
        int opened = root.open(reader, name, false);
        if (opened < 0) {
            return opened;
        }
        int error = reader.readStatus(opened);
        reader.sys.close(opened);
        return error;
    }

    /**
     * The page.
     *
     * @param mount what stands in front of {@code path} in URLs
     * @param path of the directory, its characters being bytes
     */
    static Prepared page(String mount, String path, SortedSet<String> names) {
        String page = text(mount, path, names);
        return Prepared.of(Status.OK, FIELDS, page.getBytes(UTF_8));
    }

    private static String text(String mount, String path, SortedSet<String> names) {
        String title = text(mount + path);
        StringBuilder page = new StringBuilder();
        page.append("<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"><title>")
                .append(title)
                .append("</title></head>\n<body>\n<h1>")
                .append(title)
                .append("</h1>\n<ul>\n");
        if (!path.equals("/")) {
            page.append("<li><a href=\"../\">../</a></li>\n");
        }
        for (String name : names) {
            // "./", lest a name with a colon be taken for a scheme.
            page.append("<li><a href=\"./")
                    .append(text(RequestPath.encode(name)))
                    .append("\">")
                    .append(text(name))
                    .append("</a></li>\n");
        }
        return page.append("</ul>\n</body>\n</html>\n").toString();
    }

    /** {@code bytes}, whose characters are bytes, read as UTF-8 and as nothing but text. */
    private static String text(String bytes) {
        return new String(bytes.getBytes(ISO_8859_1), UTF_8)
                .replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&#39;");
    }
}
