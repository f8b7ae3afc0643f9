package io.bareloop.loop;

import static io.bareloop.loop.Client.get;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.FileBody;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.loop.FaultySyscalls.Call;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Syscalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a turn sends of a file, and when. */
@Timeout(60)
class LoopFileTest {
    /** More than is sent at first, less than a turn may have. */
    private static final int FILE_BYTES = 100 << 10;

    private static final String CONTENT = LoopRig.bytes(FILE_BYTES);

    @TempDir Path directory;

    private final Arena arena = Arena.ofShared();
    private final Syscalls sys = new Syscalls(arena);
    private int fd;

    @BeforeEach
    void open() throws IOException {
        Path path = Files.writeString(directory.resolve("file"), CONTENT);
        fd = sys.openat(Linux.AT_FDCWD, arena.allocateFrom(path.toString()), Linux.O_CLOEXEC);
        assertThat(fd).isNotNegative();
    }

    @AfterEach
    void close() {
        sys.close(fd);
        arena.close();
    }

    private LoopRig rig(String congestion) {
        return new LoopRig(LoopRig.ONE_BY_ONE, this::answer, congestion);
    }

    private void answer(Request request, Response response) {
        if (request.path().toString().equals("/file")) {
            response.body(new OpenFile(fd), 0, FILE_BYTES);
        } else {
            response.body("small");
        }
    }

    /** What would wait for a timer of the kernel need not by then. */
    @Test
    void whereTheKernelPacesTheRestOfAFileFollowsWhenTheOthersHaveBegun() {
        try (LoopRig rig = rig("bbr")) {
            List<Client> clients = List.of(connect(rig), connect(rig));
            clients.forEach(client -> client.send(get("/file")));
            rig.deliver();
            rig.sys.takeTrace();
            rig.turn();
            List<String> sends = sendfiles(rig);
            assertThat(sends).hasSize(4);
            assertThat(sends.subList(2, 4)).isEqualTo(sends.subList(0, 2));
            assertThat(sends.get(0)).isNotEqualTo(sends.get(1));
            assertWhole(rig, clients);
        }
    }

    @Test
    void whereItDoesNotAFileIsSentAtOnce() {
        try (LoopRig rig = rig("cubic")) {
            List<Client> clients = List.of(connect(rig), connect(rig));
            clients.forEach(client -> client.send(get("/file")));
            rig.deliver();
            rig.sys.takeTrace();
            rig.turn();
            assertThat(sendfiles(rig)).hasSize(2).doesNotHaveDuplicates();
            assertWhole(rig, clients);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bbr", "cubic"})
    void whereOthersAreServedAFileHasAnotherTurn(String congestion) {
        try (LoopRig rig = rig(congestion)) {
            Client other = connect(rig);
            List<Client> clients = List.of(connect(rig), connect(rig));
            other.send(get("/other"));
            rig.until(() -> other.bodies().size() == 1);
            clients.forEach(client -> client.send(get("/file")));
            rig.deliver();
            rig.sys.takeTrace();
            rig.turn();
            assertThat(sendfiles(rig)).hasSizeBetween(1, 3);
            assertWhole(rig, clients);
        }
    }

    private static Client connect(LoopRig rig) {
        long accepted = rig.loop.counters().accepted();
        Client client = rig.connect(1 << 20);
        rig.until(() -> rig.loop.counters().accepted() > accepted);
        return client;
    }

    private static List<String> sendfiles(LoopRig rig) {
        return rig.sys.takeTrace().stream()
                .filter(call -> call.startsWith(Call.SENDFILE.name()))
                .toList();
    }

    private static void assertWhole(LoopRig rig, List<Client> clients) {
        for (Client client : clients) {
            rig.until(() -> client.bodies().size() == 1);
            assertThat(client.bodies().getFirst().getBytes(US_ASCII))
                    .isEqualTo(CONTENT.getBytes(US_ASCII));
        }
        rig.assertLeft(rig.loop.openConnections());
    }

    /** Always in the kernel's cache. */
    private record OpenFile(int descriptor) implements FileBody {
        @Override
        public void warm(long offset, int length, Runnable then) {
            throw new AssertionError();
        }

        @Override
        public boolean isWarm(long end, long nanos) {
            return true;
        }

        @Override
        public void release() {}
    }
}
