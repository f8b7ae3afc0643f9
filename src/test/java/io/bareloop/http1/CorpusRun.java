package io.bareloop.http1;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.exchange.Application;
import io.bareloop.http.Handler;
import io.bareloop.http.Request;
import io.bareloop.http.Timeouts;
import io.bareloop.rig.ScriptedTransport;
import io.bareloop.wire.OutputBuffer;
import io.bareloop.wire.Protocol;
import io.bareloop.wire.Slab;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;

/**
 * The ways in which the cases of the corpus are sent, in memory, to two applications: one that
 * takes bodies whole, and one that takes them in pieces. What stands between the client and
 * HTTP/1.1 is the {@link Wiring}, and must make no difference.
 */
final class CorpusRun {
    /** A longer case is not cut at every offset, but near its ends and at some between. */
    private static final int CUT_EVERYWHERE_BYTES_MAX = 2000;

    private static final int ENDS_BYTES = 100;
    private static final int OFFSET_STEP = 499;
    private static final int LARGE_BYTES = 64 << 10;
    private static final int LARGE_OFFSET_STEP = 32_749;
    private static final int PIECE_BYTES_MAX = 4001;
    private static final int WHOLE_WINDOW = Integer.MAX_VALUE;
    private static final int NARROW_WINDOW = 7;

    private final Wiring wiring;
    private final List<Side> sides;

    /** What the corpus passes on its way. */
    interface Wiring {
        /** The protocol that a connection begins with. */
        Protocol protocol(Arena arena, OutputBuffer out, Slab slab, Handler application);

        /** What a client sends so that {@code bytes} arrive; what is longer is in front. */
        default byte[] toServer(byte[] bytes) {
            return bytes;
        }

        /** What the client makes of what was sent to it. */
        default byte[] toClient(byte[] sent) {
            return sent;
        }

        default ScriptedTransport.Kernel kernel() {
            return ScriptedTransport.Kernel.CALLS;
        }
    }

    CorpusRun(Wiring wiring) {
        this.wiring = wiring;
        sides = List.of(new Side(wiring, false), new Side(wiring, true));
    }

    /** The corpus's own HTTP/1.1, with nothing else on the way. */
    static Protocol http(Arena arena, OutputBuffer out, Slab slab, Handler application) {
        return started(
                new Http1(
                        arena,
                        out,
                        slab,
                        CorpusCase.limits(),
                        Timeouts.defaults(),
                        Application.of(application, CorpusRun::failed)));
    }

    static Protocol started(Http1 http) {
        http.turn(0);
        return http.newProtocol();
    }

    static void failed(Request request, Throwable failure) {
        throw new AssertionError("no handler of the corpus fails", failure);
    }

    // ---- the ways

    /** Each part when all that the one before calls for has come, then the probe. */
    void partByPart(CorpusCase it) {
        byte[] bytes = wiring.toServer(it.bytes());
        for (Side side : sides) {
            side.runParts(it, bytes);
        }
    }

    void atOnce(CorpusCase it) {
        byte[] bytes = wiring.toServer(it.bytes());
        for (Side side : sides) {
            side.run(it, "at once", WHOLE_WINDOW, bytes);
            side.run(it, "at once by one who reads slowly", NARROW_WINDOW, bytes);
        }
    }

    void byteByByte(CorpusCase it) {
        byte[] bytes = wiring.toServer(it.bytes());
        // Of a large body only the pieces are small: each byte of it is like the one before.
        int length = bytes.length < LARGE_BYTES ? 1 : PIECE_BYTES_MAX;
        byte[][] pieces = new byte[(bytes.length + length - 1) / length][];
        for (int i = 0; i < pieces.length; i++) {
            pieces[i] = part(bytes, i * length, Math.min((i + 1) * length, bytes.length));
        }
        for (Side side : sides) {
            side.run(it, "byte by byte", WHOLE_WINDOW, pieces);
        }
    }

    void cutInTwoAnywhere(CorpusCase it) {
        cutInTwo(it, 1, 1);
    }

    /** Cuts at {@code from}, and every {@code step} bytes behind that. */
    void cutInTwo(CorpusCase it, int from, int step) {
        byte[] bytes = wiring.toServer(it.bytes());
        for (int at = from; at < bytes.length; at += step) {
            if (isWorthACut(bytes, at)) {
                byte[] front = part(bytes, 0, at);
                byte[] back = part(bytes, at, bytes.length);
                for (Side side : sides) {
                    side.run(it, "cut at " + at, WHOLE_WINDOW, front, back);
                }
            }
        }
    }

    private static boolean isWorthACut(byte[] bytes, int at) {
        return bytes.length <= CUT_EVERYWHERE_BYTES_MAX
                || at < ENDS_BYTES
                || bytes.length - at < ENDS_BYTES
                || at % (bytes.length < LARGE_BYTES ? OFFSET_STEP : LARGE_OFFSET_STEP) == 0;
    }

    private static byte[] part(byte[] bytes, int from, int to) {
        return Arrays.copyOfRange(bytes, from, to);
    }

    /** One application, and a connection slot that is used for all that is sent to it. */
    private static final class Side {
        private static final int OUT_BYTES = 64 << 10;
        private static final long SLAB_BYTES = 64 << 20;

        private final String name;
        private final Wiring wiring;
        private final Slab slab;
        private final ScriptedTransport transport;

        Side(Wiring wiring, boolean streamed) {
            this.wiring = wiring;
            name = streamed ? " (streamed)" : " (whole)";
            Arena arena = Arena.ofAuto();
            OutputBuffer out = new OutputBuffer(arena, OUT_BYTES);
            slab = new Slab(arena.allocate(SLAB_BYTES), (offset, bytes) -> {});
            Handler application = CorpusCase.application(streamed);
            transport =
                    new ScriptedTransport(
                            wiring.protocol(arena, out, slab, application),
                            out,
                            slab,
                            wiring.kernel());
        }

        void runParts(CorpusCase it, byte[] bytes) {
            int probeAt = bytes.length - it.probe().length;
            // What the wiring has put in front comes with the first part.
            int at = 0;
            int end = bytes.length - it.bytes().length;
            transport.open(WHOLE_WINDOW);
            try {
                for (byte[] part : it.parts()) {
                    end += part.length;
                    transport.arrive(part(bytes, at, end));
                    at = end;
                }
                it.checkParts(received(), "part by part" + name);
                assertThat(transport.isClosed()).as(it + ", closed").isEqualTo(it.closes());
                transport.arrive(part(bytes, probeAt, bytes.length));
                finish(it, "part by part" + name);
            } finally {
                transport.lose();
            }
        }

        void run(CorpusCase it, String how, int window, byte[]... pieces) {
            transport.open(window);
            try {
                for (byte[] piece : pieces) {
                    transport.arrive(piece);
                }
                finish(it, how + name);
            } finally {
                transport.lose();
            }
        }

        private byte[] received() {
            return wiring.toClient(transport.sent());
        }

        private void finish(CorpusCase it, String how) {
            int sent = transport.sent().length;
            it.check(received(), how);
            expect(it, how, "closed", transport.isClosed(), it.closes());
            if (it.closes()) {
                expect(
                        it,
                        how,
                        "lingers",
                        transport.hasLingered(),
                        it.end() != CorpusCase.End.LAST);
            }
            transport.endOfInput();
            expect(it, how, "closed at last", transport.isClosed(), true);
            expect(it, how, "bytes when half closed", transport.sent().length, sent);
            expect(it, how, "slices in use", slab.slicesInUse(), 0);
        }

        /** As an assertion, but for one that is made half a million times. */
        private static void expect(
                CorpusCase it, String how, String what, Object actual, Object expected) {
            if (!actual.equals(expected)) {
                throw new AssertionError(
                        it + ", sent " + how + ": " + what + " is " + actual + ", not " + expected);
            }
        }
    }
}
