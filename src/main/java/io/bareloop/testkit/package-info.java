/**
 * Tests of handlers and services: what a test of yours can stand on.
 *
 * <p>{@link io.bareloop.testkit.TestClient} drives a handler in memory, on the calling thread, with
 * no socket and any test framework. {@link io.bareloop.testkit.ServerExtension} runs a server for
 * JUnit 5 and later, where a real client is to see it. A whole test:
 *
 * <pre>{@code
 * import static org.junit.jupiter.api.Assertions.assertEquals;
 *
 * import io.bareloop.http.Router;
 * import io.bareloop.testkit.ServerExtension;
 * import io.bareloop.testkit.TestClient;
 * import java.net.http.HttpClient;
 * import java.net.http.HttpRequest;
 * import java.net.http.HttpResponse.BodyHandlers;
 * import org.junit.jupiter.api.Test;
 * import org.junit.jupiter.api.extension.RegisterExtension;
 *
 * class GreetingTest {
 *     static final Router GREETING =
 *             Router.builder()
 *                     .get(
 *                             "/greet/{name}",
 *                             (request, response) ->
 *                                     response.body("Hello, " + request.parameter("name")))
 *                     .build();
 *
 *     @RegisterExtension static final ServerExtension SERVER = ServerExtension.of(GREETING);
 *
 *     @Test
 *     void greets() {
 *         assertEquals("Hello, Ada", TestClient.of(GREETING).get("/greet/Ada").text());
 *     }
 *
 *     @Test
 *     void greetsByHttp() throws Exception {
 *         try (HttpClient client = HttpClient.newHttpClient()) {
 *             HttpRequest request = HttpRequest.newBuilder(SERVER.uri("/greet/Ada")).build();
 *             assertEquals("Hello, Ada", client.send(request, BodyHandlers.ofString()).body());
 *         }
 *     }
 * }
 * }</pre>
 *
 * <p>JUnit is yours to bring: the library does not depend on it, and only {@code ServerExtension}
 * needs it. Start tests with {@code --enable-native-access=ALL-UNNAMED}, and with {@code
 * -Dbareloop.checks=true}: a view that is used too late then throws.
 *
 * <p>Knows: how a protocol is driven without a loop, and when JUnit starts and ends what. Imports:
 * {@code server}, {@code http1}, {@code http} and {@code wire}. Called by: users' tests.
 */
package io.bareloop.testkit;
