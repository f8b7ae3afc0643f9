package io.bareloop.sys;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Field;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Names and words for errno values; that the values are right is for the probe to say. */
class ErrnoTest {
    @Test
    void saysWhatAPersonReads() {
        assertThat(Errno.describe(Errno.EADDRINUSE))
                .isEqualTo("EADDRINUSE (address already in use)");
    }

    @Test
    void takesResultsOfCallsAsTheyAre() {
        assertThat(Errno.describe(-Errno.EBADF)).isEqualTo("EBADF (bad file descriptor)");
    }

    @Test
    void givesTheNumberOfOthers() {
        assertThat(Errno.describe(4095)).isEqualTo("errno 4095");
        assertThat(Errno.describe(-4095)).isEqualTo("errno 4095");
        assertThat(Errno.describe(0)).isEqualTo("errno 0");
    }

    /** A line copied and half changed would show here. */
    @Test
    void eachIsCalledByItsOwnName() throws IllegalAccessException {
        Map<Integer, String> seen = new HashMap<>();
        for (Field field : Errno.class.getFields()) {
            int errno = field.getInt(null);
            assertThat(Errno.describe(errno)).matches(field.getName() + " \\(.+\\)");
            assertThat(seen.put(errno, field.getName())).as(field.getName()).isNull();
        }
        assertThat(seen).hasSizeGreaterThan(30);
    }
}
