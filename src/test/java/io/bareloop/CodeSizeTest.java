package io.bareloop;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Methods with more than {@value #INLINED_BYTES_MAX} bytes of code, the JIT's limit for inlining
 * (FreqInlineSize): where one stands in the path of a request, what calls it and what it calls are
 * compiled apart. So that this happens where somebody wanted it, they are listed, each with the
 * reason why it is so large.
 *
 * <p>That a request allocates nothing must not hang on them: the allocation tests run with other
 * limits too.
 */
class CodeSizeTest {
    private static final int INLINED_BYTES_MAX = 325;

    private static final Path CLASSES = Path.of("target", "classes");

    /** Floors that no request passes, and what was generated. */
    private static final List<String> ELSEWHERE = List.of("app", "generated", "server");

    private static final String DISK = "asks the disk, which takes longer than any call";

    private static final Map<String, String> REASONS =
            Map.ofEntries(
                    entry("files/ByteRanges.parse", "a small grammar, read once for a range"),
                    entry("files/EntryMaker.make", DISK),
                    entry("files/EntryMaker.variants", DISK),
                    entry("files/HttpDate.parse", "a small grammar, read once for a date"),
                    entry("http1/Framing.note", "kept out of the loop of lines: see there"),
                    entry("http1/Http1Connection.receive", "the path of a request in one place"),
                    entry("http1/WordLines.parseLines", "one loop over all usual lines"));

    @Test
    void methodsThatTheJitDoesNotInlineAreKnown() throws IOException {
        Map<String, Integer> large = new TreeMap<>();
        try (Stream<Path> files = Files.walk(CLASSES.resolve("io/bareloop"))) {
            for (Path file : files.filter(CodeSizeTest::isOnThePath).toList()) {
                ClassFile read = new ClassFile(Files.readAllBytes(file));
                String name =
                        CLASSES.resolve("io/bareloop")
                                .relativize(file)
                                .toString()
                                .replace(".class", ".");
                read.codeSizes()
                        .forEach(
                                (method, bytes) -> {
                                    if (bytes > INLINED_BYTES_MAX && !method.equals("<clinit>")) {
                                        large.put(name + method, bytes);
                                    }
                                });
            }
        }
        large.forEach(
                (method, bytes) ->
                        System.out.printf("%5d %s: %s%n", bytes, method, REASONS.get(method)));
        assertThat(large.keySet())
                .as("methods of more than %s bytes of code: %s", INLINED_BYTES_MAX, large)
                .containsExactlyInAnyOrderElementsOf(REASONS.keySet());
    }

    private static boolean isOnThePath(Path file) {
        String floor = CLASSES.resolve("io/bareloop").relativize(file).getName(0).toString();
        return file.toString().endsWith(".class") && !ELSEWHERE.contains(floor);
    }

    /** The test of the test: a method whose size is known. */
    @Test
    void aMethodIsMeasured() {
        String file = getClass().getName().replace('.', '/') + ".class";
        try (var in = getClass().getClassLoader().getResourceAsStream(file)) {
            // aload_0, invokespecial, return.
            assertThat(new ClassFile(in.readAllBytes()).codeSizes()).containsEntry("<init>", 5);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
