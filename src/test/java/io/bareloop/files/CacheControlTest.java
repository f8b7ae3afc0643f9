package io.bareloop.files;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Patterns of paths. */
class CacheControlTest {
    @ParameterizedTest
    @CsvSource({
        "*.js, /a.js, true",
        "*.js, /a/b/c.js, true",
        "*.js, /a.jsx, false",
        "*.js, /ajs, false",
        "/*.js, /a.js, true",
        "/*.js, /a/b.js, false",
        "/assets/**, /assets/a/b, true",
        "/assets/**, /asset/a, false",
        "/a/**/b, /a/x/y/b, true",
        "a?.png, /x/a1.png, true",
        "a?.png, /x/a/.png, false",
        "index.html, /index.html, true",
        "index.html, /x/index.html, true",
        "index.html, /xindex.html, false",
        "(.+)*$[, /(.+)x$[, true",
    })
    void matches(String pattern, String path, boolean expected) {
        CacheControl cacheControl = new CacheControl();
        cacheControl.add(pattern, "it");
        assertThat(cacheControl.of(path)).isEqualTo(expected ? "it" : null);
    }

    @Test
    void theFirstThatMatchesCounts() {
        CacheControl cacheControl = new CacheControl();
        cacheControl.otherwise("default");
        cacheControl.add("*.js", "first");
        cacheControl.add("*", "second");
        cacheControl.add("/x", "third");
        assertThat(cacheControl.of("/a.js")).isEqualTo("first");
        assertThat(cacheControl.of("/x")).isEqualTo("second");
        assertThat(new CacheControl().of("/x")).isNull();
    }
}
