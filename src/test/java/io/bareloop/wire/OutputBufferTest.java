package io.bareloop.wire;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is held stays as it is, and leaves as much room behind it as there was. */
class OutputBufferTest {
    private static final int CAPACITY = 64;

    private final Arena arena = Arena.ofConfined();
    private final OutputBuffer out = new OutputBuffer(arena, CAPACITY);

    @AfterEach
    void free() {
        arena.close();
    }

    @Test
    void behindWhatIsHeldItIsEmptyAndAsLarge() {
        out.putAscii("first");
        assertThat(out.canHold()).isTrue();
        out.hold();
        assertThat(out.start()).isEqualTo(5);
        assertThat(out.position()).isZero();
        assertThat(out.room()).isEqualTo(CAPACITY);
        out.put(bytes("second"), 0, 6);
        out.put(MemorySegment.ofArray(bytes(" of three")), 3, 6);
        out.putDecimal(17);
        assertThat(text(0, 5 + 14)).isEqualTo("firstsecond three17");
        out.clear();
        out.putAscii("again");
        assertThat(text(0, 5 + 5)).isEqualTo("firstagain");
        out.clear();
        out.release();
        assertThat(out.start()).isZero();
        out.putAscii("front");
        assertThat(text(0, 5)).isEqualTo("front");
    }

    /** Full, it can be held once, and then no more: the memory is twice the capacity. */
    @Test
    void holdsAsMuchAsItsCapacity() {
        out.putAscii("x".repeat(CAPACITY));
        assertThat(out.canHold()).isTrue();
        out.hold();
        assertThat(out.room()).isEqualTo(CAPACITY);
        out.putAscii("y");
        assertThat(out.canHold()).isFalse();
        assertThat(text(CAPACITY - 1, 2)).isEqualTo("xy");
    }

    /** Also where there is memory behind it, nothing is put beyond the end. */
    @Test
    void takesNoMoreThanItHasRoomFor() {
        out.putAscii("x".repeat(CAPACITY - 3));
        byte[] four = bytes("four");
        assertThatThrownBy(() -> out.put(four, 0, 4)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> out.put(MemorySegment.ofArray(four), 0, 4))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> out.putAscii("four"))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThat(out.position()).isEqualTo(CAPACITY - 3);
        assertThat(text(CAPACITY - 3, 4)).isEqualTo("\0\0\0\0");
    }

    private String text(int from, int length) {
        byte[] bytes = out.segment().asSlice(from, length).toArray(ValueLayout.JAVA_BYTE);
        return new String(bytes, US_ASCII);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(US_ASCII);
    }
}
