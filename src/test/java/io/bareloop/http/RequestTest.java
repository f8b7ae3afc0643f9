package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.http1.RequestParser;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.ParsedRequest;
import io.bareloop.wire.Head;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A request, as a handler sees it. */
class RequestTest {
    private static final HeaderName ABSENT = HeaderName.of("Absent");

    private final Arena arena = Arena.ofConfined();
    private final ParsedRequest parsed = new ParsedRequest(Limits.defaults());
    private final Request request = parsed.view;

    @AfterEach
    void free() {
        arena.close();
    }

    @Test
    void tellsWhatWasSent() {
        parse(
                "POST /users/7?full=1&x=%20 HTTP/1.1",
                "Host: a.example", "X-Empty:", "x-odd:  spaced\tout  ", "Content-Length: 3");
        assertThat(request.method()).isEqualTo(Method.POST);
        assertThat(request.minorVersion()).isEqualTo(1);
        assertThat(request.target().toString()).isEqualTo("/users/7?full=1&x=%20");
        assertThat(request.path().toString()).isEqualTo("/users/7");
        assertThat(request.query().toString()).isEqualTo("full=1&x=%20");
        assertThat(request.headerCount()).isEqualTo(4);
        assertThat(request.headerName(2).toString()).isEqualTo("x-odd");
        assertThat(request.headerValue(2).toString()).isEqualTo("spaced\tout");
        assertThat(request.headerValue(1).isEmpty()).isTrue();
        assertThat(request.body().isEmpty()).isTrue();
    }

    @Test
    void findsFieldsByNameInAnyCase() {
        parse("GET / HTTP/1.1", "hOST: a", "X-B: 1", "x-b: 2", "COOKIE:");
        assertThat(request.header(HeaderName.HOST).toString()).isEqualTo("a");
        assertThat(request.header(HeaderName.of("X-B")).toString()).isEqualTo("1");
        assertThat(request.header(HeaderName.COOKIE).isEmpty()).isTrue();
        assertThat(request.header(ABSENT)).isNull();
        assertThat(request.header(HeaderName.of("X-"))).isNull();
        assertThat(request.header(HeaderName.of("X-BB"))).isNull();
    }

    @Test
    void hasNoFieldOutsideItsCount() {
        parse("GET / HTTP/1.0", "A: b", "C: d");
        for (int index : new int[] {-1, 2, 100, Integer.MIN_VALUE}) {
            assertThatThrownBy(() -> request.headerName(index))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> request.headerValue(index))
                    .isInstanceOf(IndexOutOfBoundsException.class);
        }
        parse("GET / HTTP/1.0");
        assertThat(request.headerCount()).isZero();
        assertThat(request.header(HeaderName.HOST)).isNull();
        assertThatThrownBy(() -> request.headerName(0))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void keepsTheViewsOfSeveralFieldsApart() {
        parse("GET /p?q HTTP/1.1", "Host: a", "B: c");
        ByteView[] views = {
            request.target(),
            request.path(),
            request.query(),
            request.headerName(0),
            request.headerValue(0),
            request.headerName(1),
            request.headerValue(1)
        };
        assertThat(views)
                .extracting(ByteView::toString)
                .containsExactly("/p?q", "/p", "q", "Host", "a", "B", "c");
    }

    @Test
    void hasARootWhereTheTargetHasNoPath() {
        parse("GET http://a HTTP/1.1", "Host: a");
        assertThat(request.target().toString()).isEqualTo("http://a");
        assertThat(request.path().toString()).isEqualTo("/");
        assertThat(request.query().isEmpty()).isTrue();

        parse("GET http://a?b?c HTTP/1.1", "Host: a");
        assertThat(request.path().toString()).isEqualTo("/");
        assertThat(request.query().toString()).isEqualTo("b?c");
    }

    @Test
    void remembersNothingOfTheRequestBefore() {
        parse(
                "POST http://h/a?b HTTP/1.1",
                "Host: a",
                "Connection: close, keep-alive",
                "Expect: 100-continue",
                "Transfer-Encoding: chunked");
        assertThat(request.query().toString()).isEqualTo("b");
        assertThat(
                        parsed.head.says(Head.CHUNKED)
                                && parsed.head.says(Head.CLOSES)
                                && parsed.head.says(Head.KEEPS_ALIVE))
                .isTrue();
        assertThat(parsed.head.says(Head.EXPECTS_CONTINUE) && parsed.head.says(Head.HAS_HOST))
                .isTrue();

        parse("GET /c HTTP/1.0");
        assertThat(request.method()).isEqualTo(Method.GET);
        assertThat(request.minorVersion()).isZero();
        assertThat(request.path().toString()).isEqualTo("/c");
        assertThat(request.query().isEmpty()).isTrue();
        assertThat(request.headerCount()).isZero();
        assertThat(
                        parsed.head.says(Head.CHUNKED)
                                || parsed.head.says(Head.CLOSES)
                                || parsed.head.says(Head.KEEPS_ALIVE))
                .isFalse();
        assertThat(parsed.head.says(Head.EXPECTS_CONTINUE) || parsed.head.says(Head.HAS_HOST))
                .isFalse();
        assertThat(parsed.head.contentLength).isEqualTo(-1);

        parse("GET / HTTP/1.0", "Content-Length: 5");
        assertThat(parsed.head.contentLength).isEqualTo(5);
        parse("GET / HTTP/1.0");
        assertThat(parsed.head.contentLength).isEqualTo(-1);
    }

    @Test
    void readsFromWhereTheHeadLies() {
        String text = "GET /first HTTP/1.0\r\n\r\nGET /second?x HTTP/1.0\r\nA: b\r\n\r\n";
        MemorySegment in = arena.allocate(text.length());
        in.copyFrom(MemorySegment.ofArray(Bytes.of(text)));
        RequestParser parser = new RequestParser(Limits.defaults());
        int second = parser.parse(in, 0, text.length(), parsed.head);
        assertThat(request.target().toString()).isEqualTo("/first");
        assertThat(parser.parse(in, second, text.length(), parsed.head)).isEqualTo(text.length());
        assertThat(request.target().toString()).isEqualTo("/second?x");
        assertThat(request.headerName(0).toString()).isEqualTo("A");
        assertThat(request.headerValue(0).toString()).isEqualTo("b");
    }

    private void parse(String... lines) {
        String text = String.join("\r\n", lines) + "\r\n\r\n";
        MemorySegment in = arena.allocate(text.length());
        in.copyFrom(MemorySegment.ofArray(Bytes.of(text)));
        int end = new RequestParser(Limits.defaults()).parse(in, 0, text.length(), parsed.head);
        assertThat(end).isEqualTo(text.length());
    }
}
