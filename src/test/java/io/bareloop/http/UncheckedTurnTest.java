package io.bareloop.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import io.bareloop.rig.ServerProcess;
import io.bareloop.wire.Checks;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What others may still hold of a request meets no other one, without checked mode too, in which
 * objects are used again: in a process of its own, for the other tests run in checked mode.
 */
@Timeout(60)
class UncheckedTurnTest {
    /** What the child runs. */
    static final class Child {
        private static final HeaderName X = HeaderName.of("X");

        private Child() {}

        public static void main(String[] args) throws Exception {
            List<EventStream> streams = new ArrayList<>();
            List<Response> responses = new ArrayList<>();
            List<Request> requests = new ArrayList<>();
            AtomicReference<Response> plain = new AtomicReference<>();
            AtomicInteger strayAborts = new AtomicInteger();
            Handler handler =
                    (request, response) -> {
                        String path = request.path().toString();
                        if (path.equals("/events")) {
                            EventStream stream = EventStream.open(response, Duration.ofMinutes(1));
                            stream.send(null, "own");
                            stream.end();
                            streams.add(stream);
                        } else if (path.equals("/suspend")) {
                            response.suspend();
                            responses.add(response);
                            requests.add(request);
                            response.body("own");
                        } else if (path.equals("/plain")) {
                            plain.set(response);
                            response.body("own");
                        } else if (path.equals("/open")) {
                            response.stream();
                        } else {
                            int accepted = 0;
                            for (EventStream stream : streams) {
                                accepted += succeeds(() -> stream.send(null, "stray"));
                            }
                            for (Response old : responses) {
                                accepted += succeeds(() -> old.header(X, "stray"));
                            }
                            for (Request old : requests) {
                                accepted += succeeds(old::path);
                            }
                            response.body(accepted + " accepted");
                        }
                    };
            try (HttpRig rig = HttpRig.start(handler);
                    Client client = Client.connect(rig.port())) {
                System.out.println("checked mode " + Checks.ENABLED);
                for (int i = 0; i < 10; i++) {
                    client.get(i % 2 == 0 ? "/events" : "/suspend");
                    Answer received = client.get("/" + i);
                    System.out.println(received.body() + " " + received.values("X"));
                }
                // What is set on a response that has ended is not for the next one.
                client.get("/plain");
                rig.ask(() -> plain.get().onAbort(strayAborts::incrementAndGet));
                try (Client lost = Client.connect(rig.port())) {
                    lost.send(Client.request("GET", "/open"));
                    HttpRig.await(2L, rig::open);
                }
                System.out.println(HttpRig.await(1L, rig::open) + " open, " + strayAborts);
                System.out.println(rig.failures());
            }
        }

        private static int succeeds(Runnable call) {
            try {
                call.run();
                return 1;
            } catch (IllegalStateException expected) {
                return 0;
            }
        }
    }

    @Test
    void whatWasSuspendedIsNotUsedAgain() throws Exception {
        List<String> command =
                List.of(
                        ServerProcess.tool("java"),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Child.class.getName());
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        List<String> lines = process.inputReader(UTF_8).lines().toList();
        assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(lines).hasSize(13).startsWith("checked mode false").endsWith("[]");
        assertThat(lines.subList(1, 11)).containsOnly("0 accepted []");
        assertThat(lines.get(11)).isEqualTo("1 open, 0");
    }
}
