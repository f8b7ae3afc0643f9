package io.bareloop.http;

import io.bareloop.wire.Ascii;

/** What a client says that it can show (RFC 9110, section 12.5.1). */
final class Accept {
    private static final String HTML = "text/html";

    private Accept() {}

    /**
     * Whether {@code request} lists text/html, with a weight above 0. Browsers do so for whatever
     * they open as a page. A range of types does not count: curl and scripts accept all types, and
     * are shown text.
     */
    static boolean listsHtml(Request request) {
        for (int i = 0; i < request.headerCount(); i++) {
            ByteView name = request.headerName(i);
            if (name.length() == 6
                    && name.contentEqualsIgnoreCase("accept")
                    && listsHtml(request.headerValue(i))) {
                return true;
            }
        }
        return false;
    }

    static boolean listsHtml(ByteView field) {
        int length = field.length();
        int at = 0;
        while (at < length) {
            int end = endOf(field, at, length, (byte) ',');
            if (isHtml(field, at, end)) {
                return true;
            }
            at = end + 1;
        }
        return false;
    }

    /**
     * Whether the element in [from, to) is text/html, and no weight of 0 is among its parameters.
     */
    private static boolean isHtml(ByteView field, int from, int to) {
        int at = skipBlanks(field, from, to);
        if (to - at < HTML.length()) {
            return false;
        }
        for (int i = 0; i < HTML.length(); i++) {
            if (Ascii.lower(field.at(at + i)) != HTML.charAt(i)) {
                return false;
            }
        }
        at = skipBlanks(field, at + HTML.length(), to);
        while (at < to) {
            if (field.at(at) != ';') {
                return false;
            }
            int end = endOf(field, at + 1, to, (byte) ';');
            if (isZero(field, skipBlanks(field, at + 1, end), end)) {
                return false;
            }
            at = end;
        }
        return true;
    }

    /** Whether the parameter in [from, to) is a weight of 0, in any of its spellings. */
    private static boolean isZero(ByteView field, int from, int to) {
        if (to - from < 3 || Ascii.lower(field.at(from)) != 'q' || field.at(from + 1) != '=') {
            return false;
        }
        int at = from + 2;
        while (at < to && (field.at(at) == '0' || field.at(at) == '.')) {
            at++;
        }
        return at > from + 2 && skipBlanks(field, at, to) == to;
    }

    /** Where {@code mark} stands next in [from, to), outside of quotes; or {@code to}. */
    private static int endOf(ByteView field, int from, int to, byte mark) {
        boolean quoted = false;
        for (int at = from; at < to; at++) {
            byte b = field.at(at);
            if (quoted && b == '\\') {
                at++;
            } else if (b == '"') {
                quoted = !quoted;
            } else if (b == mark && !quoted) {
                return at;
            }
        }
        return to;
    }

    private static int skipBlanks(ByteView field, int from, int to) {
        int at = from;
        while (at < to && (field.at(at) == ' ' || field.at(at) == '\t')) {
            at++;
        }
        return at;
    }
}
