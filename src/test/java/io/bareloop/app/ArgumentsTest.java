package io.bareloop.app;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.Charset;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ArgumentsTest {
    /** What the JVM makes of it in a locale of {@code charset}, and the kernel's own. */
    private static String[] restored(Charset charset, byte[]... arguments) {
        StringBuilder line = new StringBuilder("java\0-Dx=\u00fc\0Main\0");
        String[] args = new String[arguments.length];
        for (int i = 0; i < args.length; i++) {
            args[i] = new String(arguments[i], charset);
            line.append(new String(arguments[i], ISO_8859_1)).append('\0');
        }
        return Arguments.restored(args, line.toString().getBytes(ISO_8859_1));
    }

    @Test
    void areAsTheyWereGiven() {
        byte[] umlaut = "--root=\u00fcn\ud83d\ude00\u20ac".getBytes(UTF_8);
        byte[] empty = {};
        assertThat(restored(US_ASCII, umlaut, empty, "a b".getBytes(UTF_8)))
                .containsExactly("--root=\u00fcn\ud83d\ude00\u20ac", "", "a b");
        // Bytes that are no UTF-8, and the beginnings of such that are.
        byte[] odd = {'x', (byte) 0xFC, 'y', (byte) 0xC3, (byte) 0xE2, (byte) 0x82, 'z'};
        assertThat(restored(US_ASCII, odd)).containsExactly("x\udcfcy\udcc3\udce2\udc82z");
        assertThat(restored(UTF_8, odd)).containsExactly("x\udcfcy\udcc3\udce2\udc82z");
    }

    @Test
    void othersAreLeftAlone() {
        String[] args = {"--root", "\ufffd"};
        for (String line : new String[] {"", "java\0", "java\0--root\0x\0", "java\0-x\0\u00fc\0"}) {
            assertThat(Arguments.restored(args, line.getBytes(UTF_8))).isSameAs(args);
        }
        // This process has other arguments.
        assertThat(Arguments.restored(args)).isSameAs(args);
        String[] plain = {"--port", "1"};
        assertThat(Arguments.restored(plain)).isSameAs(plain);
    }

    /** Any bytes become a path that has them, whatever the charset of paths here. */
    @Test
    void pathsHaveTheirBytes() {
        Random random = new Random(3);
        for (int i = 0; i < 20_000; i++) {
            byte[] name = new byte[1 + random.nextInt(6)];
            random.nextBytes(name);
            for (int j = 0; j < name.length; j++) {
                // No zero, no slash, and no dot, for "." and ".." would be others' business.
                name[j] = name[j] == 0 || name[j] == '/' || name[j] == '.' ? (byte) 0xFF : name[j];
            }
            String text = restored(US_ASCII, name)[0];
            assertThat(bytes(Arguments.path("/a/" + text))).isEqualTo(bytes("/a/", name));
            Path relative = Arguments.path("../" + text + "//b/");
            assertThat(relative.isAbsolute()).isFalse();
            assertThat(relative.getNameCount()).isEqualTo(3);
            assertThat(bytes(Path.of("/").resolve(relative.getName(1))))
                    .isEqualTo(bytes("/", name));
        }
        assertThatThrownBy(() -> Arguments.path("a\0\udcff"))
                .isInstanceOf(InvalidPathException.class);
    }

    private static byte[] bytes(Path path) {
        String escaped = path.toUri().getRawPath().replace("+", "%2B");
        return java.net.URLDecoder.decode(escaped, ISO_8859_1).getBytes(ISO_8859_1);
    }

    private static byte[] bytes(String front, byte[] name) {
        byte[] all = Arrays.copyOf(front.getBytes(US_ASCII), front.length() + name.length);
        System.arraycopy(name, 0, all, front.length(), name.length);
        return all;
    }
}
