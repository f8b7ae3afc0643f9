package io.bareloop.files;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Content-Type by name. */
class MediaTypesTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "index.html   | text/html; charset=utf-8",
                "INDEX.HTM    | text/html; charset=utf-8",
                "a/b.css      | text/css; charset=utf-8",
                "app.js       | text/javascript; charset=utf-8",
                "app.mjs      | text/javascript; charset=utf-8",
                "a.json       | application/json",
                "a.svg        | image/svg+xml",
                "a.png        | image/png",
                "a.woff2      | font/woff2",
                "a.wasm       | application/wasm",
                "a.mp4        | video/mp4",
                "a.tar.gz     | application/gzip",
                "favicon.ico  | image/vnd.microsoft.icon",
                "README       | application/octet-stream",
                "a.            | application/octet-stream",
                "a.b/c        | application/octet-stream",
                "a.unheardof  | application/octet-stream",
            })
    void of(String name, String type) {
        assertThat(new MediaTypes().of(name)).isEqualTo(type);
    }

    @Test
    void anotherTypeTakesThePlace() {
        MediaTypes types = new MediaTypes();
        types.put("Foo", "application/foo");
        assertThat(types.of("a.FOO")).isEqualTo("application/foo");
    }
}
