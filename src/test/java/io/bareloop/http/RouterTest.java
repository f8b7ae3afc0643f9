package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.http1.RequestParser;
import io.bareloop.rig.Allocations;
import io.bareloop.rig.Answer;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import io.bareloop.rig.ParsedRequest;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which handler answers which path. */
class RouterTest {
    private static final RequestParser PARSER = new RequestParser(Limits.defaults());

    private final Arena arena = Arena.ofConfined();
    private final ParsedRequest parsed = new ParsedRequest(Limits.defaults());
    private final Request request = parsed.view;

    @AfterEach
    void free() {
        arena.close();
    }

    /** A handler that is known by the path of its route. */
    private record Named(String path) implements Handler {
        @Override
        public void handle(Request request, Response response) {
            response.body(path);
        }
    }

    private static final Handler NONE = new Named("none");

    private static Router router(String... paths) {
        Router.Builder builder = Router.builder().notFound(NONE);
        for (String path : paths) {
            builder.get(path, new Named(path));
        }
        return builder.build();
    }

    private Request request(String method, String target) {
        String text = method + " " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
        MemorySegment in = arena.allocate(text.length() + 1L);
        in.asSlice(1).copyFrom(MemorySegment.ofArray(Bytes.of(text)));
        assertThat(PARSER.parse(in, 1, text.length() + 1, parsed.head))
                .isEqualTo(text.length() + 1);
        return request;
    }

    private String route(Router router, String target) {
        return ((Named) router.route(request("GET", target))).path();
    }

    private String parameter(String name) {
        return request.rawParameter(name).toString();
    }

    private void hasNoParameter(String name) {
        assertThatThrownBy(() -> request.parameter(name))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("no parameter \"" + name + "\" in this route; it has");
    }

    // ---- precedence

    @ParameterizedTest
    @CsvSource({
        "/, /",
        "/?q=/a, /",
        "/a, /a",
        "/a?b/c, /a",
        "/a/, /a/",
        "/a/b, /a/b",
        "/a/x, /a/{p}",
        "/a/x/, none",
        "/a/b/, none",
        "/a/b/c, /a/b/c",
        "/a/x/c, /a/{p}/c",
        "/a/x/d, /a/{p}/d",
        "/a/b/d, /a/{p}/d",
        "/a/b/e, none",
        "/a//c, none",
        "/f/, /f/{rest...}",
        "/f, none",
        "/f/x, /f/{rest...}",
        "/f/x/y//z/, /f/{rest...}",
        "/f/g, /f/g",
        "/f/g/h, /f/{rest...}",
        "/f/n/1, /f/n/{p}",
        "/f/n/, /f/{rest...}",
        "/f/n/1/2, /f/{rest...}",
        "/A, none",
        "/%61, none",
        "/a%2Fb, none",
        "//, none",
        "//a, none",
        "/b, none",
        "/aa, none",
        "/abcdefgh, /abcdefgh",
        "/abcdefghi, /abcdefghi",
        "/abcdefg, none",
        "/abcdefghj, none",
        "/%20, /%20",
        "http://host, /",
        "http://host/, /",
        "http://host?/a, /",
        "http://host/a/x/c?d, /a/{p}/c"
    })
    void choosesTheMostFixed(String target, String expected) {
        Router router =
                router(
                        "/f/{rest...}",
                        "/a/{p}/d",
                        "/a/{p}/c",
                        "/a/{p}",
                        "/",
                        "/a",
                        "/a/",
                        "/a/b",
                        "/a/b/c",
                        "/f/g",
                        "/f/n/{p}",
                        "/abcdefgh",
                        "/abcdefghi",
                        "/%20");
        assertThat(route(router, target)).isEqualTo(expected);
    }

    @Test
    void goesBackWhereAMoreFixedPathLeadsNowhere() {
        Router router =
                router("/a/b/c/x", "/a/{p}/c/y", "/a/b/{q}/z", "/{all...}", "/a/{p}/{rest...}");
        assertThat(route(router, "/a/b/c/x")).isEqualTo("/a/b/c/x");
        assertThat(route(router, "/a/b/c/y")).isEqualTo("/a/{p}/c/y");
        assertThat(parameter("p")).isEqualTo("b");
        assertThat(route(router, "/a/b/c/z")).isEqualTo("/a/b/{q}/z");
        assertThat(parameter("q")).isEqualTo("c");
        hasNoParameter("p");
        assertThat(route(router, "/a/b/c/w")).isEqualTo("/a/{p}/{rest...}");
        assertThat(parameter("p")).isEqualTo("b");
        assertThat(parameter("rest")).isEqualTo("c/w");
        assertThat(route(router, "/a/b")).isEqualTo("/{all...}");
        assertThat(parameter("all")).isEqualTo("a/b");
        assertThat(route(router, "/a")).isEqualTo("/{all...}");
        assertThat(route(router, "/")).isEqualTo("/{all...}");
        assertThat(parameter("all")).isEmpty();
        assertThat(route(router, "http://host")).isEqualTo("/{all...}");
        assertThat(parameter("all")).isEmpty();
        assertThat(route(router, "http://host?query")).isEqualTo("/{all...}");
        assertThat(parameter("all")).isEmpty();
    }

    @Test
    void hasEmptySegmentsLikeOthers() {
        Router router = router("/a//b", "/a/", "/a/{p}/b", "//");
        assertThat(route(router, "/a//b")).isEqualTo("/a//b");
        assertThat(route(router, "/a/x/b")).isEqualTo("/a/{p}/b");
        assertThat(route(router, "/a/")).isEqualTo("/a/");
        assertThat(route(router, "//")).isEqualTo("//");
        assertThat(route(router, "/")).isEqualTo("none");
        assertThat(route(router, "/a")).isEqualTo("none");
        assertThat(route(router, "/a///b")).isEqualTo("none");
    }

    // ---- parameters

    @Test
    void givesWhatWasMatched() {
        Router router = router("/users/{id}", "/users/{id}/posts/{post}", "/files/{path...}");
        assertThat(route(router, "/users/7?id=8")).isEqualTo("/users/{id}");
        assertThat(parameter("id")).isEqualTo("7");
        hasNoParameter("post");
        hasNoParameter("");
        assertThat(route(router, "/users/%41+%2F;x=1/posts/%")).endsWith("{post}");
        assertThat(parameter("id")).isEqualTo("%41+%2F;x=1");
        assertThat(parameter("post")).isEqualTo("%");
        assertThat(request.rawParameter("id")).isNotSameAs(request.rawParameter("post"));
        assertThat(route(router, "/files/a/b%20c//d/?x")).isEqualTo("/files/{path...}");
        assertThat(parameter("path")).isEqualTo("a/b%20c//d/");
        assertThat(route(router, "http://host:80/users/9?x")).isEqualTo("/users/{id}");
        assertThat(parameter("id")).isEqualTo("9");
        assertThat(route(router, "/none")).isEqualTo("none");
        hasNoParameter("id");
    }

    @Test
    void hasUpTo16Parameters() {
        StringBuilder path = new StringBuilder();
        StringBuilder target = new StringBuilder();
        for (int i = 0; i < 16; i++) {
            path.append("/{p").append(i).append(i == 15 ? "...}" : "}");
            target.append("/v").append(i);
        }
        Router router = router(path.toString());
        assertThat(route(router, target + "/more")).isEqualTo(path.toString());
        assertThat(parameter("p0")).isEqualTo("v0");
        assertThat(parameter("p14")).isEqualTo("v14");
        assertThat(parameter("p15")).isEqualTo("v15/more");
        String oneMore = "/{p}" + path;
        assertThatThrownBy(() -> router(oneMore)).isInstanceOf(IllegalArgumentException.class);
    }

    // ---- the builder

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "a",
                "*",
                "http://host/",
                "/{}",
                "/{...}",
                "/{a",
                "/a}",
                "/{a}b",
                "/{a}{b}",
                "/{a{b}",
                "/a{b}",
                "/{a}/{a}",
                "/{a}/{a...}",
                "/{a...}/b",
                "/{a...}/",
                "/a{",
                "/}{"
            })
    void refusesMalformedRoutes(String path) {
        Router.Builder builder = Router.builder();
        assertThatThrownBy(() -> builder.get(path, NONE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(path);
    }

    @Test
    void refusesRoutesThatContradictOthers() {
        Router.Builder builder =
                Router.builder().get("/a", NONE).get("/b/{c}", NONE).get("/d/{e...}", NONE);
        assertThatThrownBy(() -> builder.get("/a", NONE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("GET /a");
        assertThatThrownBy(() -> builder.get("/b/{c}", NONE))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.any("/x", NONE).any("/x", NONE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("any /x");
        assertThatThrownBy(() -> builder.get("/d/{f...}", NONE))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.get("/x", null)).isInstanceOf(NullPointerException.class);
        // Other names of other methods, and further down, are fine.
        builder.post("/a", NONE)
                .post("/b/{other}", NONE)
                .get("/b/{other}/x", NONE)
                .put("/b/{c}", NONE)
                .build();
    }

    /** What other routers write, and what no client sends: the message says what to write. */
    @ParameterizedTest
    @CsvSource({
        "/u/:id, a parameter is written {id}",
        "/files/*, 'what matches any segment is written {name}, and any number {name...}'",
        "/a b, write a%20b for a b",
        "/größe, write gr%C3%B6%C3%9Fe for größe",
        "/u/<id>, write %3Cid%3E for <id>",
        "/100%, write 100%25 for 100%",
        "/a?b=1, a route has neither query nor fragment",
        "/a#b, a route has neither query nor fragment",
        "a, a path starts with a slash",
    })
    void saysWhatIsWrongWithARoute(String path, String message) {
        Router.Builder builder = Router.builder();
        assertThatThrownBy(() -> builder.get(path, NONE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message)
                .hasMessageEndingWith(": " + path);
    }

    @Test
    void marksAndEscapesAreFine() throws IOException {
        String path = "/a-._~!$&'()*+,;=:@/%C3%B6";
        Router router = Router.builder().get(path, Prepared.text("found")).build();
        try (HttpRig rig = HttpRig.start(router);
                Client client = Client.connect(rig.port())) {
            assertThat(client.get(path).body()).isEqualTo("found");
        }
    }

    // ---- methods

    @Test
    void anyIsForTheMethodsThatHaveNoneOfTheirOwn() throws IOException {
        Router router =
                Router.builder()
                        .any("/a/{rest...}", (request, response) -> response.body("any"))
                        .post("/a/{other...}", (r, response) -> response.body(r.parameter("other")))
                        .build();
        try (HttpRig rig = HttpRig.start(router);
                Client client = Client.connect(rig.port())) {
            for (String method : List.of("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE")) {
                client.send(Client.request(method, "/a/b"));
                assertThat(client.answer().body()).as(method).isEqualTo("any");
            }
            client.send(Client.request("HEAD", "/a/b"));
            assertThat(client.answerToHead().field("Content-Length")).isEqualTo("3");
            // Each method has the names of its own route.
            client.send(Client.request("POST", "/a/b"));
            assertThat(client.answer().body()).isEqualTo("b");
        }
    }

    @Test
    void choosesByMethod() {
        Router.Builder builder = Router.builder().notFound(NONE);
        for (Method method : Method.values()) {
            builder.route(method, "/all", new Named(method.name()));
        }
        builder.post("/some", new Named("post"))
                .put("/some", new Named("put"))
                .patch("/some", new Named("patch"))
                .delete("/some", new Named("delete"))
                .get("/some", new Named("get"));
        Router router = builder.build();
        for (Method method : Method.values()) {
            assertThat(router.route(request(method.name(), "/all")))
                    .isEqualTo(new Named(method.name()));
            assertThat(router.route(request(method.name(), "/none"))).isEqualTo(NONE);
        }
        for (String method : List.of("post", "put", "patch", "delete", "get")) {
            assertThat(router.route(request(method.toUpperCase(Locale.ROOT), "/some")))
                    .isEqualTo(new Named(method));
        }
        assertThat(router.route(request("HEAD", "/some"))).isEqualTo(new Named("get"));
    }

    @Test
    void answersWhereThereIsNoRoute() throws Exception {
        Router router =
                Router.builder()
                        .get("/get", new Named("get"))
                        .post("/post", new Named("post"))
                        .put("/post", new Named("put"))
                        .route(Method.OPTIONS, "/options", new Named("options"))
                        .route(Method.HEAD, "/head", (request, response) -> response.body("12"))
                        .get("/head", new Named("get"))
                        .build();
        try (HttpRig rig = HttpRig.start(router);
                Client client = Client.connect(rig.port())) {
            Answer notFound = client.get("/none");
            assertThat(notFound.status()).isEqualTo(404);
            assertThat(notFound.body()).isNotEmpty();
            assertThat(client.get("/get/").status()).isEqualTo(404);

            Answer notAllowed = client.post("/get", "body").answer();
            assertThat(notAllowed.status()).isEqualTo(405);
            assertThat(allowed(notAllowed)).containsExactlyInAnyOrder("GET", "HEAD", "OPTIONS");
            Answer alsoNotAllowed = client.get("/post");
            assertThat(alsoNotAllowed.status()).isEqualTo(405);
            assertThat(allowed(alsoNotAllowed)).containsExactlyInAnyOrder("POST", "PUT", "OPTIONS");
            Answer headNotAllowed = send(client, "HEAD", "/post").answerToHead();
            assertThat(headNotAllowed.status()).isEqualTo(405);

            Answer head = send(client, "HEAD", "/get").answerToHead();
            assertThat(head.status()).isEqualTo(200);
            assertThat(head.field("Content-Length")).isEqualTo("3");
            Answer ownHead = send(client, "HEAD", "/head").answerToHead();
            assertThat(ownHead.field("Content-Length")).isEqualTo("2");

            Answer options = send(client, "OPTIONS", "/post").answer();
            assertThat(options.status()).isEqualTo(204);
            assertThat(allowed(options)).containsExactlyInAnyOrder("POST", "PUT", "OPTIONS");
            assertThat(send(client, "OPTIONS", "/options").answer().body()).isEqualTo("options");
            assertThat(allowed(client.get("/options"))).containsExactly("OPTIONS");
            assertThat(send(client, "OPTIONS", "/none").answer().status()).isEqualTo(404);

            Answer any = send(client, "OPTIONS", "*").answer();
            assertThat(any.status()).isEqualTo(204);
            assertThat(allowed(any)).contains("GET", "HEAD", "POST", "OPTIONS");
            assertThat(client.get("/get").body()).isEqualTo("get");
            assertThat(rig.failures()).isEmpty();
        }
    }

    private static Client send(Client client, String method, String target) throws Exception {
        return client.send(method + " " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
    }

    private static List<String> allowed(Answer response) {
        return Arrays.asList(response.field("Allow").split(", ", -1));
    }

    /** No need to send a body that nobody wants: it is refused by its head. */
    @Test
    void refusesBodiesByTheirHead() throws Exception {
        Router router = Router.builder().get("/get", new Named("get")).build();
        try (HttpRig rig = HttpRig.start(router)) {
            for (String path : List.of("/none", "/get")) {
                try (Client client = Client.connect(rig.port())) {
                    client.send("POST " + path + " HTTP/1.1\r\nHost: a\r\n");
                    client.send("Expect: 100-continue\r\nContent-Length: 10\r\n\r\n");
                    Answer refused = client.answer();
                    assertThat(refused.status()).isEqualTo(path.equals("/get") ? 405 : 404);
                    assertThat(refused.closes()).isTrue();
                    assertThat(client.untilEnd()).isEmpty();
                }
            }
        }
    }

    // ---- routers in routers

    @Test
    void asksRoutersInside() throws Exception {
        List<String> pieces = new ArrayList<>();
        StreamHandler upload =
                new StreamHandler() {
                    @Override
                    public void begin(Request begun, Response response) {
                        pieces.add("begin " + begun.parameter("name"));
                    }

                    @Override
                    public void piece(Request same, Response response, ByteView piece) {
                        pieces.add(piece.toString());
                    }

                    @Override
                    public void end(Request same, Response response) {
                        response.body("end " + same.parameter("name"));
                    }
                };
        Router inner =
                Router.builder()
                        .route(Method.POST, "/api/{name}", upload)
                        .get("/api/{name}", new Named("inner"))
                        .get("/outside", new Named("outside"))
                        .build();
        Router outer =
                Router.builder()
                        .get("/", new Named("outer"))
                        .get("/api/{rest...}", inner)
                        .post("/api/{rest...}", inner)
                        .notFound(inner)
                        .build();
        try (HttpRig rig = HttpRig.start(outer);
                Client client = Client.connect(rig.port())) {
            assertThat(client.get("/").body()).isEqualTo("outer");
            assertThat(client.get("/api/x").body()).isEqualTo("inner");
            assertThat(client.get("/outside").body()).isEqualTo("outside");
            assertThat(client.get("/api/x/y").status()).isEqualTo(404);
            assertThat(client.post("/api/x", "piece").answer().body()).isEqualTo("end x");
            assertThat(String.join("|", pieces)).startsWith("begin x|p");
            assertThat(String.join("", pieces)).isEqualTo("begin xpiece");
        }
    }

    // ---- against a slow router, and without allocation

    /** Any routes over a small alphabet, against a matcher that tries every route by itself. */
    @Test
    void agreesWithASlowRouter() {
        SplittableRandom random = new SplittableRandom(7);
        String[] segments = {"a", "b", "", "{p}", "abcdefgh"};
        int found = 0;
        for (int round = 0; round < 2000; round++) {
            List<String> paths = new ArrayList<>();
            for (int i = random.nextInt(1, 8); i > 0; i--) {
                StringBuilder path = new StringBuilder();
                for (int depth = random.nextInt(1, 4); depth > 0; depth--) {
                    String segment = segments[random.nextInt(segments.length)];
                    // Names by depth: the same in all routes.
                    path.append('/').append(segment.replace("p", "p" + depthOf(path)));
                }
                if (random.nextInt(4) == 0) {
                    path.append("/{t").append(depthOf(path)).append("...}");
                }
                if (!paths.contains(path.toString())) {
                    paths.add(path.toString());
                }
            }
            Router router = router(paths.toArray(new String[0]));
            for (int i = 0; i < 20; i++) {
                StringBuilder target = new StringBuilder();
                for (int depth = random.nextInt(1, 5); depth > 0; depth--) {
                    String segment = segments[random.nextInt(segments.length)];
                    target.append('/').append(segment.equals("{p}") ? "v" + depth : segment);
                }
                String expected = slow(paths, target.toString());
                assertThat(route(router, target.toString()))
                        .as("%s in %s", target, paths)
                        .isEqualTo(expected);
                if (!expected.equals("none")) {
                    found++;
                    parametersAreThoseOf(expected, target.toString());
                }
            }
        }
        assertThat(found).isGreaterThan(4000);
    }

    private static int depthOf(CharSequence path) {
        return (int) path.chars().filter(c -> c == '/').count();
    }

    /** Of the routes that match, the one that is the more fixed the earlier. */
    private static String slow(List<String> paths, String target) {
        String best = "none";
        String bestRank = "~";
        for (String path : paths) {
            String[] route = path.substring(1).split("/", -1);
            String[] parts = target.substring(1).split("/", -1);
            StringBuilder rank = new StringBuilder();
            boolean matches = true;
            for (int i = 0; i < route.length && matches; i++) {
                if (route[i].endsWith("...}")) {
                    matches = i < parts.length;
                    rank.append('3');
                } else if (i >= parts.length) {
                    matches = false;
                } else if (route[i].startsWith("{")) {
                    matches = !parts[i].isEmpty();
                    rank.append('2');
                } else {
                    matches = route[i].equals(parts[i]);
                    rank.append('1');
                }
            }
            matches &= parts.length <= route.length || path.endsWith("...}");
            if (matches && rank.toString().compareTo(bestRank) < 0) {
                best = path;
                bestRank = rank.toString();
            }
        }
        return best;
    }

    private void parametersAreThoseOf(String path, String target) {
        String[] route = path.substring(1).split("/", -1);
        String[] parts = target.substring(1).split("/", -1);
        for (int i = 0; i < route.length; i++) {
            if (route[i].endsWith("...}")) {
                String[] rest = Arrays.copyOfRange(parts, i, parts.length);
                String name = route[i].substring(1, route[i].length() - 4);
                assertThat(parameter(name)).isEqualTo(String.join("/", rest));
            } else if (route[i].startsWith("{")) {
                String name = route[i].substring(1, route[i].length() - 1);
                assertThat(parameter(name)).isEqualTo(parts[i]);
            }
        }
    }

    @Test
    void allocatesNothing() throws Exception {
        Router router =
                router("/", "/a/b/c/x", "/a/{p}/c/y", "/a/{p}/{rest...}", "/a/{p}/d/{q}", "/b");
        for (String target :
                List.of("/", "/a/b/c/x", "/a/b/c/y", "/a/b/c/z/1/2", "/a/1/d/2?x=y", "/none")) {
            request("GET", target);
            Runnable once =
                    () -> {
                        Handler handler = router.route(request);
                        boolean given = target.startsWith("/a/1");
                        if (handler == null || (given && request.parameter("p").isEmpty())) {
                            throw new AssertionError();
                        }
                    };
            assertThat(Allocations.perRound(once)).as(target).isZero();
        }
    }

    @Test
    void aRequestThatComesAgainKeepsItsRouteAndParameters() {
        Router router = router("/users/{id}", "/users/{id}/files/{path...}", "/fixed");
        for (String target :
                List.of("/users/7", "/users/7", "/fixed", "/users/8", "/users/8", "/users/8")) {
            String route = target.equals("/fixed") ? target : "/users/{id}";
            assertThat(route(router, target)).isEqualTo(route);
            if (target.equals("/fixed")) {
                hasNoParameter("id");
            } else {
                assertThat(request.parameter("id").contentEquals(target.substring(7))).isTrue();
            }
        }
        for (int i = 0; i < 3; i++) {
            assertThat(route(router, "/users/7/files/a/b")).endsWith("{path...}");
            assertThat(request.parameter("id").contentEquals("7")).isTrue();
            assertThat(request.parameter("path").contentEquals("a/b")).isTrue();
        }
    }

    @Test
    void aRequestThatComesAgainIsRoutedByTheRouterThatIsAsked() {
        Router one = router("/users/{id}");
        Router two = router("/{all...}");
        Router none = router("/other");
        for (int i = 0; i < 3; i++) {
            assertThat(route(one, "/users/7")).isEqualTo("/users/{id}");
            hasNoParameter("all");
            assertThat(route(two, "/users/7")).isEqualTo("/{all...}");
            hasNoParameter("id");
            assertThat(request.parameter("all").contentEquals("users/7")).isTrue();
            assertThat(route(none, "/users/7")).isEqualTo("none");
            hasNoParameter("all");
        }
    }

    /** The route that a handler returns itself may depend on anything: it is asked each time. */
    @Test
    void aHandlerIsAskedEachTimeWhereItLeads() {
        List<Handler> answers = new ArrayList<>();
        Handler changing =
                new Handler() {
                    @Override
                    public void handle(Request request, Response response) {}

                    @Override
                    public Handler route(Request request) {
                        answers.add(new Named(String.valueOf(answers.size())));
                        return answers.getLast();
                    }
                };
        Router router = Router.builder().get("/", changing).build();
        for (int i = 0; i < 3; i++) {
            assertThat(route(router, "/")).isEqualTo(String.valueOf(i));
        }
    }
}
