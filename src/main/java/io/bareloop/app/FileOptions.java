package io.bareloop.app;

import io.bareloop.app.ServeOption.Kind;
import io.bareloop.files.StaticFiles;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** The options of {@code serve} that say which files are served, and how. */
final class FileOptions {
    static final List<ServeOption> OPTIONS =
            List.of(
                    new ServeOption(
                            "--root",
                            "DIR",
                            Kind.TEXT,
                            null,
                            "Serve the files of this directory, and nothing else. Its 404.html is"
                                    + " sent with 404, its 50x.html with 500 and 503."),
                    new ServeOption(
                            "--index",
                            "NAME",
                            Kind.TEXT,
                            "index.html",
                            "File that a directory answers with."),
                    new ServeOption(
                            "--fallback",
                            "PATH",
                            Kind.TEXT,
                            null,
                            "File that answers where there is none and the path has no"
                                    + " extension, such as /index.html; 404.html answers the rest."
                                    + " Default: none."),
                    flag(
                            "--listing",
                            "List directories that have no index file: names, sizes, dates."),
                    flag(
                            "--dot-files",
                            "Serve names that begin with a dot; /.well-known/ is served without."),
                    flag(
                            "--outside-links",
                            "Follow symbolic links that lead out of the directory."),
                    flag(
                            "--gzip",
                            "Compress small files that have no .gz beside them when they are"
                                    + " read."),
                    new ServeOption(
                            "--cache-control",
                            "VALUE",
                            Kind.TEXT,
                            null,
                            "Cache-Control of all files that no pattern names. Default: none."),
                    new ServeOption(
                            "--cache-control-for",
                            "PATTERN:VALUE",
                            Kind.TEXTS,
                            null,
                            "Cache-Control of the files that PATTERN matches, such as"
                                    + " *.woff2:max-age=31536000; may be given more than once,"
                                    + " the first that matches counts."),
                    new ServeOption(
                            "--small-files",
                            "BYTES",
                            Kind.INT,
                            "65536",
                            "Files up to this size are kept in memory, 0 to 1048576."),
                    new ServeOption(
                            "--file-memory",
                            "BYTES",
                            Kind.LONG,
                            null,
                            "Memory for them, at least 2097152. Default: 67108864, or a quarter"
                                    + " of the largest heap where that is less."),
                    new ServeOption(
                            "--open-files",
                            "N",
                            Kind.INT,
                            "1024",
                            "Larger files that are kept open, 8 to 1048576."),
                    new ServeOption(
                            "--files-unchecked",
                            "SECONDS",
                            Kind.INT,
                            "60",
                            "How long a known file is served that cannot be looked at again, for"
                                    + " want of descriptors or memory, 0 to 3600."));

    private FileOptions() {}

    private static ServeOption flag(String name, String description) {
        return new ServeOption(name, null, Kind.FLAG, null, description);
    }

    /**
     * The files to serve, or null.
     *
     * @throws IllegalArgumentException where a value is wrong, naming its option
     */
    static StaticFiles.Builder of(Map<String, String> given) {
        String root = given.get("--root");
        if (root == null) {
            for (ServeOption option : OPTIONS) {
                if (given.containsKey(option.name())) {
                    throw new IllegalArgumentException(
                            option.name() + " says how files are served: --root DIR says which");
                }
            }
            return null;
        }
        StaticFiles.Builder files = StaticFiles.builder(Arguments.path(root));
        ServeOptions.named("--index", () -> files.index(value(given, "--index")));
        String fallback = given.get("--fallback");
        if (fallback != null) {
            ServeOptions.named("--fallback", () -> files.fallback(fallback));
        }
        files.listing(given.containsKey("--listing"))
                .dotFiles(given.containsKey("--dot-files"))
                .outsideLinks(given.containsKey("--outside-links"))
                .gzip(given.containsKey("--gzip"));
        String patterns = given.get("--cache-control-for");
        if (patterns != null) {
            for (String pattern : patterns.split("\n", -1)) {
                ServeOptions.named("--cache-control-for", () -> cacheControlFor(files, pattern));
            }
        }
        String cacheControl = given.get("--cache-control");
        if (cacheControl != null) {
            ServeOptions.named("--cache-control", () -> files.cacheControl(cacheControl));
        }
        ServeOptions.named(
                "--small-files",
                () -> files.smallBytesMax(Integer.parseInt(value(given, "--small-files"))));
        String memory = given.get("--file-memory");
        if (memory != null) {
            ServeOptions.named("--file-memory", () -> files.memoryBytesMax(Long.parseLong(memory)));
        }
        ServeOptions.named(
                "--open-files",
                () -> files.openFilesMax(Integer.parseInt(value(given, "--open-files"))));
        ServeOptions.named(
                "--files-unchecked",
                () ->
                        files.uncheckedMax(
                                Duration.ofSeconds(
                                        Integer.parseInt(value(given, "--files-unchecked")))));
        return files;
    }

    private static String value(Map<String, String> given, String name) {
        return ServeOptions.value(given, name);
    }

    private static void cacheControlFor(StaticFiles.Builder files, String text) {
        int colon = text.indexOf(':');
        if (colon < 0) {
            throw new IllegalArgumentException(
                    "\"" + text + "\" has no colon between pattern and value");
        }
        files.cacheControl(text.substring(0, colon), text.substring(colon + 1));
    }
}
