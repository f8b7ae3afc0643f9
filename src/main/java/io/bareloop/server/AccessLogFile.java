package io.bareloop.server;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The file that lines are appended to, or the standard output. Belongs to its writer. */
final class AccessLogFile {
    /** Null for the standard output. */
    private final Path path;

    private FileChannel channel;

    /** The last write has stopped amid a line. */
    private boolean torn;

    AccessLogFile(Path path) {
        this.path = path;
    }

    /** Opens it, or opens it anew; where that fails the one before stays open. */
    void open() throws IOException {
        FileChannel opened = path == null ? standardOutput() : append(path);
        FileChannel before = channel;
        channel = opened;
        if (before != null && path != null) {
            torn = false;
            before.close();
        }
    }

    private static FileChannel append(Path path) throws IOException {
        return FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    @SuppressWarnings("resource") // it is the process's, and not closed
    private static FileChannel standardOutput() {
        return new FileOutputStream(FileDescriptor.out).getChannel();
    }

    /** Writes all of {@code lines}; where that fails, it is known how far it has come. */
    void write(ByteBuffer lines) throws IOException {
        if (torn) {
            channel.write(ByteBuffer.wrap(new byte[] {'\n'}));
            torn = false;
        }
        int start = lines.position();
        try {
            while (lines.hasRemaining()) {
                channel.write(lines);
            }
        } finally {
            int end = lines.position();
            torn = lines.hasRemaining() && end > start && lines.get(end - 1) != '\n';
        }
    }

    /** Whether it may be closed: the standard output is the process's. */
    boolean isOwn() {
        return path != null;
    }

    void close() throws IOException {
        if (channel != null && path != null) {
            channel.close();
        }
    }
}
