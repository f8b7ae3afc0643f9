package io.bareloop.http1;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.Timeouts;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.ScriptedTransport;
import io.bareloop.wire.OutputBuffer;
import io.bareloop.wire.Slab;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The corpus of raw requests, in memory: however the bytes are cut on their way, the outcome is the
 * one that the case says. Each is given to two applications: one that takes bodies whole, and one
 * that takes them in pieces.
 */
class CorpusTest {
    /** What has become of the issue that asked for it. */
    private static final int CASES_MIN = 400;

    /** A longer case is not cut at every offset, but near its ends and at some between. */
    private static final int CUT_EVERYWHERE_BYTES_MAX = 2000;

    private static final int ENDS_BYTES = 100;
    private static final int OFFSET_STEP = 499;
    private static final int LARGE_BYTES = 64 << 10;
    private static final int LARGE_OFFSET_STEP = 32_749;
    private static final int PIECE_BYTES_MAX = 4001;
    private static final int WHOLE_WINDOW = Integer.MAX_VALUE;
    private static final int NARROW_WINDOW = 7;

    private static final List<CorpusCase> CASES = CorpusCase.all();
    private static final Side WHOLE = new Side(false);
    private static final Side STREAMED = new Side(true);

    static List<CorpusCase> cases() {
        return CASES;
    }

    @Test
    void thereAreEnoughAndNoneTwice() {
        assertThat(CASES).hasSizeGreaterThanOrEqualTo(CASES_MIN);
        assertThat(CASES).extracting(CorpusCase::title).doesNotHaveDuplicates();
        assertThat(CASES)
                .extracting(it -> it.parts().stream().map(Bytes::toString).toList())
                .doesNotHaveDuplicates();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void partByPart(CorpusCase it) {
        for (Side side : List.of(WHOLE, STREAMED)) {
            side.runParts(it);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void atOnce(CorpusCase it) {
        byte[] bytes = it.bytes();
        for (Side side : List.of(WHOLE, STREAMED)) {
            side.run(it, "at once", WHOLE_WINDOW, bytes);
            side.run(it, "at once by one who reads slowly", NARROW_WINDOW, bytes);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void byteByByte(CorpusCase it) {
        byte[] bytes = it.bytes();
        // Of a large body only the pieces are small: each byte of it is like the one before.
        int length = bytes.length < LARGE_BYTES ? 1 : PIECE_BYTES_MAX;
        byte[][] pieces =
                IntStream.iterate(0, at -> at < bytes.length, at -> at + length)
                        .mapToObj(at -> part(bytes, at, Math.min(at + length, bytes.length)))
                        .toArray(byte[][]::new);
        for (Side side : List.of(WHOLE, STREAMED)) {
            side.run(it, "byte by byte", WHOLE_WINDOW, pieces);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void cutInTwoAnywhere(CorpusCase it) {
        byte[] bytes = it.bytes();
        for (int at = 1; at < bytes.length; at++) {
            if (isWorthACut(bytes, at)) {
                byte[] front = part(bytes, 0, at);
                byte[] back = part(bytes, at, bytes.length);
                for (Side side : List.of(WHOLE, STREAMED)) {
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
        private final Slab slab;
        private final ScriptedTransport transport;

        Side(boolean streamed) {
            name = streamed ? " (streamed)" : " (whole)";
            Arena arena = Arena.ofAuto();
            OutputBuffer out = new OutputBuffer(arena, OUT_BYTES);
            slab = new Slab(arena.allocate(SLAB_BYTES), (offset, bytes) -> {});
            Http1 http =
                    new Http1(
                            arena,
                            out,
                            slab,
                            CorpusCase.limits(),
                            Timeouts.defaults(),
                            CorpusCase.application(streamed),
                            failure -> {
                                throw new AssertionError("no handler of the corpus fails", failure);
                            });
            http.turn(0);
            transport = new ScriptedTransport(http.newProtocol(), out, slab);
        }

        /** Sends the parts one after another, then the probe. */
        void runParts(CorpusCase it) {
            transport.open(WHOLE_WINDOW);
            try {
                it.parts().forEach(transport::arrive);
                it.checkParts(transport.sent(), "part by part" + name);
                assertThat(transport.isClosed()).as(it + ", closed").isEqualTo(it.closes());
                transport.arrive(it.probe());
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

        private void finish(CorpusCase it, String how) {
            byte[] sent = transport.sent();
            it.check(sent, how);
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
            expect(it, how, "bytes when half closed", transport.sent().length, sent.length);
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
