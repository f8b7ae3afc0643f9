package io.bareloop.http;

import io.bareloop.rig.Bytes;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Notes what a reader finds, a line for each part; and cuts bodies into pieces for it. */
class MultipartEvents implements MultipartListener {
    /** A line for each part; {@code complete} at the end. */
    final List<String> found = new ArrayList<>();

    /** Of the file at hand. */
    private StringBuilder file;

    /** The longest file, as far as it came, and the sum of all fields. */
    int fileBytes;

    int fieldsBytes;

    static String line(String name, String filename, String type, String content) {
        return Bytes.escape(name + "|" + filename + "|" + type + "|" + content);
    }

    @Override
    public void field(Part part, String value) {
        check(file == null && !part.isFile() && found.indexOf("complete") < 0);
        fieldsBytes += value.length();
        found.add(line(part.name(), null, part.contentType(), value));
    }

    @Override
    public void begin(Part part) {
        check(file == null && part.isFile());
        file = new StringBuilder();
    }

    @Override
    public void piece(Part part, ByteView piece) {
        check(piece.length() > 0);
        file.append(Bytes.toString(piece.toByteArray()));
        fileBytes = Math.max(fileBytes, file.length());
    }

    @Override
    public void end(Part part) {
        found.add(line(part.name(), part.filename(), part.contentType(), file.toString()));
        file = null;
    }

    @Override
    public void complete() {
        check(file == null);
        found.add("complete");
    }

    private static void check(boolean right) {
        if (!right) {
            throw new AssertionError("out of order");
        }
    }

    /** Where to cut a body: the length of the next piece, at {@code from}. */
    interface Cuts {
        int next(int from);
    }

    /** What a reader finds in {@code latin1}; or the status that it answers, alone. */
    static List<String> read(String boundary, MultipartLimits limits, String latin1, Cuts cuts)
            throws Exception {
        MultipartEvents events = new MultipartEvents();
        try {
            events.feed(boundary, limits, latin1, cuts);
        } catch (HttpException refused) {
            return List.of(String.valueOf(refused.status().code()));
        }
        return events.found;
    }

    /** Each piece stands alone, in memory that ends with it. */
    void feed(String boundary, MultipartLimits limits, String latin1, Cuts cuts) throws Exception {
        MultipartReader reader =
                MultipartReader.of("multipart/form-data; boundary=" + boundary, limits, this);
        byte[] bytes = Bytes.of(latin1);
        int at = 0;
        while (at < bytes.length) {
            int length = Math.min(cuts.next(at), bytes.length - at);
            MemorySegment in = MemorySegment.ofArray(bytes).asSlice(at, length);
            reader.feed(new ByteView().set(in, 0, length));
            at += length;
        }
        reader.end();
    }
}
