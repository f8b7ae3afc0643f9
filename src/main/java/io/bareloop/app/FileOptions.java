package io.bareloop.app;

import java.time.Duration;
import java.util.List;

/** The options of {@code serve} that say which files are served, and how. */
final class FileOptions {
    static final List<ServeOption> OPTIONS =
            List.of(
                    ServeOption.ofText(
                            "--root",
                            "DIR",
                            null,
                            "Serve the files of this directory, and nothing else. Its 404.html is"
                                    + " sent with 404, its 50x.html with 500 and 503.",
                            (serve, root) -> {
                                // Serve has begun with it.
                            }),
                    ServeOption.ofText(
                            "--index",
                            "NAME",
                            "index.html",
                            "File that a directory answers with.",
                            (serve, name) -> serve.files.index(name)),
                    ServeOption.ofText(
                            "--fallback",
                            "PATH",
                            null,
                            "File that answers where there is none and the path has no"
                                    + " extension, such as /index.html; 404.html answers the rest."
                                    + " Default: none.",
                            (serve, path) -> serve.files.fallback(path)),
                    ServeOption.flag(
                            "--listing",
                            "List directories that have no index file: names, sizes, dates.",
                            serve -> serve.files.listing(true)),
                    ServeOption.flag(
                            "--dot-files",
                            "Serve names that begin with a dot; /.well-known/ is served without.",
                            serve -> serve.files.dotFiles(true)),
                    ServeOption.flag(
                            "--outside-links",
                            "Follow symbolic links that lead out of the directory.",
                            serve -> serve.files.outsideLinks(true)),
                    ServeOption.flag(
                            "--gzip",
                            "Compress small files that have no .gz beside them when they are"
                                    + " read.",
                            serve -> serve.files.gzip(true)),
                    ServeOption.ofText(
                            "--cache-control",
                            "VALUE",
                            null,
                            "Cache-Control of all files that no pattern names. Default: none.",
                            (serve, value) -> serve.files.cacheControl(value)),
                    ServeOption.ofTexts(
                            "--cache-control-for",
                            "PATTERN:VALUE",
                            "Cache-Control of the files that PATTERN matches, such as"
                                    + " *.woff2:max-age=31536000; may be given more than once,"
                                    + " the first that matches counts.",
                            FileOptions::cacheControlFor),
                    ServeOption.ofInt(
                            "--small-files",
                            "BYTES",
                            "65536",
                            "Files up to this size are kept in memory, 0 to 1048576.",
                            (serve, bytes) -> serve.files.smallBytesMax(bytes)),
                    ServeOption.ofLong(
                            "--file-memory",
                            "BYTES",
                            null,
                            "Memory for them, at least 2097152. Default: 67108864, or a quarter"
                                    + " of the largest heap where that is less.",
                            (serve, bytes) -> serve.files.memoryBytesMax(bytes)),
                    ServeOption.ofInt(
                            "--open-files",
                            "N",
                            "1024",
                            "Larger files that are kept open, 8 to 1048576.",
                            (serve, n) -> serve.files.openFilesMax(n)),
                    ServeOption.ofInt(
                            "--files-unchecked",
                            "SECONDS",
                            "60",
                            "How long a known file is served that cannot be looked at again, for"
                                    + " want of descriptors or memory, 0 to 3600.",
                            (serve, seconds) ->
                                    serve.files.uncheckedMax(Duration.ofSeconds(seconds))));

    private FileOptions() {}

    private static void cacheControlFor(Serve serve, String text) {
        int colon = text.indexOf(':');
        if (colon < 0) {
            throw new IllegalArgumentException(
                    "\"" + text + "\" has no colon between pattern and value");
        }
        serve.files.cacheControl(text.substring(0, colon), text.substring(colon + 1));
    }
}
