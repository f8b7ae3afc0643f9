package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Field lines in common, and the field that names a range. */
@Timeout(30)
class FieldsTest {
    private static final Fields SOME =
            Fields.NONE.with(HeaderName.ETAG, "\"a\"").with(MediaType.TEXT);

    @Test
    void areSentAsTheyAreSpelled() throws IOException {
        Prepared prepared =
                Prepared.of(Status.CREATED, SOME, "made".getBytes(StandardCharsets.US_ASCII));
        Handler handler =
                Router.builder()
                        .get("/written", (request, response) -> response.fields(SOME).body("here"))
                        .get("/prepared", prepared)
                        .get("/none", Prepared.of(Status.NOT_MODIFIED, SOME, new byte[3]))
                        .build();
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            for (int i = 0; i < 3; i++) {
                Answer written = client.get("/written");
                assertThat(written.fields())
                        .contains("ETag: \"a\"", "Content-Type: text/plain; charset=utf-8");
                assertThat(written.body()).isEqualTo("here");
                Answer made = client.get("/prepared");
                assertThat(made.status()).isEqualTo(201);
                assertThat(made.field("ETag")).isEqualTo("\"a\"");
                assertThat(made.body()).isEqualTo("made");
                Answer none = client.get("/none");
                assertThat(none.field("ETag")).isEqualTo("\"a\"");
                assertThat(none.has("Content-Length")).isFalse();
            }
        }
        assertThat(prepared.body().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE))
                .isEqualTo("made".getBytes(StandardCharsets.US_ASCII));
        assertThat(prepared.body().isReadOnly()).isTrue();
    }

    @Test
    void moreMakesOthers() {
        assertThat(Fields.NONE.toString()).isEmpty();
        assertThat(SOME.with(HeaderName.VARY, "x").toString())
                .isEqualTo("ETag: \"a\"\r\nContent-Type: text/plain; charset=utf-8\r\nVary: x\r\n");
        assertThat(SOME.toString())
                .isEqualTo("ETag: \"a\"\r\nContent-Type: text/plain; charset=utf-8\r\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\r\nb", "a\u0000", "\u00e4", "\u007f"})
    void valuesCannotBreakOut(String value) {
        assertThatThrownBy(() -> Fields.NONE.with(HeaderName.VARY, value))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void theServersOwnAreRefused() {
        HeaderName length = HeaderName.of("Content-Length");
        assertThatThrownBy(() -> Fields.NONE.with(length, "1"))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @CsvSource({"-1, 0, 1", "1, 0, 2", "0, 1, 1", "0, 0, 0"})
    void rangesLieWithin(long first, long last, long size) throws IOException {
        Handler handler =
                (request, response) -> {
                    assertThatThrownBy(() -> response.contentRange(first, last, size))
                            .isInstanceOf(IllegalArgumentException.class);
                    long most = Long.MAX_VALUE;
                    response.contentRange(0, most - 1, most).body("");
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            assertThat(client.get("/").field("Content-Range"))
                    .isEqualTo("bytes 0-9223372036854775806/9223372036854775807");
            assertThat(rig.failures()).isEmpty();
        }
    }
}
