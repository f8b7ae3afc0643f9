package io.bareloop.hostile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** What a client of {@link HostileTest} would notice. */
class BodyCheckTest {
    private static final int SIZE = 100;
    private static final long KEY = MarkedBytes.key("0-0-0");
    private static final byte[] RIGHT = MarkedBytes.of(KEY, 0, SIZE);

    @Test
    void takesTheRightBytesInAnyPieces() {
        for (int at = 0; at <= SIZE; at++) {
            BodyCheck check = BodyCheck.marked(KEY, 0, SIZE);
            check.bytes(RIGHT, 0, at);
            assertThat(check.missing() == null).isEqualTo(at == SIZE);
            check.bytes(RIGHT, at, SIZE - at);
            assertThat(check.missing()).isNull();
        }
        BodyCheck window = BodyCheck.marked(KEY, 13, 50);
        window.bytes(RIGHT, 13, 50);
        assertThat(window.missing()).isNull();
    }

    @Test
    void noticesEveryByteOfAnother() {
        for (int at = 0; at < SIZE; at++) {
            byte[] wrong = RIGHT.clone();
            wrong[at] ^= 1;
            refuses(BodyCheck.marked(KEY, 0, SIZE), wrong);
        }
        byte[] foreign = MarkedBytes.of(MarkedBytes.key("0-0-1"), 0, SIZE);
        refuses(BodyCheck.marked(KEY, 0, SIZE), foreign);
    }

    @Test
    void noticesLostDoubledAndSwappedPieces() {
        for (int at = 0; at < SIZE - 9; at++) {
            byte[] lost = pieces(0, at, at + 8, SIZE);
            byte[] doubled = pieces(0, at + 8, at, SIZE);
            byte[] swapped = RIGHT.clone();
            swapped[at] = RIGHT[at + 9];
            swapped[at + 9] = RIGHT[at];
            refuses(BodyCheck.marked(KEY, 0, SIZE), lost);
            refuses(BodyCheck.marked(KEY, 0, SIZE), doubled);
            if (RIGHT[at] != RIGHT[at + 9]) {
                refuses(BodyCheck.marked(KEY, 0, SIZE), swapped);
            }
        }
        refuses(BodyCheck.marked(KEY, 0, SIZE), MarkedBytes.of(KEY, 0, SIZE + 1));
    }

    private static byte[] pieces(int from, int to, int again, int end) {
        byte[] bytes = new byte[to - from + end - again];
        System.arraycopy(RIGHT, from, bytes, 0, to - from);
        System.arraycopy(RIGHT, again, bytes, to - from, end - again);
        return bytes;
    }

    @Test
    void noticesEventsOfOthers() {
        String letters = MarkedBytes.letters(MarkedBytes.key("a 0"), 20);
        String event = "event: e\ndata: a 0 " + letters + "\n\n";
        BodyCheck mine = BodyCheck.events("a");
        feed(mine, ":\n\n" + event);
        assertThat(mine.missing()).isNull();
        // Twice the same.
        assertThatThrownBy(() -> feed(mine, event)).isInstanceOf(Astray.class);
        for (String wrong :
                new String[] {
                    event.replace(" a 0", " b 0"),
                    event.replace(" a 0", " a 1"),
                    event.replace(letters, letters.substring(1)),
                    event.replace("event: e\n", ""),
                    "HTTP/1.1 200 OK\n"
                }) {
            assertThatThrownBy(() -> feed(BodyCheck.events("a"), wrong))
                    .as(wrong)
                    .isInstanceOf(Astray.class);
        }
    }

    @Test
    void noticesOtherTexts() {
        BodyCheck text = BodyCheck.text("abc");
        feed(text, "ab");
        assertThat(text.missing()).isEqualTo("c");
        assertThatThrownBy(() -> feed(text, "d")).isInstanceOf(Astray.class);
        BodyCheck error = BodyCheck.error(500);
        feed(error, "500 Internal Server Error\n");
        assertThat(error.missing()).isNull();
        assertThatThrownBy(() -> feed(BodyCheck.error(500), "HTTP")).isInstanceOf(Astray.class);
    }

    private static void feed(BodyCheck check, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        check.bytes(bytes, 0, bytes.length);
    }

    private static void refuses(BodyCheck check, byte[] bytes) {
        assertThatThrownBy(() -> check.bytes(bytes, 0, bytes.length)).isInstanceOf(Astray.class);
    }
}
