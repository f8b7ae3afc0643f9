package io.bareloop.http1;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.HeaderName;
import io.bareloop.http.Limits;
import io.bareloop.http.Method;
import io.bareloop.http1.RequestHeads.Head;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.ParsedRequest;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** That a request which a head is parsed into again says what it says when it is parsed anew. */
class LastHeadTest {
    private static final Limits LIMITS = Limits.defaults();
    private static final String HEAD =
            "POST /users/7?full=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";

    private static final List<Head> HEADS =
            RequestHeads.valid().stream()
                    .filter(head -> head.limits().equals(LIMITS) && head.text().length() < 1500)
                    .toList();

    private final RequestParser parser = new RequestParser(LIMITS);
    private final ParsedRequest request = new ParsedRequest(LIMITS);

    @Test
    void isFoundAgainAtAnotherPlaceInAnotherSegment() {
        parse(HEAD, 0, request);
        Object remembered = request.head.origin();
        assertThat(remembered).isNotNull();
        for (int from : new int[] {0, 1, 8, 100}) {
            assertThat(parse(HEAD, from, request)).isEqualTo(from + HEAD.length());
            assertThat(request.head.origin()).isSameAs(remembered);
            assertThat(request.head.base()).isEqualTo(from);
            assertThat(request.view.path().contentEquals("/users/7")).isTrue();
            assertThat(request.view.queryValue("full").contentEquals("1")).isTrue();
            assertThat(request.view.header(HeaderName.HOST).contentEquals("a")).isTrue();
            assertThat(request.view.contentLength()).isEqualTo(3);
        }
    }

    @Test
    void isFoundWithoutTheParser() {
        LastHead last = new LastHead();
        MemorySegment in = Bytes.nativeSegment(Bytes.of(HEAD + HEAD.replace('7', '8')));
        long start = in.address();
        long end = start + HEAD.length();
        parse(HEAD, 0, request);
        assertThat(last.match(start, end, in, 0, request.head)).isZero();
        last.remember(start, end, request.head);
        assertThat(last.match(start, end, in, 0, request.head)).isEqualTo(HEAD.length());
        assertThat(last.match(start, end - 1, in, 0, request.head)).isZero();
        assertThat(last.match(end, end + HEAD.length(), in, HEAD.length(), request.head)).isZero();
        assertThat(last.match(start, end, in, 0, new ParsedRequest(LIMITS).head)).isZero();
    }

    @Test
    void takesNothingAlongFromTheRequestBefore() {
        parse(HEAD, 0, request);
        request.view.attach("attachment");
        request.head.body(10, 20);
        parse(HEAD, 0, request);
        assertThat(request.view.attachment()).isNull();
        assertThat(request.view.body().length()).isZero();
    }

    @Test
    void twoRequestsOfOneParserDoNotTakeEachOthersHead() {
        ParsedRequest other = new ParsedRequest(LIMITS);
        SplittableRandom random = new SplittableRandom(2);
        for (int i = 0; i < 20_000; i++) {
            // Few heads, so that they come again.
            Head head = HEADS.get(random.nextInt(4) + i / 1000);
            ParsedRequest into = random.nextBoolean() ? request : other;
            byte[] bytes = Bytes.of(head.text());
            MemorySegment in = Bytes.nativeSegment(bytes);
            assertThat(HeadOutcome.parse(parser, in, 0, bytes.length, into))
                    .as(head.text())
                    .isEqualTo(head.expected());
        }
    }

    @Test
    void isForgottenWhereALongOneCameToAnotherRequest() {
        parse(HEAD, 0, request);
        String tooLong = "GET /" + "a".repeat(3000) + " HTTP/1.1\r\nHost: a\r\n\r\n";
        assertThat(parse(tooLong, 0, new ParsedRequest(LIMITS))).isEqualTo(tooLong.length());
        assertThat(parse(HEAD, 0, request)).isEqualTo(HEAD.length());
        assertThat(request.view.method()).isEqualTo(Method.POST);
    }

    @Test
    void isForgottenWhereTheRequestIsCleared() {
        parse(HEAD, 0, request);
        request.head.clear();
        parse(HEAD, 0, request);
        assertThat(request.view.method()).isEqualTo(Method.POST);
    }

    @Test
    void isForgottenWhereTheNextHeadIsRefusedOrNotWhole() {
        for (String next : List.of("GET / HTTP/1.1\r\nHo", "GET  / HTTP/1.1\r\n", "BREW", "")) {
            parse(HEAD, 0, request);
            parse(next, 0, request);
            assertThat(request.head.origin()).isNull();
            parse(HEAD, 0, request);
            assertThat(request.view.method()).isEqualTo(Method.POST);
            assertThat(request.view.target().contentEquals("/users/7?full=1")).isTrue();
        }
    }

    @Test
    void isNotRememberedWithAnEmptyLineBefore() {
        parse("\r\n" + HEAD, 0, request);
        assertThat(request.head.origin()).isNull();
        assertThat(parse("\r\n" + HEAD, 0, request)).isEqualTo(HEAD.length() + 2);
        assertThat(request.view.path().contentEquals("/users/7")).isTrue();
    }

    /** One that does not come again must not be looked at: its bytes may be another's by now. */
    @Test
    void isComparedWithinWhatWasReceived() {
        parse(HEAD, 0, request);
        MemorySegment in = Bytes.nativeSegment(Bytes.of(HEAD));
        for (int to = 1; to < HEAD.length(); to++) {
            assertThat(parser.parse(in, 0, to, request.head)).isEqualTo(RequestParser.NEED_MORE);
            parse(HEAD, 0, request);
        }
    }

    private int parse(String text, int from, ParsedRequest into) {
        MemorySegment in = Bytes.nativeSegment(Bytes.of("x".repeat(from) + text));
        return parser.parse(in, from, from + text.length(), into.head);
    }
}
