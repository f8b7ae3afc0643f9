package io.bareloop.http;

import io.bareloop.wire.FieldValue;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A response as a value: what a {@link BlockingHandler} returns from its own thread. Mutable while
 * it is put together, by one thread.
 */
public final class Reply {
    private final List<HeaderName> names = new ArrayList<>(2);
    private final List<String> values = new ArrayList<>(2);
    private final Status status;
    private boolean plain;
    private MediaType type;
    private byte[] body = new byte[0];

    private Reply(Status status) {
        this.status = status.checkFinal();
    }

    /**
     * A reply with {@code status} and no body so far.
     *
     * @param status of the response, 200 to 599
     * @return a new reply
     * @throws IllegalArgumentException where the status is 1xx
     */
    public static Reply of(Status status) {
        return new Reply(status);
    }

    /**
     * A 200 with {@code text} in UTF-8, as text/plain.
     *
     * @param text of the body
     * @return a new reply
     */
    public static Reply text(String text) {
        return of(Status.OK).body(MediaType.TEXT, text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * A 200 with {@code json} in UTF-8, as application/json.
     *
     * @param json of the body, which is not checked
     * @return a new reply
     */
    public static Reply json(String json) {
        return of(Status.OK).body(MediaType.JSON, json.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * A 200 with {@code value} as JSON, as application/json.
     *
     * @param json the library that writes it, at once
     * @param value to write; may be null
     * @return a new reply
     * @throws IllegalArgumentException where {@code json} cannot write it; it has the cause
     */
    public static Reply json(Json json, Object value) {
        return of(Status.OK).body(MediaType.JSON, written(json, value));
    }

    /**
     * A reply with {@code status}, and {@code value} as JSON, as application/json.
     *
     * @param status of the response
     * @param json the library that writes it, at once
     * @param value to write; may be null
     * @return a new reply
     * @throws IllegalArgumentException where {@code json} cannot write it; it has the cause
     */
    public static Reply json(Status status, Json json, Object value) {
        return of(status).body(MediaType.JSON, written(json, value));
    }

    static byte[] written(Json json, Object value) {
        try {
            return json.write(value);
        } catch (HttpException answer) {
            throw answer;
        } catch (Exception failure) {
            throw new IllegalArgumentException(
                    "cannot be written as JSON: "
                            + (value == null ? "null" : value.getClass().getName()),
                    failure);
        }
    }

    /**
     * A reply that leads the client to another URI; see {@link Response#redirect}.
     *
     * @param status 301, 302, 303, 307 or 308
     * @param uri relative or absolute; not empty
     * @return a new reply
     * @throws IllegalArgumentException where it is another status, or the URI has control
     *     characters
     */
    public static Reply redirect(Status status, String uri) {
        checkRedirect(status);
        return of(status).header(HeaderName.LOCATION, UriReference.encode(uri));
    }

    static void checkRedirect(Status status) {
        switch (status.code()) {
            case 301, 302, 303, 307, 308 -> {}
            default ->
                    throw new IllegalArgumentException(
                            status + " does not redirect: take 301, 302, 303, 307 or 308");
        }
    }

    /**
     * Adds a cookie for the client to keep.
     *
     * @param cookie for the client
     * @return this reply
     */
    public Reply cookie(Cookie cookie) {
        return header(HeaderName.SET_COOKIE, cookie.toString());
    }

    /**
     * Has a browser save the body instead of showing it; see {@link Response#attachment
     * Response.attachment}.
     *
     * @param fileName what the file is to be called
     * @return this reply
     * @throws IllegalArgumentException where it is empty, or has slashes, backslashes, control
     *     characters, or half of a surrogate pair
     */
    public Reply attachment(String fileName) {
        return header(HeaderName.CONTENT_DISPOSITION, ContentDisposition.attachment(fileName));
    }

    /**
     * Adds a field; see {@link Response#header(HeaderName, String) Response.header} for what is
     * allowed.
     *
     * @param name of the field
     * @param value of the field
     * @return this reply
     * @throws IllegalArgumentException where the value has other characters than visible ASCII,
     *     spaces and tabs, or the field is one that the server writes
     */
    public Reply header(HeaderName name, String value) {
        FieldValue.check(name, value);
        name.checkHandlers();
        names.add(name);
        values.add(value);
        return this;
    }

    /**
     * Has this reply sent as it is on a server that compresses; see {@link Response#noCompression
     * Response.noCompression}.
     *
     * @return this reply
     */
    public Reply noCompression() {
        plain = true;
        return this;
    }

    /**
     * Sets the body, which must not change any more.
     *
     * @param bodyType of the body
     * @param bytes of any number
     * @return this reply
     */
    public Reply body(MediaType bodyType, byte[] bytes) {
        type = bodyType;
        body = bytes;
        return this;
    }

    void writeTo(Response response) {
        response.status(status);
        if (plain) {
            response.noCompression();
        }
        for (int i = 0; i < names.size(); i++) {
            response.header(names.get(i), values.get(i));
        }
        if (type != null) {
            response.contentType(type);
        }
        response.body(body);
    }
}
