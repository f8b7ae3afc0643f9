package io.bareloop.app;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The arguments as the kernel has them. The JVM decodes them by the charset of the locale; in the C
 * locale, which services and containers run in, that has no letters but those of ASCII, and others
 * are lost.
 *
 * <p>Here they are read as UTF-8, and a byte that is none becomes half a surrogate pair, U+DC80 to
 * U+DCFF, which no text has: so that every name can be told, as Python does it.
 */
final class Arguments {
    /** What the JVM makes of bytes that it cannot decode. */
    private static final char LOST = '\uFFFD';

    private static final int ESCAPE = 0xDC00;

    private Arguments() {}

    /**
     * The arguments as they were given; {@code args} where nothing was lost, or they cannot be
     * found: before Java's own argument files, and where /proc is not mounted.
     */
    static String[] restored(String[] args) {
        for (String arg : args) {
            if (arg.indexOf(LOST) >= 0) {
                try {
                    return restored(args, Files.readAllBytes(Path.of("/proc/self/cmdline")));
                } catch (IOException e) {
                    return args;
                }
            }
        }
        return args;
    }

    /** By {@code commandLine}, which has options of the JVM in front. */
    static String[] restored(String[] args, byte[] commandLine) {
        List<byte[]> all = split(commandLine);
        int skipped = all.size() - args.length;
        if (skipped < 0) {
            return args;
        }
        String[] restored = new String[args.length];
        for (int i = 0; i < args.length; i++) {
            byte[] bytes = all.get(skipped + i);
            if (!ascii(args[i].codePoints().toArray()).equals(ascii(codePoints(bytes)))) {
                return args;
            }
            restored[i] = decode(bytes);
        }
        return restored;
    }

    /** The path that {@code text}, of an argument, names. */
    static Path path(String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            if (text.indexOf('\0') >= 0) {
                throw e;
            }
            // No name in the charset of the locale: by its bytes then.
            StringBuilder escaped =
                    new StringBuilder(text.startsWith("/") ? "file://" : "file:///");
            for (byte b : encode(text.replaceAll("/+", "/"))) {
                escaped.append(b == '/' ? "/" : String.format("%%%02X", b));
            }
            Path absolute = Path.of(URI.create(escaped.toString()));
            return text.startsWith("/") ? absolute : absolute.subpath(0, absolute.getNameCount());
        }
    }

    private static List<byte[]> split(byte[] commandLine) {
        List<byte[]> all = new ArrayList<>();
        ByteArrayOutputStream one = new ByteArrayOutputStream();
        for (byte b : commandLine) {
            if (b == 0) {
                all.add(one.toByteArray());
                one.reset();
            } else {
                one.write(b);
            }
        }
        return all;
    }

    private static int[] codePoints(byte[] bytes) {
        int[] codePoints = new int[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            codePoints[i] = bytes[i] & 0xFF;
        }
        return codePoints;
    }

    /** What no charset changes: whether two are of the same argument. */
    private static String ascii(int[] codePoints) {
        StringBuilder ascii = new StringBuilder();
        for (int c : codePoints) {
            if (c < 0x80) {
                ascii.append((char) c);
            }
        }
        return ascii.toString();
    }

    private static String decode(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        int at = 0;
        while (at < bytes.length) {
            // The longest character is the one: none is the beginning of another.
            int length = Math.min(4, bytes.length - at);
            String character = null;
            while (length > 0 && character == null) {
                character = character(bytes, at, length--);
            }
            if (character == null) {
                text.append((char) (ESCAPE | (bytes[at] & 0xFF)));
                at++;
            } else {
                text.append(character);
                at += length + 1;
            }
        }
        return text.toString();
    }

    /** The one character in these bytes, or null. */
    private static String character(byte[] bytes, int from, int length) {
        try {
            String text =
                    UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, from, length)).toString();
            return text.codePointCount(0, text.length()) == 1 ? text : null;
        } catch (CharacterCodingException e) {
            return null;
        }
    }

    private static byte[] encode(String text) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        text.codePoints()
                .forEach(
                        c -> {
                            if (c >> 8 == ESCAPE >> 8) {
                                bytes.write(c);
                            } else {
                                bytes.writeBytes(Character.toString(c).getBytes(UTF_8));
                            }
                        });
        return bytes.toByteArray();
    }
}
