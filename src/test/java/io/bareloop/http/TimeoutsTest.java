package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

class TimeoutsTest {
    record Timeout(
            String name,
            BiConsumer<Timeouts.Builder, Duration> set,
            Function<Timeouts, Duration> get) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static final List<Timeout> TIMEOUTS =
            List.of(
                    new Timeout("head", Timeouts.Builder::head, Timeouts::head),
                    new Timeout("body", Timeouts.Builder::body, Timeouts::body),
                    new Timeout("idle", Timeouts.Builder::idle, Timeouts::idle),
                    new Timeout("send", Timeouts.Builder::send, Timeouts::send),
                    new Timeout("linger", Timeouts.Builder::linger, Timeouts::linger));

    @Test
    void buildsTheDefaultsWithoutACall() {
        assertThat(Timeouts.builder().build())
                .isEqualTo(Timeouts.defaults())
                .hasSameHashCodeAs(Timeouts.defaults())
                .hasToString(
                        "Timeouts[head=PT10S, body=PT30S, idle=PT1M, send=PT30S, linger=PT30S]");
    }

    @ParameterizedTest
    @FieldSource("TIMEOUTS")
    void takesWhatIsInRange(Timeout timeout) {
        for (Duration time : List.of(Duration.ofMillis(1), Duration.ofHours(24))) {
            Timeouts.Builder builder = Timeouts.builder();
            timeout.set.accept(builder, time);
            Timeouts made = builder.build();
            assertThat(timeout.get.apply(made)).isEqualTo(time);
            assertThat(made.toString()).contains(timeout.name + "=" + time);
            for (Timeout other : TIMEOUTS) {
                if (!other.equals(timeout)) {
                    assertThat(other.get.apply(made))
                            .isEqualTo(other.get.apply(Timeouts.defaults()));
                }
            }
            assertThat(made).isNotEqualTo(Timeouts.defaults());
            assertThat(made.toBuilder().build()).isEqualTo(made).hasSameHashCodeAs(made);
        }
    }

    @ParameterizedTest
    @FieldSource("TIMEOUTS")
    void refusesWhatIsOutOfRange(Timeout timeout) {
        Timeouts.Builder builder = Timeouts.builder();
        for (Duration time :
                List.of(
                        Duration.ofSeconds(-1),
                        Duration.ZERO,
                        Duration.ofNanos(999_999),
                        Duration.ofHours(24).plusNanos(1))) {
            assertThatThrownBy(() -> timeout.set.accept(builder, time))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("time-out %s is %s; it must be 1 ms to 24 h", timeout.name, time);
        }
        assertThat(builder.build()).isEqualTo(Timeouts.defaults());
    }

    @Test
    void aBuilderChangesNothingThatWasMade() {
        Timeouts.Builder builder = Timeouts.builder().idle(Duration.ofSeconds(3));
        Timeouts three = builder.build();
        builder.idle(Duration.ofSeconds(4));
        three.toBuilder().idle(Duration.ofSeconds(5));
        assertThat(three.idle()).hasSeconds(3);
        assertThat(builder.build().idle()).hasSeconds(4);
        assertThat(three).isNotEqualTo("3");
    }
}
