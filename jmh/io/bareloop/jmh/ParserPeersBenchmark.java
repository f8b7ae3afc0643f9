package io.bareloop.jmh;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The parser beside those of others, on the three heads of {@link ParserBenchmark}: each as its own
 * server uses it, in a JVM of its own, its answer checked. With {@code fields=same} one client
 * sends the same head again and again; with {@code fields=new} no two in a row have the same Host.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class ParserPeersBenchmark {
    @Param({
        "bareloop",
        "picohttpparser-debian",
        "picohttpparser-native",
        "netty",
        "jetty",
        "helidon",
        "undertow",
        "microhttp"
    })
    public String parser;

    @Param({"wrk", "techempower", "browser"})
    public String request;

    @Param({"same", "new"})
    public String fields;

    private HeadParser subject;
    private int fieldCount;
    private int next;

    /** Loads the heads, and looks at what is found in each. */
    @Setup
    public void loadAndCheck() {
        subject = HeadParser.named(parser);
        String text =
                switch (request) {
                    case "wrk" -> ParserBenchmark.WRK;
                    case "techempower" -> ParserBenchmark.TECHEMPOWER;
                    case "browser" -> ParserBenchmark.BROWSER;
                    default -> throw new IllegalArgumentException("no request: " + request);
                };
        String[] heads = new String[ParserBenchmark.HEADS];
        byte[][] bytes = new byte[heads.length][];
        for (int i = 0; i < heads.length; i++) {
            heads[i] =
                    fields.equals("same") ? text : text.replaceFirst("10", String.valueOf(10 + i));
            bytes[i] = HeadParser.bytes(heads[i]);
        }
        subject.load(bytes);
        fieldCount = text.split("\r\n", 0).length - 1;
        // Twice, for a parser may remember.
        for (int i = 0; i < 2 * heads.length; i++) {
            check(heads[i % heads.length], i % heads.length);
        }
    }

    /** Parses one head. */
    @Benchmark
    public int parse() {
        int found = subject.parse(next++ & (ParserBenchmark.HEADS - 1));
        if (found != fieldCount) {
            throw new IllegalStateException(found + " fields, not " + fieldCount);
        }
        return found;
    }

    private void check(String head, int index) {
        String[] lines = head.split("\r\n", 0);
        int found = subject.parse(index);
        equal(String.valueOf(lines.length - 1), String.valueOf(found));
        equal("GET", subject.method());
        equal(lines[0].split("[ ?]", 3)[1], subject.path());
        for (int i = 1; i < lines.length; i++) {
            String[] field = lines[i].split(": ", 2);
            equal(field[1], subject.field(field[0]));
        }
    }

    private void equal(String expected, String found) {
        if (!expected.equals(found)) {
            throw new IllegalStateException(parser + " finds " + found + " instead of " + expected);
        }
    }
}
