package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Names that clients send, made into names that a file may have. */
class FilenameTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            ignoreLeadingAndTrailingWhitespace = false,
            value = {
                "a.txt|a.txt",
                "/etc/passwd|passwd",
                "../../etc/passwd|passwd",
                "C:\\dir\\a.txt|a.txt",
                "a/b\\c|c",
                "a\\b/c|c",
                "a/|file",
                "a\\|file",
                "''|file",
                ".|file",
                "..|file",
                "a/..|file",
                " .. |file",
                ".\u0000.|file",
                "\u0001|file",
                "...|...",
                ".htaccess|.htaccess",
                "  a b  |a b",
                "txt.\u202egpj|txt.gpj",
                "\ufeff.\u200b.|file",
                "\u2028a\u2029|a",
                "\u20ac\u00e4\ud83d\ude00|\u20ac\u00e4\ud83d\ude00",
            })
    void safe(String sent, String expected) {
        assertThat(Filename.safe(sent)).isEqualTo(expected);
    }

    @Test
    void hasNoControlCharacters() {
        assertThat(Filename.safe("a\0b\r\nc\u007f\u0085d\n")).isEqualTo("abcd");
    }

    @Test
    void isCutBetweenCharacters() {
        assertThat(Filename.safe("x".repeat(200))).hasSize(200);
        assertThat(Filename.safe("x".repeat(201))).hasSize(200);
        assertThat(Filename.safe("x".repeat(199) + "\u20ac")).isEqualTo("x".repeat(199));
        assertThat(Filename.safe("x".repeat(197) + "\u20ac")).endsWith("\u20ac");
        assertThat(Filename.safe("\ud83d\ude00".repeat(100)).getBytes(StandardCharsets.UTF_8))
                .hasSize(200);
        assertThat(Filename.safe("x" + " ".repeat(250) + "y")).isEqualTo("x");
    }
}
