package io.bareloop.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Client;
import io.bareloop.rig.ServerProcess;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Directories whose names the locale has no letters for, and some that no locale has any for. */
@Timeout(120)
class LocaleTest {
    /** In words of printf(1): u with diaeresis, in UTF-8; and in Latin-1, which is no UTF-8. */
    private static final String MAKE =
            """
            set -e
            for name in '\\303\\274n' 'x\\374y'; do
                mkdir -p "$(printf "$name/site")"
                echo here > "$(printf "$name/site/page.html")"
                echo index > "$(printf "$name/site/\\303\\274.html")"
            done
            """;

    @TempDir Path directory;

    private void shell(String script) throws Exception {
        Process shell =
                new ProcessBuilder("sh", "-c", script)
                        .directory(directory.toFile())
                        .inheritIO()
                        .start();
        assertThat(shell.waitFor()).isZero();
    }

    @BeforeEach
    void make() throws Exception {
        shell(MAKE);
    }

    /** Java cannot delete what it cannot name. */
    @AfterEach
    void delete() throws Exception {
        shell("rm -rf ./*");
    }

    private void assertServed(String locale, String script) throws Exception {
        try (ServerProcess server =
                        ServerProcess.startByShell(
                                Map.of("LC_ALL", locale, "ROOM", directory.toString()),
                                "cd \"$ROOM\"; "
                                        + script
                                        + " --index \"$(printf '\\303\\274.html')\" --port 0");
                Client client = Client.connect(server.port())) {
            assertThat(client.get("/page.html").body()).isEqualTo("here\n");
            assertThat(client.get("/").body()).isEqualTo("index\n");
            assertThat(client.get("/%C3%BC.html").body()).isEqualTo("index\n");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "C, \\303\\274n",
        "C, x\\374y",
        "POSIX, \\303\\274n",
        "no_SUCH.locale, \\303\\274n",
        "C.UTF-8, \\303\\274n",
        "C.UTF-8, x\\374y"
    })
    void anyRootIsServed(String locale, String name) throws Exception {
        String root = "\"$(printf '" + name + "')/site\"";
        assertServed(locale, "exec $SERVER serve --root " + root);
        assertServed(locale, "exec $SERVER --root=\"$ROOM\"/" + root);
    }

    @ParameterizedTest
    @CsvSource({
        "C, \\303\\274n",
        "C, x\\374y",
        "POSIX, \\303\\274n",
        "C.UTF-8, \\303\\274n",
        "C.UTF-8, x\\374y"
    })
    void inAnyWorkingDirectory(String locale, String name) throws Exception {
        String cd = "cd \"$(printf '" + name + "')\"; ";
        assertServed(locale, cd + "exec $SERVER --root site");
        assertServed(locale, cd + "cd site; exec $SERVER --root .");
        assertServed(locale, cd + "exec $SERVER --root ../\"$(printf '" + name + "')\"//site/");
    }

    /** The path is followed again from where the process is: a change behind it shows. */
    @Test
    void theRootIsFollowedAgain() throws Exception {
        String name = "\"$(printf '\\303\\274n')\"";
        try (ServerProcess server =
                        ServerProcess.startByShell(
                                Map.of("LC_ALL", "C", "ROOM", directory.toString()),
                                "cd \"$ROOM\"/" + name + "; exec $SERVER --root site --port 0");
                Client client = Client.connect(server.port())) {
            assertThat(client.get("/page.html").body()).isEqualTo("here\n");
            shell("cd " + name + "; mv site old; mkdir site; echo new > site/page.html");
            String body = "here\n";
            for (int i = 0; i < 500 && body.equals("here\n"); i++) {
                Thread.sleep(20);
                body = client.get("/page.html").body();
            }
            assertThat(body).isEqualTo("new\n");
        }
    }
}
