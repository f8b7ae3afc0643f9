package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.bareloop.rig.Bytes;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Names of fields: tokens, whatever their case. */
class HeaderNameTest {
    /** RFC 9110, section 5.6.2. */
    private static final String TOKEN_MARKS = "!#$%&'*+-.^_`|~";

    @Test
    void everyTokenCharacterMakesAName() {
        for (char c = 0; c < 0x180; c++) {
            boolean token =
                    (c >= '0' && c <= '9')
                            || (c >= 'A' && c <= 'Z')
                            || (c >= 'a' && c <= 'z')
                            || TOKEN_MARKS.indexOf(c) >= 0;
            String name = "X" + c;
            if (token) {
                assertThat(HeaderName.of(name).toString()).isEqualTo(name);
            } else {
                assertThatIllegalArgumentException()
                        .as("character %d", (int) c)
                        .isThrownBy(() -> HeaderName.of(name))
                        .withMessageStartingWith("not a field name: ");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "X Y", " X", "X ", "X:", ":", "X\r\nY: z", "\u00e9", "X\0"})
    void whatIsNoTokenIsRefused(String name) {
        assertThatIllegalArgumentException().isThrownBy(() -> HeaderName.of(name));
    }

    @Test
    void matchesInAnyCase() {
        HeaderName name = HeaderName.of("X-Odd_Name~9");
        assertThat(matches(name, "X-Odd_Name~9")).isTrue();
        assertThat(matches(name, "x-odd_name~9")).isTrue();
        assertThat(matches(name, "X-ODD_NAME~9")).isTrue();
        assertThat(matches(name, "X-Odd_Name~")).isFalse();
        assertThat(matches(name, "X-Odd_Name~99")).isFalse();
        assertThat(matches(name, "-X-Odd_Name~9")).isFalse();
        assertThat(matches(name, "")).isFalse();
    }

    /** Letters alone have a case: '^' and '~' differ by the same bit as 'A' and 'a'. */
    @Test
    void matchesMarksExactly() {
        assertThat(matches(HeaderName.of("^"), "~")).isFalse();
        assertThat(matches(HeaderName.of("~"), "^")).isFalse();
        assertThat(matches(HeaderName.of("`"), "@")).isFalse();
        assertThat(matches(HeaderName.of("-"), "\r")).isFalse();
        assertThat(matches(HeaderName.of("_"), "\u007f")).isFalse();
    }

    /** Where I in lower case is a letter without a dot, field names are ASCII all the same. */
    @Test
    void matchesInAnyLocale() {
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.forLanguageTag("tr"));
        try {
            assertThat(matches(HeaderName.of("IF-MATCH"), "if-match")).isTrue();
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void matchesOnlyWithinItsBounds() {
        long in = Bytes.nativeSegment(Bytes.of("xHostx")).address();
        assertThat(HeaderName.HOST.matches(in + 1, in + 5)).isTrue();
        assertThat(HeaderName.HOST.matches(in, in + 4)).isFalse();
        assertThat(HeaderName.HOST.matches(in + 1, in + 6)).isFalse();
    }

    private static boolean matches(HeaderName name, String text) {
        byte[] bytes = Bytes.of(text);
        long in = Bytes.nativeSegment(bytes).address();
        return name.matches(in, in + bytes.length);
    }
}
