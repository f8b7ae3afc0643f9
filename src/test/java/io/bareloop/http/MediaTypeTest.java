package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.bareloop.wire.Encoded;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Content types, and that no field of another's making comes in by them. */
class MediaTypeTest {
    @Test
    void isALineOfItsOwn() {
        assertThat(line(MediaType.of("image/png"))).isEqualTo("Content-Type: image/png\r\n");
        assertThat(line(MediaType.JSON)).isEqualTo("Content-Type: application/json\r\n");
        assertThat(line(MediaType.TEXT)).isEqualTo("Content-Type: text/plain; charset=utf-8\r\n");
        assertThat(line(MediaType.HTML)).isEqualTo("Content-Type: text/html; charset=utf-8\r\n");
        assertThat(line(MediaType.OCTETS)).isEqualTo("Content-Type: application/octet-stream\r\n");
        assertThat(line(MediaType.FORM))
                .isEqualTo("Content-Type: application/x-www-form-urlencoded\r\n");
        assertThat(line(MediaType.EVENT_STREAM)).isEqualTo("Content-Type: text/event-stream\r\n");
    }

    @Test
    void isEncodedAtAnyLength() {
        StringBuilder name = new StringBuilder("a/");
        for (int i = 0; i < 20; i++) {
            MediaType type = MediaType.of(name.append('b').toString());
            assertThat(line(type)).isEqualTo("Content-Type: " + name + "\r\n");
            assertThat(type.line().segment().byteSize()).isEqualTo(type.line().length());
        }
    }

    @Test
    void saysItsName() {
        assertThat(MediaType.of("image/svg+xml").toString()).isEqualTo("image/svg+xml");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "text/plain\r\nX: y",
                "text/\nplain",
                "text/\0",
                "t\u00e9xt/plain",
                "\t"
            })
    void whatCouldBreakOutIsRefused(String name) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> MediaType.of(name))
                .withMessageStartingWith("not a media type: ");
    }

    private static String line(MediaType type) {
        Encoded line = type.line();
        byte[] bytes = line.segment().asSlice(0, line.length()).toArray(ValueLayout.JAVA_BYTE);
        return new String(bytes, StandardCharsets.US_ASCII);
    }
}
