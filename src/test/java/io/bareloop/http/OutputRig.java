package io.bareloop.http;

/** For protocols of tests in other packages: what ours may do with an output buffer. */
public final class OutputRig {
    private OutputRig() {}

    /** Puts the characters of {@code text}, ASCII. */
    public static void put(OutputBuffer out, String text) {
        out.putAscii(text);
    }
}
