package io.bareloop.rig;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** What /proc tells of the descriptors of this process. */
public final class OpenFiles {
    private static final Path PROC = Path.of("/proc/self");

    private OpenFiles() {}

    /**
     * The open sockets, each as descriptor and inode: two equal answers mean that nothing was left
     * open in between. Other kinds are the JVM's too, which opens archives when it likes.
     */
    public static Set<String> sockets() {
        Set<String> found = new TreeSet<>();
        try (Stream<Path> fds = Files.list(PROC.resolve("fd"))) {
            for (Path fd : (Iterable<Path>) fds::iterator) {
                String target = target(fd);
                if (target.startsWith("socket:")) {
                    found.add(fd.getFileName() + " " + target);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return found;
    }

    private static String target(Path fd) throws IOException {
        try {
            return Files.readSymbolicLink(fd).toString();
        } catch (NoSuchFileException e) {
            return ""; // closed since the directory was read
        }
    }

    /** Whether an exec would close {@code fd}. */
    public static boolean isCloseOnExec(int fd) {
        return (Long.parseLong(info(fd, "flags:"), 8) & 02000000) != 0;
    }

    /** Whether calls on {@code fd} return -EAGAIN rather than wait. */
    public static boolean isNonBlocking(int fd) {
        return (Long.parseLong(info(fd, "flags:"), 8) & 04000) != 0;
    }

    /** The counter of an eventfd(2), without resetting it. */
    public static long eventfdCount(int fd) {
        return Long.parseUnsignedLong(info(fd, "eventfd-count:"), 16);
    }

    private static String info(int fd, String field) {
        List<String> lines;
        try {
            lines = Files.readAllLines(PROC.resolve("fdinfo").resolve(String.valueOf(fd)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        for (String line : lines) {
            if (line.startsWith(field)) {
                return line.substring(field.length()).strip();
            }
        }
        throw new AssertionError("no " + field + " in " + lines);
    }
}
