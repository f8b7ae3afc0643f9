package io.bareloop.loop;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Large while nobody else waits; small and shared while somebody does. */
class BodySlicesTest {
    private final BodySlices slices = new BodySlices();

    @Test
    void areLargeWhereOnlyBodiesAreSent() {
        for (int turn = 0; turn < 10; turn++) {
            for (int body = 0; body < 4; body++) {
                assertThat(slices.next(turn, turn)).isEqualTo(BodySlices.ALONE_BYTES_MAX);
            }
        }
        for (int body = 4; body < 64; body++) {
            slices.next(9, 9);
        }
        assertThat(slices.next(10, 10)).isEqualTo(BodySlices.ALONE_BYTES_MIN);
        assertThat(slices.next(11, 11)).isEqualTo(BodySlices.ALONE_BYTES_MAX);
    }

    /** Also where the clock is negative, as System.nanoTime may be. */
    @Test
    void areSmallForAWhileWhereOthersAreServed() {
        for (long start : new long[] {0, 1, -5, Long.MAX_VALUE - 1000, Long.MIN_VALUE}) {
            slices.servedOthers(start);
            assertThat(slices.next(start, start)).isEqualTo(BodySlices.SHARED_BYTES_PER_TURN);
            long last = start + BodySlices.OTHERS_NANOS;
            assertThat(slices.next(start + 1, last)).isEqualTo(BodySlices.SHARED_BYTES_PER_TURN);
            assertThat(slices.next(start + 2, last + 1)).isEqualTo(BodySlices.ALONE_BYTES_MAX);
            assertThat(slices.next(start + 3, start)).isEqualTo(BodySlices.ALONE_BYTES_MAX);
        }
    }

    /** All bodies of a turn together hold it up as long as one. */
    @Test
    void areSharedBetweenBodies() {
        slices.servedOthers(0);
        slices.next(1, 0);
        assertThat(slices.next(1, 0)).isEqualTo(BodySlices.SHARED_BYTES_PER_TURN / 2);
        for (int turn = 2; turn < 5; turn++) {
            for (int body = 0; body < 2; body++) {
                assertThat(slices.next(turn, 0)).isEqualTo(BodySlices.SHARED_BYTES_PER_TURN / 2);
            }
        }
        for (int body = 0; body < 100; body++) {
            assertThat(slices.next(5, 0)).isGreaterThanOrEqualTo(BodySlices.SHARED_BYTES_MIN);
        }
        assertThat(slices.next(6, 0)).isEqualTo(BodySlices.SHARED_BYTES_MIN);
        assertThat(slices.next(7, 0)).isEqualTo(BodySlices.SHARED_BYTES_PER_TURN);
    }
}
