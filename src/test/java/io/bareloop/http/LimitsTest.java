package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

class LimitsTest {
    record Limit(
            String name,
            long min,
            long max,
            BiConsumer<Limits.Builder, Long> set,
            Function<Limits, Long> get) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static Limit ofInt(
            String name,
            long min,
            long max,
            BiConsumer<Limits.Builder, Integer> set,
            Function<Limits, Integer> get) {
        return new Limit(
                name,
                min,
                max,
                (builder, value) -> set.accept(builder, value.intValue()),
                limits -> get.apply(limits).longValue());
    }

    private static final List<Limit> LIMITS =
            List.of(
                    ofInt(
                            "targetBytesMax",
                            1,
                            64 << 10,
                            Limits.Builder::targetBytesMax,
                            Limits::targetBytesMax),
                    ofInt(
                            "headBytesMax",
                            256,
                            64 << 10,
                            Limits.Builder::headBytesMax,
                            Limits::headBytesMax),
                    ofInt("fieldsMax", 1, 1000, Limits.Builder::fieldsMax, Limits::fieldsMax),
                    ofInt(
                            "bodyBytesMax",
                            0,
                            1 << 30,
                            Limits.Builder::bodyBytesMax,
                            Limits::bodyBytesMax),
                    new Limit(
                            "streamedBytesMax",
                            0,
                            Long.MAX_VALUE,
                            Limits.Builder::streamedBytesMax,
                            Limits::streamedBytesMax),
                    ofInt(
                            "unsentBytesMax",
                            64 << 10,
                            1 << 30,
                            Limits.Builder::unsentBytesMax,
                            Limits::unsentBytesMax),
                    new Limit(
                            "requestsPerConnectionMax",
                            1,
                            Long.MAX_VALUE,
                            Limits.Builder::requestsPerConnectionMax,
                            Limits::requestsPerConnectionMax),
                    ofInt(
                            "formParametersMax",
                            1,
                            1_000_000,
                            Limits.Builder::formParametersMax,
                            Limits::formParametersMax),
                    ofInt(
                            "pipelinedPerTurnMax",
                            1,
                            10_000,
                            Limits.Builder::pipelinedPerTurnMax,
                            Limits::pipelinedPerTurnMax));

    @Test
    void buildsTheDefaultsWithoutACall() {
        assertThat(Limits.builder().build())
                .isEqualTo(Limits.defaults())
                .hasSameHashCodeAs(Limits.defaults())
                .hasToString(
                        "Limits[targetBytesMax=8192, headBytesMax=16384, fieldsMax=100,"
                                + " bodyBytesMax=1048576, streamedBytesMax=1073741824,"
                                + " unsentBytesMax=1048576,"
                                + " requestsPerConnectionMax=9223372036854775807,"
                                + " formParametersMax=1000, pipelinedPerTurnMax=64]");
    }

    @ParameterizedTest
    @FieldSource("LIMITS")
    void takesWhatIsInRange(Limit limit) {
        for (long value : new long[] {limit.min, limit.max}) {
            Limits.Builder builder = Limits.builder();
            limit.set.accept(builder, value);
            Limits made = builder.build();
            assertThat(limit.get.apply(made)).isEqualTo(value);
            assertThat(made.toString()).contains(limit.name + "=" + value);
            // Another where one differs; the rest is as it was.
            for (Limit other : LIMITS) {
                if (!other.equals(limit)) {
                    assertThat(other.get.apply(made)).isEqualTo(other.get.apply(Limits.defaults()));
                }
            }
            assertThat(made.equals(Limits.defaults()))
                    .isEqualTo(value == limit.get.apply(Limits.defaults()));
            assertThat(made.toBuilder().build()).isEqualTo(made).hasSameHashCodeAs(made);
        }
    }

    @ParameterizedTest
    @FieldSource("LIMITS")
    void refusesWhatIsOutOfRange(Limit limit) {
        Limits.Builder builder = Limits.builder();
        refuses(limit, builder, limit.min - 1);
        if (limit.max < Long.MAX_VALUE) {
            refuses(limit, builder, limit.max + 1);
        }
        assertThat(builder.build()).isEqualTo(Limits.defaults());
    }

    private static void refuses(Limit limit, Limits.Builder builder, long value) {
        assertThatThrownBy(() -> limit.set.accept(builder, value))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "%s is %d; it must be %d to %d", limit.name, value, limit.min, limit.max);
    }

    @Test
    void aBuilderChangesNothingThatWasMade() {
        Limits.Builder builder = Limits.builder().fieldsMax(3);
        Limits three = builder.build();
        builder.fieldsMax(4);
        three.toBuilder().fieldsMax(5);
        assertThat(three.fieldsMax()).isEqualTo(3);
        assertThat(builder.build().fieldsMax()).isEqualTo(4);
        assertThat(three).isNotEqualTo("3");
    }
}
