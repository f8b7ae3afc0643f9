package io.bareloop.files;

import io.bareloop.http.Fields;
import io.bareloop.http.Prepared;
import io.bareloop.http.Status;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * A file in one content coding, in one version, ready to be sent: a small one in memory with its
 * whole response, a large one as an open file. Immutable, for any loop.
 */
final class Variant {
    private static final byte[] NO_BODY = {};

    /** All fields of a response but Content-Length and Content-Range. */
    final Fields fields;

    /** The same, without Content-Type. */
    private final Fields fieldsOfParts;

    private final String type;
    final long size;

    /** With its quotes. */
    final byte[] tag;

    /** Seconds since 1970, and as text; {@link HttpDate#NONE} and null where it tells nothing. */
    final long modifiedSecond;

    final String modified;

    /** Whether the date tells versions apart: it has been old enough when the file was read. */
    final boolean dateIsStrong;

    /** The response with 200; null where the file is large. */
    final Prepared whole;

    /** The body of that response. */
    final MemorySegment bytes;

    final Prepared notModified;

    /** Null where the file is small. */
    final OpenFile file;

    private volatile Multipart multipart;

    /**
     * Describes a variant.
     *
     * @param type the Content-Type
     * @param encoding the Content-Encoding, or null
     * @param general fields that are about more than this variant: Cache-Control, Vary
     * @param content all of a small file, else null
     * @param file a large one, else null
     */
    Variant(
            String type,
            String encoding,
            Fields general,
            String tag,
            long modifiedSecond,
            boolean dateIsStrong,
            long size,
            byte[] content,
            OpenFile file) {
        this.type = type;
        this.tag = tag.getBytes(StandardCharsets.US_ASCII);
        this.modifiedSecond = modifiedSecond;
        this.modified = modifiedSecond == HttpDate.NONE ? null : HttpDate.format(modifiedSecond);
        this.dateIsStrong = dateIsStrong;
        this.size = size;
        this.file = file;
        Fields validators = general.with(Names.ETAG, tag);
        if (modified != null) {
            validators = validators.with(Names.LAST_MODIFIED, modified);
        }
        // Section 15.4.5: what describes the content itself does not go with a 304.
        notModified = Prepared.of(Status.NOT_MODIFIED, validators, NO_BODY);
        if (encoding != null) {
            validators = validators.with(Names.CONTENT_ENCODING, encoding);
        }
        fieldsOfParts = validators.with(Names.ACCEPT_RANGES, "bytes");
        fields = fieldsOfParts.with(Names.CONTENT_TYPE, type);
        whole = content == null ? null : Prepared.of(Status.OK, fields, content);
        bytes = whole == null ? null : whole.body();
    }

    /** What an answer with several ranges needs; made when first asked for. */
    Multipart multipart(String boundary) {
        Multipart known = multipart;
        if (known == null) {
            known =
                    new Multipart(
                            fieldsOfParts.with(
                                    Names.CONTENT_TYPE,
                                    "multipart/byteranges; boundary=" + boundary),
                            ascii(
                                    "\r\n--"
                                            + boundary
                                            + "\r\nContent-Type: "
                                            + type
                                            + "\r\nContent-Range: bytes "),
                            ascii("\r\n--" + boundary + "--\r\n"));
            multipart = known;
        }
        return known;
    }

    private static MemorySegment ascii(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        return Arena.ofAuto().allocate(bytes.length).copyFrom(MemorySegment.ofArray(bytes));
    }

    /** Bytes in memory that it takes, about. */
    long memoryBytes() {
        return whole == null ? 1024 : 1024 + size;
    }

    /**
     * The parts of RFC 9110, section 14.6.
     *
     * @param fields of the response
     * @param partHead what each part begins with, up to the numbers of its range
     * @param end what follows the last part
     */
    record Multipart(Fields fields, MemorySegment partHead, MemorySegment end) {}
}
