package io.bareloop.testkit;

import io.bareloop.http.Handler;
import io.bareloop.server.CpuSet;
import io.bareloop.server.HttpServer;
import io.bareloop.server.Setting;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A JUnit extension that runs a server on a free port of 127.0.0.1.
 *
 * <pre>{@code
 * @RegisterExtension
 * static final ServerExtension server = ServerExtension.of(new Users().routes());
 *
 * @Test
 * void findsNobody() throws Exception {
 *     HttpResponse<String> response =
 *             client.send(
 *                     HttpRequest.newBuilder(server.uri("/users/7")).build(),
 *                     BodyHandlers.ofString());
 *     assertEquals(404, response.statusCode());
 *     assertEquals(List.of(), server.failures());
 * }
 * }</pre>
 *
 * <p>As a static field it runs from before all tests of the class to behind the last one, those of
 * nested classes among them; as another field, for each test anew. It is closed, not drained. Any
 * HTTP client will do. Methods are for any thread.
 */
@SuppressWarnings("exports") // JUnit is no requirement of the library's: the test's module reads it
public final class ServerExtension
        implements BeforeAllCallback, AfterAllCallback, BeforeEachCallback, AfterEachCallback {
    private final HttpServer.Builder builder;
    private final List<String> failures = new CopyOnWriteArrayList<>();
    private volatile HttpServer server;

    /** Classes that have begun: one, and those nested in it. */
    private int classes;

    private ServerExtension(HttpServer.Builder builder) {
        this.builder = builder;
    }

    /**
     * A server with one loop, which is not pinned, and all defaults.
     *
     * @param handler what answers
     * @return the extension, for a field with {@code @RegisterExtension}
     */
    public static ServerExtension of(Handler handler) {
        return of(
                HttpServer.builder()
                        .cpus(CpuSet.unpinned(1))
                        .busyPoll(Setting.OFF)
                        .handler(handler));
    }

    /**
     * A server of {@code builder}, but for host, port and log, which the extension sets.
     *
     * @param builder with a handler; this extension's from now on
     * @return the extension, for a field with {@code @RegisterExtension}
     */
    public static ServerExtension of(HttpServer.Builder builder) {
        return new ServerExtension(builder);
    }

    /**
     * {@return the server that runs}
     *
     * @throws IllegalStateException where none runs: outside a test, or without
     *     {@code @RegisterExtension}
     */
    public HttpServer server() {
        HttpServer running = server;
        if (running == null) {
            throw new IllegalStateException(
                    "no server runs: is the field annotated with @RegisterExtension, and this a"
                            + " test?");
        }
        return running;
    }

    /**
     * {@return what a URL of the server begins with, for example {@code http://127.0.0.1:41234}}
     *
     * @throws IllegalStateException as of {@link #server}
     */
    public String origin() {
        return server().origin();
    }

    /**
     * {@return the port that the kernel chose}
     *
     * @throws IllegalStateException as of {@link #server}
     */
    public int port() {
        return server().port();
    }

    /**
     * {@return the URI of a resource}
     *
     * @param target path and query, encoded, with a slash at the front: {@code /users?name=Ada}
     * @throws IllegalStateException as of {@link #server}
     * @throws IllegalArgumentException where it has no slash at the front, or is no URI
     */
    public URI uri(String target) {
        if (!target.startsWith("/")) {
            throw new IllegalArgumentException(
                    "\""
                            + target
                            + "\" has no slash at the front; for a path write \"/"
                            + target
                            + "\"");
        }
        return URI.create(origin() + target);
    }

    /**
     * {@return what the server has logged since the test began: handlers that failed, and what else
     * goes wrong} They are logged before the client has its 500. Where tests run at the same time,
     * it is those of all.
     */
    public List<String> failures() {
        return List.copyOf(failures);
    }

    /** For JUnit. */
    @Override
    public void beforeAll(ExtensionContext context) throws IOException {
        if (classes == 0) {
            start();
        }
        classes++;
    }

    /** For JUnit. */
    @Override
    public void beforeEach(ExtensionContext context) throws IOException {
        if (classes == 0) {
            start();
        }
        failures.clear();
    }

    /** For JUnit. Where the test has failed, what the server has logged is in its report. */
    @Override
    public void afterEach(ExtensionContext context) {
        if (context.getExecutionException().isPresent() && !failures.isEmpty()) {
            context.publishReportEntry("server", String.join("\n", failures));
        }
        if (classes == 0) {
            close();
        }
    }

    /** For JUnit. */
    @Override
    public void afterAll(ExtensionContext context) {
        classes--;
        if (classes == 0) {
            close();
        }
    }

    private void start() throws IOException {
        server = builder.listen("127.0.0.1", 0).log(failures::add).start();
        // What the start has to say is no failure.
        failures.clear();
    }

    private void close() {
        HttpServer running = server;
        server = null;
        if (running != null) {
            running.close();
        }
    }
}
