package io.bareloop.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.ServerProcess;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Modules of users: the test kit takes no JUnit, but for its extension. */
class ModulePathTest {
    private static final Path LIBRARY = Path.of("target", "classes").toAbsolutePath();

    private static final String MAIN =
            """
            package user;

            import io.bareloop.testkit.TestClient;

            public final class Main {
                private Main() {}

                public static void main(String[] arguments) {
                    TestClient client =
                            TestClient.of((request, response) -> response.body("by module"));
                    System.out.println(client.get("/").text());
                }
            }
            """;

    private static final String EXTENDED =
            """
            package user;

            import io.bareloop.testkit.ServerExtension;
            import org.junit.jupiter.api.Test;
            import org.junit.jupiter.api.extension.RegisterExtension;

            class Extended {
                @RegisterExtension
                static final ServerExtension SERVER =
                        ServerExtension.of((request, response) -> response.body("whole"));

                @Test
                void serves() {
                    SERVER.uri("/");
                }
            }
            """;

    @TempDir private Path directory;

    @Test
    void handlersAreDrivenWithoutJunit() throws Exception {
        write("module-info.java", "module user { requires io.bareloop; }");
        write("user/Main.java", MAIN);
        assertThat(compiled(LIBRARY.toString())).isEmpty();
        Process process =
                new ProcessBuilder(
                                ServerProcess.tool("java"),
                                "--module-path",
                                LIBRARY + File.pathSeparator + directory.resolve("classes"),
                                "--enable-native-access=io.bareloop",
                                "-m",
                                "user/user.Main")
                        .redirectErrorStream(true)
                        .start();
        assertThat(new String(process.getInputStream().readAllBytes(), UTF_8))
                .isEqualTo("by module" + System.lineSeparator());
        assertThat(process.waitFor()).isZero();
    }

    @Test
    void theExtensionTakesTheJunitOfTheUser() throws Exception {
        write(
                "module-info.java",
                "module user { requires io.bareloop; requires org.junit.jupiter.api; }");
        write("user/Extended.java", EXTENDED);
        assertThat(compiled(LIBRARY + File.pathSeparator + junit())).isEmpty();
    }

    private void write(String name, String text) throws IOException {
        Path file = directory.resolve("sources").resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    /** What the compiler has to say. */
    private String compiled(String modulePath) throws IOException {
        List<String> arguments =
                new ArrayList<>(
                        List.of(
                                "-Xlint:all,-processing",
                                "-Werror",
                                "--release",
                                "22",
                                "--module-path",
                                modulePath,
                                "-d",
                                directory.resolve("classes").toString()));
        try (Stream<Path> files = Files.walk(directory.resolve("sources"))) {
            files.filter(Files::isRegularFile).map(Path::toString).forEach(arguments::add);
        }
        StringWriter said = new StringWriter();
        PrintWriter to = new PrintWriter(said);
        ToolProvider.findFirst("javac").orElseThrow().run(to, to, arguments.toArray(String[]::new));
        return said.toString();
    }

    /** JUnit and what its module requires, as they stand on the class path. */
    private static String junit() {
        return String.join(
                File.pathSeparator,
                Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                        .filter(it -> it.matches(".*/(junit|opentest4j|apiguardian|jspecify)[^/]*"))
                        .toList());
    }
}
