package io.bareloop.files;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.Views;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The three forms of a date (RFC 9110, section 5.6.7). */
class HttpDateTest {
    private static final int YEAR = 2026;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Sun, 06 Nov 1994 08:49:37 GMT",
                "Sunday, 06-Nov-94 08:49:37 GMT",
                "Sun Nov  6 08:49:37 1994"
            })
    void theExamplesOfTheRfcAreOneTime(String text) {
        assertThat(HttpDate.parse(Views.of(text), YEAR)).isEqualTo(784_111_777L);
        assertThat(HttpDate.format(784_111_777L)).isEqualTo("Sun, 06 Nov 1994 08:49:37 GMT");
    }

    @Test
    void agreesWithTheJdk() {
        Random random = new Random(7);
        String[] patterns = {
            "EEE, dd MMM yyyy HH:mm:ss 'GMT'", "EEEE, dd-MMM-yy HH:mm:ss 'GMT'", null
        };
        for (int i = 0; i < 100_000; i++) {
            // 1977 to 2076, which is what two digits of a year can mean in 2026.
            long second = 220_924_800L + random.nextLong(3_155_673_600L);
            Instant instant = Instant.ofEpochSecond(second);
            for (String pattern : patterns) {
                String form = pattern == null ? "EEE MMM ppd HH:mm:ss yyyy" : pattern;
                String text =
                        DateTimeFormatter.ofPattern(form, Locale.US)
                                .withZone(ZoneOffset.UTC)
                                .format(instant);
                assertThat(HttpDate.parse(Views.of(text), YEAR)).as(text).isEqualTo(second);
            }
            assertThat(HttpDate.parse(Views.of(HttpDate.format(second)), YEAR)).isEqualTo(second);
        }
    }

    @Test
    void twoDigitsAreOfTheYearsAround() {
        assertThat(HttpDate.parse(Views.of("Sunday, 06-Nov-76 08:49:37 GMT"), YEAR))
                .isEqualTo(HttpDate.parse(Views.of("Fri, 06 Nov 2076 08:49:37 GMT"), YEAR));
        assertThat(HttpDate.parse(Views.of("Sunday, 06-Nov-77 08:49:37 GMT"), YEAR))
                .isEqualTo(HttpDate.parse(Views.of("Sun, 06 Nov 1977 08:49:37 GMT"), YEAR));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "0",
                "now",
                "Sun, 06 Nov 1994 08:49:37 UTC",
                "Sun, 06 Nov 1994 08:49:37 +000",
                "Sun, 06 nov 1994 08:49:37 GMT",
                "Sun, 06 Now 1994 08:49:37 GMT",
                "Sun, 32 Nov 1994 08:49:37 GMT",
                "Sun, 00 Nov 1994 08:49:37 GMT",
                "Sun, 06 Nov 1994 24:49:37 GMT",
                "Sun, 06 Nov 1994 08:60:37 GMT",
                "Sun, 06 Nov 1994 08:49:61 GMT",
                "Sun, 06 Nov 1994 08-49-37 GMT",
                "Sun, 6 Nov 1994 08:49:37 GMT",
                "Sun, x6 Nov 1994 08:49:37 GMT",
                "Sun Nov  6 08:49:37 94",
                "Sunday, 06-Nov-1994 08:49:37 GMT",
                "Sunday, 06 Nov 94 08:49:37 GMT",
                "Sunday,"
            })
    void anythingElseIsNoDate(String text) {
        assertThat(HttpDate.parse(Views.of(text), YEAR)).isEqualTo(HttpDate.NONE);
    }

    /** Every prefix and every changed byte: no exception, and no time but a date's. */
    @Test
    void hostileTextIsNoTrouble() {
        Random random = new Random(3);
        String good = "Sunday, 06-Nov-94 08:49:37 GMT";
        for (int i = 0; i <= good.length(); i++) {
            HttpDate.parse(Views.of(good.substring(0, i)), YEAR);
        }
        for (int i = 0; i < 20_000; i++) {
            char[] text = good.toCharArray();
            text[random.nextInt(text.length)] = (char) random.nextInt(256);
            HttpDate.parse(Views.of(new String(text)), YEAR);
        }
    }
}
