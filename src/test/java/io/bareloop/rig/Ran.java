package io.bareloop.rig;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * What a program came to.
 *
 * @param status its exit status
 * @param output what it wrote to its standard output and its standard error, mixed
 */
public record Ran(int status, String output) {
    private static final int WAIT_SECONDS = 60;

    /** Runs a program to its end; its output passes through {@code file}, so it never blocks. */
    public static Ran of(ProcessBuilder builder, Path file)
            throws IOException, InterruptedException {
        builder.environment().put("LC_ALL", "C");
        Process process = builder.redirectErrorStream(true).redirectOutput(file.toFile()).start();
        process.getOutputStream().close();
        try {
            assertThat(process.waitFor(WAIT_SECONDS, TimeUnit.SECONDS))
                    .as("%s ended within %d s", builder.command(), WAIT_SECONDS)
                    .isTrue();
        } finally {
            process.destroyForcibly();
        }
        return new Ran(process.exitValue(), Files.readString(file));
    }
}
