package io.bareloop.http;

import java.util.List;

/**
 * The head of one part of a multipart/form-data body: of a field, or of a file. What it says was
 * written by the client.
 *
 * <p>Immutable, for any thread. {@link MultipartStream} hands out {@link PartStream}, which has the
 * content, too.
 */
public sealed class Part permits PartStream {
    private final String name;
    private final String filename;
    private final String contentType;

    /** Names and values in turn. */
    private final List<String> fields;

    Part(String name, String filename, String contentType, List<String> fields) {
        this.name = name;
        this.filename = filename;
        this.contentType = contentType;
        this.fields = List.copyOf(fields);
    }

    Part(Part head) {
        this(head.name, head.filename, head.contentType, head.fields);
    }

    /**
     * The name of the field of the form, decoded as browsers encode it: UTF-8, with {@code %22},
     * {@code %0D} and {@code %0A} for a quote, CR and LF. So it may have line breaks.
     *
     * @return the name; may be empty
     */
    public String name() {
        return name;
    }

    /**
     * The name of the file as it was sent, decoded like {@link #name}; of {@code filename*} (RFC
     * 8187), where there is one.
     *
     * <p><b>Do not use it as a path.</b> It may be {@code ../../etc/passwd}, an absolute path, have
     * line breaks and characters that look like others. Make up a name of your own, or take {@link
     * #safeFilename}.
     *
     * @return the name; empty where a form was sent without choosing a file; null where this is a
     *     field and not a file
     */
    public String filename() {
        return filename;
    }

    /**
     * A name that a file may have within a directory: what stands behind the last slash or
     * backslash of {@link #filename}, without control, format and unassigned characters and without
     * blanks around it, of 1 to 200 bytes in UTF-8. It is never {@code .} or {@code ..}; where
     * nothing is left, it is {@code file}.
     *
     * <p>It may begin with a dot or a hyphen, have any extension, and be the name of a file that is
     * there already: create files with {@code CREATE_NEW}.
     *
     * @return the name; null where this is a field and not a file
     */
    public String safeFilename() {
        return filename == null ? null : Filename.safe(filename);
    }

    /** {@return whether this is a file: whether it was sent with a name of one} */
    public boolean isFile() {
        return filename != null;
    }

    /**
     * The Content-Type of the part as it was sent, with its parameters. A browser makes it up from
     * the extension of the file: it says nothing about the content.
     *
     * @return the type; {@code text/plain} where none was sent (RFC 7578, section 4.4)
     */
    public String contentType() {
        return contentType;
    }

    /**
     * The value of the first field of that name in the head of the part, without white space around
     * it; malformed UTF-8 in it is U+FFFD.
     *
     * @param header the name of the field, in any case
     * @return the value, or null
     */
    public String header(HeaderName header) {
        for (int i = 0; i < fields.size(); i += 2) {
            if (fields.get(i).equalsIgnoreCase(header.toString())) {
                return fields.get(i + 1);
            }
        }
        return null;
    }

    /** For people: the name and, of a file, its name, as they were sent. */
    @Override
    public String toString() {
        return "Part[name=" + name + ", filename=" + filename + "]";
    }
}
