package io.bareloop.files;

import io.bareloop.http.HeaderName;

/** The names of fields that are about files. */
final class Names {
    static final HeaderName ACCEPT_RANGES = HeaderName.of("Accept-Ranges");
    static final HeaderName CACHE_CONTROL = HeaderName.CACHE_CONTROL;
    static final HeaderName CONTENT_ENCODING = HeaderName.of("Content-Encoding");
    static final HeaderName CONTENT_RANGE = HeaderName.of("Content-Range");
    static final HeaderName CONTENT_TYPE = HeaderName.CONTENT_TYPE;
    static final HeaderName ETAG = HeaderName.ETAG;
    static final HeaderName LAST_MODIFIED = HeaderName.LAST_MODIFIED;
    static final HeaderName VARY = HeaderName.VARY;

    private Names() {}
}
