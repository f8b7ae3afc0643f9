package io.bareloop.hostile;

import java.io.IOException;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/**
 * One client thread: a connection after another, each of a random kind and with a script of its
 * own, until it is told to stop. Every byte that comes is compared.
 */
final class HostileClient implements Runnable {
    /**
     * Of a request that took so long, half of the server's shortest time-out, nobody can say
     * whether a time-out was in its right.
     */
    private static final long SLOW_NANOS = TimeUnit.SECONDS.toNanos(2);

    /** Until the server says for which connections it has got a fault. */
    private static final int KILLED_MILLIS_MAX = 3_000;

    private static final int END_MILLIS_MAX = 10_000;

    private static final int CROWD_MAX = 400;

    /** 127.1.0.0: what is below belongs to others. */
    private static final int ADDRESS_MIN = 0x7F01_0000;

    private static final int ADDRESSES = 0xFD_0000;

    private final HostileRound round;
    private final int number;
    private final List<ClientKind> kinds = new ArrayList<>();
    private final Set<String> without;
    private final Tally fates;

    // Of the connection at hand.
    private SplittableRandom random;
    private Script script;
    private Wire wire;
    private AnswerReader reader;
    private int address;
    private ClientKind kind;
    private final List<Ask> asked = new ArrayList<>();
    private long begunNanos;

    /** The connection may end behind the last response, though that did not say so. */
    private boolean endsSilently;

    HostileClient(HostileRound round, int number) {
        this.round = round;
        this.number = number;
        this.without = round.options().without();
        this.fates = round.tallies().fates();
        for (ClientKind one : ClientKind.values()) {
            if (!without.contains(one.name())) {
                kinds.add(one);
            }
        }
    }

    @Override
    public void run() {
        try (Selector selector = Selector.open()) {
            for (int session = 0; !round.isOver(); session++) {
                long seed =
                        MarkedBytes.mix(
                                round.seed() + number * 1_000_003L + session * 0x1_0000_0001L);
                random = new SplittableRandom(seed);
                kind = kinds.get(random.nextInt(kinds.size()));
                address = ADDRESS_MIN + (session * round.options().clients() + number) % ADDRESSES;
                script = new Script(random, without, number + "-" + session);
                asked.clear();
                round.tallies().clients().add(kind.name());
                try {
                    session(selector);
                } catch (Astray astray) {
                    fates.add("ASTRAY");
                    round.fault(
                            describe(session) + ": " + astray.getMessage() + round.closed(address));
                } catch (IOException failure) {
                    fates.add("FAILED");
                    round.fault(describe(session) + ": " + failure);
                }
            }
        } catch (IOException | RuntimeException | Error failure) {
            round.fault("client " + number + " failed: " + failure);
            failure.printStackTrace();
        }
    }

    private String describe(int session) {
        return "client "
                + number
                + ", connection "
                + session
                + ", "
                + kind
                + ", asked "
                + asked.stream().map(Ask::label).toList();
    }

    private void session(Selector selector) throws IOException {
        int port = round.port(random.nextInt(round.options().loops()));
        int receiveBytes =
                kind == ClientKind.NEVER_READING || random.nextInt(8) == 0 ? 64 << 10 : 0;
        begunNanos = System.nanoTime();
        endsSilently = false;
        try (Wire opened = new Wire(selector, address, port, receiveBytes)) {
            wire = opened;
            reader = new AnswerReader(wire, round.tallies().bytes());
            switch (kind) {
                case CROWD -> crowd(selector, port);
                case DEAF -> deaf();
                case GREEDY -> pipelining(Script.Purpose.LARGE, 2 + random.nextInt(5));
                case HALF_BODY -> halfBody();
                case HALF_CLOSING -> halfClosing();
                case LISTENING -> listening();
                case MALFORMED -> malformed();
                case NEVER_READING -> neverReading();
                case OVERSIZED -> {
                    ask(script.oversized());
                    answers(asked);
                }
                case PIPELINING -> pipelining(Script.Purpose.ANY, 2 + random.nextInt(20));
                case POLITE -> polite(Script.Purpose.ANY, 1 + random.nextInt(40));
                case RESETTING -> resetting();
                case SLOW -> slow();
                case UNFINISHED -> unfinished();
                case UPLOADING -> uploading();
                case VANISHING -> vanishing();
            }
        }
    }

    // ---- kinds of clients

    private void polite(Script.Purpose purpose, int requests) throws IOException {
        for (int i = 0; i < requests && !round.isOver(); i++) {
            asked.clear();
            ask(script.next(purpose));
            if (!answers(asked)) {
                return;
            }
        }
        nothingMore();
    }

    private void pipelining(Script.Purpose purpose, int requests) throws IOException {
        for (int i = 0; i < requests; i++) {
            ask(script.next(purpose));
        }
        if (answers(asked)) {
            nothingMore();
        }
    }

    private void slow() throws IOException {
        wire.sendSlowly(1 + random.nextInt(60), 1 + random.nextInt(8));
        wire.readSlowly(200 + random.nextInt(4000), random.nextInt(4));
        asked.clear();
        for (int i = 1 + random.nextInt(3); i > 0; i--) {
            ask(script.next(random.nextInt(4) == 0 ? Script.Purpose.LIVE : Script.Purpose.ANY));
            // A large body would take longer than the server waits.
            if (asked.getLast().body().length > 4000) {
                wire.sendSlowly(8_000, 2);
            }
        }
        if (answers(asked)) {
            nothingMore();
        }
    }

    private void uploading() throws IOException {
        if (random.nextBoolean()) {
            wire.sendSlowly(1_000 + random.nextInt(20_000), random.nextInt(3));
        }
        polite(Script.Purpose.UPLOAD, 1 + random.nextInt(6));
    }

    private void halfClosing() throws IOException {
        Script.Purpose purpose =
                switch (random.nextInt(3)) {
                    case 0 -> Script.Purpose.UPLOAD;
                    case 1 -> Script.Purpose.LIVE;
                    default -> Script.Purpose.ANY;
                };
        for (int i = random.nextInt(purpose == Script.Purpose.ANY ? 15 : 4); i >= 0; i--) {
            ask(script.next(purpose));
        }
        wire.endOutput();
        if (answers(asked)) {
            ended();
        }
    }

    private void listening() throws IOException {
        if (random.nextInt(4) > 0) {
            polite(Script.Purpose.LIVE, 1 + random.nextInt(3));
            return;
        }
        ask(script.next(Script.Purpose.LIVE));
        wire.sendAll(END_MILLIS_MAX);
        Wire.sleep(random.nextInt(200));
        leave();
    }

    private void resetting() throws IOException {
        int requests = 1 + random.nextInt(4);
        for (int i = 0; i < requests; i++) {
            ask(script.next(random.nextBoolean() ? Script.Purpose.LARGE : Script.Purpose.ANY));
        }
        if (random.nextInt(4) == 0) {
            ask(script.fail(Place.AT_ABORT));
        }
        wire.sendAll(300);
        if (answers(asked.subList(0, random.nextInt(asked.size())))) {
            Wire.sleep(random.nextInt(30));
        }
        wire.reset();
        fates.add("reset by the client");
    }

    private void neverReading() throws IOException {
        for (int i = random.nextInt(4); i >= 0; i--) {
            ask(script.next(Script.Purpose.LARGE));
        }
        wire.sendAll(300);
        // Now and then for longer than the server waits.
        boolean long1 = random.nextInt(60) == 0;
        Wire.sleep(long1 ? (int) HostileServer.SEND_TIME.toMillis() * 2 : random.nextInt(900));
        if (random.nextBoolean()) {
            answers(asked);
        } else {
            leave();
        }
    }

    private void deaf() throws IOException {
        int max = HostileServer.BODY_BYTES_MAX;
        Ask ask;
        if (random.nextInt(3) == 0) {
            ask = script.upload(HandlerKind.COLLECT, random.nextInt(max));
        } else {
            int size = max + 1 + random.nextInt(random.nextInt(4) == 0 ? 20 * max : max);
            ask = script.upload(HandlerKind.COLLECT, size).without(200).error(413);
        }
        ask(ask);
        wire.sendAll(END_MILLIS_MAX);
        if (wire.isOutputBroken()
                && !round.isMemoryShort()
                && System.nanoTime() - begunNanos < SLOW_NANOS
                && !round.wasKilled(address, KILLED_MILLIS_MAX)) {
            throw new Astray("a reset ahead of the response to " + ask);
        }
        answers(asked);
    }

    private void halfBody() throws IOException {
        HandlerKind[] uploads = {
            HandlerKind.COLLECT,
            HandlerKind.ECHO,
            HandlerKind.ECHO_BLOCKING,
            HandlerKind.PAUSE,
            HandlerKind.UPLOAD
        };
        boolean fails = random.nextInt(3) == 0;
        Ask ask =
                fails
                        ? script.fail(Place.AT_ABORTED)
                        : script.upload(
                                uploads[random.nextInt(uploads.length)],
                                2 + random.nextInt(100_000));
        asked.add(ask);
        round.tallies().requests().add(ask.label());
        wire.send(ask.head());
        if (ask.body().length == 0) {
            return;
        }
        wire.send(Arrays.copyOf(ask.body(), random.nextInt(ask.body().length)));
        if (random.nextBoolean()) {
            wire.sendAll(END_MILLIS_MAX);
            Wire.sleep(random.nextInt(20));
            leave();
            return;
        }
        // No response: there is no request to answer.
        ask.may(Ask.Way.NO_ANSWER).may(Ask.Way.ALWAYS_CUT);
        wire.endOutput();
        answers(asked);
    }

    private void malformed() throws IOException {
        for (int i = random.nextInt(3); i > 0; i--) {
            ask(script.next(Script.Purpose.ANY));
        }
        Ask malformed = script.malformed();
        if (!asked.isEmpty()) {
            // Behind a response that the client does not take there may be no room for an error.
            malformed.may(Ask.Way.NO_ANSWER);
        }
        ask(malformed);
        answers(asked);
    }

    private void unfinished() throws IOException {
        Ask ask = script.longHead();
        asked.add(ask);
        round.tallies().requests().add(ask.label());
        int first = 1 + random.nextInt(ask.head().length - 2);
        wire.send(Arrays.copyOf(ask.head(), first));
        wire.sendAll(END_MILLIS_MAX);
        // Now and then for longer than the server waits.
        if (random.nextInt(40) == 0) {
            answers(asked);
            return;
        }
        Wire.sleep(random.nextInt(800));
        if (random.nextInt(3) == 0) {
            leave();
            return;
        }
        wire.send(Arrays.copyOfRange(ask.head(), first, ask.head().length));
        if (answers(asked)) {
            nothingMore();
        }
    }

    /** All of them from the same address, so that a fault of one is an excuse for all. */
    private void crowd(Selector selector, int port) throws IOException {
        if (!round.beginCrowd()) {
            vanishing();
            return;
        }
        List<Wire> wires = new ArrayList<>();
        List<Ask> asks = new ArrayList<>();
        List<Integer> sent = new ArrayList<>();
        try {
            for (int i = 100 + random.nextInt(CROWD_MAX - 100); i > 0 && !round.isOver(); i--) {
                Ask ask =
                        round.isMemoryShort() && random.nextInt(8) == 0
                                ? script.upload(HandlerKind.COLLECT, 100_000)
                                : script.longHead();
                byte[] bytes = ask.bytes();
                int first = bytes.length - 1 - random.nextInt(500);
                wires.add(new Wire(selector, address, port, 0).send(Arrays.copyOf(bytes, first)));
                wires.getLast().sendAll(END_MILLIS_MAX);
                asks.add(ask);
                sent.add(first);
            }
            fates.add("of a crowd", wires.size());
            Wire.sleep(random.nextInt(800));
            for (int i = 0; i < wires.size(); i += 1 + random.nextInt(10)) {
                byte[] bytes = asks.get(i).bytes();
                wire = wires.get(i);
                reader = new AnswerReader(wire, round.tallies().bytes());
                wire.send(Arrays.copyOfRange(bytes, sent.get(i), bytes.length));
                answers(asks.subList(i, i + 1));
            }
        } finally {
            for (Wire one : wires) {
                one.close();
            }
            round.endCrowd();
        }
    }

    private void vanishing() throws IOException {
        if (random.nextBoolean()) {
            byte[] head = script.whole().head();
            wire.send(Arrays.copyOf(head, random.nextInt(head.length)));
            wire.sendAll(END_MILLIS_MAX);
        }
        leave();
    }

    private void leave() throws IOException {
        if (random.nextBoolean()) {
            wire.reset();
            fates.add("reset by the client");
        } else {
            fates.add("closed by the client");
        }
    }

    // ---- what comes

    /** Sends a request, unless the one before was the connection's last. */
    private void ask(Ask ask) {
        if (!asked.isEmpty() && asked.getLast().isLast()) {
            return;
        }
        asked.add(ask);
        round.tallies().requests().add(ask.label());
        wire.send(ask.head());
        wire.send(ask.body());
    }

    /** Reads the responses to {@code asks}; returns whether the connection goes on. */
    private boolean answers(List<Ask> asks) throws IOException {
        for (Ask ask : asks) {
            if (ask.mayBe(Ask.Way.UNANSWERED)) {
                return true;
            }
            long since = System.nanoTime();
            Answer answer;
            try {
                answer = reader.read(ask);
            } catch (Astray astray) {
                throw new Astray("to " + ask + ": " + astray.getMessage());
            }
            round.tallies().statuses().add(answer.status() == 0 ? "none" : "" + answer.status());
            boolean slow = System.nanoTime() - Math.max(since, begunNanos) > SLOW_NANOS;
            if (answer.fate() == Answer.Fate.NONE && endsSilently) {
                fates.add("cut off, as it must be");
                return false;
            }
            endsSilently = ask.mayBe(Ask.Way.LAST);
            judge(ask, answer, slow || System.nanoTime() - begunNanos > 2 * SLOW_NANOS);
            if (answer.fate() != Answer.Fate.WHOLE) {
                return false;
            }
            if (answer.closes()) {
                ended();
                return false;
            }
        }
        return true;
    }

    private void judge(Ask ask, Answer answer, boolean slow) {
        boolean short1 = round.isMemoryShort();
        boolean allowed =
                ask.allows(answer.status())
                        || (short1 && (answer.status() == 503 || answer.status() == 500))
                        || (slow && answer.status() == 408);
        boolean cut = ask.mayBe(Ask.Way.CUT, Ask.Way.ALWAYS_CUT);
        boolean good =
                switch (answer.fate()) {
                    case WHOLE ->
                            allowed && (answer.status() >= 300 || !ask.mayBe(Ask.Way.ALWAYS_CUT));
                    case CUT -> allowed && cut;
                    case NONE -> ask.mayBe(Ask.Way.NO_ANSWER);
                    case STALLED -> false;
                };
        if (good) {
            if (answer.fate() != Answer.Fate.WHOLE) {
                fates.add("cut off, as it must be");
            }
            return;
        }
        if (answer.fate() == Answer.Fate.CUT || answer.fate() == Answer.Fate.NONE) {
            if (round.wasKilled(address, 0)) {
                fates.add("cut off by a fault");
                return;
            }
            if (short1) {
                fates.add("cut off, memory is short");
                return;
            }
            if (slow) {
                fates.add("cut off, slow machine");
                return;
            }
            if (round.wasKilled(address, KILLED_MILLIS_MAX)) {
                fates.add("cut off by a fault");
                return;
            }
        }
        throw new Astray(
                "to "
                        + ask
                        + ": "
                        + answer
                        + (wire.wasReset() ? ", reset" : "")
                        + ", expected "
                        + ask.statuses());
    }

    /** The server has said that it closes, or has to: nothing else may come. */
    private void ended() throws IOException {
        String instead = reader.end(END_MILLIS_MAX);
        if (instead != null) {
            throw new Astray("behind the last response, instead of the end: " + instead);
        }
        fates.add("closed by the server");
    }

    private void nothingMore() throws IOException {
        String surplus = reader.surplus();
        if (surplus != null) {
            throw new Astray("that nobody has asked for: " + surplus);
        }
        fates.add("closed by the client");
    }
}
