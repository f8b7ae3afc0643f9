package io.bareloop.files;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.Views;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What of a path comes through, and as what. */
class RequestPathTest {
    private final byte[] decoded = new byte[RequestPath.BYTES_MAX];

    @ParameterizedTest
    @CsvSource({
        "/, /",
        "/a, /a",
        "/a/, /a/",
        "/a/b.c, /a/b.c",
        "/%61%2e%62, /a.b",
        "/a..b, /a..b",
        "/a., /a.",
        "/a+b, /a+b",
        "/%20, '/ '",
        "/%252e%252e, /%2e%2e",
        "/a%3Fb, /a?b",
        "/a:b, /a:b",
        "/%c3%a4, /\u00e4",
        "/%F0%9F%98%80, /\ud83d\ude00",
    })
    void isDecodedOnce(String path, String expected) {
        assertThat(decode(path, false)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "a",
                "//",
                "//a",
                "/a//b",
                "/a//",
                "/.",
                "/..",
                "/../a",
                "/a/..",
                "/a/../b",
                "/./a",
                "/%2e",
                "/%2E%2e/a",
                "/.%2e/a",
                "/a/%2e%2e/%2e%2e/etc/passwd",
                "/%2fetc/passwd",
                "/a%2Fb",
                "/a\\b",
                "/..\\a",
                "/%5c..%5ca",
                "/a%00.html",
                "/%00",
                "/a%0d%0ab",
                "/a\u007f",
                "/%7f",
                // Over-long dots and slashes, half a pair of surrogates, more than Unicode has.
                "/%c0%ae%c0%ae/a",
                "/%c0%af",
                "/%e0%80%ae",
                "/%e0%80%af",
                "/%f0%80%80%ae",
                "/%f8%80%80%80%ae",
                "/%ed%a0%80",
                "/%f4%90%80%80",
                "/%80",
                "/%c3",
                "/%e2%82",
                "/%ff",
                "/\u00e4",
            })
    void leadsNowhere(String path) {
        assertThat(decodeLength(path, false)).isEqualTo(RequestPath.NOWHERE);
        assertThat(decodeLength(path, true)).isEqualTo(RequestPath.NOWHERE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/%", "/%1", "/%g0", "/%0g", "/a%", "/%%41", "/%-1", "/% 1", "/%u0041"})
    void isMalformed(String path) {
        assertThat(decodeLength(path, true)).isEqualTo(RequestPath.MALFORMED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/.git", "/a/.htpasswd", "/.a/b", "/...", "/%2egit", "/..a"})
    void dotFilesAreAskedForByName(String path) {
        assertThat(decodeLength(path, false)).isEqualTo(RequestPath.NOWHERE);
        assertThat(decodeLength(path, true)).isPositive();
    }

    /** RFC 8615: at the root of the origin, spelled so. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "/.well-known",
                "/.well-known/",
                "/.well-known/a",
                "/%2ewell-known/a",
                "/.well%2Dknown/a/b.txt"
            })
    void wellKnownIsServed(String path) {
        assertThat(decode(path, false)).startsWith("/.well-known");
        assertThat(decode(path, true)).startsWith("/.well-known");
        assertThat(RequestPath.decode(Views.of("/m" + path), 2, decoded, false))
                .isEqualTo(RequestPath.NOWHERE);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/.well-known/.env",
                "/.well-known/a/.env",
                "/.well-known/.well-known",
                "/a/.well-known/b",
                "/.well-knowns/a",
                "/.well-know/a",
                "/.Well-Known/a",
                "/.well-known.bak",
                "/..well-known/a"
            })
    void whatIsNotWellKnownIsADotFile(String path) {
        assertThat(decodeLength(path, false)).isEqualTo(RequestPath.NOWHERE);
        assertThat(decodeLength(path, true)).isPositive();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"/.well-known/..", "/.well-known/../a", "/.well-known//a", "//.well-known"})
    void wellKnownIsNoWayOut(String path) {
        assertThat(decodeLength(path, false)).isEqualTo(RequestPath.NOWHERE);
        assertThat(decodeLength(path, true)).isEqualTo(RequestPath.NOWHERE);
    }

    @Test
    void lengthIsBounded() {
        String most = "/" + "a".repeat(RequestPath.BYTES_MAX - 2);
        assertThat(decode(most, false)).isEqualTo(most);
        assertThat(decodeLength(most + "a", false)).isEqualTo(RequestPath.NOWHERE);
    }

    @Test
    void beginsWhereItIsMounted() {
        int length = RequestPath.decode(Views.of("/m/a"), 2, decoded, false);
        assertThat(new String(decoded, 0, length, UTF_8)).isEqualTo("/a");
    }

    /** The strict reader of the JDK agrees on what is UTF-8. */
    @Test
    void utf8IsThatOfTheJdk() {
        Random random = new Random(1);
        for (int i = 0; i < 200_000; i++) {
            byte[] bytes = new byte[1 + random.nextInt(5)];
            for (int j = 0; j < bytes.length; j++) {
                // Bytes at which the rules change, and some others.
                int[] edges = {0x41, 0x7E, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2};
                int[] leads = {0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF4, 0xF5};
                bytes[j] =
                        (byte)
                                (random.nextBoolean()
                                        ? edges[random.nextInt(edges.length)]
                                        : leads[random.nextInt(leads.length)]);
            }
            boolean valid =
                    java.util.Arrays.equals(new String(bytes, UTF_8).getBytes(UTF_8), bytes);
            String path = "/" + new String(bytes, ISO_8859_1);
            assertThat(decodeLength(path, false) > 0).as(path).isEqualTo(valid);
        }
    }

    @Test
    void encodedComesBackAsItWas() {
        StringBuilder all = new StringBuilder("/");
        for (char c = 0; c < 256; c++) {
            all.append(c);
        }
        String encoded = RequestPath.encode(all.toString());
        assertThat(encoded).matches("[!-~]*").doesNotContain("\"", "<", ">", "?", "#", "\\");
        assertThat(java.net.URLDecoder.decode(encoded.replace("+", "%2B"), ISO_8859_1))
                .isEqualTo(all.toString());
    }

    private int decodeLength(String path, boolean dotFiles) {
        return RequestPath.decode(Views.of(path), 0, decoded, dotFiles);
    }

    private String decode(String path, boolean dotFiles) {
        int length = decodeLength(path, dotFiles);
        assertThat(length).as(path).isPositive();
        return new String(decoded, 0, length, UTF_8);
    }
}
