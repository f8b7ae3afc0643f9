package io.bareloop.testkit;

import java.nio.charset.StandardCharsets;
import java.util.List;

/** A response as a client sees it. Immutable, for any thread. */
public final class TestResponse {
    private final String head;
    private final int status;
    private final List<Field> fields;
    private final byte[] body;
    private final boolean whole;
    private final List<TestResponse> interim;
    private final List<Throwable> failures;

    /** A line of the head. */
    record Field(String name, String value) {}

    TestResponse(
            String head,
            int status,
            List<Field> fields,
            byte[] body,
            boolean whole,
            List<TestResponse> interim,
            List<Throwable> failures) {
        this.head = head;
        this.status = status;
        this.fields = List.copyOf(fields);
        this.body = body;
        this.whole = whole;
        this.interim = List.copyOf(interim);
        this.failures = List.copyOf(failures);
    }

    /** {@return the status code, for example 200} */
    public int status() {
        return status;
    }

    /**
     * {@return the value of the first field of that name; null where there is none}
     *
     * @param name in any case
     */
    public String header(String name) {
        List<String> values = headers(name);
        return values.isEmpty() ? null : values.getFirst();
    }

    /**
     * {@return the values of all fields of that name, in their order; empty where there is none}
     *
     * @param name in any case
     */
    public List<String> headers(String name) {
        return fields.stream()
                .filter(field -> field.name.equalsIgnoreCase(name))
                .map(Field::value)
                .toList();
    }

    /** {@return the body, joined where it was sent in pieces; a copy} */
    public byte[] body() {
        return body.clone();
    }

    /** {@return the body, read as UTF-8} */
    public String text() {
        return new String(body, StandardCharsets.UTF_8);
    }

    /**
     * {@return whether the response has come to its proper end; false where the connection was
     * closed amid it, and where {@link TestClient#sendUntil} has left}
     */
    public boolean isWhole() {
        return whole;
    }

    /** {@return what came before it, in order: 100 (Continue), 103 (Early Hints)} */
    public List<TestResponse> interim() {
        return interim;
    }

    /** {@return what handlers have thrown meanwhile, in order; an HttpException is none} */
    public List<Throwable> failures() {
        return failures;
    }

    /** {@return the head as it was sent, an empty line, and the body as UTF-8: for messages} */
    @Override
    public String toString() {
        return head.replace("\r\n", "\n") + text();
    }
}
