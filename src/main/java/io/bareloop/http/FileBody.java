package io.bareloop.http;

import io.bareloop.wire.FileSource;

/**
 * An open file of which responses send parts, straight from the kernel's cache to the socket: what
 * {@link Response#body(FileBody, long, long)} takes. {@link io.bareloop.files.StaticFiles} has
 * them.
 */
public final class FileBody {
    private final FileSource source;

    /**
     * For the server: files are opened by {@code io.bareloop.files}.
     *
     * @param source the file; each response that is given it owns a use of it
     * @hidden
     */
    @SuppressWarnings({"exports", "InvalidBlockTag"}) // only the server can call it
    public FileBody(FileSource source) {
        this.source = source;
    }

    FileSource source() {
        return source;
    }
}
