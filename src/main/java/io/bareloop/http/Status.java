package io.bareloop.http;

import io.bareloop.wire.Encoded;

/** Status codes of RFC 9110, section 15, and RFC 6585. */
public enum Status {
    /** 200 OK. */
    OK(200, "OK"),
    /** 201 Created. */
    CREATED(201, "Created"),
    /** 202 Accepted. */
    ACCEPTED(202, "Accepted"),
    /** 204 No Content. */
    NO_CONTENT(204, "No Content"),
    /** 206 Partial Content. */
    PARTIAL_CONTENT(206, "Partial Content"),
    /** 301 Moved Permanently. */
    MOVED_PERMANENTLY(301, "Moved Permanently"),
    /** 302 Found. */
    FOUND(302, "Found"),
    /** 303 See Other. */
    SEE_OTHER(303, "See Other"),
    /** 304 Not Modified. */
    NOT_MODIFIED(304, "Not Modified"),
    /** 307 Temporary Redirect. */
    TEMPORARY_REDIRECT(307, "Temporary Redirect"),
    /** 308 Permanent Redirect. */
    PERMANENT_REDIRECT(308, "Permanent Redirect"),
    /** 400 Bad Request. */
    BAD_REQUEST(400, "Bad Request"),
    /** 401 Unauthorized. */
    UNAUTHORIZED(401, "Unauthorized"),
    /** 403 Forbidden. */
    FORBIDDEN(403, "Forbidden"),
    /** 404 Not Found. */
    NOT_FOUND(404, "Not Found"),
    /** 405 Method Not Allowed. */
    METHOD_NOT_ALLOWED(405, "Method Not Allowed"),
    /** 406 Not Acceptable. */
    NOT_ACCEPTABLE(406, "Not Acceptable"),
    /** 408 Request Timeout. */
    REQUEST_TIMEOUT(408, "Request Timeout"),
    /** 409 Conflict. */
    CONFLICT(409, "Conflict"),
    /** 410 Gone. */
    GONE(410, "Gone"),
    /** 411 Length Required. */
    LENGTH_REQUIRED(411, "Length Required"),
    /** 412 Precondition Failed. */
    PRECONDITION_FAILED(412, "Precondition Failed"),
    /** 413 Content Too Large. */
    CONTENT_TOO_LARGE(413, "Content Too Large"),
    /** 414 URI Too Long. */
    URI_TOO_LONG(414, "URI Too Long"),
    /** 415 Unsupported Media Type. */
    UNSUPPORTED_MEDIA_TYPE(415, "Unsupported Media Type"),
    /** 416 Range Not Satisfiable. */
    RANGE_NOT_SATISFIABLE(416, "Range Not Satisfiable"),
    /** 417 Expectation Failed. */
    EXPECTATION_FAILED(417, "Expectation Failed"),
    /** 422 Unprocessable Content. */
    UNPROCESSABLE_CONTENT(422, "Unprocessable Content"),
    /** 429 Too Many Requests. */
    TOO_MANY_REQUESTS(429, "Too Many Requests"),
    /** 431 Request Header Fields Too Large. */
    FIELDS_TOO_LARGE(431, "Request Header Fields Too Large"),
    /** 500 Internal Server Error. */
    INTERNAL_SERVER_ERROR(500, "Internal Server Error"),
    /** 501 Not Implemented. */
    NOT_IMPLEMENTED(501, "Not Implemented"),
    /** 502 Bad Gateway. */
    BAD_GATEWAY(502, "Bad Gateway"),
    /** 503 Service Unavailable. */
    SERVICE_UNAVAILABLE(503, "Service Unavailable"),
    /** 504 Gateway Timeout. */
    GATEWAY_TIMEOUT(504, "Gateway Timeout"),
    /** 505 HTTP Version Not Supported. */
    VERSION_NOT_SUPPORTED(505, "HTTP Version Not Supported");

    private final int code;
    private final String reason;
    private final Encoded line;

    Status(int code, String reason) {
        this.code = code;
        this.reason = reason;
        this.line = Encoded.ascii("HTTP/1.1 " + code + " " + reason + "\r\n");
    }

    /**
     * Returns the status with that code.
     *
     * @param code three digits
     * @return the status
     * @throws IllegalArgumentException where it is none of these
     */
    public static Status of(int code) {
        for (Status status : values()) {
            if (status.code == code) {
                return status;
            }
        }
        throw new IllegalArgumentException("no such status: " + code);
    }

    /** {@return the three digits, 200 to 599} */
    public int code() {
        return code;
    }

    /** {@return the phrase that goes with the code} */
    public String reason() {
        return reason;
    }

    /**
     * {@return whether a response with this status has neither body nor Content-Length (204, 304)}
     */
    public boolean isBodiless() {
        return this == NO_CONTENT || this == NOT_MODIFIED;
    }

    Encoded line() {
        return line;
    }
}
