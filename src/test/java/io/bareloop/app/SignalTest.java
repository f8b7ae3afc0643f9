package io.bareloop.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Client;
import io.bareloop.rig.ServerProcess;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What signals do to the command line, at whatever time they come. */
@Timeout(60)
class SignalTest {
    private static final List<String> NAMES = List.of("", "HUP", "INT");
    private static final long SOON = 5_000_000_000L;

    @ParameterizedTest
    @CsvSource({"TERM,TERM", "TERM,INT", "INT,INT", "HUP,TERM"})
    void aSecondSignalEndsAtOnce(String first, String second) throws Exception {
        try (ServerProcess server = start("--drain=60");
                Client slow = halfARequest(server)) {
            assumeHeard(server, first);
            assumeHeard(server, second);
            server.signal(first);
            awaitRefused(server);
            Thread.sleep(1000);
            assertThat(server.isAlive()).isTrue();
            long start = System.nanoTime();
            server.signal(second);
            assertThat(server.exit()).isEqualTo(1);
            assertThat(System.nanoTime() - start).isLessThan(SOON);
            assertThat(server.err())
                    .containsExactly("bareloop: a second signal: ended at once, work was cut off");
            assertThat(slow.untilEnd()).isEmpty();
        }
    }

    /** A terminal signals all of a job, and a parent passes on what it got: that is one signal. */
    @Test
    void aSignalThatComesTwiceIsOne() throws Exception {
        try (ServerProcess server = start("--drain=60");
                Client slow = halfARequest(server)) {
            for (int i = 0; i < 3; i++) {
                server.signal("TERM");
            }
            awaitRefused(server);
            slow.send("Host: a\r\n\r\n");
            assertThat(slow.answer().body()).isEqualTo("Hello, World!");
            assertThat(server.exit()).isZero();
            assertThat(server.err()).isEmpty();
        }
    }

    /** A terminal that is closed: as SIGTERM. */
    @Test
    void hangingUpDrains() throws Exception {
        try (ServerProcess server = start("--drain=60");
                Client slow = halfARequest(server)) {
            assumeHeard(server, "HUP");
            server.signal("HUP");
            awaitRefused(server);
            slow.send("Host: a\r\n\r\n");
            assertThat(slow.answer().body()).isEqualTo("Hello, World!");
            assertThat(server.exit()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 150, 400, 1500})
    void aSignalDuringTheStartEndsIt(int millis) throws Exception {
        try (ServerProcess server =
                ServerProcess.run(
                        List.of("-Xmx64m"), "--host=127.0.0.1", "--port=0", "--warmup=50000")) {
            // Once the JVM hears of signals: before, the kernel ends it.
            while ((Long.parseUnsignedLong(server.status("SigCgt"), 16) >> (15 - 1) & 1) == 0) {
                Thread.sleep(1);
            }
            Thread.sleep(millis);
            long start = System.nanoTime();
            server.signal("TERM");
            int status = server.exit();
            assertThat(System.nanoTime() - start).isLessThan(SOON);
            if (status == 128 + 15) {
                // Our code did not run yet: the JVM's own answer.
                assertThat(server.out()).isEmpty();
                assertThat(millis).isLessThan(1500);
            } else {
                assertThat(status).isZero();
                assertThat(server.err()).isEmpty();
                assertThat(server.out()).containsExactly("ended before it was ready");
            }
        }
    }

    /** As many browsers as there are, none of which would ever leave. */
    @Test
    void eventStreamsDoNotHoldTheEnd() throws Exception {
        try (ServerProcess server = start("--drain=60");
                Client client = Client.connect(server.port())) {
            client.send(Client.request("GET", "/sse"));
            Thread.sleep(300);
            long start = System.nanoTime();
            server.signal("TERM");
            assertThat(client.untilEnd()).endsWith("\r\n0\r\n\r\n");
            assertThat(server.exit()).isZero();
            assertThat(System.nanoTime() - start).isLessThan(SOON);
        }
    }

    // ---- the means

    private static ServerProcess start(String... arguments)
            throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.add("--host=127.0.0.1");
        all.add("--port=0");
        return ServerProcess.start(List.of("-Xmx64m"), all.toArray(String[]::new));
    }

    /** Work in flight. */
    private static Client halfARequest(ServerProcess server) throws Exception {
        Client client = Client.connect(server.port()).send("GET /plaintext HTTP/1.1\r\n");
        Thread.sleep(200);
        return client;
    }

    /** A job of a shell in the background has some ignored, and so has its child. */
    private static void assumeHeard(ServerProcess server, String name) throws IOException {
        int number = name.equals("TERM") ? 15 : NAMES.indexOf(name);
        long ignored = Long.parseUnsignedLong(server.status("SigIgn"), 16);
        Assumptions.assumeTrue((ignored >> (number - 1) & 1) == 0);
    }

    private static void awaitRefused(ServerProcess server) throws Exception {
        while (true) {
            try {
                Client.connect(server.port()).close();
            } catch (ConnectException e) {
                return;
            } catch (SocketException e) {
                // Reset: it came in the moment in which the listeners closed.
                continue;
            }
            Thread.sleep(5);
        }
    }
}
