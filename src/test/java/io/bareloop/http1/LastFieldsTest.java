package io.bareloop.http1;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.Limits;
import io.bareloop.http1.RequestHeads.Head;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.ParsedRequest;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** That a parser which has seen a head before sees in the next what a new one would see. */
class LastFieldsTest {
    private static final Limits LIMITS = Limits.defaults();

    private static final List<Head> HEADS =
            RequestHeads.valid().stream()
                    .filter(head -> head.limits().equals(LIMITS) && head.text().length() < 1500)
                    .toList();

    private final ParsedRequest request = new ParsedRequest(LIMITS);

    @Test
    void anotherRequestLineBeforeTheSameFields() {
        for (Head head : HEADS) {
            String fields = head.text().substring(head.text().indexOf("\r\n", 2) + 2);
            RequestParser parser = new RequestParser(LIMITS);
            outcome(parser, head.text());
            for (String line :
                    List.of(
                            "GET / HTTP/1.1",
                            "POST /longer?than=before HTTP/1.1",
                            "GET / HTTP/1.0",
                            "GET /" + "a".repeat(5000) + " HTTP/1.1",
                            "OPTIONS * HTTP/1.1",
                            "BREW / HTTP/1.1",
                            "GET  / HTTP/1.1")) {
                agrees(parser, line + "\r\n" + fields);
            }
        }
    }

    @Test
    void oneByteIsAnother() {
        SplittableRandom random = new SplittableRandom(9112);
        for (Head head : HEADS) {
            RequestParser parser = new RequestParser(LIMITS);
            for (int i = 0; i < head.text().length(); i++) {
                outcome(parser, head.text());
                StringBuilder changed = new StringBuilder(head.text());
                changed.setCharAt(i, (char) (changed.charAt(i) ^ (1 << random.nextInt(8))));
                agrees(parser, changed.toString());
            }
        }
    }

    @Test
    void shorterAndLonger() {
        for (Head head : HEADS) {
            RequestParser parser = new RequestParser(LIMITS);
            String text = head.text();
            for (int length = 0; length < text.length(); length += 7) {
                outcome(parser, text);
                agrees(parser, text.substring(0, length));
            }
            for (String more : List.of("x", "\r\n", "\r\n\r\n", text)) {
                outcome(parser, text);
                agrees(parser, text + more);
            }
            outcome(parser, text);
            agrees(parser, text.substring(0, text.length() - 2) + "X: y\r\n\r\n");
        }
    }

    @Test
    void oneHeadAfterTheOther() {
        SplittableRandom random = new SplittableRandom(1);
        RequestParser parser = new RequestParser(LIMITS);
        for (int i = 0; i < 20_000; i++) {
            Head head = HEADS.get(random.nextInt(HEADS.size()));
            for (int again = random.nextInt(3); again >= 0; again--) {
                assertThat(outcome(parser, head.text())).isEqualTo(head.expected());
            }
        }
    }

    @Test
    void tooLongToRemember() {
        RequestParser parser = new RequestParser(LIMITS);
        for (int length = LastBytes.BYTES_MAX - 100; length < LastBytes.BYTES_MAX + 100; length++) {
            String text = "GET / HTTP/1.1\r\nHost: a\r\nX: " + "y".repeat(length) + "\r\n\r\n";
            for (int i = 0; i < 2; i++) {
                HeadOutcome outcome = outcome(parser, text);
                assertThat(outcome.result).isEqualTo(text.length());
                assertThat(outcome.fields.get(1)).hasSize(length + 2);
            }
        }
    }

    private void agrees(RequestParser parser, String text) {
        assertThat(outcome(parser, text))
                .as(Bytes.escape(text))
                .isEqualTo(outcome(new RequestParser(LIMITS), text));
    }

    private HeadOutcome outcome(RequestParser parser, String text) {
        byte[] bytes = Bytes.of(text);
        return HeadOutcome.parse(parser, Bytes.nativeSegment(bytes), 0, bytes.length, request);
    }
}
