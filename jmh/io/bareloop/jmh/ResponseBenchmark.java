package io.bareloop.jmh;

import io.bareloop.exchange.Application;
import io.bareloop.http.Handler;
import io.bareloop.http.Limits;
import io.bareloop.http.MediaType;
import io.bareloop.http.Prepared;
import io.bareloop.http.Router;
import io.bareloop.http.Timeouts;
import io.bareloop.http1.Http1;
import io.bareloop.wire.FileSource;
import io.bareloop.wire.OutputBuffer;
import io.bareloop.wire.Peer;
import io.bareloop.wire.Protocol;
import io.bareloop.wire.Slab;
import io.bareloop.wire.Transport;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The whole of the protocol without the kernel: a batch of 16 pipelined requests parsed, routed and
 * answered into the output buffer. Per request.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class ResponseBenchmark {
    private static final int DEPTH = 16;
    private static final byte[] HELLO = "Hello, World!".getBytes(StandardCharsets.US_ASCII);

    /** How the response is made: put together for each request, or prepared. */
    @Param({"composed", "prepared"})
    public String response;

    private Arena arena;
    private Discarding transport;
    private Protocol protocol;
    private MemorySegment in;
    private int bytes;

    /** Sets up one connection, and looks at what it answers. */
    @Setup
    public void open() {
        arena = Arena.ofShared();
        transport = new Discarding(new OutputBuffer(arena, 64 << 10));
        Handler composed = (request, answer) -> answer.contentType(MediaType.TEXT).body(HELLO);
        Handler application =
                Router.builder()
                        .get("/composed", composed)
                        .get("/prepared", Prepared.text("Hello, World!"))
                        .build();
        Http1 http =
                new Http1(
                        arena,
                        transport.output(),
                        new Slab(arena.allocate(1 << 20), (offset, bytes) -> {}),
                        Limits.defaults(),
                        Timeouts.defaults(),
                        Application.of(
                                application,
                                (request, failure) -> {
                                    throw new IllegalStateException(failure);
                                }));
        http.turn(System.nanoTime());
        protocol = http.newProtocol();
        protocol.open(transport);
        byte[] batch =
                ("GET /" + response + " HTTP/1.1\r\nHost: 127.0.0.1:2342\r\n\r\n")
                        .repeat(DEPTH)
                        .getBytes(StandardCharsets.US_ASCII);
        bytes = batch.length;
        in = arena.allocate(bytes, Long.BYTES);
        MemorySegment.copy(batch, 0, in, ValueLayout.JAVA_BYTE, 0, bytes);
        protocol.receive(in, 0, bytes);
        OutputBuffer out = transport.output();
        byte[] answer = new byte[out.position()];
        MemorySegment.copy(out.segment(), ValueLayout.JAVA_BYTE, 0, answer, 0, answer.length);
        String text = new String(answer, StandardCharsets.US_ASCII);
        if (text.split("Content-Length: 13\r\n\r\nHello, World!", -1).length != DEPTH + 1) {
            throw new IllegalStateException(text);
        }
        out.clear();
    }

    /** Gives the memory back. */
    @TearDown
    public void close() {
        arena.close();
    }

    /** Parses and answers the batch. */
    @Benchmark
    @OperationsPerInvocation(DEPTH)
    public int answer() {
        if (protocol.receive(in, 0, bytes) != bytes) {
            throw new IllegalStateException("not all consumed");
        }
        int length = transport.output().position();
        transport.output().clear();
        return length;
    }

    /** A transport that sends nowhere. */
    private static final class Discarding implements Transport {
        private final Peer peer = new Peer();
        private final OutputBuffer out;

        Discarding(OutputBuffer out) {
            this.out = out;
        }

        @Override
        public OutputBuffer output() {
            return out;
        }

        @Override
        public boolean flush() {
            out.clear();
            return true;
        }

        @Override
        public long sendFile(FileSource file, long offset, long length) {
            throw new IllegalStateException("nothing sends files here");
        }

        @Override
        public long sendMemory(MemorySegment memory, long offset, long length) {
            out.clear();
            return length;
        }

        @Override
        public void pause() {}

        @Override
        public void resume() {}

        @Override
        public void closeWhenSent(boolean linger) {
            throw new IllegalStateException("nothing closes here");
        }

        @Override
        public void abort() {
            throw new IllegalStateException("nothing here fails");
        }

        @Override
        public void writableLater() {
            throw new AssertionError();
        }

        @Override
        public void become(Protocol next) {
            throw new AssertionError();
        }

        @Override
        public void deadline(long nanos) {}

        @Override
        public long now() {
            return 0;
        }

        @Override
        public void countRequest() {}

        @Override
        public void countError() {}

        @Override
        public int unsentBytes() {
            return 0;
        }

        @Override
        public long sentBytes() {
            return 0;
        }

        @Override
        public long outputBytes() {
            return 0;
        }

        @Override
        public Peer peer() {
            return peer;
        }

        @Override
        public void execute(Runnable task) {
            task.run();
        }
    }
}
