package io.bareloop.wire;

/** What a response has behind its head, by its status alone (RFC 9110, section 15). */
public enum Content {
    /** Whatever there is. */
    ANY,

    /** 205: nothing, and Content-Length says so (RFC 9110, section 15.3.6). */
    EMPTY,

    /** 1xx, 204, 304: nothing, and no Content-Length (RFC 9112, section 6.3). */
    NONE;

    /** What the status {@code code} allows. */
    public static Content of(int code) {
        if (code < 200 || code == 204 || code == 304) {
            return NONE;
        }
        return code == 205 ? EMPTY : ANY;
    }
}
