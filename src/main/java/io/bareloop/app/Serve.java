package io.bareloop.app;

import io.bareloop.files.StaticFiles;
import io.bareloop.http.Limits;
import io.bareloop.http.Timeouts;
import io.bareloop.server.AccessLog;
import io.bareloop.server.HttpServer;
import java.time.Duration;
import java.util.Map;

/** What is to be served, and how: the options of a command line have written it. */
final class Serve {
    /** The server as configured, without a handler. */
    final HttpServer.Builder server = HttpServer.builder();

    final Limits.Builder limits = Limits.builder();
    final Timeouts.Builder timeouts = Timeouts.builder();

    /** The files to serve, or null for the demonstration application. */
    final StaticFiles.Builder files;

    /** The access log that SIGHUP has opened anew; null where there is none. */
    AccessLog rotatedLog;

    /** How long requests in flight may take after SIGTERM. */
    Duration drain;

    private final Map<String, String> given;

    /**
     * What {@code given} says, by option, and the defaults.
     *
     * @param given values by the names of options, all of which there are
     * @throws IllegalArgumentException where a value is wrong, naming its option
     */
    Serve(Map<String, String> given) {
        this.given = given;
        refuseEmpty();
        files = files(given.get("--root"));
        ServerOptions.OPTIONS.forEach(this::apply);
        if (files != null) {
            FileOptions.OPTIONS.forEach(this::apply);
        }
        server.limits(limits.build()).timeouts(timeouts.build());
    }

    /** What was given for option {@code name}, or its default; null where there is neither. */
    String value(String name) {
        String value = given.get(name);
        return value != null ? value : ServeOptions.find(name).defaultValue();
    }

    private void apply(ServeOption option) {
        String value = value(option.name());
        if (value != null) {
            option.apply(this, value);
        }
    }

    /** None of them means something: a script whose variable was not set has written it. */
    private void refuseEmpty() {
        given.forEach(
                (name, value) -> {
                    if (value.isEmpty()) {
                        throw new IllegalArgumentException(
                                name
                                        + ": the value is empty"
                                        + (name.equals("--root")
                                                ? "; the working directory is \".\""
                                                : ""));
                    }
                });
    }

    private StaticFiles.Builder files(String root) {
        if (root != null) {
            return StaticFiles.builder(Arguments.path(root));
        }
        for (String name : given.keySet()) {
            if (!ServerOptions.OPTIONS.contains(ServeOptions.find(name))) {
                throw new IllegalArgumentException(
                        name + " says how files are served: --root DIR says which");
            }
        }
        return null;
    }
}
