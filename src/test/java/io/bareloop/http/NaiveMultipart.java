package io.bareloop.http;

import io.bareloop.rig.Bytes;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Reads a body of multipart/form-data by cutting up one string, without limits: what the reader has
 * to agree with.
 */
final class NaiveMultipart {
    private final String all;
    private final String delimiter;
    private int at;

    private NaiveMultipart(String boundary, String latin1) {
        delimiter = "\r\n--" + boundary;
        all = "\r\n" + latin1;
    }

    /** What {@link MultipartEvents} would have noted, or {@code "400"} alone. */
    static List<String> read(String boundary, String latin1) {
        try {
            return new NaiveMultipart(boundary, latin1).parts();
        } catch (HttpException | IndexOutOfBoundsException malformed) {
            return List.of("400");
        }
    }

    private List<String> parts() {
        List<String> found = new ArrayList<>();
        at = find(delimiter, 0) + delimiter.length();
        while (!all.startsWith("--", at)) {
            skipBlanks();
            skip("\r\n");
            int head = at;
            int empty = all.startsWith("\r\n", at) ? at : find("\r\n\r\n", at) + 2;
            String content = content(empty);
            found.add(part(all.substring(head, empty), content));
        }
        at += 2;
        skipBlanks();
        if (at < all.length()) {
            skip("\r\n");
        }
        found.add("complete");
        return found;
    }

    /** Behind the empty line at {@code empty}, whose line break may be that of the delimiter. */
    private String content(int empty) {
        int end = find(delimiter, empty);
        at = end + delimiter.length();
        return end == empty ? "" : all.substring(empty + 2, end);
    }

    private static String part(String head, String content) {
        Disposition disposition = null;
        String type = null;
        for (String line : head.isEmpty() ? new String[0] : head.split("\r\n", -1)) {
            if (line.isEmpty()) {
                continue; // Behind the last one.
            }
            if (!line.matches("[!#$%&'*+.^_`|~0-9A-Za-z-]+:[ -~\t\u0080-\u00ff]*")) {
                throw malformed();
            }
            int colon = line.indexOf(':');
            String value = line.substring(colon + 1).replaceAll("^[ \t]+|[ \t]+$", "");
            String name = line.substring(0, colon).toLowerCase(Locale.ROOT);
            if (name.equals("content-disposition")) {
                if (disposition != null) {
                    throw malformed();
                }
                byte[] bytes = Bytes.of(value);
                disposition = Disposition.of(bytes, 0, bytes.length);
            } else if (name.equals("content-type")) {
                if (type != null) {
                    throw malformed();
                }
                type = value;
            } else if (name.equals("content-transfer-encoding")
                    && !value.toLowerCase(Locale.ROOT).matches("7bit|8bit|binary")) {
                throw malformed();
            }
        }
        if (disposition == null) {
            throw malformed();
        }
        return MultipartEvents.line(
                disposition.name(),
                disposition.filename(),
                type == null || type.isEmpty() ? "text/plain" : utf8(type),
                disposition.filename() == null ? utf8(content) : content);
    }

    private static String utf8(String latin1) {
        return new String(Bytes.of(latin1), StandardCharsets.UTF_8);
    }

    private int find(String wanted, int from) {
        int found = all.indexOf(wanted, from);
        if (found < 0) {
            throw malformed();
        }
        return found;
    }

    private void skip(String wanted) {
        if (!all.startsWith(wanted, at)) {
            throw malformed();
        }
        at += wanted.length();
    }

    private void skipBlanks() {
        while (all.startsWith(" ", at) || all.startsWith("\t", at)) {
            at++;
        }
    }

    private static HttpException malformed() {
        return new HttpException(Status.BAD_REQUEST, null);
    }
}
