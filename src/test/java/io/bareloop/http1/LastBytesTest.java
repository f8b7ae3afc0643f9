package io.bareloop.http1;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Bytes;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class LastBytesTest {
    private final SplittableRandom random = new SplittableRandom(1);
    private final LastBytes last = new LastBytes();

    @Test
    void findsTheSameBytesOfAnyLengthAndNoOthers() {
        for (int length = 16; length <= 600; length += 1 + length / 40) {
            findsTheSameBytesAndNoOthers(length);
        }
        findsTheSameBytesAndNoOthers(LastBytes.BYTES_MAX);
    }

    private void findsTheSameBytesAndNoOthers(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        MemorySegment first = Bytes.nativeSegment(bytes);
        assertThat(last.remember(first.address(), first.address() + length)).isTrue();
        assertThat(last.length()).isEqualTo(length);

        MemorySegment again = Bytes.nativeSegment(bytes);
        for (int i = 0; i < length; i++) {
            bytes[i] ^= (byte) (1 << random.nextInt(8));
            MemorySegment other = Bytes.nativeSegment(bytes);
            assertThat(last.match(other.address())).as("%d of %d", i, length).isFalse();
            bytes[i] = again.get(ValueLayout.JAVA_BYTE, i);
        }
        assertThat(last.match(again.address())).as("%d", length).isTrue();
    }

    @Test
    void remembersNeitherLessThanAPairOfWordsNorTooMuch() {
        MemorySegment bytes = Bytes.nativeSegment(new byte[LastBytes.BYTES_MAX + 1]);
        long from = bytes.address();
        assertThat(last.remember(from, from + 15)).isFalse();
        assertThat(last.length()).isZero();
        assertThat(last.remember(from, from + LastBytes.BYTES_MAX + 1)).isFalse();
        assertThat(last.length()).isZero();
    }

    @Test
    void restsWhileAllIsNewAndFindsWhatRepeatsSoonAfter() {
        int looked = 0;
        for (int i = 0; i < 10_000; i++) {
            if (looks(i)) {
                looked++;
            }
        }
        assertThat(looked).isBetween(10_000 / LastBytes.REST, 30_000 / LastBytes.REST);

        int requests = 0;
        while (!found(-1)) {
            looks(-1);
            requests++;
            assertThat(requests).isLessThanOrEqualTo(LastBytes.REST + 2);
        }
        for (int i = 0; i < 1000; i++) {
            assertThat(last.rests()).isFalse();
            assertThat(found(-1)).isTrue();
        }
    }

    /** As a parser does with bytes of their own {@code value}: whether it compares or remembers. */
    private boolean looks(int value) {
        if (last.rests()) {
            return false;
        }
        if (!found(value)) {
            MemorySegment bytes = bytes(value);
            last.remember(bytes.address(), bytes.address() + bytes.byteSize());
        }
        return true;
    }

    private boolean found(int value) {
        return last.length() > 0 && last.match(bytes(value).address());
    }

    private static MemorySegment bytes(int value) {
        return Bytes.nativeSegment(Bytes.of("%020d".formatted(value)));
    }
}
