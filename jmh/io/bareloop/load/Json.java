package io.bareloop.load;

import java.util.Locale;

/** An object, written field by field. */
final class Json {
    private final StringBuilder out = new StringBuilder("{");

    Json put(String name, long value) {
        return putRaw(name, String.valueOf(value));
    }

    Json put(String name, double value) {
        return putRaw(name, String.format(Locale.ROOT, "%.3f", value));
    }

    Json put(String name, String value) {
        return putRaw(name, string(value));
    }

    Json putRaw(String name, String json) {
        out.append(out.length() > 1 ? ", " : "").append(string(name)).append(": ").append(json);
        return this;
    }

    static String string(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (c < ' ') {
                quoted.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }

    @Override
    public String toString() {
        return out + "}";
    }
}
