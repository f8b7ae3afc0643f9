package io.bareloop.wire;

/** A complete response but for its front: what {@code Prepared} is in bytes. */
public final class PreparedBlock {
    private final int code;
    private final Encoded statusLine;
    private final Encoded tail;
    private final int fieldBytes;

    /** What it is where bodies are compressed; made when first needed. */
    private CompressedBlock compressed;

    /**
     * Creates a block.
     *
     * @param code of the status
     * @param statusLine of HTTP/1.1
     * @param tail everything behind Date: fields, the empty line, the body
     * @param fieldBytes of the tail, with the empty line: what a HEAD gets
     */
    public PreparedBlock(int code, Encoded statusLine, Encoded tail, int fieldBytes) {
        this.code = code;
        this.statusLine = statusLine;
        this.tail = tail;
        this.fieldBytes = fieldBytes;
    }

    public int code() {
        return code;
    }

    public Encoded statusLine() {
        return statusLine;
    }

    public Encoded tail() {
        return tail;
    }

    public int fieldBytes() {
        return fieldBytes;
    }

    /** This, for those who compress; two loops may both make it, and either will do. */
    CompressedBlock compressed(Compressor compressor) {
        CompressedBlock known = CompressedBlock.find(compressed, compressor);
        if (known == null) {
            known = CompressedBlock.of(this, compressor, compressed);
            compressed = known;
        }
        return known;
    }
}
