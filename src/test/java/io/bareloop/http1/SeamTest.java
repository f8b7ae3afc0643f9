package io.bareloop.http1;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.exchange.Application;
import io.bareloop.http.Handler;
import io.bareloop.http.Limits;
import io.bareloop.http.MediaType;
import io.bareloop.http.Timeouts;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.Prelude;
import io.bareloop.rig.ScriptedTransport;
import io.bareloop.rig.ScriptedTransport.Kernel;
import io.bareloop.rig.XorLayer;
import io.bareloop.wire.OutputBuffer;
import io.bareloop.wire.Protocol;
import io.bareloop.wire.Slab;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What {@code Protocol}, {@code Transport} and {@code Writer} are good for beside a socket and
 * HTTP/1.1: the whole corpus passes through stand-ins of a completion engine, of a PROXY header, of
 * TLS and of HTTP/2, which make no difference.
 */
class SeamTest {
    private static final List<CorpusCase> CASES = CorpusCase.all();
    private static final int CUT_STEP = 3;

    /** What the corpus passes. */
    enum Stand implements CorpusRun.Wiring {
        /** A flush takes nothing before a later turn. */
        RING {
            @Override
            public Kernel kernel() {
                return Kernel.RING;
            }
        },

        /** A line comes first, which another protocol takes. */
        PRELUDE {
            @Override
            public Protocol protocol(
                    Arena arena, OutputBuffer out, Slab slab, Handler application) {
                return new Prelude(CorpusRun.http(arena, out, slab, application));
            }

            @Override
            public byte[] toServer(byte[] bytes) {
                return behind(Prelude.LINE, bytes);
            }
        },

        /** Three of them, so that more than one may end in the same region. */
        PRELUDES {
            @Override
            public Protocol protocol(
                    Arena arena, OutputBuffer out, Slab slab, Handler application) {
                Protocol http = CorpusRun.http(arena, out, slab, application);
                return new Prelude(new Prelude(new Prelude(http)));
            }

            @Override
            public byte[] toServer(byte[] bytes) {
                return behind(Prelude.LINE + "\r\n" + Prelude.LINE, bytes);
            }
        },

        /** What arrives is decoded, what is sent is coded, by a protocol that is a transport. */
        LAYER {
            @Override
            public Protocol protocol(
                    Arena arena, OutputBuffer out, Slab slab, Handler application) {
                return layer(arena, slab, plain -> CorpusRun.http(arena, plain, slab, application));
            }

            @Override
            public byte[] toServer(byte[] bytes) {
                return XorLayer.code(bytes, 0);
            }

            @Override
            public byte[] toClient(byte[] sent) {
                return XorLayer.code(sent, 0);
            }
        },

        /** Responses are written as frames. */
        FRAMES {
            @Override
            public Protocol protocol(
                    Arena arena, OutputBuffer out, Slab slab, Handler application) {
                return framed(arena, out, slab, application);
            }

            @Override
            public byte[] toClient(byte[] sent) {
                return FrameWriter.text(sent);
            }
        },

        /** All of them: a line, then a layer, in that another line, then frames; by a ring. */
        ALL {
            @Override
            public Protocol protocol(
                    Arena arena, OutputBuffer out, Slab slab, Handler application) {
                return new Prelude(
                        layer(
                                arena,
                                slab,
                                plain -> new Prelude(framed(arena, plain, slab, application))));
            }

            @Override
            public byte[] toServer(byte[] bytes) {
                return behind(Prelude.LINE, XorLayer.code(behind(Prelude.LINE, bytes), 0));
            }

            @Override
            public byte[] toClient(byte[] sent) {
                return FrameWriter.text(XorLayer.code(sent, 0));
            }

            @Override
            public Kernel kernel() {
                return Kernel.RING;
            }
        };

        @Override
        public Protocol protocol(Arena arena, OutputBuffer out, Slab slab, Handler application) {
            return CorpusRun.http(arena, out, slab, application);
        }

        private static Protocol layer(
                Arena arena, Slab slab, Function<OutputBuffer, Protocol> inside) {
            return XorLayer.around(arena, slab, inside);
        }

        private static Protocol framed(
                Arena arena, OutputBuffer out, Slab slab, Handler application) {
            return CorpusRun.started(
                    new Http1(
                            arena,
                            out,
                            slab,
                            CorpusCase.limits(),
                            Timeouts.defaults(),
                            Application.of(application, CorpusRun::failed),
                            FrameWriter::new));
        }

        private static byte[] behind(String front, byte[] bytes) {
            return Bytes.of(front + Bytes.toString(bytes));
        }
    }

    @ParameterizedTest
    @EnumSource
    void partByPart(Stand stand) {
        CASES.forEach(new CorpusRun(stand)::partByPart);
    }

    @ParameterizedTest
    @EnumSource
    void atOnce(Stand stand) {
        CASES.forEach(new CorpusRun(stand)::atOnce);
    }

    @ParameterizedTest
    @EnumSource
    void byteByByte(Stand stand) {
        CASES.forEach(new CorpusRun(stand)::byteByByte);
    }

    @ParameterizedTest
    @EnumSource
    void cutInTwo(Stand stand) {
        CorpusRun run = new CorpusRun(stand);
        for (int i = 0; i < CASES.size(); i++) {
            // Of each case some; of all together every offset.
            run.cutInTwo(CASES.get(i), 1 + i % CUT_STEP, CUT_STEP);
        }
    }

    /** That the kernel has not taken all at once is no reason to leave out the last answer. */
    @ParameterizedTest
    @EnumSource
    void aRefusalBehindAFullBufferIsSent(Kernel kernel) {
        int answers = 70;
        byte[] body = new byte[1000];
        Arena arena = Arena.ofAuto();
        OutputBuffer out = new OutputBuffer(arena, 64 << 10);
        Slab slab = new Slab(arena.allocate(1 << 20), (offset, bytes) -> {});
        Http1 http =
                new Http1(
                        arena,
                        out,
                        slab,
                        Limits.defaults(),
                        Timeouts.defaults(),
                        Application.of(
                                (request, response) ->
                                        response.contentType(MediaType.TEXT).body(body),
                                CorpusRun::failed));
        for (int valid = 0; valid < answers; valid++) {
            ScriptedTransport transport =
                    new ScriptedTransport(CorpusRun.started(http), out, slab, kernel);
            transport.open(Integer.MAX_VALUE);
            String requests =
                    "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(valid) + "NONSENSE\r\n\r\n";
            transport.arrive(Bytes.of(requests));
            assertThat(transport.isClosed()).isTrue();
            List<Integer> statuses =
                    Pattern.compile("HTTP/1.1 (\\d+) ")
                            .matcher(Bytes.toString(transport.sent()))
                            .results()
                            .map(it -> Integer.valueOf(it.group(1)))
                            .toList();
            assertThat(statuses).hasSize(valid + 1).endsWith(400);
        }
    }
}
