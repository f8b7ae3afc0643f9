package io.bareloop.loop;

import static io.bareloop.loop.LoopRig.get;
import static io.bareloop.loop.LoopTest.getAll;
import static io.bareloop.loop.LoopTest.post;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.net.KnobLog;
import io.bareloop.rig.Client;
import io.bareloop.rig.FaultySyscalls;
import io.bareloop.rig.FaultySyscalls.Call;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.wire.OutputBuffer;
import io.bareloop.wire.Slab;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Calls that fail, that are interrupted, and that do less than they were asked to: a peer gets the
 * exact bytes or an end, nothing is kept of a connection that is gone, and no other is touched.
 */
@Timeout(60)
class LoopFaultTest {
    static final List<Integer> PEER_IS_GONE =
            List.of(
                    Errno.EPIPE,
                    Errno.ECONNRESET,
                    Errno.ETIMEDOUT,
                    Errno.EHOSTUNREACH,
                    Errno.ENETDOWN,
                    Errno.EIO);

    static final List<Integer> NO_ROOM_NOW = List.of(Errno.EAGAIN, Errno.ENOBUFS, Errno.ENOMEM);

    // ---- no beginning

    /** The eventfd, the timer and the listener are watched, or there is no loop. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void aLoopThatCannotWatchIsNone(int watched) {
        try (Arena arena = Arena.ofConfined()) {
            FaultySyscalls sys = new FaultySyscalls(arena);
            for (int i = 0; i < watched; i++) {
                sys.next(Call.EPOLL_CTL, FaultySyscalls.PASS);
            }
            sys.next(Call.EPOLL_CTL, -Errno.ENOSPC);
            assertIsNone(sys, arena, "epoll_ctl: " + Errno.describe(Errno.ENOSPC));
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Call.class,
            names = {"EVENTFD", "TIMERFD_CREATE"})
    void aLoopThatGetsNoDescriptorIsNone(Call call) {
        try (Arena arena = Arena.ofConfined()) {
            FaultySyscalls sys = new FaultySyscalls(arena);
            sys.next(call, -Errno.EMFILE);
            String name = call.name().toLowerCase(Locale.ROOT);
            assertIsNone(sys, arena, name + ": " + Errno.describe(Errno.EMFILE));
        }
    }

    /** It says why, and leaves nothing open. */
    private static void assertIsNone(FaultySyscalls sys, Arena arena, String reason) {
        int listener = sys.socket(Linux.AF_INET, Linux.SOCK_STREAM, 0);
        OutputBuffer out = new OutputBuffer(arena, Loop.OUT_BYTES);
        Slab slab = new Slab(arena.allocate(1 << 20), (offset, bytes) -> {});
        KnobLog log = new KnobLog();
        assertThatThrownBy(
                        () ->
                                new Loop(
                                        sys,
                                        arena,
                                        LoopRig.OPTIONS,
                                        listener,
                                        out,
                                        slab,
                                        null,
                                        log,
                                        line -> {}))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage(reason);
        sys.close(listener);
        assertThat(sys.openDescriptors()).isZero();
        assertThat(sys.strayCloses()).isZero();
    }

    // ---- interrupted

    @ParameterizedTest
    @EnumSource(
            value = Call.class,
            names = {"ACCEPT4", "CLOSE", "EPOLL_WAIT", "RECV", "SEND"})
    void anInterruptedCallIsRepeatedOrDone(Call call) throws IOException {
        for (int times : new int[] {1, 3, 10}) {
            try (LoopRig rig = new LoopRig()) {
                for (int i = 0; i < times; i++) {
                    rig.sys.next(call, -Errno.EINTR);
                }
                for (int i = 0; i < times; i++) {
                    Client client = rig.connect();
                    client.send(get("/" + i));
                    rig.until(() -> !client.answers().isEmpty());
                    assertThat(client.bodies()).containsExactly("/" + i);
                    client.close();
                }
                rig.settle();
                assertThat(rig.sys.allReturned()).isTrue();
                rig.assertNothingLeft();
            }
        }
    }

    /** Ready, it was said, but it is not: the next edge counts. */
    @Test
    void readinessThatWasNoneIsForgotten() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            Client client = rig.connectAndAccept();
            client.send("GET /");
            rig.settle();
            rig.sys.next(Call.RECV, -Errno.EAGAIN);
            client.send("a HTTP/1.1\r\n");
            rig.settle();
            client.send("Host: a\r\n\r\n");
            rig.settle();
            assertThat(client.bodies()).containsExactly("/a");
            rig.sys.next(Call.ACCEPT4, -Errno.EAGAIN);
            Client late = rig.connectAndAccept();
            late.send(get("/late"));
            rig.settle();
            assertThat(late.bodies()).containsExactly("/late");
            rig.assertLeft(2);
        }
    }

    // ---- less than all

    @Test
    void aShortSendOfAnyLengthLosesNothing() throws IOException {
        checkShortSends(get("/short"));
    }

    @Test
    void aShortSendOfAnyLengthLosesNothingOfABatch() throws IOException {
        checkShortSends(getAll(16));
    }

    private static void checkShortSends(String requests) throws IOException {
        String expected = LoopRig.faultless(requests);
        try (LoopRig rig = new LoopRig()) {
            // The first short send of each asks for EPOLLOUT, those after it have it already.
            Client veteran = rig.connectAndAccept();
            for (int length = 1; length < expected.length(); length++) {
                Client novice = rig.connectAndAccept();
                for (Client client : List.of(novice, veteran)) {
                    client.forget();
                    rig.sys.next(Call.SEND, length);
                    client.send(requests);
                    rig.until(() -> client.receivedBytes() >= expected.length());
                    assertThat(client.text()).as("after %s bytes", length).isEqualTo(expected);
                    assertThat(rig.loop.slab().slicesInUse()).isZero();
                }
                novice.reset();
            }
            rig.settle();
            veteran.receive();
            assertThat(veteran.text()).isEqualTo(expected);
            rig.assertLeft(1);
            // For epoll the eventfd, the timer, the listener and each connection; EPOLLOUT once a
            // connection.
            assertThat(rig.sys.count(Call.EPOLL_CTL))
                    .isEqualTo(3 + 2 * rig.loop.counters().accepted());
        }
    }

    /** Never more than a few bytes at once, and nothing at all in between. */
    @Test
    void sendsThatTakeAlmostNothingLoseNothing() throws IOException {
        String requests = getAll(16);
        String expected = LoopRig.faultless(requests);
        for (int most : new int[] {1, 2, 7, 100}) {
            try (LoopRig rig = new LoopRig()) {
                int[] calls = {0};
                rig.sys.script(
                        Call.SEND, (fd, length) -> calls[0]++ % 3 == 1 ? -Errno.EAGAIN : most);
                Client client = rig.connect();
                client.send(requests);
                rig.until(() -> client.receivedBytes() >= expected.length());
                client.send(requests);
                rig.until(() -> client.receivedBytes() >= 2 * expected.length());
                rig.settle();
                assertThat(client.text()).isEqualTo(expected + expected);
                rig.assertLeft(1);
            }
        }
    }

    @ParameterizedTest
    @FieldSource("NO_ROOM_NOW")
    void whatCannotBeSentNowIsSentLater(int errno) throws IOException {
        try (LoopRig rig = new LoopRig()) {
            Client client = rig.connectAndAccept();
            rig.sys.next(Call.SEND, -errno);
            client.send(get("/a") + get("/b"));
            rig.until(() -> client.answers().size() == 2);
            rig.sys.next(Call.SEND, -errno, -errno, 10, -errno);
            client.send(get("/c"));
            rig.until(() -> client.answers().size() == 3);
            assertThat(client.bodies()).containsExactly("/a", "/b", "/c");
            rig.settle();
            rig.assertLeft(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/bytes/", "/native/"})
    void aLargeBodySurvivesShortSends(String path) throws IOException {
        int length = 300_000;
        Random random = new Random(1);
        try (LoopRig rig = new LoopRig()) {
            rig.sys.script(Call.SEND, (fd, most) -> 1 + random.nextInt(20_000));
            Client client = rig.connect();
            client.send(get(path + length) + get("/last"));
            rig.until(() -> client.answers().size() == 2);
            assertThat(client.bodies()).containsExactly(LoopRig.bytes(length), "/last");
            rig.settle();
            rig.assertLeft(1);
        }
    }

    /** Two requests, cut in two anywhere: both answers come, and what was kept is given back. */
    @Test
    void aRequestThatArrivesInTwoPiecesIsAnswered() throws IOException {
        String requests = post("body\r\n\r\n") + get("/second");
        String expected = LoopRig.faultless(requests);
        try (LoopRig rig = new LoopRig()) {
            Client client = rig.connectAndAccept();
            for (int split = 1; split < requests.length(); split++) {
                client.forget();
                client.send(requests.substring(0, split));
                rig.loop.runOnce(100);
                client.send(requests.substring(split));
                rig.until(() -> client.receivedBytes() >= expected.length());
                assertThat(client.text()).as("split at %s", split).isEqualTo(expected);
                rig.assertLeft(1);
            }
        }
    }

    @Test
    void aRequestThatArrivesByteByByteIsAnswered() throws IOException {
        String requests = post("body\r\n\r\n") + get("/second");
        String expected = LoopRig.faultless(requests);
        try (LoopRig rig = new LoopRig()) {
            Client client = rig.connectAndAccept();
            for (int at = 0; at < requests.length(); at++) {
                client.send(requests.substring(at, at + 1));
                rig.loop.runOnce(100);
            }
            rig.until(() -> client.receivedBytes() >= expected.length());
            assertThat(client.text()).isEqualTo(expected);
            rig.assertLeft(1);
        }
    }

    // ---- the peer is gone

    @ParameterizedTest
    @FieldSource("PEER_IS_GONE")
    void aFailedSendEndsTheConnectionOnly(int errno) throws IOException {
        try (LoopRig rig = new LoopRig()) {
            Client other = startOther(rig);
            Client client = rig.connectAndAccept();
            rig.sys.next(Call.SEND, -errno);
            client.send(getAll(3));
            rig.until(client::ended);
            assertThat(client.receivedBytes()).isZero();
            finishOther(rig, other);
        }
    }

    @ParameterizedTest
    @FieldSource("PEER_IS_GONE")
    void aFailedSendOfTheRestEndsTheConnectionOnly(int errno) throws IOException {
        try (LoopRig rig = new LoopRig()) {
            Client other = startOther(rig);
            Client client = rig.connectAndAccept();
            rig.sys.next(Call.SEND, 10, -errno);
            // With input kept and output unsent.
            client.send(getAll(3) + "GET /");
            rig.until(client::ended);
            assertThat(client.receivedBytes()).isEqualTo(10);
            finishOther(rig, other);
        }
    }

    @ParameterizedTest
    @FieldSource("PEER_IS_GONE")
    void aFailedSendOfALargeBodyEndsTheConnectionOnly(int errno) throws IOException {
        for (int good = 0; good < 5; good++) {
            try (LoopRig rig = new LoopRig()) {
                Client other = startOther(rig);
                Client client = rig.connectAndAccept();
                for (int i = 0; i < good; i++) {
                    rig.sys.next(Call.SEND, 50_000);
                }
                rig.sys.next(Call.SEND, -errno);
                client.send(get("/bytes/500000") + get("/never"));
                rig.until(client::ended);
                assertThat(client.answers()).isEmpty();
                finishOther(rig, other);
            }
        }
    }

    /** Within the head, at its end, within the body: by a short send before it, or by none. */
    @ParameterizedTest
    @FieldSource("PEER_IS_GONE")
    void aFailedSendOfNativeMemoryEndsTheConnectionOnly(int errno) throws IOException {
        for (int good : new int[] {0, 1, 50, 140, 50_000, 300_000}) {
            try (LoopRig rig = new LoopRig()) {
                Client other = startOther(rig);
                Client client = rig.connectAndAccept();
                if (good > 0) {
                    rig.sys.next(Call.SEND, good);
                }
                rig.sys.next(Call.SEND, -errno);
                client.send(get("/native/500000") + get("/never"));
                rig.until(client::ended);
                assertThat(rig.sys.allReturned()).isTrue();
                assertThat(client.answers()).isEmpty();
                assertThat(client.receivedBytes()).isEqualTo(good);
                finishOther(rig, other);
            }
        }
    }

    /** EAGAIN and EINTR in the head, at its end, in the body, and again and again. */
    @Test
    void nativeMemoryComesWholeWhateverSendsTake() throws IOException {
        int length = 300_000;
        // Two heads have less than 300 bytes together.
        for (int at = 1; at < 400; at += 3) {
            try (LoopRig rig = new LoopRig()) {
                rig.sys.next(Call.SEND, at, -Errno.EAGAIN, 7, -Errno.EINTR, 70_000);
                Client client = rig.connect();
                client.send(get("/a") + get("/native/" + length) + get("/last"));
                rig.until(() -> client.answers().size() == 3);
                assertThat(client.bodies()).containsExactly("/a", LoopRig.bytes(length), "/last");
                rig.settle();
                rig.assertLeft(1);
            }
        }
    }

    @ParameterizedTest
    @FieldSource("PEER_IS_GONE")
    void aFailedReceiveEndsTheConnectionOnly(int errno) throws IOException {
        try (LoopRig rig = new LoopRig()) {
            Client other = startOther(rig);
            Client client = rig.connectAndAccept();
            client.send("GET / HT");
            rig.settle();
            rig.sys.next(Call.RECV, -errno);
            client.send("TP/1.1\r\n");
            rig.until(client::ended);
            finishOther(rig, other);
        }
    }

    private static Client startOther(LoopRig rig) throws IOException {
        Client other = rig.connectAndAccept();
        other.send("GET /other HT");
        rig.settle();
        return other;
    }

    private static void finishOther(LoopRig rig, Client other) throws IOException {
        assertThat(rig.sys.allReturned()).isTrue();
        other.send("TP/1.1\r\nHost: a\r\n\r\n");
        rig.settle();
        assertThat(other.bodies()).containsExactly("/other");
        rig.assertLeft(1);
    }

    // ---- epoll

    @Test
    void aConnectionThatCannotBeWatchedIsTurnedAway() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            Client other = startOther(rig);
            boolean[] refuse = {true};
            rig.sys.script(
                    Call.EPOLL_CTL,
                    (fd, op) ->
                            refuse[0] && op == Linux.EPOLL_CTL_ADD
                                    ? -Errno.ENOSPC
                                    : FaultySyscalls.PASS);
            Client client = rig.connect();
            rig.until(client::ended);
            assertThat(rig.loop.counters().accepted()).isEqualTo(2);
            refuse[0] = false;
            Client late = rig.connect();
            late.send(get("/late"));
            rig.until(() -> !late.answers().isEmpty());
            late.close();
            rig.settle();
            finishOther(rig, other);
        }
    }

    @Test
    void aConnectionThatCannotBeWatchedForRoomIsClosed() throws IOException {
        try (LoopRig rig = new LoopRig()) {
            Client other = startOther(rig);
            Client client = rig.connectAndAccept();
            rig.sys.next(Call.SEND, 10);
            rig.sys.next(Call.EPOLL_CTL, -Errno.ENOMEM);
            client.send(get("/"));
            rig.until(client::ended);
            assertThat(client.receivedBytes()).isEqualTo(10);
            finishOther(rig, other);
        }
    }

    // ---- memory

    @Test
    void whereMemoryIsUsedUpOnlyThoseWhoNeedItSuffer() throws IOException {
        try (LoopRig rig = new LoopRig(LoopRig.options(100, 5000, 1024))) {
            // One slice of 512 each.
            Client first = startOther(rig);
            Client second = rig.connectAndAccept();
            second.send("GET /second HT");
            rig.settle();
            assertThat(rig.loop.slab().slicesInUse()).isEqualTo(2);

            Client receiving = rig.connectAndAccept();
            receiving.send("GET /");
            rig.until(receiving::ended);

            Client sending = rig.connectAndAccept();
            rig.sys.next(Call.SEND, 10);
            sending.send(get("/"));
            rig.until(sending::ended);

            Client whole = rig.connectAndAccept();
            whole.send(get("/whole"));
            rig.settle();
            assertThat(whole.bodies()).containsExactly("/whole");
            whole.close();

            // It cannot grow, and is given up.
            second.send("TP/1.1\r\nX: " + "x".repeat(600));
            rig.until(second::ended);
            Client third = rig.connectAndAccept();
            third.send("GET /");
            rig.settle();
            assertThat(third.ended()).isFalse();
            third.close();
            rig.settle();
            finishOther(rig, first);
            assertThat(rig.loop.slab().bytesInUse()).isZero();
        }
    }

    // ---- everything at once

    /** Each client gets a prefix of what it should get, and all of it unless its peer was gone. */
    @Test
    void whateverFailsNothingIsMixedUp() throws IOException {
        for (int seed = 0; seed < 12; seed++) {
            Random random = new Random(seed);
            try (LoopRig rig = new LoopRig()) {
                rig.sys.script(Call.SEND, (fd, length) -> trouble(random, length));
                rig.sys.script(
                        Call.RECV,
                        (fd, length) ->
                                switch (random.nextInt(200)) {
                                    case 0 -> -Errno.ECONNRESET;
                                    case 1, 2, 3, 4, 5, 6 -> -Errno.EINTR;
                                    default -> FaultySyscalls.PASS;
                                });
                List<Client> clients = new ArrayList<>();
                List<Integer> asked = new ArrayList<>();
                for (int i = 0; i < 20; i++) {
                    clients.add(rig.connect());
                    asked.add(0);
                }
                for (int round = 0; round < 20; round++) {
                    for (int i = 0; i < clients.size(); i++) {
                        if (!clients.get(i).ended() && random.nextBoolean()) {
                            int requests = random.nextInt(100);
                            StringBuilder batch = new StringBuilder();
                            for (int r = 0; r < requests; r++) {
                                batch.append(get(target(i, asked.get(i) + r)));
                            }
                            asked.set(i, asked.get(i) + requests);
                            sendUnlessGone(clients.get(i), batch.toString());
                        }
                    }
                    rig.turn();
                    clients.forEach(Client::receive);
                }
                rig.settle();
                int survivors = 0;
                for (int i = 0; i < clients.size(); i++) {
                    List<String> bodies = clients.get(i).bodies();
                    List<String> expected = new ArrayList<>();
                    for (int r = 0; r < asked.get(i); r++) {
                        expected.add(target(i, r));
                    }
                    assertThat(bodies).isEqualTo(expected.subList(0, bodies.size()));
                    if (!clients.get(i).ended()) {
                        assertThat(bodies).hasSameSizeAs(expected);
                        survivors++;
                    }
                }
                rig.assertLeft(survivors);
            }
        }
    }

    private static String target(int client, int request) {
        return "/" + client + "/" + request + "-".repeat(request % 50);
    }

    private static void sendUnlessGone(Client client, String text) throws IOException {
        try {
            client.send(text);
        } catch (UncheckedIOException | IllegalStateException e) {
            // Closed by the loop meanwhile, or about to be: what it got until then still counts.
            client.receive();
        }
    }

    private static int trouble(Random random, int length) {
        return switch (random.nextInt(100)) {
            case 0 -> -Errno.EPIPE;
            case 1, 2, 3 -> -Errno.EINTR;
            case 4, 5, 6, 7, 8, 9 -> -Errno.EAGAIN;
            case 10, 11, 12, 13, 14, 15, 16, 17, 18, 19 -> 1 + random.nextInt(length);
            default -> FaultySyscalls.PASS;
        };
    }
}
