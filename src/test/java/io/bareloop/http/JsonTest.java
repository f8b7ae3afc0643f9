package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.gson.Gson;
import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** JSON by the libraries that people use, with handlers as they would write them. */
class JsonTest {
    /** What travels. */
    record User(int id, String name) {}

    /** Has itself in it, so that nothing can write it. */
    static final class Endless {
        public Endless itself() {
            return this;
        }

        public Endless getItself() {
            return this;
        }

        @SuppressWarnings("unused") // Gson looks at fields
        private final Endless field = this;
    }

    private record Jackson(ObjectMapper mapper) implements Json {
        @Override
        public byte[] write(Object value) throws Exception {
            return mapper.writeValueAsBytes(value);
        }

        @Override
        public <T> T read(byte[] json, Class<T> type) throws Exception {
            return mapper.readValue(json, type);
        }
    }

    private record OfGson(Gson gson) implements Json {
        @Override
        public byte[] write(Object value) {
            return gson.toJson(value).getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public <T> T read(byte[] json, Class<T> type) {
            return gson.fromJson(new String(json, StandardCharsets.UTF_8), type);
        }
    }

    private static Stream<Json> libraries() {
        return Stream.of(new Jackson(new ObjectMapper()), new OfGson(new Gson()));
    }

    private static Router router(Json json) {
        return Router.builder()
                .post(
                        "/users",
                        (request, response) -> {
                            User user = request.body(json, User.class);
                            response.status(Status.CREATED)
                                    .json(json, new User(user.id() + 1, user.name()));
                        })
                .post("/blocking", Blocking.blocking(request -> created(json, request)))
                .post("/any", (request, response) -> any(json, request, response))
                .get("/list", (request, response) -> response.json(json, List.of(1, "a", Map.of())))
                .get("/null", (request, response) -> response.json(json, null))
                .build();
    }

    private static Reply created(Json json, Request request) {
        User user = request.body(json, User.class);
        return Reply.json(json, Map.of("hello", user.name()));
    }

    private static void any(Json json, Request request, Response response) {
        response.body(request.body(json, Object.class).getClass().getSimpleName());
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void goesThereAndBack(Json json) throws Exception {
        try (HttpRig rig = HttpRig.start(router(json));
                Client client = Client.connect(rig.port())) {
            for (int i = 0; i < 2; i++) {
                String user = "{\"id\":7,\"name\":\"Gr\u00c3\u00bc\u00c3\u009fe \\\"x\\\"\"}";
                Answer received = client.post("/users", user).answer();
                assertThat(received.status()).isEqualTo(201);
                assertThat(received.field("Content-Type")).isEqualTo("application/json");
                assertThat(received.body()).isEqualTo(user.replace("7", "8"));
                Answer blocking = client.post("/blocking", user).answer();
                assertThat(blocking.status()).isEqualTo(200);
                assertThat(blocking.field("Content-Type")).isEqualTo("application/json");
                assertThat(blocking.body())
                        .isEqualTo("{\"hello\":\"Gr\u00c3\u00bc\u00c3\u009fe \\\"x\\\"\"}");
            }
            assertThat(client.get("/list").body()).isEqualTo("[1,\"a\",{}]");
            assertThat(client.get("/null").body()).isEqualTo("null");
        }
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void whatCannotBeReadIsTheClientsMistake(Json json) throws Exception {
        try (HttpRig rig = HttpRig.start(router(json));
                Client client = Client.connect(rig.port())) {
            for (String target : List.of("/users", "/blocking")) {
                for (String body :
                        List.of(
                                "{",
                                "{\"id\":}",
                                "[1]",
                                "{\"id\":\"x\"}",
                                "{\"id\":99999999999}",
                                "<script>",
                                "\0")) {
                    Answer received = client.post(target, body).answer();
                    assertThat(received.body())
                            .as(body)
                            .isEqualTo(
                                    "400 Bad Request: the body is not the JSON that is expected"
                                            + " here\n");
                    assertThat(received.closes()).isFalse();
                }
                assertThat(client.post(target, "null").answer().body())
                        .isEqualTo("400 Bad Request: the body is no JSON, or null\n");
                assertThat(client.post(target, "").answer().status()).isEqualTo(400);
            }
            // No library is led so deep that its thread has no stack left.
            Answer deep = client.post("/any", "[".repeat(500_000)).answer();
            assertThat(deep.status()).isEqualTo(400);
            assertThat(client.post("/any", "[]").answer().status()).isEqualTo(200);
            assertThat(rig.failures()).isEmpty();
        }
    }

    @Test
    void whatCannotBeWrittenIsTheHandlersMistake() throws Exception {
        Json json = new Jackson(new ObjectMapper());
        Router router =
                Router.builder()
                        .get("/loop", (request, response) -> response.json(json, new Endless()))
                        .get("/blocking", Blocking.blocking(request -> endless(json)))
                        .build();
        for (String target : List.of("/loop", "/blocking")) {
            try (HttpRig rig = HttpRig.start(router);
                    Client client = Client.connect(rig.port())) {
                Answer received = client.get(target);
                assertThat(received.status()).isEqualTo(500);
                assertThat(received.body()).isEqualTo("500 Internal Server Error\n");
                assertThat(rig.failures()).hasSize(1);
                assertThat(rig.failures().get(0))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage("cannot be written as JSON: " + Endless.class.getName())
                        .hasCauseInstanceOf(java.io.IOException.class);
            }
        }
    }

    private static Reply endless(Json json) {
        return Reply.json(json, new Endless());
    }

    @Test
    void anImplementationMayAnswerOtherwise() throws Exception {
        Json strict =
                new Json() {
                    @Override
                    public byte[] write(Object value) {
                        throw new HttpException(Status.NOT_ACCEPTABLE, null);
                    }

                    @Override
                    public <T> T read(byte[] json, Class<T> type) {
                        throw new HttpException(Status.UNPROCESSABLE_CONTENT, "not that");
                    }
                };
        try (HttpRig rig = HttpRig.start(router(strict));
                Client client = Client.connect(rig.port())) {
            assertThat(client.post("/users", "{}").answer().body())
                    .isEqualTo("422 Unprocessable Content: not that\n");
            assertThat(client.get("/list").status()).isEqualTo(406);
            assertThat(rig.failures()).isEmpty();
        }
    }

    @Test
    void theCauseOfARefusalIsKept() {
        HttpException refusal =
                new HttpException(Status.BAD_REQUEST, "why", new IllegalStateException("because"));
        assertThat(refusal).hasMessage("why").cause().hasMessage("because");
        assertThat(refusal.getStackTrace()).isEmpty();
    }
}
