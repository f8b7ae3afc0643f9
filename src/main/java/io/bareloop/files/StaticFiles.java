package io.bareloop.files;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.bareloop.http.ErrorPage;
import io.bareloop.http.Fields;
import io.bareloop.http.Handler;
import io.bareloop.http.HeaderName;
import io.bareloop.http.MediaType;
import io.bareloop.http.Method;
import io.bareloop.http.Prepared;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Status;
import io.bareloop.sys.Syscalls;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Serves the files of a directory.
 *
 * <pre>{@code
 * try (StaticFiles files = StaticFiles.of(Path.of("site"));
 *         HttpServer server =
 *                 HttpServer.builder().listen("127.0.0.1", 8080).handler(files).start()) {
 *     server.awaitTermination();
 * }
 * }</pre>
 *
 * <p>GET and HEAD, with conditions, ranges and content codings as RFC 9110 has them (sections 13,
 * 14 and 12.5.3): strong ETag and Last-Modified, 304, 412, 206, 416, and siblings {@code .br},
 * {@code .zst} and {@code .gz} of a file in its place where the client accepts them. OPTIONS says
 * so, other methods are answered 405. The path of a request is decoded once; what is not the plain
 * name of a file beneath the root is answered 404: dot segments, names that begin with a dot,
 * backslashes, NUL, malformed UTF-8, symbolic links that lead out, pipes, devices.
 *
 * <p>A root may have error pages of its own, small files each: {@code 404.html} is sent with 404,
 * {@code 50x.html} with 500 and 503; like all files they are looked at again. They are sent whole,
 * whatever conditions and ranges are asked for, and without ETag, Last-Modified and Cache-Control.
 * Where there is none a browser is shown a page that says what the status means, any other client a
 * line of text: see {@link ErrorPage}.
 *
 * <p>Small files are kept in memory with their response head and sent with one call; large ones go
 * from the kernel's cache to the socket by sendfile(2). Nothing is allocated for a request whose
 * file is known, except for several ranges of a large file. A file is looked at again about every
 * 0.4 s while it is asked for, so that a change, a replacement or a removal shows within a second;
 * each response is of one version, whose ETag it has, unless a large file is overwritten in place
 * (replace it by rename(2) instead). Loops never wait for the disk: threads of this object do.
 * Where there is no descriptor or no memory to look at a file with, it is served as it is known for
 * up to a minute longer; files that are not known are answered 503 with Retry-After then, and the
 * log says so.
 *
 * <p>An ETag is strong, and the same on each server that has the same files: a digest of the bytes
 * of a small one; of a large one the size, the time of its last change, which copies have to keep
 * for that, and a digest of its ends. Where two versions of a large file have all that in common,
 * the second one that is seen has another ETag, which is this server's own, and no Last-Modified.
 * Dates before 1990 are no dates: tools that make builds reproducible set them, such as 1 s after
 * 1970, or a day in 1980 or 1985. Neither they nor dates to come are sent as Last-Modified, nor
 * compared with those of conditions.
 *
 * <p>For any number of loops and servers at the same time. Close it after them. On a server with
 * {@code privateDescriptors} large files are answered 500: their descriptors mean nothing there.
 */
public final class StaticFiles implements Handler, AutoCloseable {
    /** Bytes up to which a file counts as small, where nothing else is said: 64 KiB. */
    public static final int SMALL_BYTES_MAX = 64 << 10;

    /**
     * Memory for small files, where nothing else is said: 64 MiB, or a quarter of the largest heap
     * where that is less.
     */
    public static final long MEMORY_BYTES_MAX =
            // Native memory is bounded by the size of the heap, unless the JVM is told otherwise.
            Math.max(2L << 20, Math.min(64L << 20, Runtime.getRuntime().maxMemory() / 4));

    /** Large files that are kept open, where nothing else is said: 1024. */
    public static final int OPEN_FILES_MAX = 1024;

    /**
     * How long a known file is served that cannot be looked at again, where nothing else is said.
     */
    public static final Duration UNCHECKED_MAX = Duration.ofMinutes(1);

    /** How long a request waits for a disk that does not answer. */
    private static final Duration DISK_TIME_MAX = Duration.ofSeconds(30);

    private static final String METHODS = "GET, HEAD, OPTIONS";
    private static final Prepared OPTIONS =
            Prepared.of(
                    Status.NO_CONTENT, Fields.NONE.with(HeaderName.ALLOW, METHODS), new byte[0]);
    private static final ErrorPage NOT_ALLOWED = ErrorPage.notAllowed(METHODS);

    private final FileTree tree;

    private StaticFiles(Settings settings) {
        tree = new FileTree(settings);
    }

    /**
     * Serves {@code root} as it is: no listing, no dot files, no link that leads out.
     *
     * @param root a directory of the default file system
     * @return a handler with everything as the builder has it without further calls
     * @throws IllegalArgumentException where the root is empty, no directory, or cannot be opened
     *     and searched
     */
    public static StaticFiles of(Path root) {
        return builder(root).build();
    }

    /**
     * Begins to configure the serving of {@code root}, a directory, of the default file system. A
     * relative path begins at the working directory of the process, whatever the property user.dir
     * says.
     *
     * @param root the directory; looked at when {@link Builder#build} is called
     * @return a builder, to be used by one thread
     */
    public static Builder builder(Path root) {
        return new Builder(root);
    }

    /** Answers at once what has to do with no file, without waiting for a body. */
    @Override
    public Handler route(Request request) {
        return switch (request.method()) {
            case GET, HEAD -> this;
            case OPTIONS -> OPTIONS;
            default -> NOT_ALLOWED;
        };
    }

    @Override
    public void handle(Request request, Response response) throws Exception {
        Method method = request.method();
        if (method == Method.GET || method == Method.HEAD) {
            tree.handle(request, response);
        } else {
            (method == Method.OPTIONS ? OPTIONS : NOT_ALLOWED).handle(request, response);
        }
    }

    /** For tests: what is known. */
    FileCache cache() {
        return tree.cache();
    }

    /**
     * Forgets the files, and has the threads end, without waiting for them. Responses that are
     * under way still come to their end; requests that wait for the disk, and those that come from
     * here on, are answered 503. For any thread, also in a handler; again without effect.
     */
    @Override
    public void close() {
        tree.close();
    }

    /** Configures the serving of a directory. Not safe for several threads at once. */
    public static final class Builder {
        private final Path root;
        private final MediaTypes types = new MediaTypes();
        private final CacheControl cacheControl = new CacheControl();
        private String mount = "";
        private String index = "index.html";
        private String fallback;
        private boolean listing;
        private boolean dotFiles;
        private boolean outsideLinks;
        private boolean precompressed = true;
        private boolean gzip;
        private int smallBytesMax = SMALL_BYTES_MAX;
        private long memoryBytesMax = MEMORY_BYTES_MAX;
        private int openFilesMax = OPEN_FILES_MAX;
        private Duration uncheckedMax = UNCHECKED_MAX;
        private Duration diskTimeMax = DISK_TIME_MAX;
        private Consumer<String> log = Builder::logToSystem;
        private Function<Arena, Syscalls> calls = Syscalls::new;

        private Builder(Path root) {
            this.root = root;
        }

        /**
         * What stands in front of the files' paths in URLs: with {@code "/assets"} the file {@code
         * app.js} is {@code /assets/app.js}. To be routed there with {@code
         * router.get("/assets/{path...}", files)}, and with {@code router.get("/assets", files)}
         * where that is to lead there. Without this call nothing.
         *
         * @param path begins with a slash, ends without one, and is spelled as in the URL
         * @return this builder
         * @throws IllegalArgumentException where it is not such a path, or has other characters
         *     than letters, digits and {@code ._~-}
         */
        public Builder mount(String path) {
            if (!path.matches("(/[A-Za-z0-9._~-]+)+")) {
                throw new IllegalArgumentException(
                        "not a path to mount at: \"" + path + "\"; write it as \"/assets\"");
            }
            mount = path;
            return this;
        }

        /**
         * The file that a path with a slash at its end means; without this call index.html.
         *
         * @param name of a file, without a slash, and with no dot in front
         * @return this builder
         * @throws IllegalArgumentException where it is no such name
         */
        public Builder index(String name) {
            if (name.isEmpty() || name.indexOf('/') >= 0 || name.startsWith(".")) {
                throw new IllegalArgumentException("not a file name: \"" + name + "\"");
            }
            index = new String(name.getBytes(UTF_8), ISO_8859_1);
            return this;
        }

        /**
         * The file that answers, with 200, where there is none and the last segment of the path has
         * no dot: for an application whose pages exist in the browser only. Each such request asks
         * the disk first. It goes before {@code 404.html}, which answers what is left. Without this
         * call none.
         *
         * @param path of the file beneath the root, for example {@code "/index.html"}
         * @return this builder
         * @throws IllegalArgumentException where it is no such path, or a segment of it begins with
         *     a dot
         */
        public Builder fallback(String path) {
            if (!path.matches("(/[^/.][^/]*)+")) {
                throw new IllegalArgumentException(
                        "not the path of a file: \"" + path + "\"; write it as \"/index.html\"");
            }
            fallback = new String(path.getBytes(UTF_8), ISO_8859_1);
            return this;
        }

        /**
         * Whether a directory without an index file answers with a page of the names in it, their
         * sizes and dates; directories first, then by name. The page has {@code 10000} at the most,
         * and says where there are more. Without this call there is no such page. Names that would
         * be answered 404 are not on it: those that begin with a dot, are not UTF-8 or have a
         * backslash, pipes and devices, links that lead out. Whether a file may be read is not
         * looked at. Each request reads the directory, and the status of each file in it.
         *
         * @param on whether to list
         * @return this builder
         */
        public Builder listing(boolean on) {
            listing = on;
            return this;
        }

        /**
         * Whether names that begin with a dot are served; without this call they are not. But for
         * one: the directory {@code /.well-known/} at the root of a server (RFC 8615) is served in
         * any case, without the names in it that begin with a dot, and without a listing of it. A
         * {@link #mount} is no root of a server: there it is a name like others, unless the mount
         * itself is {@code "/.well-known"}. A {@link #fallback} never answers in it.
         *
         * @param on whether to serve them
         * @return this builder
         */
        public Builder dotFiles(boolean on) {
            dotFiles = on;
            return this;
        }

        /**
         * Whether symbolic links may lead out of the root; without this call they may not: relative
         * ones that stay inside are followed, absolute ones are not.
         *
         * @param on whether they may
         * @return this builder
         */
        public Builder outsideLinks(boolean on) {
            outsideLinks = on;
            return this;
        }

        /**
         * Whether siblings {@code .br}, {@code .zst} and {@code .gz} of a file are sent in its
         * place to clients that accept them; without this call they are. One that is more than 2 s
         * older than the file is of another version, and is not.
         *
         * @param on whether to send them
         * @return this builder
         */
        public Builder precompressed(boolean on) {
            precompressed = on;
            return this;
        }

        /**
         * Whether small files that compress well, and have no sibling, are compressed when they are
         * read, for clients that accept gzip; without this call they are not.
         *
         * @param on whether to compress
         * @return this builder
         */
        public Builder gzip(boolean on) {
            gzip = on;
            return this;
        }

        /**
         * The Cache-Control of files that no pattern matches; without this call none.
         *
         * @param value of the field, for example {@code "max-age=3600"}
         * @return this builder
         * @throws IllegalArgumentException where it has other characters than visible ASCII and
         *     spaces
         */
        public Builder cacheControl(String value) {
            cacheControl.otherwise(checked(value));
            return this;
        }

        /**
         * The Cache-Control of files that {@code pattern} matches; the first that does counts.
         *
         * @param pattern where {@code *} is any part of a name, {@code **} of a path and {@code ?}
         *     one character: {@code "*.woff2"} at any depth, {@code "/assets/**"} from the root
         * @param value of the field, for example {@code "max-age=31536000, immutable"}
         * @return this builder
         * @throws IllegalArgumentException where the pattern is empty, or the value has other
         *     characters than visible ASCII and spaces
         */
        public Builder cacheControl(String pattern, String value) {
            if (pattern.isEmpty()) {
                throw new IllegalArgumentException("the pattern is empty");
            }
            String bytes = new String(pattern.getBytes(UTF_8), ISO_8859_1);
            cacheControl.add(bytes, checked(value));
            return this;
        }

        private static String checked(String value) {
            Fields.NONE.with(Names.CACHE_CONTROL, value);
            return value;
        }

        /**
         * The Content-Type of files whose name ends so; without this call that of IANA's registry,
         * text with {@code charset=utf-8}.
         *
         * @param extension without a dot, for example {@code "md"}
         * @param type of such files, 255 characters at the most
         * @return this builder
         * @throws IllegalArgumentException where the extension is empty or has a dot, or the type
         *     is longer
         */
        public Builder type(String extension, MediaType type) {
            if (extension.isEmpty()
                    || extension.indexOf('.') >= 0
                    || type.toString().length() > 255) {
                throw new IllegalArgumentException(
                        "not an extension and its type: \"" + extension + "\", " + type);
            }
            types.put(extension, type.toString());
            return this;
        }

        /**
         * Bytes up to which a file is kept in memory, 0 to 1 MiB; without this call 64 KiB.
         *
         * @param bytes of the largest file that counts as small
         * @return this builder
         * @throws IllegalArgumentException where it is out of range
         */
        public Builder smallBytesMax(int bytes) {
            smallBytesMax = (int) between("small bytes", bytes, 0, 1 << 20);
            return this;
        }

        /**
         * Memory for small files, 2 MiB to 1 TiB; without this call {@link #MEMORY_BYTES_MAX}. It
         * is native memory and counts against -XX:MaxDirectMemorySize.
         *
         * @param bytes for all small files together
         * @return this builder
         * @throws IllegalArgumentException where it is out of range
         */
        public Builder memoryBytesMax(long bytes) {
            memoryBytesMax = between("memory bytes", bytes, 2L << 20, 1L << 40);
            return this;
        }

        /**
         * Large files that are kept open, 8 to 1048576; without this call 1024.
         *
         * @param files that are open at the same time, each of which takes a descriptor
         * @return this builder
         * @throws IllegalArgumentException where it is out of range
         */
        public Builder openFilesMax(int files) {
            openFilesMax = (int) between("open files", files, 8, 1 << 20);
            return this;
        }

        /**
         * How long a known file is served that cannot be looked at again, for want of descriptors
         * or memory of the kernel's, 0 to 1 h; without this call {@link #UNCHECKED_MAX}.
         *
         * @param time of which whole seconds are checked: 0 to 3600
         * @return this builder
         * @throws IllegalArgumentException where it is out of range
         */
        public Builder uncheckedMax(Duration time) {
            between("seconds unchecked", time.toSeconds(), 0, 3600);
            uncheckedMax = time;
            return this;
        }

        /**
         * Where lines about what the disk refuses go; without this call to System.Logger
         * io.bareloop. Called by several threads, none of them a loop's; what it throws goes to
         * their handler of uncaught exceptions.
         *
         * @param lines takes each line, without a line break at its end
         * @return this builder
         */
        public Builder log(Consumer<String> lines) {
            log = lines;
            return this;
        }

        /** For tests: system calls with faults. */
        Builder calls(Function<Arena, Syscalls> faulty) {
            calls = faulty;
            return this;
        }

        /** For tests: how long a request waits for a disk that does not answer. */
        Builder diskTimeMax(Duration time) {
            diskTimeMax = time;
            return this;
        }

        /**
         * Opens the root and starts the threads that wait for the disk.
         *
         * @return the handler, ready for requests; to be closed after the servers that use it
         * @throws IllegalArgumentException where the root is empty, no directory, or cannot be
         *     opened and searched; where it is to be listed and cannot be read; where the fallback
         *     is no file that can be read
         */
        public StaticFiles build() {
            return new StaticFiles(
                    new Settings(
                            root,
                            mount,
                            index,
                            fallback,
                            listing,
                            dotFiles,
                            outsideLinks,
                            precompressed,
                            gzip,
                            types,
                            cacheControl,
                            smallBytesMax,
                            memoryBytesMax,
                            openFilesMax,
                            uncheckedMax.toNanos(),
                            diskTimeMax,
                            log,
                            calls));
        }

        /** Looked up when first needed: System.Logger may bring a whole logging system along. */
        private static void logToSystem(String line) {
            System.getLogger("io.bareloop").log(System.Logger.Level.WARNING, line);
        }

        private static long between(String name, long value, long min, long max) {
            if (value < min || value > max) {
                throw new IllegalArgumentException(
                        name + " are " + value + "; it must be " + min + " to " + max);
            }
            return value;
        }
    }
}
