package io.bareloop.http;

/** The value of a field {@code Content-Disposition} (RFC 6266). */
final class ContentDisposition {
    /** attr-char of RFC 8187, section 3.2.1. */
    private static final boolean[] ATTRIBUTE = PercentEncoding.alphanumericAnd("!#$&+-.^_`|~");

    private ContentDisposition() {}

    /**
     * What has a client save the response as {@code fileName}. A name that is not plain ASCII comes
     * twice: in UTF-8 for all clients of today (RFC 8187), and before that with an underscore for
     * each such character.
     *
     * @throws IllegalArgumentException where it is empty, or has slashes, backslashes, control
     *     characters, or half of a surrogate pair
     */
    static String attachment(String fileName) {
        check(fileName);
        StringBuilder plain = new StringBuilder(fileName.length());
        // A percent sign is an escape to some clients, wherever it stands (RFC 6266, appendix D).
        fileName.codePoints()
                .forEach(c -> plain.appendCodePoint(c < 0x7F && c != '"' && c != '%' ? c : '_'));
        String value = "attachment; filename=\"" + plain + '"';
        return plain.compareTo(new StringBuilder(fileName)) == 0
                ? value
                : value + "; filename*=UTF-8''" + PercentEncoding.encode(fileName, ATTRIBUTE);
    }

    private static void check(String fileName) {
        boolean valid = !fileName.isEmpty();
        for (int i = 0; i < fileName.length(); i++) {
            char c = fileName.charAt(i);
            valid &= !Character.isISOControl(c) && c != '/' && c != '\\';
        }
        if (!valid) {
            throw new IllegalArgumentException(
                    "not a file name: it is not empty, and has neither slashes, backslashes nor"
                            + " control characters; take the part of a path behind its last slash");
        }
    }
}
