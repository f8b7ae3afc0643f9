package io.bareloop.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SlabTest {
    private static final int KIB = 1 << 10;
    private static final int UNIT_BYTES = 64 * KIB;

    private final Arena arena = Arena.ofConfined();
    private final Discarded discarded = new Discarded();

    /** What has gone back to the system. */
    private static final class Discarded {
        private final NavigableMap<Long, Long> ranges = new TreeMap<>();
        private long bytes;

        void add(long offset, long length) {
            ranges.put(offset, length);
            bytes += length;
        }

        boolean holds(Slab slab, Slab.Slice slice) {
            long at = slab.offset(slice);
            return ranges.floorEntry(at) != null
                    && at < ranges.floorKey(at) + ranges.floorEntry(at).getValue();
        }
    }

    @AfterEach
    void free() {
        arena.close();
    }

    private Slab slab(long bytes) {
        return new Slab(arena.allocate(bytes), discarded::add);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 512",
        "1, 512",
        "511, 512",
        "512, 512",
        "513, 1024",
        "1024, 1024",
        "1025, 2048",
        "65535, 65536",
        "65536, 65536",
        "65537, 131072",
        "1048577, 2097152"
    })
    void aSliceIsTheNextPowerOfTwo(int bytes, int length) {
        Slab slab = slab(16 << 20);
        Slab.Slice slice = slab.take(bytes);
        assertThat(slice.length()).isEqualTo(length);
        assertThat(slice.segment().byteSize()).isEqualTo(length);
        assertThat(slice.segment().address() % Long.BYTES).isZero();
        assertThat(slice.segment().isNative()).isTrue();
        assertThat(slab.bytesInUse()).isEqualTo(length);
    }

    @Test
    void touchesNothingBeforeItIsNeeded() {
        Slab slab = slab(1 << 20);
        assertThat(slab.bytesTouched()).isZero();
        assertThat(slab.slicesInUse()).isZero();
        Slab.Slice slice = slab.take(100);
        assertThat(slab.bytesTouched()).isEqualTo(UNIT_BYTES);
        slab.give(slice);
        for (int i = 0; i < 1000; i++) {
            slab.give(slab.take(512 + i * 64));
        }
        // The lowest address first: what has been needed is needed again.
        assertThat(slab.bytesTouched()).isEqualTo(UNIT_BYTES);
    }

    @Test
    void whatIsGivenBackIsTakenAgain() {
        Slab slab = slab(256 * KIB);
        for (int i = 0; i < 10_000; i++) {
            Slab.Slice first = slab.take(700);
            Slab.Slice second = slab.take(800);
            assertThat(slab.slicesInUse()).isEqualTo(2);
            slab.give(first);
            assertThat(slab.take(1024)).isSameAs(first);
            slab.give(second);
            slab.give(first);
            assertThat(slab.slicesInUse()).isZero();
            assertThat(slab.bytesInUse()).isZero();
        }
        assertThat(slab.bytesTouched()).isEqualTo(UNIT_BYTES);
    }

    @ParameterizedTest
    @CsvSource({
        "512, 512, 1",
        "1000, 512, 1",
        "1024, 512, 2",
        "262144, 512, 512",
        "263168, 512, 514",
        "262144, 65536, 4",
        "262143, 65536, 3",
        "300000, 524288, 0",
        "1048576, 524288, 2",
        "3145728, 1048576, 3",
        "5767168, 2097152, 2"
    })
    void takesNoMoreThanItMay(long bytesMax, int bytes, int slices) {
        Slab slab = slab(bytesMax);
        List<Slab.Slice> taken = new ArrayList<>();
        for (int i = 0; i < slices; i++) {
            taken.add(slab.take(bytes));
            assertThat(taken.get(i)).isNotNull();
        }
        assertThat(slab.take(bytes)).isNull();
        assertThat(slab.take(bytes)).isNull();
        assertThat(slab.slicesInUse()).isEqualTo(slices);
        if (slices > 0) {
            slab.give(taken.get(0));
            assertThat(slab.take(bytes)).isSameAs(taken.get(0));
            assertThat(slab.take(bytes)).isNull();
        }
    }

    @Test
    void whatNoSliceCanHoldTakesNothing() {
        Slab slab = slab(1 << 20);
        for (int bytes : new int[] {(1 << 20) + 1, (1 << 30) + 1, Integer.MAX_VALUE}) {
            assertThat(slab.take(bytes)).isNull();
            assertThat(slab.bytesTouched()).isZero();
            assertThat(slab.slicesInUse()).isZero();
        }
    }

    /** A burst of small slices is no reason to refuse large ones when it is over. */
    @ParameterizedTest
    @ValueSource(ints = {512, 4096, 16 * KIB, 100 * KIB})
    void aSliceThatCameBackBecomesAnyOther(int bytes) {
        long bytesMax = 7 << 20;
        Slab slab = slab(bytesMax);
        for (int round = 0; round < 3; round++) {
            List<Slab.Slice> burst = new ArrayList<>();
            for (Slab.Slice slice = slab.take(bytes); slice != null; slice = slab.take(bytes)) {
                burst.add(slice);
            }
            assertThat(slab.take(4 << 20)).isNull();
            Collections.shuffle(burst, new Random(round));
            burst.forEach(slab::give);
            List<Slab.Slice> large = new ArrayList<>();
            for (int length : new int[] {4 << 20, 2 << 20, 1 << 20}) {
                large.add(slab.take(length));
                assertThat(large.getLast()).as("%d bytes", length).isNotNull();
            }
            assertThat(slab.bytesInUse()).isEqualTo(bytesMax);
            large.forEach(slab::give);
        }
    }

    @Test
    void whatIsGivenBackTwiceIsNoticed() {
        Slab slab = slab(1 << 20);
        Slab.Slice slice = slab.take(512);
        slab.give(slice);
        assertThatThrownBy(() -> slab.give(slice)).isInstanceOf(AssertionError.class);
    }

    // ---- memory goes back to the system

    @Test
    void whatIsFreeGoesBackToTheSystem() {
        Slab slab = slab(8 << 20);
        Slab.Slice low = slab.take(1000);
        List<Slab.Slice> burst = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            burst.add(slab.take(64 * KIB));
        }
        assertThat(slab.isLoose()).isFalse();
        Slab.Slice held = burst.remove(40);
        burst.forEach(slab::give);
        assertThat(slab.isLoose()).isTrue();
        slab.trim();
        // All but the units of the two that are still in use.
        assertThat(slab.bytesTouched()).isEqualTo(2 * UNIT_BYTES);
        assertThat(slab.isLoose()).isFalse();
        assertThat(discarded.bytes).isEqualTo(63 * 64 * KIB);
        assertThat(discarded.holds(slab, low)).isFalse();
        assertThat(discarded.holds(slab, held)).isFalse();
        slab.trim();
        assertThat(discarded.bytes).isEqualTo(63 * 64 * KIB);

        Slab.Slice again = slab.take(300 * KIB);
        slab.give(low);
        slab.give(held);
        slab.give(again);
        slab.trim();
        assertThat(slab.bytesTouched()).isZero();
    }

    @Test
    void littleIsNotWorthGivingBack() {
        Slab slab = slab(8 << 20);
        slab.give(slab.take(1024 * KIB));
        assertThat(slab.isLoose()).isTrue();
        slab.trim();
        slab.give(slab.take(512 * KIB));
        assertThat(slab.bytesTouched()).isEqualTo(512 * KIB);
        assertThat(slab.isLoose()).isFalse();
    }

    /** Each slice holds what its owner wrote, whoever else takes, gives and trims. */
    @Test
    void noTwoOwnersShareMemory() {
        long bytesMax = 3 << 20;
        for (int seed = 0; seed < 5; seed++) {
            Random random = new Random(seed);
            MemorySegment memory = arena.allocate(bytesMax);
            Slab slab =
                    new Slab(
                            memory,
                            (offset, bytes) -> memory.asSlice(offset, bytes).fill((byte) 0));
            List<Slab.Slice> taken = new ArrayList<>();
            List<Long> marks = new ArrayList<>();
            NavigableMap<Long, Long> ends = new TreeMap<>();
            boolean refused = false;
            for (int step = 0; step < 20_000; step++) {
                boolean takes = random.nextInt(1000) < (step / 5000 % 2 == 0 ? 600 : 400);
                if (takes) {
                    int bytes = 1 + (int) Math.pow(2, 18 * random.nextDouble());
                    Slab.Slice slice = slab.take(bytes);
                    if (slice == null) {
                        refused = true;
                    } else {
                        assertThat(slice.length()).isGreaterThanOrEqualTo(bytes);
                        long mark = random.nextLong();
                        mark(slice, mark);
                        taken.add(slice);
                        marks.add(mark);
                        assertApart(ends, slice);
                    }
                } else if (!taken.isEmpty()) {
                    int index = random.nextInt(taken.size());
                    Slab.Slice slice = taken.remove(index);
                    assertMarked(slice, marks.remove(index));
                    ends.remove(slice.segment().address());
                    slab.give(slice);
                }
                if (random.nextInt(100) == 0) {
                    slab.trim();
                }
                assertThat(slab.slicesInUse()).isEqualTo(taken.size());
                assertThat(slab.bytesInUse())
                        .isEqualTo(taken.stream().mapToLong(Slab.Slice::length).sum())
                        .isLessThanOrEqualTo(slab.bytesTouched());
            }
            assertThat(refused).isTrue();
            for (int i = 0; i < taken.size(); i++) {
                assertMarked(taken.get(i), marks.get(i));
                slab.give(taken.get(i));
            }
            assertThat(slab.take(2 << 20)).isNotNull();
            assertThat(slab.take(1 << 20)).isNotNull();
        }
    }

    private static void assertApart(NavigableMap<Long, Long> ends, Slab.Slice slice) {
        long start = slice.segment().address();
        long end = start + slice.length();
        if (ends.floorEntry(start) != null) {
            assertThat(ends.floorEntry(start).getValue()).isLessThanOrEqualTo(start);
        }
        if (ends.ceilingKey(start) != null) {
            assertThat(ends.ceilingKey(start)).isGreaterThanOrEqualTo(end);
        }
        ends.put(start, end);
    }

    private static void mark(Slab.Slice slice, long mark) {
        slice.segment().set(ValueLayout.JAVA_LONG, 0, mark);
        slice.segment().set(ValueLayout.JAVA_LONG, slice.length() - Long.BYTES, ~mark);
    }

    private static void assertMarked(Slab.Slice slice, long mark) {
        assertThat(slice.segment().get(ValueLayout.JAVA_LONG, 0)).isEqualTo(mark);
        assertThat(slice.segment().get(ValueLayout.JAVA_LONG, slice.length() - Long.BYTES))
                .isEqualTo(~mark);
    }
}
