package io.bareloop.sys;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Ran;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * That {@code generated/} is what the list in {@code native-headers/} asks for, and that the script
 * which makes the one of the other says what it needs. All of it without jextract.
 */
class NativeHeadersTest {
    private static final Path DIRECTORY = Path.of("native-headers");

    @TempDir Path scratch;

    private Path script;

    /** Works on a copy, whose root is the scratch directory: what goes wrong goes wrong there. */
    @BeforeEach
    void copyScript() throws IOException {
        Path copy = Files.createDirectory(scratch.resolve("native-headers"));
        for (String name : new String[] {"regenerate.sh", "include.args", "linux.h"}) {
            Files.copy(DIRECTORY.resolve(name), copy.resolve(name));
        }
        script = copy.resolve("regenerate.sh");
    }

    /** jextract passes over a name that the headers do not have, in silence. */
    @Test
    void everythingListedWasGenerated() {
        assertThat(Bindings.constants()).containsAll(Bindings.listed("constant"));
        assertThat(Bindings.functions()).containsAll(Bindings.listed("function"));
        assertThat(Bindings.structs()).containsAll(Bindings.listedStructs());
    }

    /** What is not in the list was added by hand, or the list was cut without regenerating. */
    @Test
    void nothingElseWasGenerated() {
        assertThat(Bindings.listed("constant")).containsAll(Bindings.constants());
        assertThat(Bindings.listed("function")).containsAll(Bindings.functions());
        assertThat(Bindings.listedStructs()).containsAll(Bindings.structs());
    }

    @Test
    void everyConstantOfSysIsListed() {
        List<String> used = new ArrayList<>();
        for (Class<?> holder : new Class<?>[] {Linux.class, Errno.class}) {
            for (Field field : holder.getFields()) {
                used.add(field.getName());
            }
        }
        assertThat(used).hasSizeGreaterThan(80);
        assertThat(Bindings.listed("constant")).containsAll(used);
    }

    /** What is newer than the headers moves into the list once the headers have it. */
    @Test
    void recentConstantsAreNotListed() {
        for (Field field : RecentLinux.class.getFields()) {
            assertThat(Bindings.listed("constant")).doesNotContain(field.getName());
        }
    }

    /** The list names each once, as the script demands. */
    @Test
    void nothingIsListedTwice() throws IOException {
        List<String> lines = new ArrayList<>(Files.readAllLines(DIRECTORY.resolve("include.args")));
        lines.removeIf(line -> !line.startsWith("--include-"));
        assertThat(lines).isNotEmpty().doesNotHaveDuplicates();
    }

    /** An edit without a run of regenerate.sh would leave generated/ behind. */
    @ParameterizedTest
    @ValueSource(strings = {"linux.h", "include.args"})
    void provenanceNamesTheFilesAsTheyAre(String name) throws IOException {
        String recorded = "sha256 of " + name + " " + sha256(DIRECTORY.resolve(name));
        assertThat(Files.readAllLines(DIRECTORY.resolve("PROVENANCE")))
                .as("native-headers/%s was edited: run native-headers/regenerate.sh", name)
                .contains(recorded);
    }

    @Test
    void scriptExplainsItself() throws IOException, InterruptedException {
        Ran ran = run("--help");
        assertThat(ran.status()).isZero();
        assertThat(ran.output())
                .contains("native-headers/regenerate.sh [JEXTRACT]")
                .contains("--check [JEXTRACT]")
                .doesNotContain("set -euo");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "--check"})
    void scriptSaysThatJextractIsNotThere(String option) throws IOException, InterruptedException {
        String nowhere = scratch.resolve("nowhere").toString();
        Ran ran = option.isEmpty() ? run(nowhere) : run(option, nowhere);
        assertThat(ran.status()).isEqualTo(1);
        assertThat(ran.output())
                .isEqualTo("regenerate.sh: " + nowhere + " is not an executable file\n");
        assertThat(scratch.resolve("generated")).doesNotExist();
    }

    @Test
    void scriptSaysHowToNameJextract() throws IOException, InterruptedException {
        Ran ran = run();
        assertThat(ran.status()).isEqualTo(1);
        assertThat(ran.output()).contains("no jextract: give its path");
    }

    /** Another version would write calls that our floor, JDK 22, does not have. */
    @Test
    void scriptRefusesAnotherVersion() throws IOException, InterruptedException {
        Path other = scratch.resolve("jextract");
        Files.writeString(other, "#!/bin/sh\necho jextract 25-ea\n");
        assertThat(other.toFile().setExecutable(true)).isTrue();
        Ran ran = run(other.toString());
        assertThat(ran.status()).isEqualTo(1);
        assertThat(ran.output()).contains("is version 25-ea; 22 is needed");
        assertThat(scratch.resolve("generated")).doesNotExist();
    }

    /** Runs the script where the PATH leads to the tools it uses but to no jextract. */
    private Ran run(String... arguments) throws IOException, InterruptedException {
        Path bin = Files.createDirectories(scratch.resolve("bin"));
        for (String tool : new String[] {"dirname", "sed"}) {
            Path path = bin.resolve(tool);
            Files.writeString(path, "#!/bin/sh\nexec " + located(tool) + " \"$@\"\n");
            assertThat(path.toFile().setExecutable(true)).isTrue();
        }
        List<String> command = new ArrayList<>();
        command.add(located("bash").toString());
        command.add(script.toString());
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("PATH", bin.toString());
        builder.environment().remove("JEXTRACT");
        return Ran.of(builder, scratch.resolve("output"));
    }

    private static Path located(String tool) {
        for (String directory : System.getenv("PATH").split(":", -1)) {
            Path path = Path.of(directory, tool);
            if (Files.isExecutable(path)) {
                return path;
            }
        }
        return Assumptions.abort("no " + tool + " on the PATH");
    }

    private static String sha256(Path file) throws IOException {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
