package io.bareloop.examples;

import static io.bareloop.examples.JacksonJson.JSON;

import io.bareloop.http.ByteView;
import io.bareloop.http.HeaderName;
import io.bareloop.http.HttpException;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Router;
import io.bareloop.http.Status;
import io.bareloop.server.HttpServer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A small REST service: parameters in the path and the query, a form in the body, JSON.
 *
 * <pre>
 * curl -i -d name=Ada localhost:8080/users
 * curl -i localhost:8080/users/1
 * curl -i 'localhost:8080/users/1?greet=Hello'
 * curl -i -X PUT -d '{"name":"Grace"}' localhost:8080/users/1
 * curl -i -X DELETE localhost:8080/users/1
 * </pre>
 */
public final class Rest {
    record Name(String name) {}

    record User(long id, String name) {}

    private final Map<Long, String> users = new ConcurrentHashMap<>();
    private final AtomicLong lastId = new AtomicLong();

    static HttpServer start(int port) throws Exception {
        Rest rest = new Rest();
        return HttpServer.builder()
                .listen("127.0.0.1", port)
                .handler(
                        Router.builder()
                                .post("/users", rest::add)
                                .get("/users/{id}", rest::show)
                                .put("/users/{id}", rest::rename)
                                .delete("/users/{id}", rest::remove)
                                .build())
                .drainOnShutdown(Duration.ofSeconds(10))
                .start();
    }

    public static void main(String[] args) throws Exception {
        try (HttpServer server = start(8080)) {
            server.awaitTermination();
        }
    }

    private void add(Request request, Response response) {
        ByteView name = request.formValue("name");
        long id = lastId.incrementAndGet();
        // Views are valid until the handler returns: what is kept is copied.
        users.put(id, checked(name == null ? null : name.toString()));
        response.status(Status.CREATED).header(HeaderName.LOCATION, "/users/" + id).body("");
    }

    private void show(Request request, Response response) {
        // What is no number is answered 400.
        long id = request.longParameter("id");
        String name = known(id);
        ByteView greeting = request.queryValue("greet");
        response.json(JSON, new User(id, greeting == null ? name : greeting + ", " + name));
    }

    private void rename(Request request, Response response) {
        long id = request.longParameter("id");
        known(id);
        users.put(id, checked(request.body(JSON, Name.class).name()));
        response.json(JSON, new User(id, users.get(id)));
    }

    private void remove(Request request, Response response) {
        boolean removed = users.remove(request.longParameter("id")) != null;
        response.status(removed ? Status.NO_CONTENT : Status.NOT_FOUND).body("");
    }

    private static String checked(String name) {
        if (name == null || name.isEmpty()) {
            throw new HttpException(Status.UNPROCESSABLE_CONTENT, "a user needs a name");
        }
        return name;
    }

    private String known(long id) {
        String name = users.get(id);
        if (name == null) {
            throw new HttpException(Status.NOT_FOUND, "no such user");
        }
        return name;
    }
}
