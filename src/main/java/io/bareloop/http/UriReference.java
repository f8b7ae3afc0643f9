package io.bareloop.http;

import java.util.Locale;

/** What a field {@code Location} has: a URI, or the part of one (RFC 3986, section 4.1). */
final class UriReference {
    /** Characters of URIs; a percent sign is taken for part of an escape. */
    private static final boolean[] URI = PercentEncoding.alphanumericAnd("-._~:/?#[]@!$&'()*+,;=%");

    private UriReference() {}

    /**
     * Makes a URI of {@code text} as browsers do: what has no place in one, which is spaces, quotes
     * and all beyond ASCII, is percent-encoded in UTF-8 (RFC 3987, section 3.1).
     *
     * @return {@code text} itself where it is one already
     * @throws IllegalArgumentException where it is empty, or has control characters or half of a
     *     surrogate pair
     */
    static String encode(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isISOControl(c)) {
                throw new IllegalArgumentException(
                        String.format(
                                Locale.ROOT,
                                "control character U+%04X at index %d of a URI: remove it",
                                (int) c,
                                i));
            }
        }
        if (text.isEmpty()) {
            throw new IllegalArgumentException("an empty URI; \".\" is where the request went");
        }
        return PercentEncoding.encode(text, URI);
    }
}
