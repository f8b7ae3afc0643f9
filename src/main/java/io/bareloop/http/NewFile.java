package io.bareloop.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A file that is there as a whole, or not at all. */
final class NewFile {
    private NewFile() {}

    /**
     * Writes what is left of {@code from} to {@code file}. Where that fails, on either side, the
     * file is deleted.
     *
     * @return the number of bytes
     * @throws java.nio.file.FileAlreadyExistsException where there is such a file; nothing has been
     *     read then
     */
    static long write(InputStream from, Path file) throws IOException {
        OutputStream out =
                Files.newOutputStream(
                        file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        boolean whole = false;
        try (out) {
            long bytes = from.transferTo(out);
            whole = true;
            return bytes;
        } finally {
            if (!whole) {
                Files.deleteIfExists(file);
            }
        }
    }
}
