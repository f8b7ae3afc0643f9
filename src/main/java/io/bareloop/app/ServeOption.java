package io.bareloop.app;

import java.util.List;

/**
 * An option, most with a value.
 *
 * @param name with its dashes
 * @param label what stands for the value in the help
 * @param defaultValue null where there is none, or none that can be written down
 * @param description for the help
 */
record ServeOption(String name, String label, Kind kind, String defaultValue, String description) {
    /** What a value has to be, before its own rules. */
    enum Kind {
        TEXT(String.class),
        INT(Integer.class),
        LONG(Long.class),

        /** No value; whether it was given. */
        FLAG(boolean.class),

        /** A text; may be given more than once, and comes one a line. */
        TEXTS(List.class);

        private final Class<?> type;

        Kind(Class<?> type) {
            this.type = type;
        }

        Class<?> type() {
            return type;
        }
    }

    /** Whether {@code value} can be one without a doubt: not another option, nor a wrong number. */
    boolean accepts(String value) {
        if (kind == Kind.FLAG || kind == Kind.TEXTS) {
            return false;
        }
        if (kind == Kind.TEXT) {
            return !value.isEmpty() && "-@\"\'".indexOf(value.charAt(0)) < 0;
        }
        // Of up to nine digits each is an int.
        if (value.isEmpty() || value.length() > 9) {
            return false;
        }
        for (int i = 0; i < value.length(); i++) {
            if (value.charAt(i) < '0' || value.charAt(i) > '9') {
                return false;
            }
        }
        return true;
    }
}
