/**
 * An HTTP server and library for Linux with nothing between it and the kernel.
 *
 * <p>{@code io.bareloop.server} configures and starts one; {@code io.bareloop.http} is what its
 * handlers see; {@code io.bareloop.files} has a handler that serves files. The packages below them
 * are the machinery, and may change without notice.
 */
module io.bareloop {
    exports io.bareloop.files;
    exports io.bareloop.http;
    exports io.bareloop.server;

    // For the command line alone; an application that embeds the server never loads it.
    requires static info.picocli;
}
