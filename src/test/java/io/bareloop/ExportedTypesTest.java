package io.bareloop;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The types that users see, against the list in CONTRIBUTING that says what each is for: whatever
 * is made public in an exported package needs a reason there.
 */
class ExportedTypesTest {
    private static final Path CONTRIBUTING = Path.of(".github", "CONTRIBUTING.md");
    private static final Path MAIN = Path.of("src", "main", "java");
    private static final String ROOT = "io.bareloop.";

    private static final Pattern EXPORT = Pattern.compile("(?m)^ *exports ([\\w.]+);");
    private static final Pattern SECTION =
            Pattern.compile("(?ms)^## [^\n]*exported types$(.*?)(?=^## )");

    /** A row: types between backticks, and the reason. */
    private static final Pattern ROW = Pattern.compile("(?m)^\\| (`\\S.*?) \\| (\\S.*) \\|$");

    private static final Pattern NAME = Pattern.compile("`([a-z]\\w*(?:\\.[A-Z]\\w*)+)`");

    @Test
    void everyExportedTypeIsListedWithItsReason() throws Exception {
        assertThat(listed())
                .as(CONTRIBUTING + " against the public types of exported packages")
                .doesNotHaveDuplicates()
                .containsExactlyInAnyOrderElementsOf(exported());
    }

    /** As {@code http.Limits.Builder}. */
    private static List<String> listed() throws IOException {
        Matcher section = SECTION.matcher(Files.readString(CONTRIBUTING));
        assertThat(section.find()).as("a section on exported types").isTrue();
        List<String> names = new ArrayList<>();
        Matcher row = ROW.matcher(section.group(1));
        while (row.find()) {
            Matcher name = NAME.matcher(row.group(1));
            while (name.find()) {
                names.add(name.group(1));
            }
        }
        return names;
    }

    /** Public types, and those public in them, of the packages that the module exports. */
    private static Set<String> exported() throws IOException, ClassNotFoundException {
        Set<String> names = new TreeSet<>();
        Matcher export = EXPORT.matcher(Files.readString(MAIN.resolve("module-info.java")));
        while (export.find()) {
            for (String type : topLevelTypes(export.group(1))) {
                addPublic(Class.forName(type, false, loader()), names);
            }
        }
        assertThat(names).hasSizeGreaterThan(20);
        return names;
    }

    private static List<String> topLevelTypes(String exported) throws IOException {
        try (Stream<Path> files = Files.list(MAIN.resolve(exported.replace('.', '/')))) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".java") && !name.contains("-"))
                    .map(name -> exported + "." + name.substring(0, name.lastIndexOf('.')))
                    .toList();
        }
    }

    private static void addPublic(Class<?> type, Set<String> names) {
        if (Modifier.isPublic(type.getModifiers()) || Modifier.isProtected(type.getModifiers())) {
            names.add(type.getCanonicalName().substring(ROOT.length()));
            for (Class<?> inner : type.getDeclaredClasses()) {
                addPublic(inner, names);
            }
        }
    }

    private static ClassLoader loader() {
        return ExportedTypesTest.class.getClassLoader();
    }
}
