package io.bareloop.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Deadlines in a time of our own, beside a map that says what should happen. */
@Timeout(60)
class DeadlinesTest {
    private static final long TICK = 1L << 26;
    private static final long HORIZON = 512 * TICK;
    private static final long MILLI = 1_000_000;

    private static final int SLOTS = 40;

    // ---- one deadline

    @ParameterizedTest
    @ValueSource(longs = {0, 1, TICK - 1, TICK, -1, -TICK, -HORIZON + 7, Long.MAX_VALUE / 4})
    void comesNeverEarlyAndAtMostOneTickLate(long start) {
        long[] delays = {
            0,
            1,
            MILLI,
            TICK - 1,
            TICK,
            TICK + 1,
            10 * TICK,
            HORIZON - TICK - 1,
            HORIZON - TICK,
            HORIZON - 1,
            HORIZON,
            HORIZON + 1,
            3 * HORIZON + 5
        };
        for (long delay : delays) {
            Deadlines deadlines = newDeadlines(start);
            deadlines.set(0, start + delay);
            List<Integer> expired = new ArrayList<>();
            // In steps of half a tick, which never fall on the deadline itself but by chance.
            for (long now = start; now < start + delay; now += TICK / 2) {
                deadlines.expire(now, expired::add);
                assertThat(expired).as("%s of %s", now - start, delay).isEmpty();
                assertThat(deadlines.count()).isEqualTo(1);
            }
            deadlines.expire(start + delay - 1, expired::add);
            assertThat(expired).isEmpty();
            deadlines.expire(start + delay + TICK, expired::add);
            assertThat(expired).as("delay %s", delay).containsExactly(0);
            assertThat(deadlines.count()).isZero();
            deadlines.expire(start + delay + 10 * HORIZON, expired::add);
            assertThat(expired).hasSize(1);
        }
    }

    @Test
    void movesToLaterAndToEarlier() {
        Deadlines deadlines = newDeadlines(0);
        List<Integer> expired = new ArrayList<>();
        deadlines.set(0, 10 * TICK);
        deadlines.set(0, 100 * TICK);
        deadlines.expire(50 * TICK, expired::add);
        assertThat(expired).isEmpty();
        deadlines.set(0, 52 * TICK);
        assertThat(deadlines.count()).isEqualTo(1);
        deadlines.expire(53 * TICK, expired::add);
        assertThat(expired).containsExactly(0);
    }

    @Test
    void isForgottenWhereCancelled() {
        Deadlines deadlines = newDeadlines(0);
        List<Integer> expired = new ArrayList<>();
        deadlines.cancel(3);
        deadlines.set(3, TICK);
        deadlines.set(3, 5 * TICK);
        deadlines.cancel(3);
        deadlines.cancel(3);
        assertThat(deadlines.count()).isZero();
        assertThat(deadlines.nanosToNext(0)).isEqualTo(-1);
        deadlines.expire(10 * HORIZON, expired::add);
        assertThat(expired).isEmpty();
    }

    @Test
    void makingRoomKeepsWhatIsSet() {
        Deadlines deadlines = new Deadlines(0);
        List<Integer> expired = new ArrayList<>();
        for (int slots = 1; slots <= 1000; slots++) {
            deadlines.ensureSlots(slots);
            deadlines.set(slots - 1, slots * TICK);
        }
        deadlines.ensureSlots(5);
        assertThat(deadlines.count()).isEqualTo(1000);
        for (int tick = 1; tick <= 1000; tick++) {
            deadlines.expire((tick + 1) * TICK, expired::add);
            // The next may come just in time where it stood in the last list.
            assertThat(expired.size()).isBetween(tick, tick + 1);
            assertThat(expired.contains(tick - 1)).isTrue();
        }
        assertThat(expired).doesNotHaveDuplicates();
    }

    // ---- the visitor

    @ParameterizedTest
    @ValueSource(
            longs = {-5 * TICK, -1, 0, 1, TICK, 511 * TICK, 512 * TICK, 513 * TICK, HORIZON * 3})
    void aVisitorMaySetItsOwnSlotAgain(long delay) {
        Deadlines deadlines = newDeadlines(0);
        for (int slot = 0; slot < SLOTS; slot++) {
            deadlines.set(slot, slot % 3 * TICK);
        }
        long now = 10 * TICK + 12345;
        int[] visits = new int[SLOTS];
        deadlines.expire(
                now,
                slot -> {
                    visits[slot]++;
                    deadlines.set(slot, now + delay);
                });
        assertThat(visits).containsOnly(1);
        assertThat(deadlines.count()).isEqualTo(SLOTS);
        List<Integer> expired = new ArrayList<>();
        deadlines.expire(now + delay - 1, expired::add);
        deadlines.expire(now, expired::add);
        assertThat(expired).isEmpty();
        deadlines.expire(now + Math.max(delay, 0) + TICK, expired::add);
        assertThat(expired).hasSize(SLOTS).doesNotHaveDuplicates();
    }

    @Test
    void aVisitorMayCancelItsOwnSlot() {
        Deadlines deadlines = newDeadlines(0);
        for (int slot = 0; slot < SLOTS; slot++) {
            deadlines.set(slot, TICK);
        }
        List<Integer> expired = new ArrayList<>();
        deadlines.expire(
                3 * TICK,
                slot -> {
                    expired.add(slot);
                    deadlines.cancel(slot);
                });
        assertThat(expired).hasSize(SLOTS).doesNotHaveDuplicates();
        assertThat(deadlines.count()).isZero();
    }

    // ---- beside a model

    private record Expected(long deadline, long setAt) {
        /** A deadline that has passed when it is set comes with the next tick. */
        long due() {
            return Math.max(deadline, setAt);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
    void agreesWithAModel(long seed) {
        Random random = new Random(seed);
        long now = seed % 2 == 0 ? random.nextLong(1L << 50) : -random.nextLong(1L << 50);
        Deadlines deadlines = newDeadlines(now);
        Map<Integer, Expected> model = new HashMap<>();
        for (int step = 0; step < 30_000; step++) {
            int slot = random.nextInt(SLOTS);
            switch (random.nextInt(8)) {
                case 0, 1, 2, 3 -> {
                    long deadline = now + someDelay(random);
                    deadlines.set(slot, deadline);
                    model.put(slot, new Expected(deadline, now));
                }
                case 4 -> {
                    deadlines.cancel(slot);
                    model.remove(slot);
                }
                default -> {
                    now += someTime(random);
                    expire(deadlines, model, now, random);
                }
            }
            assertThat(deadlines.count()).isEqualTo(model.size());
        }
    }

    private static void expire(
            Deadlines deadlines, Map<Integer, Expected> model, long now, Random random) {
        List<Integer> visited = new ArrayList<>();
        Map<Integer, Expected> setAgain = new HashMap<>();
        deadlines.expire(
                now,
                slot -> {
                    visited.add(slot);
                    Expected expected = model.remove(slot);
                    assertThat(expected).as("slot %s is set", slot).isNotNull();
                    assertThat(expected.deadline).isLessThanOrEqualTo(now);
                    if (random.nextInt(3) == 0) {
                        long deadline = now + someDelay(random);
                        deadlines.set(slot, deadline);
                        setAgain.put(slot, new Expected(deadline, now));
                    }
                });
        assertThat(visited).doesNotHaveDuplicates();
        model.putAll(setAgain);
        long first = Long.MAX_VALUE;
        for (Expected expected : model.values()) {
            assertThat(expected.due()).as("late").isGreaterThan(now - TICK);
            first = Math.min(first, expected.due());
        }
        long nanos = deadlines.nanosToNext(now);
        if (model.isEmpty()) {
            assertThat(nanos).isEqualTo(-1);
        } else {
            // Not zero, which would be spinning: expire has just been called.
            assertThat(nanos).isPositive();
            assertThat(now + nanos).isLessThanOrEqualTo(first + TICK);
        }
    }

    /** Past ones, some within a tick, the horizon and far beyond; many the same, as in practice. */
    private static long someDelay(Random random) {
        return switch (random.nextInt(10)) {
            case 0 -> -random.nextLong(3 * HORIZON);
            case 1 -> -random.nextLong(TICK);
            case 2 -> 0;
            case 3 -> random.nextLong(TICK);
            case 4 -> random.nextLong(5 * HORIZON);
            case 5 -> random.nextLong(20) * TICK;
            case 6 -> HORIZON - TICK + random.nextLong(2 * TICK);
            default -> random.nextLong(HORIZON);
        };
    }

    private static long someTime(Random random) {
        return switch (random.nextInt(20)) {
            case 0 -> random.nextLong(3 * HORIZON);
            case 1 -> HORIZON - TICK + random.nextLong(2 * TICK);
            case 2, 3 -> random.nextLong(30 * TICK);
            case 4, 5, 6 -> TICK;
            case 7, 8 -> 0;
            default -> random.nextLong(TICK);
        };
    }

    /** Sleeping as long as it is told, a loop misses nothing, and does not wake all the time. */
    @Test
    void whoSleepsUntilTheNextIsInTime() {
        Random random = new Random(1);
        long now = 123_456_789L;
        Deadlines deadlines = newDeadlines(now);
        Map<Integer, Long> model = new HashMap<>();
        int wakes = 0;
        int rounds = 2000;
        for (int round = 0; round < rounds; round++) {
            int slot = random.nextInt(SLOTS);
            long deadline = now + random.nextLong(2 * HORIZON);
            deadlines.set(slot, deadline);
            model.put(slot, deadline);
            // Sleeps through several, as nothing else happens.
            int sleeps = random.nextInt(4);
            for (int i = 0; i < sleeps && !model.isEmpty(); i++) {
                now += deadlines.nanosToNext(now);
                wakes++;
                long wokenAt = now;
                deadlines.expire(
                        now,
                        expired ->
                                assertThat(model.remove(expired))
                                        .isBetween(wokenAt - TICK, wokenAt));
                assertThat(model.values()).allMatch(time -> time > wokenAt - TICK);
            }
        }
        assertThat(wakes).isGreaterThan(rounds);
        assertThat(deadlines.count()).isEqualTo(model.size());
        int last = 0;
        while (deadlines.count() > 0) {
            now += deadlines.nanosToNext(now);
            deadlines.expire(now, model::remove);
            last++;
        }
        assertThat(model).isEmpty();
        // One wake for each that is moved on from the horizon, one for each that comes.
        assertThat(last).isLessThanOrEqualTo(4 * SLOTS);
    }

    private static Deadlines newDeadlines(long now) {
        Deadlines deadlines = new Deadlines(now);
        deadlines.ensureSlots(SLOTS);
        return deadlines;
    }
}
