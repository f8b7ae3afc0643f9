package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Server-sent events. */
@Timeout(60)
class EventStreamTest {
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final BlockingQueue<EventStream> streams = new ArrayBlockingQueue<>(100);

    private final Handler quiet =
            (request, response) -> streams.add(EventStream.open(response, MINUTE));

    private EventStream next() throws InterruptedException {
        EventStream next = streams.poll(10, TimeUnit.SECONDS);
        assertThat(next).isNotNull();
        return next;
    }

    @Test
    void writesTheFormatOfTheStandard() throws Exception {
        try (HttpRig rig = HttpRig.start(quiet);
                Client client = Client.connect(rig.port())) {
            client.ask("/");
            Answer head = client.head();
            assertThat(head.status()).isEqualTo(200);
            assertThat(head.field("Content-Type")).isEqualTo("text/event-stream");
            assertThat(head.field("Cache-Control")).isEqualTo("no-store");
            assertThat(head.field("Transfer-Encoding")).isEqualTo("chunked");
            EventStream stream = next();
            List<String[]> events =
                    List.of(
                            new String[] {null, "plain", "data: plain\n\n"},
                            new String[] {"name", "data", "event: name\ndata: data\n\n"},
                            new String[] {null, "", "data: \n\n"},
                            new String[] {null, "a\nb", "data: a\ndata: b\n\n"},
                            new String[] {null, "a\r\nb", "data: a\ndata: b\n\n"},
                            new String[] {null, "a\rb", "data: a\ndata: b\n\n"},
                            new String[] {null, "a\n\r\nb", "data: a\ndata: \ndata: b\n\n"},
                            new String[] {null, "\n", "data: \ndata: \n\n"},
                            new String[] {null, "a\n", "data: a\ndata: \n\n"},
                            new String[] {null, "\r\r", "data: \ndata: \ndata: \n\n"},
                            new String[] {null, ": event: x", "data: : event: x\n\n"},
                            new String[] {null, " led", "data:  led\n\n"},
                            new String[] {"e", "\u00e9", "event: e\ndata: \u00c3\u00a9\n\n"});
            for (String[] event : events) {
                stream.execute(() -> assertThat(stream.send(event[0], event[1])).isTrue());
                assertThat(client.chunk()).isEqualTo(event[2]);
            }
            assertThat(stream.isGone()).isFalse();
            stream.execute(stream::end);
            assertThat(client.chunk()).isEmpty();
            assertThat(stream.isGone()).isTrue();
            assertThat(rig.failures()).isEmpty();

            // It was one response of many: the connection is there for more.
            client.ask("/").head();
            EventStream again = next();
            again.execute(() -> again.send(null, "again"));
            assertThat(client.chunk()).isEqualTo("data: again\n\n");
        }
    }

    @Test
    void sendsSeveralEventsAtOnce() throws Exception {
        Handler handler =
                (request, response) -> {
                    EventStream stream = EventStream.open(response, MINUTE);
                    for (int i = 0; i < 3; i++) {
                        assertThat(stream.send(null, "event " + i)).isTrue();
                    }
                    stream.end();
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            assertThat(client.get("/").body())
                    .isEqualTo("data: event 0\n\ndata: event 1\n\ndata: event 2\n\n");
            assertThat(rig.failures()).isEmpty();
        }
    }

    @Test
    void anEventMayHaveAnId() throws Exception {
        Handler handler =
                (request, response) -> {
                    EventStream stream = EventStream.open(response, MINUTE);
                    assertThat(stream.send("7", null, "a")).isTrue();
                    assertThat(stream.send("", "e", "b")).isTrue();
                    for (String id : List.of("1\n2", "1\r", "\0")) {
                        assertThatThrownBy(() -> stream.send(id, null, "c"))
                                .isInstanceOf(IllegalArgumentException.class)
                                .hasMessageContaining("an event's id");
                    }
                    stream.end();
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            assertThat(client.get("/").body())
                    .isEqualTo("id: 7\ndata: a\n\nid: \nevent: e\ndata: b\n\n");
            assertThat(rig.failures()).isEmpty();
        }
    }

    @Test
    void refusesNamesOfSeveralLines() throws Exception {
        try (HttpRig rig = HttpRig.start(quiet);
                Client client = Client.connect(rig.port())) {
            client.ask("/").head();
            EventStream stream = next();
            for (String name : List.of("a\nb", "a\rdata: b", "\n")) {
                assertThatThrownBy(
                                () -> {
                                    AtomicReference<RuntimeException> refusal =
                                            new AtomicReference<>();
                                    rig.ask(
                                            () -> {
                                                try {
                                                    stream.send(name, "data");
                                                } catch (RuntimeException e) {
                                                    refusal.set(e);
                                                }
                                                return true;
                                            });
                                    throw refusal.get();
                                })
                        .isInstanceOf(IllegalArgumentException.class);
            }
            stream.execute(() -> stream.send("fine", "data"));
            assertThat(client.chunk()).isEqualTo("event: fine\ndata: data\n\n");
        }
    }

    @Test
    void sendsHeartbeats() throws Exception {
        Handler handler =
                (request, response) ->
                        streams.add(EventStream.open(response, Duration.ofMillis(100)));
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            client.ask("/").head();
            long before = System.nanoTime();
            for (int i = 0; i < 3; i++) {
                assertThat(client.chunk()).isEqualTo(":\n\n");
            }
            assertThat(System.nanoTime() - before).isGreaterThan(200_000_000L);
            EventStream stream = next();
            stream.execute(stream::end);
            StringBuilder rest = new StringBuilder();
            String chunk = client.chunk();
            while (!chunk.isEmpty()) {
                rest.append(chunk);
                chunk = client.chunk();
            }
            assertThat(rest.toString()).matches("(:\n\n)?");
        }
    }

    @Test
    void callsBackInsteadOfAHeartbeat() throws Exception {
        Handler handler =
                (request, response) -> {
                    EventStream[] stream = new EventStream[1];
                    int[] count = new int[1];
                    stream[0] =
                            EventStream.open(
                                    response,
                                    Duration.ofMillis(100),
                                    () -> {
                                        count[0]++;
                                        stream[0].send(null, "tick " + count[0]);
                                        if (count[0] == 3) {
                                            stream[0].end();
                                        }
                                    });
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            assertThat(client.get("/").body())
                    .isEqualTo("data: tick 1\n\ndata: tick 2\n\ndata: tick 3\n\n");
            assertThat(client.get("/").chunks()).hasSize(3);
            assertThat(rig.failures()).isEmpty();
        }
    }

    @Test
    void dropsEventsOfAClientThatIsBehind() throws Exception {
        try (HttpRig rig = HttpRig.start(quiet);
                Client client = Client.connect(rig.port(), 8192)) {
            client.ask("/").head();
            EventStream stream = next();
            String data = "x".repeat(20_000);
            int events = 2000;
            int sent = 0;
            long bytesBefore = rig.slabBytes();
            for (int i = 0; i < events; i++) {
                int number = i;
                sent += rig.ask(() -> stream.send("" + number, data)) ? 1 : 0;
            }
            assertThat(sent).isPositive().isLessThan(events);
            assertThat(rig.slabBytes() - bytesBefore).isLessThan(1 << 20);
            // What was sent is whole, and in order; then the client is no longer behind.
            int last = -1;
            for (int i = 0; i < sent; i++) {
                String event = client.chunk();
                String name = event.substring("event: ".length(), event.indexOf('\n'));
                assertThat(Integer.parseInt(name)).isGreaterThan(last);
                assertThat(event.equals("event: " + name + "\ndata: " + data + "\n\n")).isTrue();
                last = Integer.parseInt(name);
            }
            assertThat(HttpRig.await(true, () -> rig.ask(() -> stream.send(null, "on")))).isTrue();
            // A task that is not the stream's own leaves it to the next turn to send.
            stream.execute(() -> {});
            assertThat(client.chunk()).isEqualTo("data: on\n\n");
        }
    }

    @Test
    void noticesByItsHeartbeatThatTheClientIsGone() throws Exception {
        AtomicInteger aborts = new AtomicInteger();
        Handler handler =
                (request, response) -> {
                    response.onAbort(aborts::incrementAndGet);
                    streams.add(EventStream.open(response, Duration.ofMillis(100)));
                };
        try (HttpRig rig = HttpRig.start(handler)) {
            Client client = Client.connect(rig.port());
            client.ask("/").head();
            EventStream stream = next();
            // An orderly close: it might still be reading.
            client.close();
            assertThat(HttpRig.await(true, stream::isGone)).isTrue();
            assertThat(aborts).hasValue(1);
            assertThat(HttpRig.await(0L, rig::open)).isZero();
            stream.execute(aborts::incrementAndGet);
            assertThatThrownBy(() -> stream.send(null, "late"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage(
                            "the stream has ended: no event can be sent any more; isGone() tells");
            assertThatThrownBy(stream::end)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("the stream has ended: end() is called once; isGone() tells");
            assertThat(rig.slicesInUse()).isZero();
            assertThat(aborts).hasValue(1);
            assertThat(rig.failures()).isEmpty();
        }
    }
}
