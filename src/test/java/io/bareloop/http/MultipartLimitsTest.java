package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

/** Limits as they are set, and out of range. */
class MultipartLimitsTest {
    @Test
    void areWhatTheyWereSetTo() {
        MultipartLimits limits =
                MultipartLimits.builder()
                        .partsMax(1)
                        .headBytesMax(64)
                        .fieldBytesMax(0)
                        .fieldsBytesMax(2)
                        .fileBytesMax(3)
                        .bodyBytesMax(Long.MAX_VALUE)
                        .build();
        assertThat(limits.partsMax()).isEqualTo(1);
        assertThat(limits.headBytesMax()).isEqualTo(64);
        assertThat(limits.fieldBytesMax()).isZero();
        assertThat(limits.fieldsBytesMax()).isEqualTo(2);
        assertThat(limits.fileBytesMax()).isEqualTo(3);
        assertThat(limits.bodyBytesMax()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void defaultsAreAsDocumented() {
        MultipartLimits limits = MultipartLimits.defaults();
        assertThat(limits.partsMax()).isEqualTo(100);
        assertThat(limits.headBytesMax()).isEqualTo(4096);
        assertThat(limits.fieldBytesMax()).isEqualTo(65_536);
        assertThat(limits.fieldsBytesMax()).isEqualTo(1_048_576);
        assertThat(limits.fileBytesMax()).isEqualTo(1_073_741_824);
        assertThat(limits.bodyBytesMax()).isEqualTo(1_073_741_824);
    }

    @Test
    void whatIsOutOfRangeIsNamed() {
        refused("partsMax is 0; it must be 1 to 10000", b -> b.partsMax(0));
        refused("partsMax is 10001", b -> b.partsMax(10_001));
        refused("headBytesMax is 63; it must be 64 to 65536", b -> b.headBytesMax(63));
        refused("headBytesMax is 65537", b -> b.headBytesMax(65_537));
        refused("fieldBytesMax is -1", b -> b.fieldBytesMax(-1));
        refused("fieldBytesMax is 1073741825", b -> b.fieldBytesMax((1 << 30) + 1));
        refused("fieldsBytesMax is -1", b -> b.fieldsBytesMax(-1));
        refused("fileBytesMax is -1", b -> b.fileBytesMax(-1));
        refused("bodyBytesMax is -1", b -> b.bodyBytesMax(-1));
    }

    private interface Call {
        MultipartLimits.Builder on(MultipartLimits.Builder builder);
    }

    private static void refused(String message, Call call) {
        assertThatThrownBy(() -> call.on(MultipartLimits.builder()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(message);
    }
}
