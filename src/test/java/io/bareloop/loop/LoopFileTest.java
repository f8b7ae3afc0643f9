package io.bareloop.loop;

import static io.bareloop.loop.LoopRig.get;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.FileBody;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.rig.Client;
import io.bareloop.rig.FaultySyscalls;
import io.bareloop.rig.FaultySyscalls.Call;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Syscalls;
import io.bareloop.wire.FileSource;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
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

    private static final String CONTENT = LoopRig.bytes(1 << 20);

    @TempDir Path directory;

    private final Arena arena = Arena.ofShared();
    private final Syscalls sys = new Syscalls(arena);
    private int fd;
    private int fileBytes = FILE_BYTES;

    /** Where bytes of the file were asked for, up to where. */
    private List<Long> warmth = new ArrayList<>();

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
            response.body(new FileBody(new OpenFile(fd, warmth)), 0, fileBytes);
        } else {
            response.body("small");
        }
    }

    /** What would wait for a timer of the kernel need not by then. */
    @Test
    void whereTheKernelPacesTheRestOfAFileFollowsWhenTheOthersHaveBegun() throws IOException {
        try (LoopRig rig = rig("bbr")) {
            List<Client> clients = turnOfTwo(rig);
            List<String> sends = sendfiles(rig);
            assertThat(sends).hasSize(4);
            assertThat(sends.subList(2, 4)).isEqualTo(sends.subList(0, 2));
            assertThat(sends.get(0)).isNotEqualTo(sends.get(1));
            assertWhole(rig, clients);
        }
    }

    @Test
    void whereItDoesNotAFileIsSentAtOnce() throws IOException {
        try (LoopRig rig = rig("cubic")) {
            List<Client> clients = turnOfTwo(rig);
            assertThat(sendfiles(rig)).hasSize(2).doesNotHaveDuplicates();
            assertWhole(rig, clients);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bbr", "cubic"})
    void whereOthersAreServedAFileHasAnotherTurn(String congestion) throws IOException {
        try (LoopRig rig = rig(congestion)) {
            Client other = connect(rig);
            List<Client> clients = List.of(connect(rig), connect(rig));
            other.send(get("/other"));
            rig.until(() -> other.bodies().size() == 1);
            for (Client client : clients) {
                client.send(get("/file"));
            }
            rig.deliver();
            long before = rig.loop.counters().bytesSent();
            rig.turn();
            assertThat(rig.loop.counters().bytesSent() - before)
                    .isBetween((long) FILE_BYTES, 2L * FILE_BYTES - 1);
            assertWhole(rig, clients);
        }
    }

    /** More than whoever opens a file reads of it; what may have to be waited for comes later. */
    @Test
    void theBeginningOfALargeFileIsSentBeforeTheRestIsAskedFor() throws IOException {
        fileBytes = 1 << 20;
        List<Long> asked = new ArrayList<>();
        try (LoopRig rig = rig("cubic")) {
            Client client = connect(rig);
            warmth = asked;
            client.send(get("/file"));
            rig.until(() -> client.bodies().size() == 1);
            assertThat(asked.getFirst()).isLessThanOrEqualTo(256 << 10);
        }
    }

    /** The others' answers are there already; in the batch they would wait for all its files. */
    @Test
    void whatIsAnsweredBeforeAFileLeavesBeforeIt() throws IOException {
        try (LoopRig rig = new LoopRig(LoopRig.OPTIONS, this::answer, "cubic")) {
            List<Client> clients = List.of(connect(rig), connect(rig));
            clients.get(0).send(get("/other"));
            rig.deliver();
            clients.get(1).send(get("/file"));
            rig.deliver();
            rig.sys.takeTrace();
            rig.turn();
            List<Integer> fds = rig.sys.acceptedFds();
            assertThat(rig.sys.takeTrace())
                    .containsSubsequence("SEND " + fds.get(0), "SENDFILE " + fds.get(1));
            assertWhole(rig, clients.subList(1, 2));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bbr", "cubic"})
    void aSocketThatTakesPartsOnlyGetsAll(String congestion) throws IOException {
        SplittableRandom random = new SplittableRandom(7);
        try (LoopRig rig = rig(congestion)) {
            rig.sys.script(
                    Call.SENDFILE,
                    (fd, count) ->
                            switch (random.nextInt(4)) {
                                case 0 -> -Errno.EAGAIN;
                                case 1 -> -Errno.EINTR;
                                case 2 -> 1 + random.nextInt(count);
                                default -> FaultySyscalls.PASS;
                            });
            List<Client> clients = List.of(connect(rig), connect(rig), connect(rig));
            for (int i = 0; i < 20; i++) {
                for (Client client : clients) {
                    client.forget();
                    client.send(get("/file"));
                }
                assertWhole(rig, clients);
            }
        }
    }

    /** Two clients ask for the file, and one turn does what it can; the trace is of that. */
    private static List<Client> turnOfTwo(LoopRig rig) throws IOException {
        List<Client> clients = List.of(connect(rig), connect(rig));
        for (Client client : clients) {
            client.send(get("/file"));
        }
        rig.deliver();
        rig.sys.takeTrace();
        rig.turn();
        return clients;
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

    private void assertWhole(LoopRig rig, List<Client> clients) {
        for (Client client : clients) {
            rig.until(() -> client.bodies().size() == 1);
            assertThat(client.bodies().getFirst().getBytes(US_ASCII))
                    .isEqualTo(CONTENT.substring(0, fileBytes).getBytes(US_ASCII));
        }
        rig.assertLeft(rig.loop.openConnections());
    }

    /** Always in the kernel's cache. */
    private record OpenFile(int descriptor, List<Long> warmth) implements FileSource {
        @Override
        public void warm(long offset, int length, Runnable then) {
            throw new AssertionError();
        }

        @Override
        public boolean isWarm(long end, long nanos) {
            warmth.add(end);
            return true;
        }

        @Override
        public void release() {}
    }
}
