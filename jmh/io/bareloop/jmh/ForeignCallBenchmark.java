package io.bareloop.jmh;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a critical call costs by itself: the part of picohttpparser's figure that is not its own in
 * {@link ParserPeersBenchmark}.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class ForeignCallBenchmark {
    @SuppressWarnings("restricted")
    private static final MethodHandle ABS =
            Linker.nativeLinker()
                    .downcallHandle(
                            Linker.nativeLinker().defaultLookup().find("abs").orElseThrow(),
                            FunctionDescriptor.of(JAVA_INT, JAVA_INT),
                            Linker.Option.critical(false));

    public int number = -7;

    /** Three instructions of C. */
    @Benchmark
    public int emptyCall() throws Throwable {
        int result = (int) ABS.invokeExact(number);
        if (result != 7) {
            throw new IllegalStateException("abs: " + result);
        }
        return result;
    }

    /** Debian's library, called with ten arguments of which the length is none. */
    @State(Scope.Thread)
    public static class Pico {
        private final Picohttpparser parser = Picohttpparser.fromDebian();

        public Pico() {
            parser.load(new byte[][] {HeadParser.bytes(ParserBenchmark.WRK)});
        }
    }

    /** The call of the parser without a byte to parse. */
    @Benchmark
    public int parserCallWithNothing(Pico pico) {
        int result = pico.parser.parseNothing();
        if (result != -2) {
            throw new IllegalStateException("phr_parse_request: " + result);
        }
        return result;
    }
}
