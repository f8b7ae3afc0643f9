package io.bareloop.http;

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
     * Adds a field; see {@link Response#header(HeaderName, String)} for what is allowed.
     *
     * @param name of the field
     * @param value of the field; checked when it is sent, and then a failure of the handler
     * @return this reply
     */
    public Reply header(HeaderName name, String value) {
        names.add(name);
        values.add(value);
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
        for (int i = 0; i < names.size(); i++) {
            response.header(names.get(i), values.get(i));
        }
        if (type != null) {
            response.contentType(type);
        }
        response.body(body);
    }
}
