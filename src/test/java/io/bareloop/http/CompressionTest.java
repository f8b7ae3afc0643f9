package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What can be set of compression, and within which bounds. */
class CompressionTest {
    @Test
    void theDefaultsAreWhatIsDocumented() {
        Compression defaults = Compression.defaults();
        assertThat(defaults)
                .hasToString(
                        "level 2, bodies of 1024 to 65536 bytes, 32 streams, types [text/*,"
                                + " application/json, *+json, application/javascript,"
                                + " application/xml, *+xml]");
        assertThat(Compression.builder().build()).isEqualTo(defaults).hasSameHashCodeAs(defaults);
    }

    @Test
    void allIsTakenOver() {
        Compression compression =
                Compression.builder()
                        .level(9)
                        .bodyBytesMin(64)
                        .bodyBytesMax(16 << 20)
                        .streamsMax(0)
                        .types("Text/HTML", "*+JSON")
                        .build();
        assertThat(compression)
                .hasToString(
                        "level 9, bodies of 64 to 16777216 bytes, 0 streams, types [text/html,"
                                + " *+json]");
        Compression again = compression.toBuilder().build();
        assertThat(again).isEqualTo(compression).isNotEqualTo(Compression.defaults());
    }

    @Test
    void whatIsOutOfRangeIsRefused() {
        Compression.Builder builder = Compression.builder();
        refused(() -> builder.level(0), "level is 0; it must be 1 to 9");
        refused(() -> builder.level(10), "level is 10");
        refused(() -> builder.bodyBytesMin(63), "bodyBytesMin is 63");
        refused(() -> builder.bodyBytesMax((16 << 20) + 1), "bodyBytesMax is 16777217");
        refused(() -> builder.streamsMax(-1), "streamsMax is -1");
        refused(() -> builder.streamsMax(10_001), "streamsMax is 10001");
        refused(
                () -> builder.bodyBytesMin(2000).bodyBytesMax(1999).build(),
                "bodyBytesMin 2000 exceeds bodyBytesMax 1999: set both");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "html", "text/html; charset=utf-8", "text/h*l", "*", "**", "*a*", "/"})
    void whatIsNoRangeOfTypesIsRefused(String range) {
        refused(() -> Compression.builder().types(range), "no range of media types: \"" + range);
    }

    private static void refused(Runnable call, String message) {
        assertThatIllegalArgumentException().isThrownBy(call::run).withMessageContaining(message);
    }
}
