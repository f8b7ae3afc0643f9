package io.bareloop.http;

import io.bareloop.wire.Encoded;
import io.bareloop.wire.FieldValue;

/**
 * Field lines encoded once, for responses that have them in common: {@link Response#fields
 * Response.fields}.
 *
 * <p>Immutable, for any loop.
 */
public final class Fields {
    /** No field at all. */
    public static final Fields NONE = new Fields("");

    private final String text;

    /** Made when first sent: most of these are only a step on the way to others. */
    private Encoded lines;

    private Fields(String text) {
        this.text = text;
    }

    /**
     * As these, with {@code type} behind them.
     *
     * @param type written as a Content-Type line
     * @return new fields; these stay as they are
     */
    public Fields with(MediaType type) {
        return new Fields(text + "Content-Type: " + type + "\r\n");
    }

    /**
     * As these, with another field behind them.
     *
     * @param name of the field
     * @param value of the field
     * @return new fields; these stay as they are
     * @throws IllegalArgumentException where the value has other characters than visible ASCII,
     *     spaces and tabs, or the field is one that the server writes
     */
    public Fields with(HeaderName name, String value) {
        name.checkHandlers();
        FieldValue.check(name, value);
        return new Fields(text + name + ": " + value + "\r\n");
    }

    /**
     * As these, with {@code more} behind them.
     *
     * @param more any fields
     * @return new fields; these stay as they are
     */
    public Fields with(Fields more) {
        return new Fields(text + more.text);
    }

    /** Two loops may both make it; either will do. */
    Encoded lines() {
        Encoded known = lines;
        if (known == null) {
            known = Encoded.ascii(text);
            lines = known;
        }
        return known;
    }

    /** The lines as they are sent. */
    @Override
    public String toString() {
        return text;
    }
}
