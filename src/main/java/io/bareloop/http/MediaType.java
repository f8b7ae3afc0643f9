package io.bareloop.http;

/** A Content-Type, encoded once: make one per type, as a constant, not one per response. */
public final class MediaType {
    public static final MediaType TEXT = of("text/plain");
    public static final MediaType TEXT_UTF_8 = of("text/plain; charset=utf-8");
    public static final MediaType HTML = of("text/html; charset=utf-8");
    public static final MediaType JSON = of("application/json");
    public static final MediaType OCTETS = of("application/octet-stream");
    public static final MediaType FORM = of("application/x-www-form-urlencoded");
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
