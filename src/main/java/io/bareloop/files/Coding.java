package io.bareloop.files;

import java.util.Arrays;

/** The content codings that a file can be had in, the preferred one first. */
enum Coding {
    BROTLI("br", ".br"),
    ZSTD("zstd", ".zst"),
    GZIP("gzip", ".gz"),
    IDENTITY("identity", "");

    private final String token;
    private final String suffix;

    Coding(String token, String suffix) {
        this.token = token;
        this.suffix = suffix;
    }

    /** Its name in Accept-Encoding and Content-Encoding. */
    String token() {
        return token;
    }

    /** The names of all, in their order. */
    static String[] tokens() {
        return Arrays.stream(values()).map(Coding::token).toArray(String[]::new);
    }

    /** What the name of a file's sibling in this coding ends with. */
    String suffix() {
        return suffix;
    }
}
