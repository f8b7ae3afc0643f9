package io.bareloop.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bareloop.rig.ServerProcess;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The cache that makes starts faster: that it is built and used, and what a wrong one does. */
@Timeout(180)
class AotCacheTest {
    private static final String NATIVE = "--enable-native-access=ALL-UNNAMED";

    @TempDir Path scratch;

    @Test
    void jdk25MakesAnAotCacheAndOlderOnesAnArchive() {
        assertThat(AotCache.Kind.of(22)).isEqualTo(AotCache.Kind.CDS);
        assertThat(AotCache.Kind.of(24)).isEqualTo(AotCache.Kind.CDS);
        assertThat(AotCache.Kind.of(25)).isEqualTo(AotCache.Kind.AOT);
        assertThat(AotCache.Kind.of(26)).isEqualTo(AotCache.Kind.AOT);
    }

    @Test
    void buildsACacheThatIsUsed() throws Exception {
        assumeTrue(Runtime.version().feature() >= 25, "AOT caches in one step need JDK 25");
        Path jar = jar();
        Path cache = scratch.resolve("a.aot");
        Run made = java(List.of(NATIVE, "-XX:+UseSerialGC", "-jar", jar + ""), "aot", cache + "");
        assertThat(made.status()).as(made.output()).isZero();
        assertThat(made.output())
                .contains("training run: ", " -XX:+UseSerialGC -jar " + jar + " serve ")
                .contains("AOT cache, ", " MB: " + cache)
                .contains("to start with it: java -XX:AOTCache=" + cache + " " + NATIVE);
        assertThat(cache).isNotEmptyFile();
        List<String> with =
                List.of(NATIVE, "-XX:+UseSerialGC", "-XX:AOTCache=" + cache, "-jar", jar + "");

        Run used = java(prefixed("-Xlog:class+load", with), "--version");
        assertThat(used.output()).containsPattern("io\\.bareloop\\.app\\.Main .*shared objects");

        classesCanStillBeRead(with, jar);

        // Of another build: either the JVM leaves it alone, or we do not start.
        FileTime built = Files.getLastModifiedTime(jar);
        Files.setLastModifiedTime(jar, FileTime.from(Instant.now().plusSeconds(60)));
        Run stale = java(prefixed("-Xlog:class+load", with), "--version");
        if (stale.status() == 1) {
            assertThat(stale.output())
                    .contains("bareloop: the AOT cache " + cache + " is older than " + jar);
        } else {
            assertThat(stale.status()).isZero();
            assertThat(stale.output())
                    .contains("bareloop ")
                    .doesNotContainPattern("io\\.bareloop\\.app\\.Main .*shared objects");
        }
        Files.setLastModifiedTime(jar, built);

        // Cut off.
        Files.write(cache, Arrays.copyOf(Files.readAllBytes(cache), 100_000));
        Run broken = java(with, "--version");
        assertThat(broken.status()).isZero();
        assertThat(broken.output()).contains("bareloop ");
    }

    /**
     * A class that is not in the cache is read from the jar, also by a loop with descriptors of its
     * own: so the jar is open there, though nothing was read from it.
     */
    private static void classesCanStillBeRead(List<String> with, Path jar) throws Exception {
        String java = ServerProcess.tool("java") + " " + String.join(" ", with);
        try (ServerProcess server =
                ServerProcess.startByShell(
                        Map.of(),
                        "exec "
                                + java
                                + " --host 127.0.0.1 --port 0 --cpus 0 --private-descriptors on")) {
            assumeTrue(server.line("  kernel ").contains("private descriptors"));
            Path tasks = Path.of("/proc/" + server.pid() + "/task");
            List<Path> loops;
            try (Stream<Path> threads = Files.list(tasks)) {
                loops = threads.filter(AotCacheTest::isLoop).toList();
            }
            assertThat(loops).hasSize(1);
            try (Stream<Path> open = Files.list(loops.get(0).resolve("fd"))) {
                assertThat(open.map(AotCacheTest::target)).contains(jar.toRealPath().toString());
            }
        }
    }

    private static boolean isLoop(Path thread) {
        try {
            return Files.readString(thread.resolve("comm")).strip().equals("bareloop-0");
        } catch (IOException ended) {
            return false;
        }
    }

    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException closed) {
            return "";
        }
    }

    @Test
    void aCacheThatIsOlderThanTheJarIsNoticed() throws Exception {
        Path jar = Files.createFile(scratch.resolve("b.jar"));
        Path cache = Files.createFile(scratch.resolve("with space.aot"));
        String maps =
                "7f00-7f01 r--p 00000000 fe:00 7 /lib/libc.so.6\n"
                        + "7f02-7f03 rw-p 00001000 fe:00 8        "
                        + cache
                        + "\n7f04-7f05 rw-p 00000000 00:00 0 \n";
        FileTime now = FileTime.from(Instant.now());
        Files.setLastModifiedTime(jar, now);
        Files.setLastModifiedTime(cache, now);
        assertThat(AotCache.staleCache(jar, maps)).isNull();
        Files.setLastModifiedTime(jar, FileTime.from(now.toInstant().plusSeconds(1)));
        assertThat(AotCache.staleCache(jar, maps))
                .startsWith("the AOT cache " + cache + " is older than " + jar);
        assertThat(AotCache.staleCache(jar, maps.replace(".aot", ".so"))).isNull();
    }

    /** What JDK 22 to 24 do, on whatever JDK this is. */
    @Test
    void buildsAnArchive() throws Exception {
        Path jar = jar();
        Path archive = scratch.resolve("a.jsa");
        Run built =
                java(List.of(NATIVE, "-Dbareloop.cds=true", "-jar", jar + ""), "aot", archive + "");
        assertThat(built.status()).as(built.output()).isZero();
        assertThat(built.output())
                .contains("CDS archive, ", "java -XX:SharedArchiveFile=" + archive);
        Run used =
                java(
                        List.of(
                                "-Xlog:class+load",
                                NATIVE,
                                "-XX:SharedArchiveFile=" + archive,
                                "-jar",
                                jar + ""),
                        "--version");
        assertThat(used.output()).containsPattern("io\\.bareloop\\.app\\.Main .*shared objects");
    }

    @Test
    void saysWhatIsWrong() throws Exception {
        List<String> main = List.of("-cp", System.getProperty("java.class.path"));
        Run directory = java(main, "io.bareloop.app.Main", "aot", "/nonexistent/file");
        assertThat(directory.status()).isEqualTo(1);
        assertThat(directory.output()).isEqualTo("bareloop: no such directory: /nonexistent\n");

        Run option = java(main, "io.bareloop.app.Main", "aot", "--fast");
        assertThat(option.status()).isEqualTo(2);
        assertThat(option.output()).contains("aot takes the name of a file, or nothing");

        // The training run sees the options of this JVM, and with them what is wrong there.
        Run denied =
                java(
                        prefixed("--illegal-native-access=deny", main),
                        "io.bareloop.app.Main",
                        "aot",
                        scratch.resolve("x") + "");
        assumeTrue(Runtime.version().feature() >= 24, "native access can be denied since JDK 24");
        assertThat(denied.status()).isEqualTo(1);
        assertThat(denied.output()).contains("bareloop: the training run did not start: ");
        assertThat(scratch.resolve("x")).doesNotExist();
    }

    /** The cache holds classes from jars, not from directories: those of the tests are packed. */
    private Path jar() throws IOException {
        Path jar = scratch.resolve("b.jar");
        try (OutputStream to = Files.newOutputStream(jar);
                JarOutputStream out = new JarOutputStream(to, manifest());
                Stream<Path> files = Files.walk(Path.of("target/classes"))) {
            for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                out.putNextEntry(
                        new JarEntry(Path.of("target/classes").relativize(file).toString()));
                Files.copy(file, out);
            }
            addPicocli(out);
        }
        return jar;
    }

    private static void addPicocli(JarOutputStream out) throws IOException {
        String path =
                Stream.of(System.getProperty("java.class.path").split(":", -1))
                        .filter(entry -> entry.contains("picocli"))
                        .findFirst()
                        .orElseThrow();
        try (JarFile picocli = new JarFile(path)) {
            for (JarEntry entry : picocli.stream().toList()) {
                if (entry.getName().startsWith("picocli/") && !entry.isDirectory()) {
                    out.putNextEntry(new JarEntry(entry.getName()));
                    picocli.getInputStream(entry).transferTo(out);
                }
            }
        }
    }

    private static Manifest manifest() {
        var manifest = new Manifest();
        var main = manifest.getMainAttributes();
        main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        main.put(Attributes.Name.MAIN_CLASS, "io.bareloop.app.Main");
        return manifest;
    }

    private static List<String> prefixed(String option, List<String> options) {
        return Stream.concat(Stream.of(option), options.stream()).toList();
    }

    private record Run(int status, String output) {}

    private Run java(List<String> options, String... arguments) throws Exception {
        List<String> command =
                Stream.of(
                                Stream.of(ServerProcess.tool("java")),
                                options.stream(),
                                Stream.of(arguments))
                        .flatMap(words -> words)
                        .toList();
        Path output = scratch.resolve("output");
        Process process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();
        try {
            int status = process.waitFor();
            return new Run(status, Files.readString(output));
        } finally {
            process.destroyForcibly();
        }
    }
}
