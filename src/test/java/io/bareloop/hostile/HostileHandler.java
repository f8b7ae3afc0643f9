package io.bareloop.hostile;

import io.bareloop.http.Blocking;
import io.bareloop.http.BlockingExchange;
import io.bareloop.http.ByteView;
import io.bareloop.http.EventStream;
import io.bareloop.http.Handler;
import io.bareloop.http.HeaderName;
import io.bareloop.http.HttpException;
import io.bareloop.http.MediaType;
import io.bareloop.http.Prepared;
import io.bareloop.http.Reply;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Status;
import io.bareloop.http.StreamHandler;
import io.bareloop.http.Suspended;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.zip.CRC32;

/**
 * The handlers of one loop: {@link HandlerKind} says what each does, {@link Script} what it may be
 * answered. What it sees that must not be is told as {@code "astray ..."}.
 */
final class HostileHandler implements Handler {
    static final int PREPARED_COUNT = 4;
    static final int NATIVE_BYTES = 1 << 20;
    static final String NATIVE_NAME = "native";
    static final HeaderName MARKER = HeaderName.of(Target.MARKER_FIELD);

    private static final Duration TICK = Duration.ofMillis(100);
    private static final MemorySegment NATIVE =
            Arena.global()
                    .allocate(NATIVE_BYTES)
                    .copyFrom(
                            MemorySegment.ofArray(
                                    MarkedBytes.of(MarkedBytes.key(NATIVE_NAME), 0, NATIVE_BYTES)));
    private static final Prepared[] PREPARED = new Prepared[PREPARED_COUNT];

    static {
        for (int i = 0; i < PREPARED_COUNT; i++) {
            PREPARED[i] = Prepared.of(Status.OK, MediaType.OCTETS, preparedBytes(i));
        }
    }

    private static final long HOARD_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final AtomicLong HOARDED = new AtomicLong(System.nanoTime());

    private final Handler files;
    private final Handler blocking = Blocking.blocking(this::block);
    private final Handler echoing = Blocking.streaming(HostileHandler::echo);
    private final List<Hub> hubs;
    private final Hub hub;
    private final ScheduledExecutorService others;
    private final Consumer<String> told;

    /** Of the loop. What is decided by it is timing alone: contents are the client's matter. */
    private final SplittableRandom random;

    /**
     * Creates the handlers of loop {@code index}.
     *
     * @param hubs of all loops
     * @param others threads that are no loops
     */
    HostileHandler(
            int index,
            long seed,
            Handler files,
            List<Hub> hubs,
            ScheduledExecutorService others,
            Consumer<String> told) {
        this.files = files;
        this.hubs = hubs;
        this.hub = hubs.get(index);
        this.others = others;
        this.told = told;
        this.random = new SplittableRandom(seed);
    }

    static byte[] preparedBytes(int index) {
        return MarkedBytes.of(MarkedBytes.key("prepared " + index), 0, 100 + index * 7_000);
    }

    /** A pause in another thread, in microseconds; often none. */
    private int pauseMicros() {
        return random.nextInt(3) == 0 ? 0 : random.nextInt(20_000);
    }

    private void astray(String what) {
        told.accept("astray " + what);
    }

    private void checkInterrupt(Object where) {
        if (Thread.interrupted()) {
            astray("the interrupt flag of another request is set in " + where);
        }
    }

    @Override
    public Handler route(Request request) {
        Target target = Target.of(request.target().toString());
        checkInterrupt(target);
        if (Place.AT_ROUTE.name().equals(target.text("place"))) {
            raiseUnchecked(target);
        }
        if (target.kind() == HandlerKind.FILE) {
            return files.route(request);
        }
        if (target.kind() == HandlerKind.BLOCKING) {
            return blocking;
        }
        if (target.kind() == HandlerKind.ECHO_BLOCKING) {
            return echoing.route(request);
        }
        return needsPieces(target) ? new Pieces(target) : this;
    }

    private static boolean needsPieces(Target target) {
        return target.kind() == HandlerKind.UPLOAD
                || target.kind() == HandlerKind.ECHO
                || target.kind() == HandlerKind.PAUSE
                || (target.kind() == HandlerKind.FAIL
                        && Place.valueOf(target.text("place")).needsBody());
    }

    @Override
    public void handle(Request request, Response response) throws Exception {
        Target target = Target.of(request.target().toString());
        checkInterrupt(target);
        if (target.kind() == null) {
            astray("a request that nobody has sent: " + request.method() + " " + target);
            throw new HttpException(Status.NOT_FOUND, null);
        }
        switch (target.kind()) {
            case AFTER_END -> afterEnd(target, response);
            case BLOCKING -> blocking.handle(request, response);
            case COLLECT -> {
                byte[] body = request.body().toByteArray();
                digest(target, response, body);
            }
            case ECHO, PAUSE, UPLOAD -> new Pieces(target).handle(request, response);
            case ECHO_BLOCKING -> echoing.handle(request, response);
            case EVENTS, EVENTS_HEAD -> events(target, response);
            case FAIL -> fail(target, request, response);
            case FILE -> files.handle(request, response);
            case FLOOD -> flood(target, response);
            case FORM -> digest(target, response, values(request::formValue));
            case HOARD -> {
                later(pauseMicros(), HostileHandler::hoard);
                whole(target, response);
            }
            case HOLD -> hold(target, response);
            case HTTP_EXCEPTION ->
                    throw new HttpException(Status.of(target.number("status")), target.marker());
            case INTERRUPT -> interrupt(target, response);
            case LARGE, WHOLE -> whole(target, response);
            case NAP -> {
                Thread.sleep(random.nextInt(15));
                whole(target, response);
            }
            case NATIVE ->
                    begin(target, response).body(NATIVE, target.number("at"), target.number("n"));
            case NATIVE_CLOSED, NATIVE_CLOSED_ELSEWHERE -> nativeClosed(target, response);
            case NOTHING -> {}
            case OTHER_THREAD -> otherThread(target, response);
            case POKE -> poke(target, response);
            case POKE_ENDED -> pokeEnded(target, response);
            case PREPARED -> response.send(PREPARED[target.number("index")]);
            case QUERY -> digest(target, response, values(request::queryValue));
            case RACE -> race(target, response);
            case SHORT_STREAM, SIZED, STREAM -> new Streaming(target, response).begin();
            case SUSPEND -> suspend(target, response);
            case WRONG_LOOP -> wrongLoop(target, response);
        }
    }

    // ---- whole responses

    private static Response begin(Target target, Response response) {
        return response.status(Status.OK).header(MARKER, target.marker());
    }

    private static void whole(Target target, Response response) {
        begin(target, response).body(MarkedBytes.of(target.key(), 0, target.number("n")));
    }

    /** What the body of a digest is, for both sides. */
    static String digest(String marker, byte[] body) {
        CRC32 sum = new CRC32();
        sum.update(body);
        return marker + " " + body.length + " " + sum.getValue();
    }

    private static void digest(Target target, Response response, byte[] body) {
        begin(target, response).body(digest(target.marker(), body));
    }

    private interface Values {
        ByteView value(String name);
    }

    private static byte[] values(Values of) {
        ByteView value = of.value("value");
        byte[] copy = value == null ? new byte[0] : value.toByteArray();
        return of.value("none") == null ? copy : new byte[] {1};
    }

    private void afterEnd(Target target, Response response) {
        whole(target, response);
        Map<String, Runnable> calls =
                Map.of(
                        "status", () -> response.status(Status.OK),
                        "contentType", () -> response.contentType(MediaType.TEXT),
                        "header", () -> response.header(MARKER, "late"),
                        "body", () -> response.body("late"),
                        "stream", response::stream,
                        "stream(n)", () -> response.stream(4),
                        "write", () -> response.write(new byte[4]),
                        "end", response::end,
                        "send", () -> response.send(PREPARED[0]),
                        "suspend", response::suspend);
        calls.forEach((name, call) -> refused("after the end, " + name, call));
    }

    /** Whatever it is, it has to throw IllegalStateException. */
    private void refused(String what, Runnable call) {
        try {
            call.run();
        } catch (IllegalStateException expected) {
            return;
        } catch (RuntimeException | Error other) {
            astray(what + ": no IllegalStateException but " + other);
            return;
        }
        astray(what + ": no IllegalStateException");
    }

    private void nativeClosed(Target target, Response response) {
        Arena arena = Arena.ofShared();
        try {
            int size = target.number("n");
            MemorySegment memory =
                    arena.allocate(size)
                            .copyFrom(MemorySegment.ofArray(MarkedBytes.of(target.key(), 0, size)));
            if (target.kind() == HandlerKind.NATIVE_CLOSED_ELSEWHERE) {
                later(random.nextInt(3_000), () -> closeElsewhere(arena));
            } else if (target.number("before") != 0) {
                arena.close();
            }
            begin(target, response).body(memory, 0, size);
        } finally {
            if (target.kind() == HandlerKind.NATIVE_CLOSED && arena.scope().isAlive()) {
                arena.close();
            }
        }
    }

    /** The JDK does not close memory while a system call reads it. */
    private void closeElsewhere(Arena arena) {
        try {
            arena.close();
        } catch (IllegalStateException inUse) {
            later(1_000, () -> closeElsewhere(arena));
        }
    }

    /** Now and then: a heap that is full all the time leaves no time for anything else. */
    private static void hoard() {
        long now = System.nanoTime();
        long last = HOARDED.get();
        if (now - last < HOARD_NANOS || !HOARDED.compareAndSet(last, now)) {
            return;
        }
        List<byte[]> all = new ArrayList<>();
        try {
            for (int size = 1 << 20; size > 100; size /= 4) {
                fill(all, size);
            }
            Thread.sleep(20);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (OutOfMemoryError enough) {
            all.clear();
        }
    }

    private static void fill(List<byte[]> all, int size) {
        try {
            while (true) {
                all.add(new byte[size]);
            }
        } catch (OutOfMemoryError full) {
            if (!all.isEmpty()) {
                all.removeLast();
            }
        }
    }

    private void interrupt(Target target, Response response) {
        if (target.number("later") == 0) {
            whole(target, response);
            Thread.currentThread().interrupt();
            return;
        }
        Suspended suspended = response.suspend();
        later(
                pauseMicros(),
                () ->
                        suspended.resume(
                                (request, same) -> {
                                    Thread.currentThread().interrupt();
                                    whole(target, same);
                                }));
    }

    // ---- streams

    /** Writes as long as the client keeps up, and goes on when it has caught up. */
    private static final class Streaming {
        private final Target target;
        private final Response response;
        private final int size;
        private int at;

        Streaming(Target target, Response response) {
            this.target = target;
            this.response = response;
            this.size = target.number("n");
        }

        void begin() {
            HostileHandler.begin(target, response).onWritable(this::advance);
            switch (target.kind()) {
                case STREAM -> response.stream();
                case SIZED -> response.stream(size);
                default -> response.stream(size + 1L);
            }
            advance();
        }

        private void advance() {
            while (at < size && response.isWritable()) {
                int shift = (MarkedBytes.at(target.key(), at) & 0xFF) % 15;
                int piece = Math.min(size - at, 1 << shift);
                response.write(MarkedBytes.of(target.key(), at, piece));
                at += piece;
            }
            if (at == size && !response.hasEnded()) {
                response.end();
            }
        }
    }

    private static void flood(Target target, Response response) throws Exception {
        int size = target.number("n");
        begin(target, response).stream(size);
        try {
            for (int at = 0; at < size; ) {
                int piece = Math.min(size - at, 10_000);
                response.write(MarkedBytes.of(target.key(), at, piece));
                at += piece;
            }
        } catch (IllegalStateException behind) {
            throw new Trouble.Thrown(Trouble.RUNTIME_EXCEPTION);
        }
        response.end();
    }

    // ---- bodies in pieces

    /** The handler of one request: state of its own, and no attachment. */
    private final class Pieces implements StreamHandler {
        /** A chunked body may have a thousand pieces, and its client has no patience. */
        private static final int PAUSES_MAX = 20;

        private final Target target;
        private final CRC32 sum = new CRC32();
        private long length;
        private Suspended suspended;
        private int pauses;

        Pieces(Target target) {
            this.target = target;
        }

        @Override
        public void begin(Request request, Response response) throws Exception {
            checkInterrupt(target);
            raiseAt(Place.AT_BEGIN);
            if (target.kind() == HandlerKind.PAUSE) {
                suspended = response.suspend();
                maybePause(response);
            }
            if (target.kind() == HandlerKind.ECHO) {
                HostileHandler.begin(target, response);
                if (request.contentLength() >= 0) {
                    response.stream(request.contentLength());
                } else {
                    response.stream();
                }
            }
        }

        @Override
        public void piece(Request request, Response response, ByteView piece) throws Exception {
            checkInterrupt(target);
            raiseAt(Place.AT_PIECE);
            if (target.kind() == HandlerKind.ECHO) {
                response.write(piece);
            } else {
                byte[] bytes = piece.toByteArray();
                sum.update(bytes);
                length += bytes.length;
            }
            if (target.kind() == HandlerKind.PAUSE) {
                maybePause(response);
            }
        }

        /** Now and then for good, as far as the client is concerned: it may leave meanwhile. */
        private void maybePause(Response response) {
            if (pauses < PAUSES_MAX && random.nextInt(3) != 0) {
                pauses++;
                response.pauseBody();
                later(
                        random.nextInt(20) == 0 ? 200_000 : pauseMicros(),
                        () -> suspended.resume((request, same) -> same.resumeBody()));
            }
        }

        @Override
        public void end(Request request, Response response) throws Exception {
            checkInterrupt(target);
            raiseAt(Place.AT_END);
            if (target.kind() == HandlerKind.ECHO) {
                response.end();
            } else {
                HostileHandler.begin(target, response)
                        .body(target.marker() + " " + length + " " + sum.getValue());
            }
        }

        @Override
        public void aborted(Request request) {
            if (Place.AT_ABORTED.name().equals(target.text("place"))) {
                raiseUnchecked(target);
            }
        }

        private void raiseAt(Place place) throws Exception {
            if (place.name().equals(target.text("place"))) {
                Trouble.valueOf(target.text("trouble")).raise();
            }
        }
    }

    // ---- other threads

    @SuppressWarnings("FutureReturnValueIgnored") // it reports its own failures
    private void later(int micros, Runnable task) {
        others.schedule(() -> runAlone(task), micros, TimeUnit.MICROSECONDS);
    }

    private void runAlone(Runnable task) {
        try {
            task.run();
        } catch (OutOfMemoryError full) {
            // Of HOARD. What is not done now is waited for.
            later(10_000, task);
        } catch (RuntimeException | Error failure) {
            astray("in a thread of its own: " + failure);
        }
    }

    private Reply block(Request request) throws Exception {
        Target target = Target.of(request.target().toString());
        if (target.number("sleep") > 0) {
            Thread.sleep(target.number("sleep"));
        }
        if (Place.AT_BLOCKING.name().equals(target.text("place"))) {
            Trouble.valueOf(target.text("trouble")).raise();
        }
        String text = digest(target.marker(), request.body().toByteArray());
        return Reply.text(text).header(MARKER, target.marker());
    }

    private static void echo(Request request, BlockingExchange exchange) throws Exception {
        Target target = Target.of(request.target().toString());
        exchange.header(MARKER, target.marker());
        exchange.body().transferTo(exchange.stream());
    }

    private void suspend(Target target, Response response) {
        Suspended suspended = response.suspend();
        int size = target.number("n");
        int first = target.number("first");
        later(
                target.number("pause") * 1000,
                () ->
                        suspended.resume(
                                (request, same) -> {
                                    checkInterrupt(target);
                                    if (first == 0) {
                                        whole(target, same);
                                        return;
                                    }
                                    begin(target, same).stream(size);
                                    same.write(MarkedBytes.of(target.key(), 0, first));
                                    suspended.resume(
                                            (sameRequest, again) -> {
                                                again.write(
                                                        MarkedBytes.of(
                                                                target.key(), first, size - first));
                                                again.end();
                                            });
                                }));
    }

    private void race(Target target, Response response) {
        Suspended suspended = response.suspend();
        Handler action =
                (request, same) -> {
                    if (same.hasBegun()) {
                        astray("resumed after the end of the response: " + target);
                    }
                    whole(target, same);
                };
        int pause = pauseMicros();
        for (int i = 0; i < 4; i++) {
            later(pause, () -> suspended.resume(action));
        }
        later(pause + 10_000, () -> suspended.resume(action));
    }

    private void otherThread(Target target, Response response) {
        Suspended suspended = response.suspend();
        boolean streams = target.number("stream") != 0;
        int size = target.number("n");
        if (streams) {
            begin(target, response).stream(size);
        }
        int which = random.nextInt(5);
        later(
                pauseMicros(),
                () -> {
                    refused(
                            "in another thread, without resume",
                            () -> {
                                switch (streams ? which % 3 : which) {
                                    case 0 -> response.write(new byte[] {1, 2, 3});
                                    case 1 -> response.end();
                                    case 2 -> response.body("in another thread");
                                    case 3 -> response.status(Status.CONFLICT);
                                    default -> response.send(PREPARED[0]);
                                }
                            });
                    suspended.resume(
                            (request, same) -> {
                                if (streams) {
                                    same.write(MarkedBytes.of(target.key(), 0, size));
                                    same.end();
                                } else {
                                    whole(target, same);
                                }
                            });
                });
    }

    // ---- across connections

    private void events(Target target, Response response) {
        response.header(MARKER, target.marker());
        if (target.kind() == HandlerKind.EVENTS_HEAD) {
            // Nobody keeps it: what is sent goes nowhere.
            EventStream.open(response, TICK).send("e", target.marker());
            return;
        }
        // Made before the stream, which may call it.
        Hub.Events[] events = new Hub.Events[1];
        EventStream stream = EventStream.open(response, TICK, () -> events[0].advance());
        events[0] = hub.open(target.marker(), stream, target.number("n"));
        if (target.number("at-once") != 0) {
            events[0].advance();
        }
    }

    private void hold(Target target, Response response) {
        int size = target.number("n");
        begin(target, response);
        if (target.number("chunked") != 0) {
            response.stream();
        } else {
            response.stream(size);
        }
        Hub.Held held = hub.hold(target.key(), response, size);
        response.onTick(TICK, held::advance).onAbort(() -> hub.lost(held));
    }

    private void poke(Target target, Response response) {
        boolean first = target.number("first") != 0;
        if (first) {
            begin(target, response);
        }
        for (int i = 0; i < 4; i++) {
            Hub.Events events = hub.anyStream(random);
            if (events != null) {
                events.advance();
            }
            Hub.Held held = hub.anyHeld(random);
            if (held != null) {
                held.advance();
            }
        }
        if (!first) {
            begin(target, response);
        }
        response.body(MarkedBytes.of(target.key(), 0, target.number("n")));
    }

    private void pokeEnded(Target target, Response response) {
        Hub.Events events = hub.anyEnded(random);
        if (events != null && events.stream().isGone()) {
            refused("on a stream that has ended", () -> events.stream().send(null, "late"));
        }
        whole(target, response);
    }

    private void wrongLoop(Target target, Response response) {
        Hub other = hubs.get(random.nextInt(hubs.size()));
        if (other != hub) {
            Hub.Events events = other.anyStream(random);
            if (events != null) {
                refused("on a stream of another loop", () -> events.stream().send(null, "astray"));
            }
            Hub.Held held = other.anyHeld(random);
            if (held != null) {
                refused("of another loop", () -> held.response().write(new byte[] {'x'}));
            }
        }
        whole(target, response);
    }

    // ---- failures

    private static void raiseUnchecked(Target target) {
        try {
            Trouble.valueOf(target.text("trouble")).raise();
        } catch (RuntimeException failure) {
            throw failure;
        } catch (Exception failure) {
            throw new IllegalArgumentException(Trouble.TEXT, failure);
        }
    }

    private void fail(Target target, Request request, Response response) throws Exception {
        Trouble trouble = Trouble.valueOf(target.text("trouble"));
        switch (Place.valueOf(target.text("place"))) {
            case AT_ABORT -> {
                response.suspend();
                response.onAbort(() -> raiseUnchecked(target));
            }
            case AT_BLOCKING -> blocking.handle(request, response);
            case AT_EXECUTE -> {
                response.header(MARKER, target.marker());
                EventStream stream = EventStream.open(response, TICK);
                later(pauseMicros(), () -> stream.execute(() -> raiseUnchecked(target)));
            }
            case AT_HANDLE -> trouble.raise();
            case AT_LATE -> {
                whole(target, response);
                trouble.raise();
            }
            case AT_MIDWAY -> {
                int size = target.number("n");
                begin(target, response).stream(size + 1L);
                response.write(MarkedBytes.of(target.key(), 0, size));
                trouble.raise();
            }
            case AT_RESUME -> {
                Suspended suspended = response.suspend();
                later(pauseMicros(), () -> suspended.resume((same, also) -> trouble.raise()));
            }
            case AT_TICK -> {
                if (target.number("stream") != 0) {
                    begin(target, response).stream();
                } else {
                    response.suspend();
                }
                response.onTick(TICK, () -> raiseUnchecked(target));
            }
            case AT_WRITABLE -> {
                // More than the kernel takes: what is left over makes the client be waited for.
                int size = target.number("n");
                begin(target, response).stream(size + 1L);
                response.onWritable(() -> raiseUnchecked(target));
                List<byte[]> pieces = new ArrayList<>();
                for (int at = 0; at < size; at += 10_000) {
                    pieces.add(MarkedBytes.of(target.key(), at, Math.min(10_000, size - at)));
                }
                for (byte[] piece : pieces) {
                    if (!response.isWritable()) {
                        return;
                    }
                    response.write(piece);
                }
                trouble.raise();
            }
            case AT_ABORTED, AT_BEGIN, AT_END, AT_PIECE, AT_ROUTE ->
                    new Pieces(target).handle(request, response);
        }
    }
}
