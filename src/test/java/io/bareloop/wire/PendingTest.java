package io.bareloop.wire;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PendingTest {
    private static final int SLAB_BYTES = 4096;
    private static final int UNBOUNDED = Integer.MAX_VALUE;

    private final Arena arena = Arena.ofConfined();
    private final Slab slab = new Slab(arena.allocate(SLAB_BYTES), (offset, bytes) -> {});
    private final Pending pending = new Pending(slab);

    @AfterEach
    void everythingIsGivenBack() {
        pending.release();
        assertThat(pending.isEmpty()).isTrue();
        assertThat(pending.bytes()).isZero();
        assertThat(slab.slicesInUse()).isZero();
        arena.close();
    }

    @Test
    void withoutBytesItHoldsNoMemory() {
        assertThat(pending.isEmpty()).isTrue();
        assertThat(pending.bytes()).isZero();
        assertThat(append("abc")).isTrue();
        assertThat(slab.slicesInUse()).isOne();
        pending.consume(3);
        assertThat(pending.isEmpty()).isTrue();
        assertThat(slab.slicesInUse()).isZero();
    }

    @Test
    void bytesStayInOrder() {
        append("abcd");
        pending.consume(1);
        assertThat(text()).isEqualTo("bcd");
        append("ef");
        assertThat(text()).isEqualTo("bcdef");
        pending.consume(2);
        pending.compact();
        assertThat(pending.from()).isZero();
        assertThat(text()).isEqualTo("def");
    }

    @Test
    void whatComesLaterMayNeedALongerSlice() {
        String first = "a".repeat(Slab.SLICE_BYTES_MIN - 1);
        append(first);
        pending.consume(10);
        append("b".repeat(12));
        assertThat(text()).isEqualTo(first.substring(10) + "b".repeat(12));
        assertThat(slab.slicesInUse()).isOne();
        assertThat(slab.bytesInUse()).isEqualTo(2 * Slab.SLICE_BYTES_MIN);
    }

    @Test
    void theBoundIsForWhatComesLater() {
        assertThat(append("abcd", 3)).isTrue();
        assertThat(append("e", 4)).isFalse();
        assertThat(text()).isEqualTo("abcd");
        assertThat(append("e", 5)).isTrue();
        assertThat(text()).isEqualTo("abcde");
    }

    @Test
    void whereTheSlabHasNoMemoryNothingChanges() {
        Slab.Slice all = slab.take(SLAB_BYTES);
        assertThat(append("abc")).isFalse();
        assertThat(pending.isEmpty()).isTrue();
        slab.give(all);
        append("a".repeat(SLAB_BYTES / 2));
        Slab.Slice half = slab.take(SLAB_BYTES / 2);
        assertThat(append("b")).isFalse();
        assertThat(pending.ensureRoom(UNBOUNDED)).isFalse();
        assertThat(text()).isEqualTo("a".repeat(SLAB_BYTES / 2));
        slab.give(half);
    }

    @Test
    void aFullSliceIsReplacedByOneOfTwiceTheLength() {
        String full = "a".repeat(Slab.SLICE_BYTES_MIN);
        append(full);
        assertThat(pending.ensureRoom(Slab.SLICE_BYTES_MIN)).isFalse();
        assertThat(pending.ensureRoom(Slab.SLICE_BYTES_MIN + 1)).isTrue();
        assertThat(slab.bytesInUse()).isEqualTo(2 * Slab.SLICE_BYTES_MIN);
        pending.segment().set(JAVA_BYTE, pending.to(), (byte) 'b');
        pending.extend(1);
        assertThat(text()).isEqualTo(full + "b");
        assertThat(pending.ensureRoom(1)).isTrue();
    }

    private boolean append(String text) {
        return append(text, UNBOUNDED);
    }

    private boolean append(String text, int bytesMax) {
        // From the middle of something longer.
        MemorySegment in = MemorySegment.ofArray(("<<" + text + ">>").getBytes(US_ASCII));
        return pending.append(in, 2, 2 + text.length(), bytesMax);
    }

    private String text() {
        byte[] bytes =
                pending.segment().asSlice(pending.from(), pending.bytes()).toArray(JAVA_BYTE);
        return new String(bytes, US_ASCII);
    }
}
