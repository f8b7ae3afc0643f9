package io.bareloop.http1;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http1.RequestHeads.Head;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.GuardedSegment;
import io.bareloop.rig.ParsedRequest;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The tables of {@link RequestHeads}, wherever in memory a head may lie. */
class RequestParserTest {
    private static final GuardedSegment GUARDED = new GuardedSegment();

    @AfterAll
    static void unmap() {
        GUARDED.close();
    }

    @Test
    void theTablesAreAsLargeAsTheyShouldBe() {
        assertThat(RequestHeads.valid().stream().distinct()).hasSizeGreaterThan(200);
        assertThat(RequestHeads.invalid().stream().distinct()).hasSizeGreaterThan(1000);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.bareloop.http1.RequestHeads#valid")
    void acceptsAndDescribes(Head head) {
        parseEverywhere(head);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.bareloop.http1.RequestHeads#invalid")
    void refusesWithTheStatus(Head head) {
        parseEverywhere(head);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.bareloop.http1.RequestHeads#all")
    void theReferenceAgrees(Head head) {
        assertThat(new ReferenceParser(head.limits()).parse(head.bytes()))
                .isEqualTo(head.expected());
    }

    private static void parseEverywhere(Head head) {
        byte[] bytes = head.bytes();
        RequestParser parser = new RequestParser(head.limits());
        ParsedRequest request = new ParsedRequest(head.limits());

        MemorySegment exact = Bytes.nativeSegment(bytes);
        assertThat(HeadOutcome.parse(parser, exact, 0, bytes.length, request))
                .as("in a segment of its size")
                .isEqualTo(head.expected());

        // To the last byte of memory: a read behind it ends the JVM.
        int from = GUARDED.put(bytes, bytes.length);
        assertThat(HeadOutcome.parse(parser, GUARDED.segment(), from, GUARDED.end(), request))
                .as("before a guard page")
                .isEqualTo(head.expected());

        // Between other bytes, at every alignment. What stands behind must not be looked at.
        for (String around : List.of("\0", "#", "\r\n", "a:", "chunked ", "\u00ff")) {
            for (int before = 1; before <= Long.BYTES; before++) {
                String text = around.repeat(before) + head.text() + around.repeat(16);
                from = around.length() * before;
                int to = from + bytes.length;
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment in = arena.allocate(text.length());
                    in.copyFrom(MemorySegment.ofArray(Bytes.of(text)));
                    // Once as it parses, once as it compares with what it parsed before.
                    for (RequestParser each : List.of(new RequestParser(head.limits()), parser)) {
                        assertThat(HeadOutcome.parse(each, in, from, to, request))
                                .as("%d bytes into \"%s\"", from, Bytes.escape(text))
                                .isEqualTo(head.expected());
                    }
                }
            }
        }
    }
}
