package io.bareloop.wire;

import java.nio.charset.StandardCharsets;

/** The line of text that says what an error status means: of all errors, wherever they arise. */
public final class ErrorLine {
    private ErrorLine() {}

    /**
     * For example {@code "404 Not Found\n"}, or with a detail {@code "404 Not Found: detail\n"}.
     */
    public static String of(int code, String reason, String detail) {
        return code
                + (reason.isEmpty() ? "" : " " + reason)
                + (detail == null ? "" : ": " + detail)
                + "\n";
    }

    /** The same in UTF-8. */
    public static byte[] bytes(int code, String reason, String detail) {
        return of(code, reason, detail).getBytes(StandardCharsets.UTF_8);
    }
}
