package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import io.bareloop.rig.ParsedRequest;
import io.bareloop.wire.FileSource;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A response is written on its own turn: no byte of it goes to another client. */
@Timeout(60)
class OwnTurnTest {
    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final HeaderName X = HeaderName.of("X");

    /** What one request's handler does to the response of another that waits. */
    private interface Act {
        void on(Response waiting, Request request) throws Exception;
    }

    private static Map<String, Act> acts() {
        MemorySegment memory = Arena.ofAuto().allocateFrom("memory");
        Map<String, Act> acts = new TreeMap<>();
        acts.put("status", (waiting, request) -> waiting.status(Status.CREATED));
        acts.put("type", (waiting, request) -> waiting.contentType(MediaType.TEXT));
        acts.put("field", (waiting, request) -> waiting.header(X, "y"));
        acts.put("view", (waiting, request) -> waiting.header(X, request.path()));
        acts.put("fields", (waiting, request) -> waiting.fields(Fields.NONE.with(X, "y")));
        Cookie cookie = Cookie.builder("X", "y").build();
        acts.put("cookie", (waiting, request) -> waiting.cookie(cookie));
        acts.put("attachment", (waiting, request) -> waiting.attachment("y"));
        acts.put("hints", (waiting, request) -> waiting.earlyHints(Fields.NONE.with(X, "y")));
        acts.put("redirect", (waiting, request) -> waiting.redirect(Status.FOUND, "/other"));
        acts.put("range", (waiting, request) -> waiting.contentRange(0, 1, 2));
        acts.put("array", (waiting, request) -> waiting.body(Bytes.of("other")));
        acts.put("text", (waiting, request) -> waiting.body("other"));
        acts.put("body", (waiting, request) -> waiting.body(request.path()));
        acts.put("memory", (waiting, request) -> waiting.body(memory, 0, 6));
        acts.put("prepared", (waiting, request) -> waiting.send(Prepared.text("other")));
        acts.put("reply", (waiting, request) -> waiting.send(Reply.text("other")));
        acts.put("stream", (waiting, request) -> waiting.stream());
        acts.put("counted", (waiting, request) -> waiting.stream(3));
        acts.put(
                "write",
                (waiting, request) -> {
                    waiting.stream();
                    waiting.write(Bytes.of("other"));
                    waiting.write(request.path());
                    waiting.write(memory, 0, 6);
                    waiting.end();
                });
        acts.put("end", (waiting, request) -> waiting.end());
        return acts;
    }

    static List<String> names() {
        return List.copyOf(acts().keySet());
    }

    private final AtomicReference<Response> waiting = new AtomicReference<>();

    /** GET /wait suspends; any other does {@code act} to that, and is answered with its path. */
    private Handler application(Act act) {
        return (request, response) -> {
            if (request.path().contentEquals("/wait")) {
                response.suspend();
                waiting.set(response);
            } else {
                act(act, request);
                response.body(request.path());
                act(act, request);
            }
        };
    }

    private void act(Act act, Request request) throws Exception {
        try {
            act.on(waiting.get(), request);
        } catch (IllegalStateException over) {
            assertThat(waiting.get().hasEnded()).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void whatAnotherHandlerWritesGoesToItsOwnClient(String name) throws Exception {
        try (HttpRig rig = HttpRig.start(application(acts().get(name)));
                Client one = Client.connect(rig.port());
                Client other = Client.connect(rig.port())) {
            one.ask("/wait");
            HttpRig.await(true, () -> waiting.get() != null);
            for (int i = 0; i < 3; i++) {
                // Exactly its own answer, whatever came of the one that waits.
                Answer received = other.get("/other");
                assertThat(received.status()).isEqualTo(200);
                assertThat(received.body()).isEqualTo("/other");
                assertThat(received.has("X")).isFalse();
            }
            assertThat(rig.ask(() -> true)).isTrue();
        }
    }

    @Test
    void aResponseIsWrittenPieceByPieceFromAnotherHandler() throws Exception {
        Act act = acts().get("write");
        boolean[] done = new boolean[1];
        Act once =
                (response, request) -> {
                    if (!done[0]) {
                        done[0] = true;
                        response.status(Status.CREATED).header(X, request.path());
                        act.on(response, request);
                    }
                };
        try (HttpRig rig = HttpRig.start(application(once));
                Client one = Client.connect(rig.port());
                Client other = Client.connect(rig.port())) {
            one.ask("/wait");
            HttpRig.await(true, () -> waiting.get() != null);
            assertThat(other.get("/said").body()).isEqualTo("/said");
            Answer received = one.answer();
            assertThat(received.status()).isEqualTo(201);
            assertThat(received.field("X")).isEqualTo("/said");
            assertThat(received.body()).isEqualTo("other/saidmemory");
            assertThat(one.get("/next").body()).isEqualTo("/next");
            assertThat(rig.failures()).isEmpty();
        }
    }

    /** In the order of the calls, whichever way each of them goes. */
    @Test
    void whatWaitsForATurnComesBeforeWhatTheTurnIsFor() throws Exception {
        AtomicReference<Suspended> suspended = new AtomicReference<>();
        Handler handler =
                (request, response) -> {
                    if (request.path().contentEquals("/wait")) {
                        suspended.set(response.suspend());
                        response.onTick(
                                Duration.ofMillis(100), () -> response.write(Bytes.of("t")));
                        response.stream();
                        waiting.set(response);
                        return;
                    }
                    Response other = waiting.get();
                    other.write(Bytes.of("1"));
                    suspended
                            .get()
                            .resume((same, sameResponse) -> sameResponse.write(Bytes.of("2")));
                    other.write(Bytes.of("3"));
                    suspended
                            .get()
                            .resume((same, sameResponse) -> sameResponse.write(Bytes.of("4")));
                    // Longer than a tick: it is due before what waits has had its turn.
                    Thread.sleep(250);
                    other.write(Bytes.of("5"));
                    other.end();
                    response.body("said");
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client one = Client.connect(rig.port());
                Client other = Client.connect(rig.port())) {
            one.ask("/wait");
            HttpRig.await(true, () -> waiting.get() != null);
            assertThat(other.get("/say").body()).isEqualTo("said");
            assertThat(one.answer().body()).matches("t*12345");
        }
    }

    @Test
    void howMuchMayWaitIsBounded() throws Exception {
        byte[] piece = new byte[100_000];
        int[] accepted = new int[1];
        Act act =
                (response, request) -> {
                    if (accepted[0] > 0) {
                        return;
                    }
                    response.stream();
                    try {
                        while (accepted[0] < 1000) {
                            response.write(piece);
                            accepted[0]++;
                        }
                    } catch (IllegalStateException bounded) {
                        assertThat(bounded).hasMessageContaining("too much waits");
                    }
                    response.end();
                };
        try (HttpRig rig = HttpRig.start(application(act));
                Client one = Client.connect(rig.port());
                Client other = Client.connect(rig.port())) {
            one.ask("/wait");
            HttpRig.await(true, () -> waiting.get() != null);
            assertThat(other.get("/other").body()).isEqualTo("/other");
            assertThat(accepted[0]).isEqualTo(Limits.defaults().unsentBytesMax() / piece.length);
            assertThat(one.answer().body()).hasSize(accepted[0] * piece.length);
        }
    }

    /** What calls for itself again has its turn again, and so have the others. */
    @Test
    void anActionThatResumesItselfLeavesTheOthersTheirTurns() throws Exception {
        AtomicBoolean stop = new AtomicBoolean();
        AtomicInteger turns = new AtomicInteger();
        Handler handler =
                (request, response) -> {
                    if (request.path().contentEquals("/poll")) {
                        poll(response.suspend(), stop, turns);
                    } else {
                        response.body(request.path());
                    }
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client one = Client.connect(rig.port());
                Client other = Client.connect(rig.port())) {
            one.ask("/poll");
            HttpRig.await(true, () -> turns.get() > 1000);
            for (int i = 0; i < 20; i++) {
                assertThat(other.get("/" + i).body()).isEqualTo("/" + i);
            }
            stop.set(true);
            assertThat(one.answer().body()).isEqualTo("done");
        }
    }

    private static void poll(Suspended suspended, AtomicBoolean stop, AtomicInteger turns) {
        suspended.resume(
                (request, response) -> {
                    turns.incrementAndGet();
                    if (stop.get()) {
                        response.body("done");
                    } else {
                        poll(suspended, stop, turns);
                    }
                });
    }

    /** A file that was given to a response in another turn is released, whatever comes of it. */
    @ParameterizedTest
    @ValueSource(strings = {"sent", "twice", "wrong", "gone"})
    void aFileThatWaitsIsReleased(String what) throws Exception {
        AtomicInteger released = new AtomicInteger();
        FileSource source =
                new FileSource() {
                    @Override
                    public int descriptor() {
                        return -1;
                    }

                    @Override
                    public void warm(long offset, int length, Runnable then) {
                        then.run();
                    }

                    @Override
                    public boolean isWarm(long end, long nanos) {
                        return true;
                    }

                    @Override
                    public void release() {
                        released.incrementAndGet();
                    }
                };
        FileBody file = new FileBody(source);
        Client[] one = new Client[1];
        Act act =
                (response, request) -> {
                    if (response.hasEnded() || released.get() > 0) {
                        return;
                    }
                    switch (what) {
                        case "twice" -> response.body("x");
                        case "wrong" -> response.contentRange(5, 1, 2);
                        case "gone" -> {
                            one[0].reset();
                            Thread.sleep(50);
                        }
                        default -> {}
                    }
                    response.body(file, 0, 10);
                    released.addAndGet(100);
                };
        try (HttpRig rig = HttpRig.start(application(act));
                Client other = Client.connect(rig.port())) {
            one[0] = Client.connect(rig.port());
            one[0].ask("/wait");
            HttpRig.await(true, () -> waiting.get() != null);
            assertThat(other.get("/other").body()).isEqualTo("/other");
            assertThat(HttpRig.await(101, released::get)).isEqualTo(101);
            one[0].close();
        }
    }

    @Test
    void aTickMaySetFromElsewhere() throws Exception {
        Act act =
                (response, request) -> {
                    if (!response.hasEnded()) {
                        response.onTick(Duration.ofMillis(100), () -> response.body("ticked"));
                    }
                };
        try (HttpRig rig = HttpRig.start(application(act));
                Client one = Client.connect(rig.port());
                Client other = Client.connect(rig.port())) {
            one.ask("/wait");
            HttpRig.await(true, () -> waiting.get() != null);
            assertThat(other.get("/other").body()).isEqualTo("/other");
            assertThat(one.answer().body()).isEqualTo("ticked");
        }
    }

    /** Opened and ended within one handler: who still has it meets no other request. */
    @Test
    void aStreamThatHasEndedSendsNothingToTheNextClient() throws Exception {
        BlockingQueue<EventStream> streams = new ArrayBlockingQueue<>(100);
        Handler handler =
                (request, response) -> {
                    if (request.path().contentEquals("/events")) {
                        EventStream stream = EventStream.open(response, MINUTE);
                        stream.end();
                        streams.add(stream);
                        return;
                    }
                    for (EventStream stream : streams) {
                        try {
                            stream.send(null, "stray");
                            response.header(X, "accepted");
                        } catch (IllegalStateException expected) {
                            assertThat(stream.isGone()).isTrue();
                        }
                    }
                    response.body(request.path());
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            for (int i = 0; i < 10; i++) {
                assertThat(client.get("/events").body()).isEmpty();
                Answer received = client.get("/" + i);
                assertThat(received.body()).isEqualTo("/" + i);
                assertThat(received.has("X")).isFalse();
            }
            assertThat(rig.failures()).isEmpty();
        }
    }

    /** Requests that are ready together are answered in one batch. */
    @Test
    void eventsGoToTheirOwnClientsInABatchToo() throws Exception {
        int clients = 8;
        BlockingQueue<EventStream> streams = new ArrayBlockingQueue<>(clients);
        Handler handler =
                (request, response) -> {
                    if (request.path().contentEquals("/events")) {
                        streams.add(EventStream.open(response, MINUTE));
                    } else {
                        for (EventStream stream : streams) {
                            assertThat(stream.send(null, request.path().toString())).isTrue();
                        }
                        response.body(request.path());
                    }
                };
        try (HttpRig rig = HttpRig.start(handler)) {
            Client[] listening = new Client[clients];
            Client[] speaking = new Client[clients];
            for (int i = 0; i < clients; i++) {
                listening[i] = Client.connect(rig.port()).ask("/events");
                listening[i].head();
                speaking[i] = Client.connect(rig.port());
            }
            for (int round = 0; round < 50; round++) {
                for (int i = 0; i < clients; i++) {
                    speaking[i].ask("/" + round + "-" + i);
                }
                for (int i = 0; i < clients; i++) {
                    Answer received = speaking[i].answer();
                    assertThat(received.body()).isEqualTo("/" + round + "-" + i);
                }
                for (Client one : listening) {
                    StringBuilder events = new StringBuilder();
                    for (int i = 0; i < clients; i++) {
                        events.append(one.chunk());
                    }
                    for (int i = 0; i < clients; i++) {
                        assertThat(events).containsOnlyOnce("data: /" + round + "-" + i + "\n\n");
                    }
                }
            }
            assertThat(rig.failures()).isEmpty();
            for (int i = 0; i < clients; i++) {
                listening[i].close();
                speaking[i].close();
            }
        }
    }

    @Test
    void anotherHandlerEndsAStream() throws Exception {
        BlockingQueue<EventStream> streams = new ArrayBlockingQueue<>(1);
        Handler handler =
                (request, response) -> {
                    if (request.path().contentEquals("/events")) {
                        streams.add(EventStream.open(response, MINUTE));
                    } else {
                        EventStream stream = streams.take();
                        stream.send(null, "last");
                        stream.end();
                        stream.end();
                        response.body("ended");
                    }
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client one = Client.connect(rig.port());
                Client other = Client.connect(rig.port())) {
            one.ask("/events").head();
            assertThat(other.get("/end").body()).isEqualTo("ended");
            assertThat(one.chunk()).isEqualTo("data: last\n\n");
            assertThat(one.chunk()).isEmpty();
            one.ask("/events").head();
            assertThat(rig.failures()).isEmpty();
        }
    }

    /** At once, in the thread that is wrong; and nothing of it reaches anybody. */
    @ParameterizedTest
    @MethodSource("names")
    void anotherThreadIsRefused(String name) throws Exception {
        Act act = acts().get(name);
        try (HttpRig rig = HttpRig.start(application((response, request) -> {}));
                Client one = Client.connect(rig.port());
                Client other = Client.connect(rig.port())) {
            one.ask("/wait");
            HttpRig.await(true, () -> waiting.get() != null);
            ParsedRequest parsed = new ParsedRequest(Limits.defaults());
            MemorySegment bytes = Arena.ofAuto().allocateFrom("GET /other HTTP/1.1");
            parsed.head.start(bytes, 0);
            parsed.head.target(bytes.address() + 4, bytes.address() + 4, bytes.address() + 10);
            for (int i = 0; i < 20; i++) {
                Throwable refusal = null;
                try {
                    act.on(waiting.get(), parsed.view);
                } catch (IllegalStateException e) {
                    refusal = e;
                }
                assertThat(refusal).hasMessageContaining("Suspended.resume");
                assertThat(other.get("/other").body()).isEqualTo("/other");
            }
            assertThat(rig.ask(() -> waiting.get().hasBegun())).isFalse();
            assertThat(one.isSilentFor(20)).isTrue();
        }
    }

    @Test
    void anotherThreadIsRefusedWhateverElseItAsks() throws Exception {
        List<Act> acts =
                List.of(
                        (response, request) -> response.isWritable(),
                        (response, request) -> response.suspend(),
                        (response, request) -> response.onAbort(() -> {}),
                        (response, request) -> response.onWritable(() -> {}),
                        (response, request) -> response.onTick(MINUTE, () -> {}));
        try (HttpRig rig = HttpRig.start(application((response, request) -> {}));
                Client one = Client.connect(rig.port())) {
            one.ask("/wait");
            HttpRig.await(true, () -> waiting.get() != null);
            for (Act act : acts) {
                Throwable refusal = null;
                try {
                    act.on(waiting.get(), null);
                } catch (IllegalStateException e) {
                    refusal = e;
                }
                assertThat(refusal).isNotNull();
            }
        }
    }

    /** Who keeps a response beyond its end meets nobody else's. */
    @Test
    void aResponseThatOutlivedItsHandlerIsNotUsedAgain() throws Exception {
        BlockingQueue<Response> kept = new ArrayBlockingQueue<>(100);
        BlockingQueue<Request> requests = new ArrayBlockingQueue<>(100);
        Handler handler =
                (request, response) -> {
                    if (request.path().contentEquals("/keep")) {
                        response.contentType(MediaType.TEXT).stream();
                        Suspended suspended = response.suspend();
                        requests.add(request);
                        kept.add(response);
                        Thread.ofVirtual()
                                .start(
                                        () ->
                                                suspended.resume(
                                                        (same, sameResponse) ->
                                                                sameResponse.end()));
                    } else {
                        for (Response old : kept) {
                            try {
                                old.header(X, "old");
                                response.header(X, "accepted");
                            } catch (IllegalStateException expected) {
                                assertThat(old.hasEnded()).isTrue();
                            }
                        }
                        for (Request old : requests) {
                            try {
                                response.header(X, old.path());
                            } catch (IllegalStateException expected) {
                                assertThat(expected).hasMessageContaining("stale");
                            }
                        }
                        response.body(request.path());
                    }
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            for (int i = 0; i < 10; i++) {
                assertThat(client.get("/keep").body()).isEmpty();
                Answer received = client.get("/" + i);
                assertThat(received.body()).isEqualTo("/" + i);
                assertThat(received.has("X")).isFalse();
            }
            assertThat(kept).hasSize(10).doesNotHaveDuplicates();
            assertThat(rig.failures()).isEmpty();
        }
    }

    /** HEAD is routed to the handler of GET, which does not know. */
    @Test
    void aHeadOfAStreamIsItsHead() throws Exception {
        Handler handler =
                (request, response) -> {
                    EventStream stream = EventStream.open(response, MINUTE);
                    assertThat(stream.send(null, "one")).isEqualTo(request.method() != Method.HEAD);
                    stream.send("name", "two");
                    stream.end();
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
            Answer head = client.answerToHead();
            assertThat(head.status()).isEqualTo(200);
            assertThat(head.field("Content-Type")).isEqualTo("text/event-stream");
            assertThat(client.get("/").body()).isEqualTo("data: one\n\nevent: name\ndata: two\n\n");
            assertThat(rig.failures()).isEmpty();
        }
    }

    /** What cannot be written when its turn comes is a failure of that response alone. */
    @Test
    void aWrongCallFromElsewhereIsTheFailureOfThatResponse() throws Exception {
        Act act = (response, request) -> response.write(Bytes.of("not a stream"));
        try (HttpRig rig = HttpRig.start(application(act));
                Client one = Client.connect(rig.port());
                Client other = Client.connect(rig.port())) {
            one.ask("/wait");
            HttpRig.await(true, () -> waiting.get() != null);
            assertThat(other.get("/other").body()).isEqualTo("/other");
            assertThat(one.answer().status()).isEqualTo(500);
            assertThat(rig.failures()).hasSize(1);
            assertThat(rig.failures().get(0))
                    .hasMessageStartingWith("write() comes after stream(): call stream() first");
        }
    }

    @Test
    void aTaskOfTheLoopMayNotWriteEither() throws Exception {
        try (HttpRig rig = HttpRig.start(application((response, request) -> {}));
                Client one = Client.connect(rig.port())) {
            one.ask("/wait");
            HttpRig.await(true, () -> waiting.get() != null);
            rig.ask(
                    () -> {
                        waiting.get().body("later");
                        return waiting.get().hasBegun();
                    });
            assertThat(one.answer().body()).isEqualTo("later");
        }
    }
}
