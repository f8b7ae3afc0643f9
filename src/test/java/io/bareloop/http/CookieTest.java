package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import java.time.Duration;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Cookies that clients send, and those that they are to keep. */
class CookieTest {
    private static void say(Request request, Response response) {
        ByteView value = request.cookie("id");
        response.body(value == null ? "none" : "<" + value + ">");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "id=1 | <1>",
                "a=b; id=1; c=d | <1>",
                "id=1; id=2 | <1>",
                "id=1;id=2 | <1>",
                "a=b;;; ;id=1 | <1>",
                "id= | <>",
                "id=; id=2 | <>",
                "id=a=b== | <a=b==>",
                "id=\"1\" | <1>",
                "id=\"\" | <>",
                "id=\"a b, c\" | <a b, c>",
                "id=a b,c\\d | <a b,c\\d>",
                "id=\u00e9 | <\u00c3\u00a9>",
                "id=1  ; a=b | <1>",
                "a=b;   id=1 | <1>",
                "id=1; | <1>",
                "ID=1 | none",
                "idd=1; i=d; aid=1 | none",
                "id | none",
                "id; =1; id =1 | none",
                "=id=1 | none",
                "a=id=1 | none",
                "id=\"; id=2 | <2>",
                "id=1\"; id=2 | <2>",
                "id=\"1; id=2\"; id=3 | <3>",
                "id=\"a\"b\"; id=2 | <2>",
                "a=\"x; id=1; y\" | <1>",
                "broken; a=\"; id=1 | <1>",
                "$Version=1; id=1 | <1>",
                "; | none",
            })
    void areFound(String field, String found) throws Exception {
        try (HttpRig rig = HttpRig.start(CookieTest::say);
                Client client = Client.connect(rig.port())) {
            String[] fields = {"Cookie: " + field, "X: y"};
            String sent = found.replace("\u00c3\u00a9", "\u00c3\u00a9");
            for (int i = 0; i < 2; i++) {
                client.send(Client.request("GET", "/", fields).replace("\u00e9", "\u00c3\u00a9"));
                assertThat(client.answer().body()).isEqualTo(sent);
            }
        }
    }

    @Test
    void aTabIsMalformed() throws Exception {
        try (HttpRig rig = HttpRig.start(CookieTest::say);
                Client client = Client.connect(rig.port())) {
            client.send(Client.request("GET", "/", "Cookie: id=a\tb; id=2"));
            assertThat(client.answer().body()).isEqualTo("<2>");
            client.send(Client.request("GET", "/", "Cookie: a=b;\tid=3\t"));
            assertThat(client.answer().body()).isEqualTo("<3>");
        }
    }

    @Test
    void areFoundInSeveralFields() throws Exception {
        try (HttpRig rig = HttpRig.start(CookieTest::say);
                Client client = Client.connect(rig.port())) {
            client.send(
                    Client.request("GET", "/", "cookie: a=b", "X: id=0", "COOKIE: id=1; id=2")
                            + Client.request(
                                    "GET", "/", "Cookie: id", "Cookie: id=3", "Cookie: id=4")
                            + Client.request("GET", "/", "Cookie:", "Cookie: x=y")
                            + Client.request("GET", "/"));
            assertThat(client.answer().body()).isEqualTo("<1>");
            assertThat(client.answer().body()).isEqualTo("<3>");
            assertThat(client.answer().body()).isEqualTo("none");
            assertThat(client.answer().body()).isEqualTo("none");
        }
    }

    // ---- to be kept

    @Test
    void hasItsAttributes() {
        assertThat(Cookie.builder("a", "b").build()).hasToString("a=b");
        assertThat(Cookie.builder("a", "").build()).hasToString("a=");
        assertThat(Cookie.builder("a", "\"b=c\"").build()).hasToString("a=\"b=c\"");
        assertThat(
                        Cookie.builder("__Secure-id", "abc~!#$%&'()*+-./:<=>?@[]^_`{|}")
                                .path("/a b")
                                .domain("example.org")
                                .maxAge(Duration.ofDays(1).plusMillis(1))
                                .secure()
                                .httpOnly()
                                .sameSite(Cookie.SameSite.NONE)
                                .partitioned()
                                .build())
                .hasToString(
                        "__Secure-id=abc~!#$%&'()*+-./:<=>?@[]^_`{|}; Path=/a b;"
                                + " Domain=example.org; Max-Age=86400; Secure; HttpOnly;"
                                + " SameSite=None; Partitioned");
        assertThat(
                        Cookie.builder("__Host-id", "1")
                                .path("/")
                                .secure()
                                .sameSite(Cookie.SameSite.STRICT)
                                .build())
                .hasToString("__Host-id=1; Path=/; Secure; SameSite=Strict");
        assertThat(Cookie.expire("a").path("/").sameSite(Cookie.SameSite.LAX).build())
                .hasToString("a=; Path=/; Max-Age=0; SameSite=Lax");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a b", "a=b", "a;b", "a\r\nb", "\u00e9", "a\0", "\u0141", "a,b"})
    void aNameIsAToken(String name) {
        refuses(() -> Cookie.builder(name, "b"), "a cookie's name is a token");
        refuses(() -> Cookie.expire(name), "a cookie's name is a token");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a b",
                "a;b",
                "a,b",
                "a\\b",
                "a\"b",
                "\"",
                "\"a\"b\"",
                "a\r\nX: y",
                "\t",
                "\0",
                "\u007f",
                "\u00e9",
                "\ud83d\ude00"
            })
    void aValueIsNotEncoded(String value) {
        refuses(
                () -> Cookie.builder("name", value),
                "of the cookie \"name\" cannot be sent: encode the value, for example in Base64");
    }

    @Test
    void saysWhichCharacterItIs() {
        refuses(() -> Cookie.builder("n", "ab\u00e9"), "character U+00E9 at index 2 of the cookie");
    }

    @Test
    void attributesAreChecked() {
        Cookie.Builder builder = Cookie.builder("a", "b");
        for (String path : new String[] {"", "a", "/;x", "/\r\n", "/\u00e9", "/\0"}) {
            refuses(() -> builder.path(path), "not a cookie's path: it begins with a slash");
        }
        for (String domain : new String[] {"", ".a", "a b", "a;b", "a/b", "\u00e9", "a\r"}) {
            refuses(() -> builder.domain(domain), "not a cookie's domain: it has letters");
        }
        refuses(() -> builder.path("/" + "x".repeat(1024)), "1024 characters at the most");
        refuses(() -> builder.domain("x".repeat(1025)), "1024 characters at the most");
        refuses(() -> builder.maxAge(Duration.ofSeconds(-1)), "zero, or one second or more");
        refuses(() -> builder.maxAge(Duration.ofMillis(999)), "zero, or one second or more");
        refuses(() -> Cookie.builder("a", "x".repeat(4096)), "4096 at the most");
        assertThat(Cookie.builder("a", "x".repeat(4095)).build().toString()).hasSize(4097);
        assertThat(builder.build()).hasToString("a=b");
    }

    @Test
    void whatBelongsTogetherIsChecked() {
        String secure = "requires secure()";
        refuses(() -> Cookie.builder("a", "b").partitioned().build(), "Partitioned " + secure);
        refuses(
                () -> Cookie.builder("a", "b").sameSite(Cookie.SameSite.NONE).build(),
                "SameSite=None " + secure);
        refuses(() -> Cookie.builder("__Secure-a", "b").build(), "__Secure- " + secure);
        refuses(() -> Cookie.builder("__SECURE-a", "b").build(), "__Secure- " + secure);
        String host = "__Host- requires secure() and path(\"/\"), and no domain()";
        refuses(() -> Cookie.builder("__Host-a", "b").secure().build(), host);
        refuses(() -> Cookie.builder("__Host-a", "b").path("/").build(), host);
        refuses(() -> Cookie.builder("__host-a", "b").secure().path("/a").build(), host);
        refuses(
                () -> Cookie.builder("__Host-a", "b").secure().path("/").domain("a.b").build(),
                host);
    }

    private static void refuses(ThrowingCallable mistake, String message) {
        assertThatThrownBy(mistake)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message)
                .hasMessageNotContaining("\r");
    }

    @Test
    void areSent() throws Exception {
        Cookie session = Cookie.builder("session", "abc").path("/").httpOnly().build();
        Cookie old = Cookie.expire("old").build();
        Handler handler =
                (request, response) -> response.cookie(session).cookie(old).body("welcome");
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            for (int i = 0; i < 3; i++) {
                Answer received = client.get("/");
                assertThat(received.fields())
                        .containsSubsequence(
                                "Set-Cookie: session=abc; Path=/; HttpOnly",
                                "Set-Cookie: old=; Max-Age=0");
                assertThat(received.body()).isEqualTo("welcome");
            }
        }
    }
}
