package io.bareloop.rig;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import java.util.zip.Inflater;

/** What clients do with gzip: all of it, to the sum at its end, or as much as there is. */
public final class Gunzip {
    private static final int HEADER_BYTES = 10;

    private Gunzip() {}

    /** The bytes of a whole body, one character each; the sum and the length are checked. */
    public static byte[] bytes(byte[] gzip) {
        ByteArrayInputStream all = new ByteArrayInputStream(gzip);
        try (GZIPInputStream in = new GZIPInputStream(all)) {
            byte[] bytes = in.readAllBytes();
            if (all.available() > 0) {
                throw new AssertionError(all.available() + " bytes behind the end");
            }
            return bytes;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** As above, of bytes that are one character each. */
    public static String text(String gzip) {
        return Bytes.toString(bytes(Bytes.of(gzip)));
    }

    /** What can be read of a body whose end has not come. */
    public static String begun(String gzip) throws Exception {
        Inflater inflater = new Inflater(true);
        try {
            byte[] bytes = Bytes.of(gzip);
            inflater.setInput(bytes, HEADER_BYTES, bytes.length - HEADER_BYTES);
            byte[] out = new byte[1 << 20];
            return Bytes.toString(Arrays.copyOf(out, inflater.inflate(out)));
        } finally {
            inflater.end();
        }
    }
}
