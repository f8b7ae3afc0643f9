package io.bareloop.jmh;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.bareloop.http.Limits;
import io.bareloop.http.Method;
import io.bareloop.http.Request;
import io.bareloop.http1.RequestParser;
import io.bareloop.wire.Head;
import io.bareloop.wire.Networks;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
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
 * Nanoseconds to parse the head of one request: what {@code wrk} sends by itself, what it sends in
 * the TechEmpower runs, and what a browser sends. With {@code fields=same} as one client sends it
 * again and again; with {@code fields=new} no two requests in a row have the same Host, so that all
 * fields are parsed.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class ParserBenchmark {
    /** Heads one after the other; as many as are all different with {@code fields=new}. */
    static final int HEADS = 64;

    static final String WRK = "GET /plaintext HTTP/1.1\r\nHost: 127.0.0.10:234\r\n\r\n";

    static final String TECHEMPOWER =
            "GET /json HTTP/1.1\r\n"
                    + "Host: serv10\r\n"
                    + "User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"
                    + "Accept: application/json,text/html;q=0.9,application/xhtml+xml;q=0.9,"
                    + "application/xml;q=0.8,*/*;q=0.7\r\n"
                    + "Connection: keep-alive\r\n"
                    + "\r\n";

    static final String BROWSER =
            "GET /products/4711?ref=start&sort=price HTTP/1.1\r\n"
                    + "Host: www.shop10.example\r\n"
                    + "Connection: keep-alive\r\n"
                    + "sec-ch-ua: \"Chromium\";v=\"142\", \"Not_A Brand\";v=\"99\"\r\n"
                    + "sec-ch-ua-mobile: ?0\r\n"
                    + "sec-ch-ua-platform: \"Linux\"\r\n"
                    + "Upgrade-Insecure-Requests: 1\r\n"
                    + "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"
                    + " (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n"
                    + "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
                    + "Sec-Fetch-Site: same-origin\r\n"
                    + "Sec-Fetch-Mode: navigate\r\n"
                    + "Accept-Encoding: gzip, deflate, br, zstd\r\n"
                    + "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
                    + "Cookie: session=4f1c8d52a90b4e7c9d3a6b1e; theme=dark; consent=1;"
                    + " _ga=GA1.2.1234567890.1700000000\r\n"
                    + "\r\n";

    @Param({"same", "new"})
    public String fields;

    private final RequestParser parser = new RequestParser(Limits.defaults());
    private final Head head = new Head(Limits.defaults().fieldsMax());
    private final Request request = new Request(head, Limits.defaults(), Networks.NONE);
    private MemorySegment wrk;
    private MemorySegment techEmpower;
    private MemorySegment browser;
    private int next;

    @Setup
    public void layOutAndCheckEveryField() {
        wrk = heads(WRK);
        techEmpower = heads(TECHEMPOWER);
        browser = heads(BROWSER);
    }

    @Benchmark
    public int wrk() {
        return parse(wrk, WRK.length());
    }

    @Benchmark
    public int techEmpower() {
        return parse(techEmpower, TECHEMPOWER.length());
    }

    @Benchmark
    public int browser() {
        return parse(browser, BROWSER.length());
    }

    private int parse(MemorySegment in, int length) {
        int from = (next++ & (HEADS - 1)) * length;
        int end = parser.parse(in, from, from + length, head);
        if (end != from + length) {
            throw new IllegalStateException("parsed to " + end + " of " + (from + length));
        }
        return end;
    }

    /** In a buffer as large as the server's, with room behind. */
    private MemorySegment heads(String text) {
        MemorySegment in = Arena.ofAuto().allocate(64 << 10, Long.BYTES);
        for (int i = 0; i < HEADS; i++) {
            String head =
                    fields.equals("same") ? text : text.replaceFirst("10", String.valueOf(10 + i));
            MemorySegment.copy(
                    MemorySegment.ofArray(head.getBytes(ISO_8859_1)),
                    0,
                    in,
                    (long) i * text.length(),
                    text.length());
            next = i;
            check(head, in);
        }
        return in;
    }

    private void check(String text, MemorySegment in) {
        parse(in, text.length());
        String[] lines = text.split("\r\n", 0);
        String target = lines[0].split(" ", 3)[1];
        boolean right =
                request.method() == Method.GET
                        && request.minorVersion() == 1
                        && request.target().contentEquals(target)
                        && request.path().contentEquals(target.split("\\?", 2)[0])
                        && request.headerCount() == lines.length - 1;
        for (int i = 1; right && i < lines.length; i++) {
            String[] field = lines[i].split(": ", 2);
            right =
                    request.headerName(i - 1).contentEquals(field[0])
                            && request.headerValue(i - 1).contentEquals(field[1]);
        }
        if (!right) {
            throw new IllegalStateException("wrongly parsed: " + text);
        }
    }
}
