package io.bareloop.hostile;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The files that are served: each has the bytes that belong to its name. */
final class MarkedFiles {
    /** Names, each with its size. */
    static final List<MarkedFile> FILES =
            List.of(
                    new MarkedFile("empty", 0),
                    new MarkedFile("one", 1),
                    new MarkedFile("small", 700),
                    new MarkedFile("page", 12_345),
                    new MarkedFile("nearly", 60_000),
                    new MarkedFile("large", 100_001),
                    new MarkedFile("larger", 777_777),
                    new MarkedFile("largest", 2_500_000));

    record MarkedFile(String name, int size) {
        long key() {
            return MarkedBytes.key(name);
        }
    }

    private MarkedFiles() {}

    /** Writes them all into {@code directory}. */
    static void write(Path directory) throws IOException {
        for (MarkedFile file : FILES) {
            Files.write(directory.resolve(file.name()), MarkedBytes.of(file.key(), 0, file.size()));
        }
    }
}
