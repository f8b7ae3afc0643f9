package io.bareloop.http;

import io.bareloop.wire.Ascii;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;

/**
 * Reads the value of a field that is {@code type; name=value; name="value"}: a Content-Type or a
 * Content-Disposition. First {@link #type}, then the parameters one by one.
 */
final class FieldParameters {
    private final String field;
    private final byte[] in;
    private final int end;
    private int at;
    private String name = "";
    private byte[] value = {};

    /**
     * Begins with [from, to) of {@code in}.
     *
     * @param field its name, for messages
     */
    FieldParameters(String field, byte[] in, int from, int to) {
        this.field = field;
        this.in = in;
        at = from;
        end = to;
    }

    /** What stands ahead of the parameters, in lower case, without blanks around it. */
    String type() {
        int from = at;
        while (at < end && in[at] != ';') {
            at++;
        }
        return text(from, at).strip();
    }

    /**
     * Goes to the next parameter.
     *
     * @return whether there is one
     * @throws HttpException with 400 where it is malformed
     */
    boolean next() {
        skipBlanks();
        // Empty parameters are allowed (RFC 9110, section 5.6.6).
        while (at < end && in[at] == ';') {
            at++;
            skipBlanks();
        }
        if (at == end) {
            return false;
        }
        int from = at;
        while (at < end && Ascii.isToken(in[at])) {
            at++;
        }
        if (at == from || at == end || in[at] != '=') {
            throw malformed("a parameter is name=value");
        }
        name = text(from, at);
        at++;
        value = at < end && in[at] == '"' ? quoted() : plain();
        skipBlanks();
        if (at < end && in[at] != ';') {
            throw malformed("behind a parameter comes a semicolon, or nothing");
        }
        return true;
    }

    /** The name of the parameter, in lower case. */
    String name() {
        return name;
    }

    /** Its value, without quotes. */
    byte[] value() {
        return value;
    }

    /**
     * Up to a semicolon or a blank. More is allowed than in a token: boundaries with an equals sign
     * or a slash are often not quoted, though they should be.
     */
    private byte[] plain() {
        int from = at;
        while (at < end && in[at] > ' ' && in[at] < 0x7F && "\";\\".indexOf(in[at]) < 0) {
            at++;
        }
        if (at == from) {
            throw malformed("a parameter has no value, or one that needs quotes");
        }
        return Arrays.copyOfRange(in, from, at);
    }

    /**
     * Between quotes. A backslash stands for itself, as browsers send it, unless a quote or another
     * backslash follows; and even then where that quote is the last byte of the field, for it has
     * to be the closing one.
     */
    private byte[] quoted() {
        byte[] bytes = new byte[end - at];
        int length = 0;
        at++;
        while (at < end && in[at] != '"') {
            if (in[at] == '\\' && isEscape(at + 1)) {
                at++;
            }
            bytes[length] = in[at];
            length++;
            at++;
        }
        if (at == end) {
            throw malformed("a quote is not closed");
        }
        at++;
        return Arrays.copyOf(bytes, length);
    }

    private boolean isEscape(int next) {
        return next < end && (in[next] == '\\' || (in[next] == '"' && next < end - 1));
    }

    private void skipBlanks() {
        while (at < end && (in[at] == ' ' || in[at] == '\t')) {
            at++;
        }
    }

    private String text(int from, int to) {
        return new String(in, from, to - from, StandardCharsets.ISO_8859_1)
                .toLowerCase(Locale.ROOT);
    }

    private HttpException malformed(String how) {
        return new HttpException(Status.BAD_REQUEST, "malformed " + field + ": " + how);
    }
}
