package io.bareloop.app;

import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.ObjIntConsumer;
import java.util.function.ObjLongConsumer;

/**
 * An option, most with a value: all there is to know about it.
 *
 * @param name with its dashes
 * @param label what stands for the value in the help
 * @param defaultValue null where there is none, or none that can be written down
 * @param description for the help
 * @param action what a value, given or default, does to what is to be served
 */
record ServeOption(
        String name,
        String label,
        Kind kind,
        String defaultValue,
        String description,
        BiConsumer<Serve, String> action) {
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

    static ServeOption ofText(
            String name,
            String label,
            String defaultValue,
            String description,
            BiConsumer<Serve, String> action) {
        return new ServeOption(name, label, Kind.TEXT, defaultValue, description, action);
    }

    static ServeOption ofInt(
            String name,
            String label,
            String defaultValue,
            String description,
            ObjIntConsumer<Serve> action) {
        return new ServeOption(
                name,
                label,
                Kind.INT,
                defaultValue,
                description,
                (serve, value) -> action.accept(serve, Integer.parseInt(value)));
    }

    static ServeOption ofLong(
            String name,
            String label,
            String defaultValue,
            String description,
            ObjLongConsumer<Serve> action) {
        return new ServeOption(
                name,
                label,
                Kind.LONG,
                defaultValue,
                description,
                (serve, value) -> action.accept(serve, Long.parseLong(value)));
    }

    /** Of texts, one after the other. */
    static ServeOption ofTexts(
            String name, String label, String description, BiConsumer<Serve, String> action) {
        return new ServeOption(
                name,
                label,
                Kind.TEXTS,
                null,
                description,
                (serve, values) -> {
                    for (String value : values.split("\n", -1)) {
                        action.accept(serve, value);
                    }
                });
    }

    /** Whose action is taken where it was given. */
    static ServeOption flag(String name, String description, Consumer<Serve> action) {
        return new ServeOption(
                name, null, Kind.FLAG, null, description, (serve, value) -> action.accept(serve));
    }

    /**
     * Does to {@code serve} what {@code value} says.
     *
     * @throws IllegalArgumentException where it cannot be so, naming the option
     */
    void apply(Serve serve, String value) {
        try {
            action.accept(serve, value);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(name + ": " + e.getMessage(), e);
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
