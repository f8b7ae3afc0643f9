package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class FilterTest {
    private static final HeaderName TAG = HeaderName.of("X-Tag");
    private static final Filter TAGGED = (request, response) -> response.always(TAG, "yes");

    /** Counts the bytes of a body as they come. */
    private static final class Counting implements StreamHandler {
        @Override
        public void begin(Request request, Response response) {
            request.attach(new int[1]);
        }

        @Override
        public void piece(Request request, Response response, ByteView piece) {
            ((int[]) request.attachment())[0] += piece.length();
        }

        @Override
        public void end(Request request, Response response) {
            response.status(Status.CREATED).body(((int[]) request.attachment())[0] + "");
        }
    }

    private static Answer post(HttpRig rig, String path, int bytes, String... fields)
            throws IOException {
        try (Client client = Client.connect(rig.port())) {
            String[] all = new String[fields.length + 1];
            System.arraycopy(fields, 0, all, 0, fields.length);
            all[fields.length] = "Content-Length: " + bytes;
            client.send(Client.request("POST", path, all) + "x".repeat(bytes));
            return client.answer();
        }
    }

    /** All kinds of handlers, behind the same filter: none of them changes its kind. */
    @Test
    void everyKindOfHandlerStaysWhatItIs() throws IOException {
        Router router =
                Router.builder()
                        .filter(TAGGED)
                        .post("/whole", (request, response) -> response.body(request.body()))
                        .post("/pieces", new Counting())
                        .post("/blocking", Blocking.blocking(r -> Reply.text(r.body() + "!")))
                        .post("/prepared", Prepared.text("p"))
                        .post("/single", TAGGED.before(new Counting()))
                        .build();
        try (HttpRig rig = HttpRig.start(router)) {
            // More than is taken whole.
            Answer pieces = post(rig, "/pieces", 3_000_000);
            assertThat(pieces.status()).isEqualTo(201);
            assertThat(pieces.body()).isEqualTo("3000000");
            assertThat(post(rig, "/single", 3_000_000).body()).isEqualTo("3000000");
            assertThat(post(rig, "/single", 3).values("X-Tag")).containsExactly("yes", "yes");
            assertThat(post(rig, "/whole", 3).body()).isEqualTo("xxx");
            assertThat(post(rig, "/blocking", 3).body()).isEqualTo("xxx!");
            assertThat(post(rig, "/prepared", 3).body()).isEqualTo("p");
            for (String path : List.of("/whole", "/pieces", "/blocking", "/prepared")) {
                assertThat(post(rig, path, 3).field("X-Tag")).as(path).isEqualTo("yes");
            }
        }
    }

    @Test
    void fieldsAreInErrorsToo() throws IOException {
        Router router =
                Router.builder()
                        .filter(TAGGED)
                        .post("/body", (request, response) -> response.body(""))
                        .get(
                                "/fails",
                                (request, response) -> {
                                    response.header(HeaderName.ETAG, "\"1\"");
                                    throw new IOException("on purpose");
                                })
                        .build();
        try (HttpRig rig = HttpRig.start(router);
                Client client = Client.connect(rig.port())) {
            Answer notFound = client.get("/nowhere");
            assertThat(notFound.status()).isEqualTo(404);
            assertThat(notFound.field("X-Tag")).isEqualTo("yes");
            Answer notAllowed = client.get("/body");
            assertThat(notAllowed.status()).isEqualTo(405);
            assertThat(notAllowed.field("X-Tag")).isEqualTo("yes");
            assertThat(notAllowed.field("Allow")).isEqualTo("POST, OPTIONS");
            client.send(Client.request("OPTIONS", "/body"));
            assertThat(client.answer().field("X-Tag")).isEqualTo("yes");
            Answer tooLarge = post(rig, "/body", 5_000_000);
            assertThat(tooLarge.status()).isEqualTo(413);
            assertThat(tooLarge.field("X-Tag")).isEqualTo("yes");
            Answer failed = client.get("/fails");
            assertThat(failed.status()).isEqualTo(500);
            assertThat(failed.field("X-Tag")).isEqualTo("yes");
            assertThat(failed.has("ETag")).isFalse();
        }
    }

    /** In the middle of a body: its framing breaks, or it does not come. */
    @Test
    void fieldsAreInWhatEndsABody() throws IOException {
        Router router = Router.builder().filter(TAGGED).post("/", new Counting()).build();
        Timeouts timeouts = Timeouts.builder().body(java.time.Duration.ofMillis(200)).build();
        try (HttpRig rig = HttpRig.start(Limits.defaults(), timeouts, router)) {
            try (Client client = Client.connect(rig.port())) {
                client.send(Client.request("POST", "/", "Transfer-Encoding: chunked") + "zz");
                Answer malformed = client.answer();
                assertThat(malformed.status()).isEqualTo(400);
                assertThat(malformed.field("X-Tag")).isEqualTo("yes");
            }
            try (Client client = Client.connect(rig.port())) {
                client.send(Client.request("POST", "/", "Content-Length: 9") + "x");
                Answer late = client.answer();
                assertThat(late.status()).isEqualTo(408);
                assertThat(late.field("X-Tag")).isEqualTo("yes");
            }
        }
    }

    @Test
    void aFilterThatAnswersEndsIt() throws IOException {
        List<String> called = new ArrayList<>();
        Filter auth =
                (request, response) -> {
                    if (request.header(HeaderName.AUTHORIZATION) == null) {
                        response.status(Status.UNAUTHORIZED).body("who are you?\n");
                    }
                };
        Filter late =
                (request, response) -> {
                    called.add("late");
                    if (request.path().contentEquals("/gone")) {
                        throw new HttpException(Status.GONE, null);
                    }
                    if (request.path().contentEquals("/later")) {
                        response.suspend().resume((same, answer) -> answer.body("later"));
                    }
                };
        Router router =
                Router.builder()
                        .filter(auth)
                        .filter(late)
                        .any(
                                "/{path...}",
                                (request, response) -> {
                                    called.add("handler");
                                    response.body("in");
                                })
                        .build();
        try (HttpRig rig = HttpRig.start(router);
                Client client = Client.connect(rig.port())) {
            Answer refused = client.get("/");
            assertThat(refused.status()).isEqualTo(401);
            assertThat(called).isEmpty();
            // The body of what was answered is discarded, and the connection goes on.
            client.send(Client.request("POST", "/", "Content-Length: 3") + "abc");
            assertThat(client.answer().body()).isEqualTo("who are you?\n");
            client.send(Client.request("GET", "/gone", "Authorization: a"));
            assertThat(client.answer().status()).isEqualTo(410);
            client.send(Client.request("POST", "/later", "Authorization: a", "Content-Length: 3"));
            assertThat(client.answer().body()).isEqualTo("later");
            client.send("abc" + Client.request("GET", "/", "Authorization: a"));
            assertThat(client.answer().body()).isEqualTo("in");
            assertThat(called).containsExactly("late", "late", "late", "handler");
        }
    }

    @Test
    void groupsHaveFiltersOfTheirOwn() throws IOException {
        Filter outer = (request, response) -> response.always(TAG, "outer");
        Filter inner = (request, response) -> response.always(TAG, "inner");
        Filter innermost = (request, response) -> response.always(TAG, "innermost");
        Handler ok = (request, response) -> response.body("ok");
        Router router =
                Router.builder()
                        .get("/", ok)
                        .group(
                                "/api",
                                api ->
                                        api.get("", ok)
                                                .get(
                                                        "/users/{id}",
                                                        (request, response) ->
                                                                response.body(
                                                                        request.parameter("id")))
                                                .group(
                                                        "/of/{user}",
                                                        user ->
                                                                user.filter(innermost)
                                                                        .get("/{id}", ok))
                                                .filter(inner))
                        .group("", some -> some.filter(innermost).get("/some", ok))
                        .filter(outer)
                        .build();
        try (HttpRig rig = HttpRig.start(router);
                Client client = Client.connect(rig.port())) {
            assertThat(client.get("/").values("X-Tag")).containsExactly("outer");
            assertThat(client.get("/some").values("X-Tag")).containsExactly("outer", "innermost");
            assertThat(client.get("/api").values("X-Tag")).containsExactly("outer", "inner");
            Answer user = client.get("/api/users/7");
            assertThat(user.body()).isEqualTo("7");
            assertThat(user.values("X-Tag")).containsExactly("outer", "inner");
            assertThat(client.get("/api/of/ada/7").values("X-Tag"))
                    .containsExactly("outer", "inner", "innermost");
            // What no route matches is seen by the innermost group that it leads into.
            assertThat(client.get("/nowhere").values("X-Tag")).containsExactly("outer");
            assertThat(client.get("/api/no").values("X-Tag")).containsExactly("outer", "inner");
            Answer missing = client.get("/api/of/ada/7/8");
            assertThat(missing.status()).isEqualTo(404);
            assertThat(missing.values("X-Tag")).containsExactly("outer", "inner", "innermost");
            client.send(Client.request("PUT", "/api/users/7"));
            Answer notAllowed = client.answer();
            assertThat(notAllowed.status()).isEqualTo(405);
            assertThat(notAllowed.values("X-Tag")).containsExactly("outer", "inner");
        }
    }

    @Test
    void whatIsWrongWithAGroupIsSaid() {
        assertThatThrownBy(() -> Router.builder().group("/api/", api -> {}))
                .hasMessage("a group's path ends with a segment: /api/");
        assertThatThrownBy(() -> Router.builder().group("/a", Router.Builder::build))
                .hasMessage("build() is for the router, not for a group");
        assertThatThrownBy(
                        () -> Router.builder().group("/{a}", g -> g.get("/{a}", Prepared.text(""))))
                .hasMessage("a parameter needs a name of its own: /{a}");
    }

    /** A handler of the user's own that hands on: the body is there as a whole. */
    @Test
    void aHandlerThatHandsOnToAFilteredOne() throws IOException {
        Handler filtered = TAGGED.before((request, response) -> response.body(request.body()));
        try (HttpRig rig =
                HttpRig.start((request, response) -> filtered.handle(request, response))) {
            Answer answer = post(rig, "/", 3);
            assertThat(answer.body()).isEqualTo("xxx");
            assertThat(answer.field("X-Tag")).isEqualTo("yes");
        }
    }

    @Test
    void tooManyFieldsAreAFailure() throws IOException {
        Filter much =
                (request, response) -> {
                    for (int i = 0; i < 50; i++) {
                        response.always(TAG, "x".repeat(100));
                    }
                };
        try (HttpRig rig = HttpRig.start(much.before(Prepared.text("")));
                Client client = Client.connect(rig.port())) {
            assertThat(client.get("/").status()).isEqualTo(500);
            assertThat(rig.failures())
                    .singleElement()
                    .hasToString(
                            "java.lang.IllegalStateException: the fields of always() exceed 4096"
                                    + " bytes");
        }
    }

    @Test
    void theStatusWhereNoneIsCalled() throws IOException {
        Filter created = (request, response) -> response.defaultStatus(Status.CREATED);
        Router router =
                Router.builder()
                        .filter(created)
                        .get("/a", (request, response) -> response.body("a"))
                        .get("/b", (request, response) -> response.status(Status.OK).body("b"))
                        .build();
        try (HttpRig rig = HttpRig.start(router);
                Client client = Client.connect(rig.port())) {
            assertThat(client.get("/a").status()).isEqualTo(201);
            assertThat(client.get("/b").status()).isEqualTo(200);
            assertThat(client.get("/a").status()).isEqualTo(201);
        }
    }
}
