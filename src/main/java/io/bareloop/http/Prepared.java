package io.bareloop.http;

import io.bareloop.wire.Content;
import io.bareloop.wire.Encoded;
import io.bareloop.wire.PreparedBlock;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * A complete response, encoded once off-heap; only the front with Date is put together per request.
 *
 * <p>A handler by itself: {@code Prepared.text("Hello, World!")}. Immutable, for any loop.
 */
public final class Prepared implements Handler {
    private final PreparedBlock block;

    private Prepared(Status status, MediaType type, byte[] body, String moreFields) {
        this(
                status,
                status.content() == Content.ANY
                        ? moreFields + "Content-Type: " + type + "\r\n"
                        : moreFields,
                body);
    }

    private Prepared(Status status, String someFields, byte[] body) {
        Content content = status.checkFinal().content();
        int length = content == Content.ANY ? body.length : 0;
        String fields =
                content == Content.NONE
                        ? someFields + "\r\n"
                        : someFields + "Content-Length: " + length + "\r\n\r\n";
        byte[] encoded = fields.getBytes(StandardCharsets.US_ASCII);
        byte[] both = new byte[encoded.length + length];
        System.arraycopy(encoded, 0, both, 0, encoded.length);
        System.arraycopy(body, 0, both, encoded.length, length);
        block = new PreparedBlock(status.code(), status.line(), Encoded.of(both), encoded.length);
    }

    /**
     * A 200 with {@code text} in UTF-8, as text/plain.
     *
     * @param text of the body
     * @return the response
     */
    public static Prepared text(String text) {
        return of(Status.OK, MediaType.TEXT, text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * A 200 with {@code json} in UTF-8, as application/json.
     *
     * @param json of the body, which is not checked
     * @return the response
     */
    public static Prepared json(String json) {
        return of(Status.OK, MediaType.JSON, json.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * A response with a copy of {@code body}; a status that has no body leaves it out.
     *
     * @param status of the response, 200 to 599
     * @param type of the body
     * @param body bytes of any number; from about 60 KiB on they are sent without a copy
     * @return the response
     * @throws IllegalArgumentException where the status is 1xx
     */
    public static Prepared of(Status status, MediaType type, byte[] body) {
        return new Prepared(status, type, body, "");
    }

    /**
     * A response with {@code fields} and a copy of {@code body}, which a 204, 205 or 304 leaves
     * out.
     *
     * @param status of the response, 200 to 599
     * @param fields without Content-Length, which is added
     * @param body bytes of any number; from about 60 KiB on they are sent without a copy
     * @return the response
     * @throws IllegalArgumentException where the status is 1xx
     */
    public static Prepared of(Status status, Fields fields, byte[] body) {
        return new Prepared(status, fields.toString(), body);
    }

    /** A response with {@code text} in UTF-8 and one more field. */
    static Prepared of(Status status, MediaType type, String text, HeaderName name, String value) {
        return new Prepared(
                status, type, text.getBytes(StandardCharsets.UTF_8), name + ": " + value + "\r\n");
    }

    /** Sends it. */
    @Override
    public void handle(Request request, Response response) {
        response.send(this);
    }

    /** None: there is no need to wait for a body. */
    @Override
    public Intake intake() {
        return Intake.NONE;
    }

    /** {@return a view of the body, which cannot be written; empty where there is none} */
    public MemorySegment body() {
        return block.tail().segment().asSlice(block.fieldBytes()).asReadOnly();
    }

    PreparedBlock block() {
        return block;
    }
}
