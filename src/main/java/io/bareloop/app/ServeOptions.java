package io.bareloop.app;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The options of {@code serve}, and a command line of them. */
final class ServeOptions {
    private ServeOptions() {}

    /**
     * The values of a command line that is nothing but options with values, each once and in two
     * words; null for any other, which {@link CommandLineSpec} is to judge. It knows more and says
     * more, at 50 ms of loading picocli.
     */
    static Map<String, String> plain(String[] arguments) {
        Map<String, String> values = new LinkedHashMap<>();
        for (int i = 0; i < arguments.length; i += 2) {
            ServeOption option = find(arguments[i]);
            if (option == null
                    || i + 1 == arguments.length
                    || !option.accepts(arguments[i + 1])
                    || values.put(option.name(), arguments[i + 1]) != null) {
                return null;
            }
        }
        return values;
    }

    /** The option with that name, or null. */
    static ServeOption find(String name) {
        ServeOption option = find(name, ServerOptions.OPTIONS);
        return option != null ? option : find(name, FileOptions.OPTIONS);
    }

    private static ServeOption find(String name, List<ServeOption> options) {
        for (ServeOption option : options) {
            if (option.name().equals(name)) {
                return option;
            }
        }
        return null;
    }

    /**
     * All of them, in the order of the help. To load those of files takes some ms: a start that
     * gives none of them does not ask for this.
     */
    static List<ServeOption> all() {
        return Stream.concat(ServerOptions.OPTIONS.stream(), FileOptions.OPTIONS.stream()).toList();
    }
}
