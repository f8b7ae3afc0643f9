package io.bareloop.http;

import io.bareloop.wire.Encoded;

/** A Content-Type, encoded once: make one per type, as a constant, not one per response. */
public final class MediaType {
    /** Plain text in UTF-8. */
    public static final MediaType TEXT = of("text/plain; charset=utf-8");

    /** HTML in UTF-8. */
    public static final MediaType HTML = of("text/html; charset=utf-8");

    /** JSON, which is UTF-8. */
    public static final MediaType JSON = of("application/json");

    /** Bytes of no particular type. */
    public static final MediaType OCTETS = of("application/octet-stream");

    /** A form, as {@link FormReader} reads it. */
    public static final MediaType FORM = of("application/x-www-form-urlencoded");

    /** Server-sent events, as {@link EventStream} sends them. */
    public static final MediaType EVENT_STREAM = of("text/event-stream");

    private final String name;
    private final Encoded line;

    private MediaType(String name) {
        this.name = name;
        this.line = Encoded.ascii("Content-Type: " + name + "\r\n");
    }

    /**
     * Returns the type {@code name}, for example {@code "image/png"}.
     *
     * @param name of the type, with its parameters
     * @return the type, for any thread
     * @throws IllegalArgumentException where it has other characters than visible ASCII and spaces
     */
    public static MediaType of(String name) {
        if (name.isEmpty() || !name.chars().allMatch(c -> c >= ' ' && c < 0x7F)) {
            throw new IllegalArgumentException("not a media type: \"" + name + "\"");
        }
        return new MediaType(name);
    }

    @Override
    public String toString() {
        return name;
    }

    Encoded line() {
        return line;
    }
}
