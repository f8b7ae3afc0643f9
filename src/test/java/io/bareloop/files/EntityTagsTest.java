package io.bareloop.files;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.Views;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Lists of tags against the strong tag "a" (RFC 9110, section 8.8.3.2). */
class EntityTagsTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "*            | true  | true",
                "  *          | true  | true",
                "\"a\"      | true  | true",
                "W/\"a\"    | false | true",
                "\"b\",\"a\" | true | true",
                "\"b\" , W/\"a\" | false | true",
                ",, \"a\" ,,| true  | true",
                "\"b\"      | false | false",
                "\"A\"      | false | false",
                "\"aa\"     | false | false",
                "\"\"       | false | false",
                "a            | false | false",
                "\"a         | false | false",
                "w/\"a\"    | false | false",
                "W/           | false | false",
                "\"b,\"a\" | false | false",
                "*x           | false | false",
                "``           | false | false",
            })
    void matches(String list, boolean strongly, boolean weakly) {
        byte[] tag = "\"a\"".getBytes(US_ASCII);
        assertThat(EntityTags.matches(Views.of(list), tag, false)).isEqualTo(strongly);
        assertThat(EntityTags.matches(Views.of(list), tag, true)).isEqualTo(weakly);
    }
}
