package io.bareloop.http1;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.Limits;
import io.bareloop.rig.Allocations;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.ParsedRequest;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** A head whose fields are new each time is parsed without an object. */
class RequestParserAllocationTest {
    private static final int HEADS = 64;

    private final RequestParser parser = new RequestParser(Limits.defaults());
    private final ParsedRequest request = new ParsedRequest(Limits.defaults());
    private int next;

    @Test
    void newFieldsAllocateNothing() throws InterruptedException {
        String text =
                "GET /products/4711?ref=start HTTP/1.1\r\nHost: www.shop10.example\r\n"
                        + "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101\r\n"
                        + "Accept: text/html,application/xml;q=0.9,*/*;q=0.8\r\n"
                        + "X-B3-TraceId: 0123456789abcdef\r\n"
                        + "Cookie: session=0123456789abcdef; theme=dark; consent=1; a=b; c=d\r\n"
                        + "Accept-Language: en-US,en;q=0.5\r\nConnection: keep-alive\r\n\r\n";
        int length = text.length();
        MemorySegment in = Arena.ofAuto().allocate(64 << 10);
        for (int i = 0; i < HEADS; i++) {
            byte[] head = Bytes.of(text.replace("10.", (10 + i) + "."));
            MemorySegment.copy(MemorySegment.ofArray(head), 0, in, (long) i * length, length);
        }
        assertThat(
                        Allocations.perRound(
                                () -> {
                                    int from = (next++ & (HEADS - 1)) * length;
                                    if (parser.parse(in, from, from + length, request.head) < 0) {
                                        throw new IllegalStateException("refused");
                                    }
                                }))
                .isZero();
    }
}
