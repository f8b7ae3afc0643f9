package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Parameters of routes and of queries, decoded and as numbers, as a client asks for them. */
class ParameterTest {
    private static final Handler ROUTES =
            Router.builder()
                    .get("/raw/{name}", (request, response) -> response.body(raw(request)))
                    .get("/decoded/{name}", (request, response) -> response.body(decoded(request)))
                    .get("/both/{name}/{path...}", (request, response) -> both(request, response))
                    .get(
                            "/int/{n}",
                            (request, response) -> say(response, request.intParameter("n")))
                    .get(
                            "/long/{n}",
                            (request, response) -> say(response, request.longParameter("n")))
                    .get("/typo/{id}/{name}", (request, response) -> request.parameter("idd"))
                    .get("/none", (request, response) -> request.parameter("id"))
                    .get("/q/value", (request, response) -> response.body(request.queryValue("q")))
                    .get("/q/must", (request, response) -> response.body(must(request)))
                    .get("/q/int", (request, response) -> say(response, request.queryInt("q")))
                    .get("/q/int-or", (request, response) -> say(response, orSeven(request)))
                    .get("/q/long", (request, response) -> say(response, request.queryLong("q")))
                    .get("/q/long-or", (request, response) -> say(response, orNine(request)))
                    .build();

    private HttpRig rig;
    private Client client;

    private static ByteView raw(Request request) {
        return request.rawParameter("name");
    }

    private static ByteView decoded(Request request) {
        return request.parameter("name");
    }

    /** Views of all of them at the same time. */
    private static void both(Request request, Response response) {
        ByteView name = request.parameter("name");
        ByteView path = request.parameter("path");
        ByteView rawName = request.rawParameter("name");
        ByteView rawPath = request.rawParameter("path");
        response.body(name + "|" + path + "|" + rawName + "|" + rawPath);
    }

    private static ByteView must(Request request) {
        return request.requiredQueryValue("q");
    }

    private static long orSeven(Request request) {
        return request.queryInt("q", 7);
    }

    private static long orNine(Request request) {
        return request.queryLong("q", 9);
    }

    private static void say(Response response, long number) {
        response.body(Long.toString(number));
    }

    @BeforeEach
    void connect() throws Exception {
        rig = HttpRig.start(ROUTES);
        client = Client.connect(rig.port());
    }

    @AfterEach
    void close() throws Exception {
        client.close();
        rig.close();
    }

    private void answers(String target, String body) throws Exception {
        Answer received = client.get(target);
        assertThat(received.body()).isEqualTo(body);
        assertThat(received.status()).isEqualTo(200);
    }

    /** The connection goes on: it is the client's mistake, and no failure of the handler. */
    private void refuses(String target, String message) throws Exception {
        Answer received = client.get(target);
        assertThat(received.body()).isEqualTo("400 Bad Request: " + message + "\n");
        assertThat(received.status()).isEqualTo(400);
        assertThat(rig.failures()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "plain, plain",
        "%41%62c, Abc",
        "a+b, a+b",
        "a%2Bb, a+b",
        "a%2fb%2F, a/b/",
        "%25, %",
        "%2525, %25",
        "%C3%BC, \u00c3\u00bc",
        "%ff%FE, \u00ff\u00fe",
        "a%00b, 'a\0b'",
        "%0d%0aX:%20y, '\r\nX: y'",
        "a;b=c%3d, a;b=c="
    })
    void areDecodedAsRfc3986HasIt(String sent, String decoded) throws Exception {
        answers("/decoded/" + sent, decoded);
        answers("/raw/" + sent, sent);
        answers("/q/value?q=" + sent, decoded);
        answers("/q/must?a=b&q=" + sent + "&q=c", decoded);
    }

    @Test
    void areApartWhereThereAreSeveral() throws Exception {
        for (int i = 0; i < 3; i++) {
            answers("/both/%61/b/%63%2f", "a|b/c/|%61|b/%63%2f");
            answers("/both/a/b", "a|b|a|b");
            answers("/both/%61/", "a||%61|");
            String filler = "x".repeat(300 + 1_000 * i);
            answers(
                    "/both/%61" + filler + "/%62" + filler,
                    "a" + filler + "|b" + filler + "|%61" + filler + "|%62" + filler);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"%", "%4", "a%", "%4g", "%g4", "%%41", "%-1", "%+1", "%zz", "a%4"})
    void areRefusedWhereAnEscapeIsMalformed(String sent) throws Exception {
        refuses("/decoded/" + sent, "malformed percent-escape");
        refuses("/q/value?q=" + sent, "malformed percent-escape");
        answers("/raw/" + sent, sent);
    }

    @Test
    void oneThatTheRouteHasNotIsTheHandlersMistake() throws Exception {
        assertThat(client.get("/typo/1/2").status()).isEqualTo(500);
        assertThat(rig.failures()).hasSize(1);
        assertThat(rig.failures().get(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("no parameter \"idd\" in this route; it has: id, name");
        try (Client other = Client.connect(rig.port())) {
            assertThat(other.get("/none").status()).isEqualTo(500);
        }
        assertThat(rig.failures().get(1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("no parameter \"id\" in this route; it has none");
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "-0, 0",
        "7, 7",
        "-7, -7",
        "007, 7",
        "%37, 7",
        "%2D7, -7",
        "2147483647, 2147483647",
        "-2147483648, -2147483648",
        "0000000000000000000000000000001, 1"
    })
    void areNumbers(String sent, String number) throws Exception {
        answers("/int/" + sent, number);
        answers("/long/" + sent, number);
        answers("/q/int?q=" + sent, number);
        answers("/q/int-or?q=" + sent, number);
        answers("/q/long?q=" + sent, number);
        answers("/q/long-or?q=" + sent, number);
    }

    @ParameterizedTest
    @ValueSource(strings = {"9223372036854775807", "-9223372036854775808"})
    void longsHaveAllTheirRange(String number) throws Exception {
        answers("/long/" + number, number);
        answers("/q/long?q=" + number, number);
        refusesInt(number);
    }

    private void refusesInt(String sent) throws Exception {
        String range = "is no whole number from -2147483648 to 2147483647";
        refuses("/int/" + sent, "the parameter \"n\" " + range);
        refuses("/q/int?q=" + sent, "the parameter \"q\" " + range);
        refuses("/q/int-or?q=" + sent, "the parameter \"q\" " + range);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a",
                "1a",
                "+1",
                "-",
                "--1",
                "1-",
                "1.0",
                "%201",
                "1%20",
                "0x1",
                "1e3",
                "%D9%A1",
                "9223372036854775808",
                "-9223372036854775809",
                "99999999999999999999999999",
                "18446744073709551617",
                "%3Cscript%3E"
            })
    void otherNumbersAreRefused(String sent) throws Exception {
        refusesInt(sent);
        String range = "is no whole number from -9223372036854775808 to 9223372036854775807";
        refuses("/long/" + sent, "the parameter \"n\" " + range);
        refuses("/q/long?q=" + sent, "the parameter \"q\" " + range);
        refuses("/q/long-or?q=" + sent, "the parameter \"q\" " + range);
    }

    @ParameterizedTest
    @ValueSource(strings = {"2147483648", "-2147483649", "4294967296", "4294967297"})
    void intsDoNotOverflow(String sent) throws Exception {
        refusesInt(sent);
        answers("/long/" + sent, sent);
    }

    @Test
    void whatIsMissingIsRefusedOrReplaced() throws Exception {
        for (String query : new String[] {"", "?", "?a=1", "?Q=1", "?qq=1"}) {
            answers("/q/int-or" + query, "7");
            answers("/q/long-or" + query, "9");
            refuses("/q/must" + query, "the query has no parameter \"q\"");
            refuses("/q/int" + query, "the query has no parameter \"q\"");
            refuses("/q/long" + query, "the query has no parameter \"q\"");
        }
        // There, but empty.
        answers("/q/must?q", "");
        refuses(
                "/q/int-or?q",
                "the parameter \"q\" is no whole number from -2147483648 to 2147483647");
        refuses(
                "/q/long?q=&q=1",
                "the parameter \"q\" is no whole number from -9223372036854775808 to"
                        + " 9223372036854775807");
    }
}
