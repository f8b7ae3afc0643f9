package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AcceptTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "text/html",
                "TEXT/HTML",
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                "application/json;q=0.1, text/html;q=0.101",
                "text/html, application/json",
                "text/plain;q=0.9, text/html;q=x",
                "a/b;c=\"x,y\" ,\ttext/html",
                "text/html;q=0.001",
                "text/html;q=1",
                "text/html ; level=1 ; q=0.5",
                "text/html;a=\"b;q=0\"",
                "text/html;q=0, text/html;level=1",
                ", ,text/html,",
            })
    void listsHtml(String field) {
        assertThat(Accept.choose(Views.of(field))).isEqualTo(Accept.Kind.HTML);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "*/*",
                "text/*",
                "application/json",
                "text/htm",
                "text/html5",
                "xtext/html",
                "application/x;a=\"text/html\"",
                "application/x;a=\",text/html,\"",
                "application/x;a=\"\\\",text/html",
                "text/html;q=0",
                "text/html;Q=0.000",
                "text/html; level=1; q=0.0",
                "text/html;q=0 , */*",
                "text/html;a=\"x\";q=0",
            })
    void doesNot(String field) {
        assertThat(Accept.choose(Views.of(field))).isNotEqualTo(Accept.Kind.HTML);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "application/json",
                "application/problem+json",
                "application/json, text/plain, */*",
                "text/html;q=0.8, application/problem+json;q=0.81",
                "application/json, text/html;q=0.1",
                "text/plain;q=0.5,Application/JSON ; q=0.500, text/html;q=0.5, "
                        + "application/json;q=0.6",
            })
    void prefersProblems(String field) {
        assertThat(Accept.choose(Views.of(field))).isEqualTo(Accept.Kind.PROBLEM);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "text/plain, application/json",
                "application/json;q=0, text/html;q=0.000",
                "application/xml",
                "text/plain;q=1, text/html;q=0.999",
            })
    void prefersText(String field) {
        assertThat(Accept.choose(Views.of(field))).isEqualTo(Accept.Kind.TEXT);
    }

    /** A field that ends anywhere is read to its end and no further. */
    @ParameterizedTest
    @ValueSource(strings = {"a/b;c=\"\\\"x\", text/html ; level=\"1\" ; q=0.5"})
    void anyPrefix(String field) {
        for (int i = 0; i <= field.length(); i++) {
            boolean whole = i >= field.indexOf("html") + 4;
            assertThat(Accept.choose(Views.of(field.substring(0, i))) == Accept.Kind.HTML)
                    .as(field.substring(0, i))
                    .isEqualTo(
                            whole
                                    && !field.substring(0, i).endsWith("q=0")
                                    && !field.substring(0, i).endsWith("q=0."));
        }
    }
}
