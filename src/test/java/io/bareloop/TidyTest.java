package io.bareloop;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * What we agreed on and neither compiler nor formatter checks.
 *
 * <p>Each rule gathers all that breaks it, as {@code file:line: text}, so that one run tells
 * everything. What jextract wrote under {@code generated/} is exempt.
 */
class TidyTest {
    private static final int LINES_MAX = 500;
    private static final int MEDIAN_LINES_MAX = 110;
    private static final int COLUMNS_MAX = 100;

    private static final Path REPOSITORY = Path.of("").toAbsolutePath();
    private static final Path MAIN = Path.of("src", "main", "java");
    private static final Path TESTS = Path.of("src", "test", "java");

    private static final Set<String> TOP_LEVEL =
            Set.of(
                    "CHANGELOG.md",
                    "LICENSE",
                    "README.md",
                    "generated",
                    "jmh",
                    "native-headers",
                    "pom.xml",
                    "src",
                    "target",
                    "tune");

    private static final Pattern VAGUE_NAME =
            Pattern.compile("(Manager|Helper|Impl|Utils?)(?=[A-Z.]|$)");
    // In two parts, lest this file break its own rule.
    private static final Pattern UNFINISHED =
            Pattern.compile("\\b(TO" + "DO|FIX" + "ME|XX" + "X)\\b");
    private static final Pattern PRINT = Pattern.compile("System\\.(out|err)\\b");
    private static final Pattern TRAILING_BLANK = Pattern.compile("\\s$");
    private static final Pattern PUBLIC_TYPE =
            Pattern.compile(
                    "^ *public (?:\\w+ )*(?:class|interface|@interface|enum|record) \\w+.*");
    private static final Pattern TEST_METHOD =
            Pattern.compile("^ *@(Test|ParameterizedTest|RepeatedTest|TestFactory)\\b.*");

    @Test
    void topLevelStaysAsItIs() throws IOException {
        try (Stream<Path> entries = Files.list(REPOSITORY)) {
            assertThat(entries.map(entry -> entry.getFileName().toString()))
                    .allMatch(name -> name.startsWith(".") || TOP_LEVEL.contains(name));
        }
    }

    @Test
    void noTabs() {
        assertThat(linesOf(textFiles(), line -> line.contains("\t"))).isEmpty();
    }

    @Test
    void noTrailingBlanks() {
        assertThat(linesOf(textFiles(), line -> TRAILING_BLANK.matcher(line).find())).isEmpty();
    }

    @Test
    void filesEndWithOneNewline() {
        assertThat(textFiles())
                .filteredOn(file -> !Files.isDirectory(file))
                .filteredOn(
                        file -> {
                            String text = read(file);
                            return !text.endsWith("\n") || text.endsWith("\n\n");
                        })
                .isEmpty();
    }

    @Test
    void nothingUnfinished() {
        assertThat(linesOf(textFiles(), line -> UNFINISHED.matcher(line).find())).isEmpty();
    }

    /** The formatter wraps code and Javadoc, but neither strings nor other comments. */
    @Test
    void javaLinesFitInTheirColumns() {
        assertThat(
                        linesOf(
                                javaFiles(),
                                line ->
                                        line.length() > COLUMNS_MAX
                                                && !line.startsWith("import ")
                                                && !line.contains("http://")
                                                && !line.contains("https://")))
                .isEmpty();
    }

    /** A file is about one thing. System calls are many, and each is short. */
    @Test
    void filesAreShort() throws IOException {
        Map<String, Integer> lines = new TreeMap<>();
        for (Path file : javaFiles(MAIN)) {
            lines.put(file.getFileName().toString(), Files.readAllLines(file).size());
        }
        lines.remove("Syscalls.java");
        assertThat(lines).allSatisfy((file, count) -> assertThat(count).isLessThan(LINES_MAX));
        List<Integer> sorted = lines.values().stream().sorted().toList();
        assertThat(sorted.get(sorted.size() / 2)).isLessThan(MEDIAN_LINES_MAX);
    }

    /** A library does not talk to the terminal. */
    @Test
    void onlyAppPrints() {
        Path app = MAIN.resolve(Path.of("io", "bareloop", "app"));
        List<Path> files = new ArrayList<>(javaFiles(MAIN));
        files.removeIf(file -> file.startsWith(app));
        // Javadoc shows whole programs, which may.
        assertThat(
                        linesOf(
                                files,
                                line ->
                                        PRINT.matcher(line).find()
                                                && !line.stripLeading().startsWith("*")))
                .isEmpty();
    }

    @Test
    void everyPackageSaysWhatItIs() {
        assertThat(javaFiles(MAIN).stream().map(Path::getParent).distinct())
                .filteredOn(directory -> !directory.equals(MAIN))
                .filteredOn(directory -> !Files.exists(directory.resolve("package-info.java")))
                .isEmpty();
    }

    @Test
    void everyExportedPublicTypeHasJavadoc() {
        List<String> bare = new ArrayList<>();
        for (String exported : List.of("files", "http", "server")) {
            for (Path file : javaFiles(MAIN.resolve(Path.of("io", "bareloop", exported)))) {
                List<String> lines = read(file).lines().toList();
                for (int i = 0; i < lines.size(); i++) {
                    if (PUBLIC_TYPE.matcher(lines.get(i)).matches() && !hasJavadoc(lines, i)) {
                        bare.add(at(file, i, lines.get(i)));
                    }
                }
            }
        }
        assertThat(bare).isEmpty();
    }

    /** The house words are accept, recv, token, slab; these say nothing. */
    @Test
    void noVagueNames() {
        assertThat(javaFiles())
                .filteredOn(file -> VAGUE_NAME.matcher(file.getFileName().toString()).find())
                .isEmpty();
    }

    /** Surefire runs classes named *Test: one without a test, or a test elsewhere, runs unseen. */
    @Test
    void testsAreWhereSurefireLooks() {
        assertThat(javaFiles(TESTS))
                .filteredOn(
                        file ->
                                file.getFileName().toString().endsWith("Test.java")
                                        == linesOf(List.of(file), TidyTest::isTestMethod).isEmpty())
                .isEmpty();
    }

    private static boolean isTestMethod(String line) {
        return TEST_METHOD.matcher(line).matches();
    }

    /** Looks above annotations, which may take several lines, for the end of a comment. */
    private static boolean hasJavadoc(List<String> lines, int declaration) {
        int above = declaration - 1;
        while (above >= 0 && !lines.get(above).isBlank() && !lines.get(above).endsWith("*/")) {
            above--;
        }
        if (above < 0 || !lines.get(above).endsWith("*/")) {
            return false;
        }
        while (above > 0 && !lines.get(above).stripLeading().startsWith("/*")) {
            above--;
        }
        return lines.get(above).stripLeading().startsWith("/**");
    }

    private static List<String> linesOf(List<Path> files, Predicate<String> rule) {
        List<String> found = new ArrayList<>();
        for (Path file : files) {
            List<String> lines = read(file).lines().toList();
            for (int i = 0; i < lines.size(); i++) {
                if (rule.test(lines.get(i))) {
                    found.add(at(file, i, lines.get(i)));
                }
            }
        }
        return found;
    }

    private static String at(Path file, int index, String line) {
        return file + ":" + (index + 1) + ": " + line.strip();
    }

    private static List<Path> javaFiles() {
        return javaFiles(Path.of(""));
    }

    private static List<Path> javaFiles(Path below) {
        List<Path> files = new ArrayList<>(textFiles());
        files.removeIf(
                file ->
                        !REPOSITORY.resolve(file).startsWith(REPOSITORY.resolve(below))
                                || !file.toString().endsWith(".java"));
        return files;
    }

    /** Every file of ours that is text, relative to the repository. */
    private static List<Path> textFiles() {
        List<Path> files = new ArrayList<>();
        try {
            Files.walkFileTree(
                    REPOSITORY,
                    new SimpleFileVisitor<>() {
                        @Override
                        public FileVisitResult preVisitDirectory(
                                Path directory, BasicFileAttributes attributes) {
                            return isOurs(REPOSITORY.relativize(directory))
                                    ? FileVisitResult.CONTINUE
                                    : FileVisitResult.SKIP_SUBTREE;
                        }

                        @Override
                        public FileVisitResult visitFile(Path file, BasicFileAttributes it)
                                throws IOException {
                            if (it.isRegularFile() && isText(Files.readAllBytes(file))) {
                                files.add(REPOSITORY.relativize(file));
                            }
                            return FileVisitResult.CONTINUE;
                        }
                    });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        files.sort(null);
        return files;
    }

    /** Of the dot-directories, which may be an editor's or a tool's, only .ci is ours. */
    private static boolean isOurs(Path directory) {
        String name = directory.getName(0).toString();
        return name.isEmpty()
                || name.equals(".ci")
                || (TOP_LEVEL.contains(name)
                        && !name.equals("generated")
                        && !name.equals("target")
                        && !directory.endsWith("results"));
    }

    private static boolean isText(byte[] bytes) {
        for (byte b : bytes) {
            if (b == 0) {
                return false;
            }
        }
        return true;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(file.toString(), e);
        }
    }
}
