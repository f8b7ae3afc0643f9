package io.bareloop.http1;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.Limits;
import io.bareloop.http1.RequestHeads.Head;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.GuardedSegment;
import io.bareloop.rig.ParsedRequest;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Words are read beyond the end of a head, never beyond that of the segment: what the parser finds
 * is the same wherever a head lies and the segment ends. All of this lies before a guard page.
 */
class RequestParserRoomTest {
    private static final long SEED = Long.getLong("bareloop.fuzz.seed", 9112);
    private static final Limits LIMITS = Limits.defaults();
    private static final GuardedSegment GUARDED = new GuardedSegment();

    /** Room behind a head, in bytes: none, less than a word, about a word, more. */
    private static final int[] ROOMS = {0, 1, 2, 6, 7, 8, 9, 15, 16, 17, 40};

    private static final String[] NAMES = {
        "Accept",
        "X",
        "connection",
        "Cookie",
        "Content-Type",
        "User-Agent",
        "tE",
        "sec-ch-ua-platform",
        "A-Name-That-Is-Longer-Than-A-Block-Of-Sixty-Four-Bytes-And-A-Word-Behind-It",
    };

    /** Lines that usual ones are not, or that no line is. */
    private static final String[] RARE = {
        "X-B3-TraceId: 1",
        "x_y: z",
        "A:b",
        "A:",
        "A: ",
        "A:  b",
        "A: b ",
        "A: b\t",
        "A:\tb",
        "A: b\tc",
        "A: \u00e9\u00e9\u00e9\u00e9\u00e9\u00e9",
        "A: b\u0080",
        "Connection: close",
        "Expect: 100-continue",
        "Content-Length: 17",
        "Content-Length: 1\u00b2",
        "Host: b",
        "A : b",
        "A: b\u0000",
        "A: b\u007f",
        "A: b\rc",
        "A: b\n\n",
        ": b",
        "",
        " folded",
    };

    private final RequestParser parser = new RequestParser(LIMITS);
    private final ReferenceParser reference = new ReferenceParser(LIMITS);
    private final ParsedRequest request = new ParsedRequest(LIMITS);

    @AfterAll
    static void unmap() {
        GUARDED.close();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.bareloop.http1.RequestHeads#all")
    void theTables(Head head) {
        RequestParser parser = new RequestParser(head.limits());
        ParsedRequest parsed = new ParsedRequest(head.limits());
        int length = head.bytes().length;
        for (String around : List.of("#", "\r\n", "a: b\r\n", "\u00ff")) {
            for (int room : ROOMS) {
                String behind = around.repeat(room / around.length() + 1).substring(0, room);
                byte[] bytes = Bytes.of(head.text() + behind);
                int from = GUARDED.put(bytes, bytes.length);
                forget(parser);
                assertThat(
                                HeadOutcome.parse(
                                        parser, GUARDED.segment(), from, from + length, parsed))
                        .as("%d bytes of \"%s\" behind", room, Bytes.escape(around))
                        .isEqualTo(head.expected());
            }
        }
    }

    /** Another head comes between, or the next would be compared and not parsed. */
    private void forget(RequestParser parser) {
        byte[] bytes = Bytes.of("GET /other HTTP/1.1\r\nHost: another\r\nOther: fields\r\n\r\n");
        parser.parse(Bytes.nativeSegment(bytes), 0, bytes.length, request.head);
    }

    /** Every place of a line in its words. */
    @ParameterizedTest
    @ValueSource(strings = {"Accept: text/html", "Accept:", "X-1: 2", "A: b\r\n", "A: b\n", "A"})
    void acrossWords(String line) {
        for (int pad = 1; pad < 40; pad++) {
            String before = "GET / HTTP/1.1\r\nHost: a\r\nX: " + "p".repeat(pad) + "\r\n";
            String text = before + line + "\r\nCookie: c=d; e\r\nConnection: close\r\n\r\n";
            agree(text, text.length(), 100);
            agree(text, before.length() + line.length() + 1, 100);
            agree(text, before.length() + line.length() + 2, 0);
        }
    }

    /** With lines of all kinds. */
    @Test
    void longHeads() {
        for (int round = 0; round < 20_000; round++) {
            // A seed of its own, so that one round can be run again.
            SplittableRandom random = new SplittableRandom(SEED * 1_000_003 + round);
            StringBuilder text = new StringBuilder("GET / HTTP/1.1\r\nHost: a\r\n");
            int lines = 1 + random.nextInt(random.nextBoolean() ? 8 : 70);
            int rare = random.nextInt(3) == 0 ? 0 : 1 + random.nextInt(40);
            for (int i = 0; i < lines; i++) {
                if (rare > 0 && random.nextInt(rare) == 0) {
                    // The first half of them is valid.
                    int kinds = random.nextInt(8) == 0 ? RARE.length : RARE.length / 2;
                    text.append(RARE[random.nextInt(kinds)]);
                } else {
                    text.append(NAMES[random.nextInt(NAMES.length)]).append(": v");
                    text.repeat('v', random.nextInt(random.nextInt(20) == 0 ? 5000 : 150));
                }
                text.append("\r\n");
            }
            text.append("\r\n");
            int to = random.nextInt(4) == 0 ? random.nextInt(text.length()) : text.length();
            agree(text.toString(), to, random.nextInt(200));
        }
    }

    @Test
    void mutations() {
        for (int round = 0; round < 50_000; round++) {
            SplittableRandom random = new SplittableRandom(SEED * 1_000_033 + round);
            String text = RequestParserFuzzTest.mutate(random);
            agree(text, text.length(), random.nextInt(200));
        }
    }

    /** The first {@code length} bytes of {@code text}, with the others and {@code room} behind. */
    private void agree(String text, int length, int room) {
        byte[] bytes = Bytes.of(text + "\r\n".repeat(room / 2));
        int from = GUARDED.put(bytes, bytes.length);
        MemorySegment in = GUARDED.segment();
        HeadOutcome found = HeadOutcome.parse(parser, in, from, from + length, request);
        HeadOutcome expected = reference.parse(Bytes.of(text.substring(0, length)));
        if (!found.equals(expected)) {
            assertThat(found)
                    .as("%d bytes of \"%s\", %d behind", length, Bytes.escape(text), room)
                    .isEqualTo(expected);
        }
    }
}
