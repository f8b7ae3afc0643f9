package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SlabTest {
    private static final int KIB = 1 << 10;
    private static final int CHUNK_BYTES = 256 * KIB;

    private final Arena arena = Arena.ofConfined();

    @AfterEach
    void free() {
        arena.close();
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
        Slab slab = new Slab(arena, 16 << 20);
        Slab.Slice slice = slab.take(bytes);
        assertThat(slice.length()).isEqualTo(length);
        assertThat(slice.segment().byteSize()).isEqualTo(length);
        assertThat(slice.segment().address() % Long.BYTES).isZero();
        assertThat(slice.segment().isNative()).isTrue();
    }

    @Test
    void allocatesNothingBeforeItIsNeeded() {
        Slab slab = new Slab(arena, 1 << 20);
        assertThat(slab.bytesAllocated()).isZero();
        assertThat(slab.slicesInUse()).isZero();
    }

    @Test
    void aChunkIsCutIntoSlicesOfOneLength() {
        Slab slab = new Slab(arena, 16 << 20);
        for (int i = 0; i < CHUNK_BYTES / 4096; i++) {
            slab.take(4096);
            assertThat(slab.bytesAllocated()).isEqualTo(CHUNK_BYTES);
        }
        slab.take(4096);
        assertThat(slab.bytesAllocated()).isEqualTo(2 * CHUNK_BYTES);
        slab.take(512);
        assertThat(slab.bytesAllocated()).isEqualTo(3 * CHUNK_BYTES);
        slab.take(2 * CHUNK_BYTES);
        assertThat(slab.bytesAllocated()).isEqualTo(5 * CHUNK_BYTES);
        assertThat(slab.slicesInUse()).isEqualTo(CHUNK_BYTES / 4096 + 3);
    }

    @Test
    void whatIsGivenBackIsTakenAgain() {
        Slab slab = new Slab(arena, CHUNK_BYTES);
        for (int i = 0; i < 10_000; i++) {
            Slab.Slice first = slab.take(700);
            Slab.Slice second = slab.take(800);
            assertThat(slab.slicesInUse()).isEqualTo(2);
            slab.give(first);
            assertThat(slab.take(1024)).isSameAs(first);
            slab.give(second);
            slab.give(first);
            assertThat(slab.slicesInUse()).isZero();
        }
        assertThat(slab.bytesAllocated()).isEqualTo(CHUNK_BYTES);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 512, 0",
        "511, 512, 0",
        "512, 512, 1",
        "1000, 512, 1",
        "1024, 512, 2",
        "262144, 512, 512",
        "263168, 512, 514",
        "262144, 65536, 4",
        "262143, 65536, 3",
        "300000, 524288, 0",
        "1048576, 524288, 2"
    })
    void takesNoMoreThanItMay(long bytesMax, int bytes, int slices) {
        Slab slab = new Slab(arena, bytesMax);
        List<Slab.Slice> taken = new ArrayList<>();
        for (int i = 0; i < slices; i++) {
            taken.add(slab.take(bytes));
            assertThat(taken.get(i)).isNotNull();
        }
        assertThat(slab.take(bytes)).isNull();
        assertThat(slab.take(bytes)).isNull();
        assertThat(slab.slicesInUse()).isEqualTo(slices);
        assertThat(slab.bytesAllocated()).isLessThanOrEqualTo(bytesMax);
        if (slices > 0) {
            slab.give(taken.get(0));
            assertThat(slab.take(bytes)).isSameAs(taken.get(0));
            assertThat(slab.take(bytes)).isNull();
        }
    }

    @Test
    void whatNoSliceCanHoldTakesNothing() {
        Slab slab = new Slab(arena, 1 << 20);
        for (int bytes : new int[] {(1 << 30) + 1, Integer.MAX_VALUE}) {
            assertThat(slab.take(bytes)).isNull();
            assertThat(slab.bytesAllocated()).isZero();
            assertThat(slab.slicesInUse()).isZero();
        }
    }

    /** Each slice holds what its owner wrote, whoever else takes and gives. */
    @Test
    void noTwoOwnersShareMemory() {
        long bytesMax = 3 << 20;
        for (int seed = 0; seed < 5; seed++) {
            Random random = new Random(seed);
            Slab slab = new Slab(arena, bytesMax);
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
                assertThat(slab.slicesInUse()).isEqualTo(taken.size());
                assertThat(slab.bytesAllocated()).isLessThanOrEqualTo(bytesMax);
            }
            assertThat(refused).isTrue();
            for (int i = 0; i < taken.size(); i++) {
                assertMarked(taken.get(i), marks.get(i));
            }
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
