package io.bareloop.wire;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/**
 * What becomes of a {@link PreparedBlock} on a server that compresses: made once, so that sending
 * it is one copy, as ever. Immutable, for any thread.
 */
final class CompressedBlock {
    /** Servers that compress each in another way, and send the same block. More do not. */
    private static final int SOURCES_MAX = 4;

    /** Of the compressors that it is for. */
    private final Object source;

    /** With Vary, where that is due. */
    private final PreparedBlock plain;

    /** Null where it is not compressed. */
    private final PreparedBlock gzip;

    /** That of another server; or null. */
    private final CompressedBlock next;

    private CompressedBlock(
            Object source, PreparedBlock plain, PreparedBlock gzip, CompressedBlock next) {
        this.source = source;
        this.plain = plain;
        this.gzip = gzip;
        this.next = next;
    }

    /** The one of {@code first} and those behind it that is {@code compressor}'s; or null. */
    @SuppressWarnings("ReferenceEquality") // the loops of a server have the same one
    static CompressedBlock find(CompressedBlock first, Compressor compressor) {
        CompressedBlock at = first;
        while (at != null && at.source != compressor.source()) {
            at = at.next;
        }
        return at;
    }

    /** What {@code compressor} makes of {@code block}, in front of those of other servers. */
    static CompressedBlock of(PreparedBlock block, Compressor compressor, CompressedBlock behind) {
        int bodyBytes = block.tail().length() - block.fieldBytes();
        CompressibleHead found = compressor.found();
        found.clear();
        if (compressor.isInRange(bodyBytes) && count(behind) < SOURCES_MAX) {
            long start = block.tail().address();
            found.read(start, start + block.fieldBytes());
        }
        if (!found.isCompressible()) {
            return new CompressedBlock(compressor.source(), block, null, null);
        }
        byte[] front = found.varies() ? new byte[0] : bytes(Compressor.vary());
        MemorySegment all = block.tail().segment();
        int bytes = compressor.whole().compress(all, block.fieldBytes(), bodyBytes);
        PreparedBlock gzip = null;
        if (bytes > 0) {
            gzip =
                    block(
                            block,
                            join(front, bytes(Compressor.contentEncoding())),
                            fieldsOf(block, bytes),
                            toArray(compressor.buffer().memory(), 0, bytes));
        }
        byte[] fields = toArray(all, 0, block.fieldBytes());
        byte[] body = toArray(all, block.fieldBytes(), bodyBytes);
        PreparedBlock plain = front.length == 0 ? block : block(block, front, fields, body);
        return new CompressedBlock(compressor.source(), plain, gzip, behind);
    }

    private static int count(CompressedBlock first) {
        int count = 0;
        for (CompressedBlock at = first; at != null; at = at.next) {
            count++;
        }
        return count;
    }

    /** The fields of {@code block}, which end with Content-Length, with another one. */
    private static byte[] fieldsOf(PreparedBlock block, int bodyBytes) {
        String fields =
                new String(
                        toArray(block.tail().segment(), 0, block.fieldBytes()),
                        StandardCharsets.ISO_8859_1);
        String name = "Content-Length: ";
        String others = fields.substring(0, fields.lastIndexOf(name));
        return (others + name + bodyBytes + "\r\n\r\n").getBytes(StandardCharsets.ISO_8859_1);
    }

    private static PreparedBlock block(
            PreparedBlock like, byte[] front, byte[] fields, byte[] body) {
        return new PreparedBlock(
                like.code(),
                like.statusLine(),
                Encoded.of(join(join(front, fields), body)),
                front.length + fields.length);
    }

    private static byte[] join(byte[] first, byte[] second) {
        byte[] both = new byte[first.length + second.length];
        System.arraycopy(first, 0, both, 0, first.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    private static byte[] bytes(Encoded encoded) {
        return toArray(encoded.segment(), 0, encoded.length());
    }

    private static byte[] toArray(MemorySegment from, long offset, int length) {
        return from.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE);
    }

    /** What a client gets that does not want gzip. */
    PreparedBlock plain() {
        return plain;
    }

    /** What one gets that does; null where that is the same. */
    PreparedBlock gzip() {
        return gzip;
    }
}
