package io.bareloop.http1;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.Limits;
import io.bareloop.http1.RequestHeads.Head;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.GuardedSegment;
import io.bareloop.rig.ParsedRequest;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** It must not matter in which pieces the bytes come. All of this lies before a guard page. */
class RequestParserPrefixTest {
    private static final GuardedSegment GUARDED = new GuardedSegment();

    @AfterAll
    static void unmap() {
        GUARDED.close();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.bareloop.http1.RequestHeads#valid")
    void everyProperPrefixOfAHeadNeedsMore(Head head) {
        byte[] bytes = head.bytes();
        RequestParser parser = new RequestParser(head.limits());
        ParsedRequest request = new ParsedRequest(head.limits());
        for (int length : lengths(bytes.length)) {
            assertThat(parse(parser, bytes, length, request))
                    .as("the first %d bytes", length)
                    .isEqualTo(RequestParser.NEED_MORE);
            // And leaves nothing in the request that would show up in the next try.
            int from = GUARDED.put(bytes, bytes.length);
            assertThat(HeadOutcome.parse(parser, GUARDED.segment(), from, GUARDED.end(), request))
                    .as("all of it after the first %d bytes", length)
                    .isEqualTo(head.expected());
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.bareloop.http1.RequestHeads#invalid")
    void everyPrefixOfABadHeadNeedsMoreUntilItIsRefusedForGood(Head head) {
        byte[] bytes = head.bytes();
        RequestParser parser = new RequestParser(head.limits());
        ParsedRequest request = new ParsedRequest(head.limits());
        int status = head.expected().result;
        boolean refused = false;
        for (int length : lengths(bytes.length)) {
            int result = parse(parser, bytes, length, request);
            if (refused || result != RequestParser.NEED_MORE) {
                assertThat(result).as("the first %d bytes", length).isEqualTo(status);
                refused = true;
            }
        }
        assertThat(parse(parser, bytes, bytes.length, request)).isEqualTo(status);
    }

    static Stream<Head> pipelined() {
        return Stream.concat(RequestHeads.valid().stream(), RequestHeads.invalid().stream())
                .filter(head -> head.limits().equals(Limits.defaults()))
                .filter(head -> head.text().length() < 1000);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("pipelined")
    void aSplitBetweenPipelinedRequestsChangesNothing(Head second) {
        RequestParser parser = new RequestParser(Limits.defaults());
        ParsedRequest request = new ParsedRequest(Limits.defaults());
        List<Head> firsts = RequestHeads.valid();
        for (int i = 0; i < firsts.size(); i += 23) {
            Head first = firsts.get(i);
            byte[] both = Bytes.of(first.text() + second.text());
            int boundary = first.text().length();
            for (int split = 0; split <= both.length; split++) {
                // What came first, then all; the head that was whole already is not parsed again.
                int from = GUARDED.put(both, split);
                HeadOutcome early =
                        HeadOutcome.parse(parser, GUARDED.segment(), from, GUARDED.end(), request);
                assertThat(early)
                        .as("the first %d of %s", split, first)
                        .isEqualTo(split < boundary ? HeadOutcome.refused(0) : first.expected());
                if (split >= boundary) {
                    int result =
                            parser.parse(
                                    GUARDED.segment(),
                                    from + boundary,
                                    GUARDED.end(),
                                    request.head);
                    assertThat(result)
                            .as("%d bytes of the second after %s", split - boundary, first)
                            .isIn(
                                    split == both.length
                                            ? List.of(end(second))
                                            : List.of(0, second.expected().result));
                }

                from = GUARDED.put(both, both.length);
                assertThat(
                                HeadOutcome.parse(
                                        parser, GUARDED.segment(), from, GUARDED.end(), request))
                        .isEqualTo(first.expected());
                assertThat(
                                HeadOutcome.parse(
                                        parser,
                                        GUARDED.segment(),
                                        from + boundary,
                                        GUARDED.end(),
                                        request))
                        .as("behind %s, after a split at %d", first, split)
                        .isEqualTo(second.expected());
            }
        }
    }

    private static int end(Head head) {
        return head.expected().result > 0 ? GUARDED.end() : head.expected().result;
    }

    private static int parse(
            RequestParser parser, byte[] bytes, int length, ParsedRequest request) {
        return parser.parse(
                GUARDED.segment(), GUARDED.put(bytes, length), GUARDED.end(), request.head);
    }

    /** Every length short of all; of a long head, those near its ends and a sample between. */
    private static int[] lengths(int all) {
        return IntStream.range(0, all)
                .filter(
                        length ->
                                all < 1000
                                        || length < 300
                                        || all - length < 300
                                        || length % 97 == 0)
                .toArray();
    }
}
