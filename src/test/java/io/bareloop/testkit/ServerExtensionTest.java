package io.bareloop.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.http.Limits;
import io.bareloop.rig.Client;
import io.bareloop.server.CpuSet;
import io.bareloop.server.HttpServer;
import io.bareloop.server.ServerState;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What JUnit starts and ends, run by JUnit. */
class ServerExtensionTest {
    private static final Set<HttpServer> OF_CLASS = new HashSet<>();
    private static final Set<HttpServer> OF_TESTS = new HashSet<>();

    @RegisterExtension
    static final ServerExtension SHARED =
            ServerExtension.of(
                    (request, response) -> {
                        if (request.path().contentEquals("/fails")) {
                            throw new IllegalStateException("on purpose");
                        }
                        response.body("shared");
                    });

    @RegisterExtension
    final ServerExtension own =
            ServerExtension.of(
                    HttpServer.builder()
                            .cpus(CpuSet.unpinned(2))
                            .limits(Limits.builder().bodyBytesMax(3).build())
                            .handler((request, response) -> response.body("own")));

    @RepeatedTest(2)
    void aStaticOneIsForAllTestsAndAnotherForEach() throws Exception {
        OF_CLASS.add(SHARED.server());
        OF_TESTS.add(own.server());
        assertThat(OF_TESTS).filteredOn(it -> it.state() == ServerState.RUNNING).hasSize(1);
        assertThat(get(SHARED, "/")).endsWith("shared");
        assertThat(get(own, "/")).endsWith("own");
        assertThat(own.server().cpus().size()).isEqualTo(2);
        assertThat(SHARED.uri("/a?b=c")).hasToString(SHARED.origin() + "/a?b=c");
        assertThat(SHARED.origin()).isEqualTo("http://127.0.0.1:" + SHARED.port());
    }

    /** Each has only its own, whichever comes first. */
    @RepeatedTest(2)
    void whatAHandlerThrowsIsThere() throws Exception {
        assertThat(SHARED.failures()).isEmpty();
        assertThat(get(SHARED, "/fails")).startsWith("HTTP/1.1 500");
        assertThat(SHARED.failures()).singleElement().asString().contains("on purpose");
    }

    @Nested
    class Inside {
        @Test
        void theSameServerRuns() throws Exception {
            OF_CLASS.add(SHARED.server());
            assertThat(get(SHARED, "/")).endsWith("shared");
        }
    }

    @AfterAll
    static void allWereTheSame() {
        assertThat(OF_CLASS)
                .singleElement()
                .extracting(HttpServer::state)
                .isEqualTo(ServerState.RUNNING);
        assertThat(OF_TESTS).hasSize(2).allMatch(it -> it.state() == ServerState.STOPPED);
    }

    /** As JUnit calls it; the callbacks for all tests are of the class, and of those inside. */
    @Test
    void itIsClosedBehindTheLastClass() throws Exception {
        ServerExtension extension =
                ServerExtension.of((request, response) -> response.body("callbacks"));
        extension.beforeAll(null);
        HttpServer server = extension.server();
        extension.beforeAll(null);
        assertThat(extension.server()).isSameAs(server);
        extension.afterAll(null);
        assertThat(server.state()).isEqualTo(ServerState.RUNNING);
        extension.afterAll(null);
        assertThat(server.state()).isEqualTo(ServerState.STOPPED);
        assertThatThrownBy(extension::server)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("@RegisterExtension");
    }

    @Test
    void aTargetHasASlash() {
        assertThatThrownBy(() -> SHARED.uri("users"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("\"/users\"");
    }

    private static String get(ServerExtension server, String target) throws Exception {
        try (Client client = Client.connect(server.port())) {
            return client.send(
                            "GET " + target + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                    .untilEnd();
        }
    }
}
