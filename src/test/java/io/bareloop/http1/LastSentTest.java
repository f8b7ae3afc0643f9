package io.bareloop.http1;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.wire.Encoded;
import io.bareloop.wire.OutputBuffer;
import io.bareloop.wire.PreparedBlock;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** When the response that was sent last is there as a whole, and which. */
class LastSentTest {
    private final Arena arena = Arena.ofConfined();
    private final OutputBuffer out = new OutputBuffer(arena, 32 << 10);
    private final LastSent last = new LastSent(arena);
    private final PreparedBlock one =
            new PreparedBlock(200, Encoded.ascii(""), Encoded.ascii("1"), 0);
    private final PreparedBlock two =
            new PreparedBlock(200, Encoded.ascii(""), Encoded.ascii("2"), 0);

    @AfterEach
    void free() {
        arena.close();
    }

    @Test
    void isThereFromTheSecondTimeInARowOnInTheSameSecond() {
        send(one, 7, "one");
        assertThat(last.put(one, 7, out)).isFalse();
        send(one, 7, "one");
        out.clear();
        assertThat(last.put(one, 7, out)).isTrue();
        assertThat(last.put(one, 7, out)).isTrue();
        assertThat(written()).isEqualTo("oneone");
        assertThat(last.put(one, 8, out)).isFalse();
        assertThat(last.put(two, 7, out)).isFalse();
        assertThat(written()).isEqualTo("oneone");
        send(one, 8, "ONE");
        out.clear();
        assertThat(last.put(one, 8, out)).isTrue();
        assertThat(written()).isEqualTo("ONE");
    }

    @Test
    void isNotThereWhereTwoTakeTurnsOrItIsLarge() {
        for (int i = 0; i < 3; i++) {
            send(one, 7, "one");
            assertThat(last.put(two, 7, out)).isFalse();
            send(two, 7, "two");
            assertThat(last.put(one, 7, out)).isFalse();
            out.clear();
        }
        for (int i = 0; i < 3; i++) {
            send(one, 7, "x".repeat(5000));
            assertThat(last.put(one, 7, out)).isFalse();
        }
    }

    private void send(PreparedBlock prepared, long second, String text) {
        out.putAscii(text);
        last.note(prepared, second, out, text.length());
    }

    private String written() {
        byte[] bytes = out.segment().asSlice(0, out.position()).toArray(ValueLayout.JAVA_BYTE);
        return new String(bytes, StandardCharsets.US_ASCII);
    }
}
