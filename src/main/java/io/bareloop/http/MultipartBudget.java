package io.bareloop.http;

/** What one body has left of its {@link MultipartLimits}. */
final class MultipartBudget {
    private final MultipartLimits limits;
    private long bodyLeft;
    private boolean bodyExceeded;
    private int idleLeft = MultipartParser.IDLE_BYTES_MAX;
    private int parts;
    private long fieldsLeft;

    private boolean isFile;

    /** Of the part at hand. */
    private long partLeft;

    /** A field, for which less than usual is left by those before it. */
    private boolean isShort;

    MultipartBudget(MultipartLimits limits) {
        this.limits = limits;
        bodyLeft = limits.bodyBytesMax();
        fieldsLeft = limits.fieldsBytesMax();
    }

    /** How many of the next {@code length} bytes of the body are allowed. */
    int grant(int length) {
        int granted = (int) Math.min(length, bodyLeft);
        bodyLeft -= granted;
        bodyExceeded = granted < length;
        return granted;
    }

    /** What was granted is consumed: was it all? */
    void checkGranted() {
        if (bodyExceeded) {
            throw tooLarge("a body", limits.bodyBytesMax());
        }
    }

    /** Bytes that mean nothing. */
    void idle(int length) {
        if (length > idleLeft) {
            throw tooLarge(
                    "preamble, epilogue and blanks behind delimiters",
                    MultipartParser.IDLE_BYTES_MAX);
        }
        idleLeft -= length;
    }

    void beginPart() {
        if (parts == limits.partsMax()) {
            throw new HttpException(
                    Status.CONTENT_TOO_LARGE, "a body of more than " + parts + " parts");
        }
        parts++;
    }

    void beginBody(Part part) {
        isFile = part.isFile();
        isShort = !isFile && fieldsLeft < limits.fieldBytesMax();
        partLeft = isFile ? limits.fileBytesMax() : Math.min(limits.fieldBytesMax(), fieldsLeft);
    }

    /** Bytes of the content of the part at hand. */
    void spend(int length) {
        if (length > partLeft) {
            throw partTooLarge();
        }
        partLeft -= length;
        if (!isFile) {
            fieldsLeft -= length;
        }
    }

    private HttpException partTooLarge() {
        if (isFile) {
            return tooLarge("a file", limits.fileBytesMax());
        }
        return isShort
                ? tooLarge("all fields together", limits.fieldsBytesMax())
                : tooLarge("a field", limits.fieldBytesMax());
    }

    private static HttpException tooLarge(String what, long bytesMax) {
        return new HttpException(
                Status.CONTENT_TOO_LARGE, what + " of more than " + bytesMax + " bytes");
    }
}
