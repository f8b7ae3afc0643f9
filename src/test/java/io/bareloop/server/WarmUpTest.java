package io.bareloop.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.http.Handler;
import io.bareloop.http.Prepared;
import io.bareloop.http.Router;
import io.bareloop.http.Status;
import io.bareloop.rig.Client;
import java.io.IOException;
import java.net.BindException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What happens before a server listens, and that nothing of it is to be seen later. */
@Timeout(60)
class WarmUpTest {
    private static final Duration TIME = Duration.ofMillis(200);

    @Test
    void servesForItsTimeAndCountsNothing() throws IOException {
        Set<String> targets = ConcurrentHashMap.newKeySet();
        long start = System.nanoTime();
        try (HttpServer server = server(noting(targets)).warmUp(TIME).start()) {
            assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(TIME.toNanos());
            assertThat(server.warmUp().requests()).isGreaterThanOrEqualTo(5 * 17);
            assertThat(server.warmUp().time()).isBetween(TIME, TIME.plusSeconds(3));
            assertThat(targets).as("the application's handler was called").isEmpty();
            assertThat(server.stats())
                    .allSatisfy(
                            loop -> {
                                assertThat(loop.requests()).isZero();
                                assertThat(loop.connections()).isZero();
                                assertThat(loop.bytesSent()).isZero();
                            });
            try (Client client = Client.connect(server.port())) {
                assertThat(client.get("/own").body()).isEqualTo("own");
            }
            assertThat(targets).containsExactly("/own");
        }
    }

    @Test
    void withoutItThereIsNone() throws IOException {
        try (HttpServer server = server((request, response) -> response.body("")).start()) {
            assertThat(server.warmUp()).isEqualTo(new WarmUp(0, Duration.ZERO));
        }
    }

    @Test
    void asksTheApplicationForTargetsThatItNames() throws IOException {
        Set<String> targets = ConcurrentHashMap.newKeySet();
        try (HttpServer server =
                server(noting(targets)).warmUp(TIME, List.of("/a", "/b?c=d")).start()) {
            assertThat(targets).containsExactlyInAnyOrder("/a", "/b");
            assertThat(server.warmUp().requests()).isGreaterThanOrEqualTo(4 * 17);
            assertThat(server.stats()).allMatch(loop -> loop.requests() == 0);
        }
    }

    /** An error of the application is not a reason not to start. */
    @Test
    void aHandlerThatFailsIsNoObstacle() throws IOException {
        List<String> log = new CopyOnWriteArrayList<>();
        Handler failing =
                (request, response) -> {
                    throw new IllegalStateException("not ready");
                };
        try (HttpServer server =
                server(failing).log(log::add).warmUp(TIME, List.of("/a")).start()) {
            assertThat(log).contains("warm-up ended early: the connection was closed");
            try (Client client = Client.connect(server.port())) {
                assertThat(client.get("/").status()).isEqualTo(500);
            }
        }
    }

    @Test
    void saysWhyItEndedEarly() throws IOException {
        List<String> log = new CopyOnWriteArrayList<>();
        Handler streaming =
                (request, response) -> {
                    response.stream();
                    response.end();
                };
        try (HttpServer server =
                server(streaming)
                        .log(log::add)
                        .warmUp(Duration.ofSeconds(20), List.of("/a"))
                        .start()) {
            assertThat(log).contains("warm-up ended early: an answer without Content-Length");
            assertThat(server.warmUp().time()).isLessThan(Duration.ofSeconds(10));
        }
    }

    /** What is wrong with the address is said before anything is tried on it, and once. */
    @Test
    void theAddressStillHasToBeFree() throws IOException {
        try (ServerSocket taken = new ServerSocket(0)) {
            HttpServer.Builder builder =
                    HttpServer.builder()
                            .listen("0.0.0.0", taken.getLocalPort())
                            .handler(Prepared.text("x"))
                            .warmUp(Duration.ofMillis(10));
            assertThatThrownBy(builder::start).isInstanceOf(BindException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, 1, 9, 60_001})
    void refusesOtherTimes(long millis) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HttpServer.builder().warmUp(Duration.ofMillis(millis)))
                .withMessage("warm-up of " + millis + " ms; it must be 0, or 10 to 60000");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a", "/a b", "/a\r\nX: y", "http://h/", "/\u00e4"})
    void refusesWhatIsNoTarget(String target) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HttpServer.builder().warmUp(TIME, List.of(target)))
                .withMessage("not a request target: \"" + target + "\"");
    }

    private static HttpServer.Builder server(Handler handler) {
        return HttpServer.builder().listen("127.0.0.1", 0).log(line -> {}).handler(handler);
    }

    private static Handler noting(Set<String> targets) {
        Handler own = (request, response) -> response.body("own");
        return Router.builder()
                .notFound(
                        (request, response) -> {
                            targets.add(request.path().toString());
                            response.status(Status.OK);
                            own.handle(request, response);
                        })
                .build();
    }
}
