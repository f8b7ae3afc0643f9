package io.bareloop.files;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.bareloop.http.Fields;
import io.bareloop.http.MediaType;
import io.bareloop.http.Prepared;
import io.bareloop.http.Status;
import io.bareloop.sys.DirectoryEntries;
import java.util.SortedSet;
import java.util.TreeSet;

/** A page with the names in a directory. */
final class Listing {
    /** Names on one page; a directory with more is cut off. */
    static final int NAMES_MAX = 10_000;

    private static final Fields FIELDS =
            Fields.NONE.with(MediaType.HTML).with(Names.CACHE_CONTROL, "no-cache");

    private Listing() {}

    /**
     * Reads directory {@code fd}, which is at {@code path}.
     *
     * @return the response; null where it cannot be read
     */
    static Prepared of(Reader reader, int fd, String path, boolean dotFiles) {
        SortedSet<String> names = new TreeSet<>();
        while (names.size() < NAMES_MAX) {
            int bytes = reader.sys.getdents64(fd, reader.buffer);
            if (bytes < 0) {
                return null;
            }
            if (bytes == 0) {
                break;
            }
            for (int at = 0; at < bytes; at += DirectoryEntries.length(reader.buffer, at)) {
                byte[] name = DirectoryEntries.name(reader.buffer, at);
                if (isShown(name, dotFiles)) {
                    boolean directory = DirectoryEntries.isDirectory(reader.buffer, at);
                    names.add(new String(name, ISO_8859_1) + (directory ? "/" : ""));
                }
            }
        }
        return Prepared.of(Status.OK, FIELDS, page(path, names).getBytes(UTF_8));
    }

    private static boolean isShown(byte[] name, boolean dotFiles) {
        boolean dots = name[0] == '.' && (name.length == 1 || (name.length == 2 && name[1] == '.'));
        return !dots && (dotFiles || name[0] != '.');
    }

    private static String page(String path, SortedSet<String> names) {
        String title = text(path);
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
