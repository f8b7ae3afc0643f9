package io.bareloop.http;

import io.bareloop.wire.Content;
import io.bareloop.wire.Encoded;
import io.bareloop.wire.FieldValue;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * A status of a response: any code from 100 to 599 (RFC 9110, section 15). Those that have a name
 * in RFC 9110 and the RFCs around it are constants; {@link #of(int)} has all others.
 *
 * <p>Two are equal when their codes are: the reason is for people only. For a code, {@link
 * #of(int)} always returns the same object, which is the constant where there is one. Immutable,
 * for any thread.
 */
public final class Status {
    private static final int CODE_MIN = 100;
    private static final int CODE_MAX = 599;
    private static final int REASON_CHARS_MAX = 128;

    /** By code: constants, and what was asked for so far. */
    private static final AtomicReferenceArray<Status> KNOWN =
            new AtomicReferenceArray<>(CODE_MAX + 1);

    /** 100 Continue: the server sends it by itself. */
    public static final Status CONTINUE = constant(100, "Continue");

    /** 101 Switching Protocols: the server speaks no other, so nothing sends it. */
    public static final Status SWITCHING_PROTOCOLS = constant(101, "Switching Protocols");

    /** 102 Processing (RFC 2518). */
    public static final Status PROCESSING = constant(102, "Processing");

    /** 103 Early Hints (RFC 8297): {@link Response#earlyHints Response.earlyHints} sends it. */
    public static final Status EARLY_HINTS = constant(103, "Early Hints");

    /** 200 OK. */
    public static final Status OK = constant(200, "OK");

    /** 201 Created. */
    public static final Status CREATED = constant(201, "Created");

    /** 202 Accepted. */
    public static final Status ACCEPTED = constant(202, "Accepted");

    /** 203 Non-Authoritative Information. */
    public static final Status NON_AUTHORITATIVE = constant(203, "Non-Authoritative Information");

    /** 204 No Content. */
    public static final Status NO_CONTENT = constant(204, "No Content");

    /** 205 Reset Content: no body, and Content-Length: 0 says so. */
    public static final Status RESET_CONTENT = constant(205, "Reset Content");

    /** 206 Partial Content. */
    public static final Status PARTIAL_CONTENT = constant(206, "Partial Content");

    /** 207 Multi-Status (RFC 4918). */
    public static final Status MULTI_STATUS = constant(207, "Multi-Status");

    /** 208 Already Reported (RFC 5842). */
    public static final Status ALREADY_REPORTED = constant(208, "Already Reported");

    /** 226 IM Used (RFC 3229). */
    public static final Status IM_USED = constant(226, "IM Used");

    /** 300 Multiple Choices. */
    public static final Status MULTIPLE_CHOICES = constant(300, "Multiple Choices");

    /** 301 Moved Permanently. */
    public static final Status MOVED_PERMANENTLY = constant(301, "Moved Permanently");

    /** 302 Found. */
    public static final Status FOUND = constant(302, "Found");

    /** 303 See Other. */
    public static final Status SEE_OTHER = constant(303, "See Other");

    /** 304 Not Modified. */
    public static final Status NOT_MODIFIED = constant(304, "Not Modified");

    /** 307 Temporary Redirect. */
    public static final Status TEMPORARY_REDIRECT = constant(307, "Temporary Redirect");

    /** 308 Permanent Redirect. */
    public static final Status PERMANENT_REDIRECT = constant(308, "Permanent Redirect");

    /** 400 Bad Request. */
    public static final Status BAD_REQUEST = constant(400, "Bad Request");

    /** 401 Unauthorized. */
    public static final Status UNAUTHORIZED = constant(401, "Unauthorized");

    /** 402 Payment Required. */
    public static final Status PAYMENT_REQUIRED = constant(402, "Payment Required");

    /** 403 Forbidden. */
    public static final Status FORBIDDEN = constant(403, "Forbidden");

    /** 404 Not Found. */
    public static final Status NOT_FOUND = constant(404, "Not Found");

    /** 405 Method Not Allowed. */
    public static final Status METHOD_NOT_ALLOWED = constant(405, "Method Not Allowed");

    /** 406 Not Acceptable. */
    public static final Status NOT_ACCEPTABLE = constant(406, "Not Acceptable");

    /** 407 Proxy Authentication Required. */
    public static final Status PROXY_AUTHENTICATION_REQUIRED =
            constant(407, "Proxy Authentication Required");

    /** 408 Request Timeout. */
    public static final Status REQUEST_TIMEOUT = constant(408, "Request Timeout");

    /** 409 Conflict. */
    public static final Status CONFLICT = constant(409, "Conflict");

    /** 410 Gone. */
    public static final Status GONE = constant(410, "Gone");

    /** 411 Length Required. */
    public static final Status LENGTH_REQUIRED = constant(411, "Length Required");

    /** 412 Precondition Failed. */
    public static final Status PRECONDITION_FAILED = constant(412, "Precondition Failed");

    /** 413 Content Too Large. */
    public static final Status CONTENT_TOO_LARGE = constant(413, "Content Too Large");

    /** 414 URI Too Long. */
    public static final Status URI_TOO_LONG = constant(414, "URI Too Long");

    /** 415 Unsupported Media Type. */
    public static final Status UNSUPPORTED_MEDIA_TYPE = constant(415, "Unsupported Media Type");

    /** 416 Range Not Satisfiable. */
    public static final Status RANGE_NOT_SATISFIABLE = constant(416, "Range Not Satisfiable");

    /** 417 Expectation Failed. */
    public static final Status EXPECTATION_FAILED = constant(417, "Expectation Failed");

    /** 418 I'm a teapot (RFC 2324). */
    public static final Status TEAPOT = constant(418, "I'm a teapot");

    /** 421 Misdirected Request. */
    public static final Status MISDIRECTED_REQUEST = constant(421, "Misdirected Request");

    /** 422 Unprocessable Content. */
    public static final Status UNPROCESSABLE_CONTENT = constant(422, "Unprocessable Content");

    /** 423 Locked (RFC 4918). */
    public static final Status LOCKED = constant(423, "Locked");

    /** 424 Failed Dependency (RFC 4918). */
    public static final Status FAILED_DEPENDENCY = constant(424, "Failed Dependency");

    /** 425 Too Early (RFC 8470). */
    public static final Status TOO_EARLY = constant(425, "Too Early");

    /** 426 Upgrade Required. */
    public static final Status UPGRADE_REQUIRED = constant(426, "Upgrade Required");

    /** 428 Precondition Required (RFC 6585). */
    public static final Status PRECONDITION_REQUIRED = constant(428, "Precondition Required");

    /** 429 Too Many Requests (RFC 6585). */
    public static final Status TOO_MANY_REQUESTS = constant(429, "Too Many Requests");

    /** 431 Request Header Fields Too Large (RFC 6585). */
    public static final Status FIELDS_TOO_LARGE = constant(431, "Request Header Fields Too Large");

    /** 451 Unavailable For Legal Reasons (RFC 7725). */
    public static final Status UNAVAILABLE_FOR_LEGAL_REASONS =
            constant(451, "Unavailable For Legal Reasons");

    /** 500 Internal Server Error. */
    public static final Status INTERNAL_SERVER_ERROR = constant(500, "Internal Server Error");

    /** 501 Not Implemented. */
    public static final Status NOT_IMPLEMENTED = constant(501, "Not Implemented");

    /** 502 Bad Gateway. */
    public static final Status BAD_GATEWAY = constant(502, "Bad Gateway");

    /** 503 Service Unavailable. */
    public static final Status SERVICE_UNAVAILABLE = constant(503, "Service Unavailable");

    /** 504 Gateway Timeout. */
    public static final Status GATEWAY_TIMEOUT = constant(504, "Gateway Timeout");

    /** 505 HTTP Version Not Supported. */
    public static final Status VERSION_NOT_SUPPORTED = constant(505, "HTTP Version Not Supported");

    /** 506 Variant Also Negotiates (RFC 2295). */
    public static final Status VARIANT_ALSO_NEGOTIATES = constant(506, "Variant Also Negotiates");

    /** 507 Insufficient Storage (RFC 4918). */
    public static final Status INSUFFICIENT_STORAGE = constant(507, "Insufficient Storage");

    /** 508 Loop Detected (RFC 5842). */
    public static final Status LOOP_DETECTED = constant(508, "Loop Detected");

    /** 511 Network Authentication Required (RFC 6585). */
    public static final Status NETWORK_AUTHENTICATION_REQUIRED =
            constant(511, "Network Authentication Required");

    private final int code;
    private final String reason;
    private final Content content;

    /** Made when first sent: most of them never are. */
    private Encoded line;

    private Status(int code, String reason) {
        this.code = code;
        this.reason = reason;
        this.content = Content.of(code);
    }

    private static Status constant(int code, String reason) {
        Status status = new Status(code, reason);
        KNOWN.set(code, status);
        return status;
    }

    /**
     * The status with that code. One without a constant has the name of its class as its reason:
     * {@code Status.of(499)} is "499 Client Error".
     *
     * @param code 100 to 599
     * @return the status; the same object each time
     * @throws IllegalArgumentException where the code is less or more
     */
    public static Status of(int code) {
        checkCode(code);
        Status known = KNOWN.get(code);
        if (known == null) {
            KNOWN.compareAndSet(code, null, new Status(code, nameOfClass(code)));
            known = KNOWN.get(code);
        }
        return known;
    }

    /**
     * A status with a reason of its own. It takes a new object each time: make it once, as a
     * constant.
     *
     * @param code 100 to 599
     * @param reason what stands behind the code, up to 128 characters; may be empty
     * @return a new status, which is equal to {@code of(code)}
     * @throws IllegalArgumentException where the code is less or more, or the reason is longer or
     *     has other characters than visible ASCII, spaces and tabs
     */
    public static Status of(int code, String reason) {
        checkCode(code);
        FieldValue.check("the reason of status " + code, reason);
        if (reason.length() > REASON_CHARS_MAX) {
            throw new IllegalArgumentException(
                    "a reason of "
                            + reason.length()
                            + " characters; "
                            + REASON_CHARS_MAX
                            + " are the most");
        }
        return new Status(code, reason);
    }

    private static void checkCode(int code) {
        if (code < CODE_MIN || code > CODE_MAX) {
            throw new IllegalArgumentException(
                    "no such status: " + code + "; they go from " + CODE_MIN + " to " + CODE_MAX);
        }
    }

    private static String nameOfClass(int code) {
        return switch (code / 100) {
            case 1 -> "Informational";
            case 2 -> "Successful";
            case 3 -> "Redirection";
            case 4 -> "Client Error";
            default -> "Server Error";
        };
    }

    /** {@return the three digits, 100 to 599} */
    public int code() {
        return code;
    }

    /** {@return the phrase that goes with the code; may be empty} */
    public String reason() {
        return reason;
    }

    /**
     * {@return whether a response with this status has neither body nor Content-Length: 204, 304
     * and 1xx} A 205 has no body either, but Content-Length: 0.
     */
    public boolean isBodiless() {
        return content == Content.NONE;
    }

    /** {@return whether this is 1xx: no response by itself, but sent before one} */
    public boolean isInformational() {
        return code < 200;
    }

    Content content() {
        return content;
    }

    /**
     * Checks that a response can have it.
     *
     * @return this
     * @throws IllegalArgumentException where it is 1xx
     */
    Status checkFinal() {
        if (isInformational()) {
            throw new IllegalArgumentException(
                    code
                            + " cannot be the status of a response: take one from 200 to 599."
                            + " earlyHints() sends a 103 before the response; the server sends"
                            + " 100 by itself, and no other 1xx");
        }
        return this;
    }

    /** Two loops may both make it; either will do. */
    Encoded line() {
        Encoded known = line;
        if (known == null) {
            known = Encoded.ascii("HTTP/1.1 " + code + " " + reason + "\r\n");
            line = known;
        }
        return known;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Status status && status.code == code;
    }

    @Override
    public int hashCode() {
        return code;
    }

    /** Code and reason, as "404 Not Found". */
    @Override
    public String toString() {
        return reason.isEmpty() ? Integer.toString(code) : code + " " + reason;
    }
}
