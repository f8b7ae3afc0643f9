package io.bareloop.files;

import io.bareloop.http.ByteView;

/** Lists of entity tags, as If-Match and If-None-Match have them (RFC 9110, section 8.8.3). */
final class EntityTags {
    private EntityTags() {}

    /**
     * Whether {@code list} is "*" or has {@code tag}.
     *
     * @param tag a strong one, with its quotes
     * @param weakly compares weakly: a tag of the list may be marked as weak
     */
    static boolean matches(ByteView list, byte[] tag, boolean weakly) {
        int length = list.length();
        int at = skipBlanks(list, 0, length);
        if (at < length && list.at(at) == '*' && skipBlanks(list, at + 1, length) == length) {
            return true;
        }
        while (at < length) {
            boolean weak = at + 1 < length && list.at(at) == 'W' && list.at(at + 1) == '/';
            int from = weak ? at + 2 : at;
            if (from >= length || list.at(from) != '"') {
                return false;
            }
            int end = list.indexOf((byte) '"', from + 1);
            if (end < 0) {
                return false;
            }
            end++;
            if ((weakly || !weak) && equals(list, from, end, tag)) {
                return true;
            }
            at = skipBlanks(list, end, length);
        }
        return false;
    }

    /** Blanks and commas: an empty element of a list says nothing. */
    private static int skipBlanks(ByteView list, int from, int length) {
        int at = from;
        while (at < length && (list.at(at) == ' ' || list.at(at) == '\t' || list.at(at) == ',')) {
            at++;
        }
        return at;
    }

    private static boolean equals(ByteView list, int from, int end, byte[] tag) {
        if (end - from != tag.length) {
            return false;
        }
        for (int i = 0; i < tag.length; i++) {
            if (list.at(from + i) != tag[i]) {
                return false;
            }
        }
        return true;
    }
}
