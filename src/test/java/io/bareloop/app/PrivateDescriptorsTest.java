package io.bareloop.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.rig.Client;
import io.bareloop.rig.ServerProcess;
import java.io.IOException;
import java.net.ConnectException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A server whose loops have descriptor tables of their own. In a process of its own: what else runs
 * in this one must not find its files gone.
 */
@Timeout(60)
class PrivateDescriptorsTest {
    private static final int CONNECTIONS = 20;

    @Test
    void connectionsAreInTheTablesOfTheLoopsAlone() throws Exception {
        List<Client> clients = new ArrayList<>();
        try (ServerProcess server = start("on")) {
            assertThat(server.line("  kernel ")).contains("private descriptors");
            Set<String> listeners = sockets(process(server));
            Path[] loops = loops(server);
            assertThat(listeners).hasSizeGreaterThanOrEqualTo(loops.length);
            try {
                for (int i = 0; i < CONNECTIONS; i++) {
                    Client client = Client.connect(server.port());
                    clients.add(client);
                    assertThat(client.get("/plaintext").body()).isEqualTo("Hello, World!");
                }
                assertThat(sockets(process(server))).isEqualTo(listeners);
                int connections = 0;
                Set<String> served = new HashSet<>();
                for (Path loop : loops) {
                    Set<String> own = sockets(loop);
                    Set<String> shared = new TreeSet<>(own);
                    shared.retainAll(listeners);
                    // Another's, open here, would go on listening when that one has closed it.
                    assertThat(shared).as("listeners of %s", loop).hasSize(1);
                    served.addAll(shared);
                    connections += own.size() - 1;
                }
                assertThat(connections).isEqualTo(CONNECTIONS);
                assertThat(served).hasSize(loops.length);
            } finally {
                for (Client client : clients) {
                    client.close();
                }
            }
            server.signal("TERM");
            assertThat(server.exit()).isZero();
            assertThat(server.err()).isEmpty();
        }
    }

    /** The last reference to a listener is the process's: that one closes them together. */
    @Test
    void aDrainClosesTheListeners() throws Exception {
        try (ServerProcess server = start("auto");
                Client slow = Client.connect(server.port())) {
            assertThat(slow.get("/plaintext").status()).isEqualTo(200);
            String request = Client.request("GET", "/plaintext");
            slow.send(request.substring(0, 20));
            Thread.sleep(100);
            server.signal("TERM");
            long end = System.nanoTime() + 5_000_000_000L;
            boolean refused = false;
            while (!refused && System.nanoTime() < end) {
                try {
                    Client.connect(server.port()).close();
                    Thread.sleep(5);
                } catch (ConnectException e) {
                    refused = true;
                }
            }
            assertThat(refused).isTrue();
            assertThat(server.isAlive()).isTrue();
            slow.send(request.substring(20));
            assertThat(slow.answer().body()).isEqualTo("Hello, World!");
            assertThat(server.exit()).isZero();
            int port = server.port();
            assertThatThrownBy(() -> Client.connect(port)).isInstanceOf(ConnectException.class);
        }
    }

    @Test
    void offLeavesAllLoopsTheTableOfTheProcess() throws Exception {
        try (ServerProcess server = start("off");
                Client client = Client.connect(server.port())) {
            assertThat(client.get("/plaintext").status()).isEqualTo(200);
            assertThat(server.line("  kernel ")).doesNotContain("private descriptors");
            for (Path loop : loops(server)) {
                assertThat(sockets(loop)).isEqualTo(sockets(process(server)));
            }
        }
    }

    private static ServerProcess start(String setting) throws Exception {
        return ServerProcess.start(
                List.of(), "--port=0", "--host=127.0.0.1", "--private-descriptors=" + setting);
    }

    private static Path process(ServerProcess server) {
        return Path.of("/proc/" + server.pid());
    }

    private static Path[] loops(ServerProcess server) throws IOException {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> tasks =
                Files.newDirectoryStream(process(server).resolve("task"))) {
            for (Path task : tasks) {
                if (Files.readString(task.resolve("comm")).matches("bareloop-[0-9]+\\s*")) {
                    found.add(task);
                }
            }
        }
        assertThat(found).isNotEmpty();
        return found.toArray(new Path[0]);
    }

    private static Set<String> sockets(Path task) throws IOException {
        Set<String> sockets = new TreeSet<>();
        try (DirectoryStream<Path> fds = Files.newDirectoryStream(task.resolve("fd"))) {
            for (Path fd : fds) {
                try {
                    String target = Files.readSymbolicLink(fd).toString();
                    if (target.startsWith("socket:")) {
                        sockets.add(target);
                    }
                } catch (NoSuchFileException e) {
                    // Closed since the directory was read.
                }
            }
        }
        return sockets;
    }
}
