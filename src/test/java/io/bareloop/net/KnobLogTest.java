package io.bareloop.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.sys.Errno;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the banner tells of optional features. */
class KnobLogTest {
    private final KnobLog log = new KnobLog();

    @Test
    void notesWhatTookInOrder() {
        assertThat(log.note("B", Knob.Mode.AUTO, 0, "advice")).isTrue();
        assertThat(log.note("A", Knob.Mode.ON, 7, "advice")).isTrue();
        assertThat(log.taken()).containsExactly("B", "A");
        assertThat(log.refused()).isEmpty();
    }

    @Test
    void notesWhatWasRefusedWithErrnoAndAdvice() {
        assertThat(log.note("A", Knob.Mode.AUTO, -Errno.EPERM, "needs a licence")).isFalse();
        assertThat(log.refused()).containsExactly("A: EPERM (not permitted); needs a licence");
        assertThat(log.taken()).isEmpty();
    }

    @Test
    void throwsWhereItMustBeOn() {
        assertThatThrownBy(() -> log.note("A", Knob.Mode.ON, -Errno.ENOSYS, "needs Linux 9"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("A: ENOSYS (not in this kernel); needs Linux 9");
        assertThat(log.refused()).isEmpty();
        assertThat(log.taken()).isEmpty();
    }

    /** Each loop tries the same; what differs is told. */
    @Test
    void saysTheSameOnce() {
        for (int loop = 0; loop < 3; loop++) {
            log.note("A", Knob.Mode.AUTO, 0, "");
            log.note("B", Knob.Mode.AUTO, -Errno.EPERM, "advice");
        }
        log.note("B", Knob.Mode.AUTO, -Errno.EINVAL, "advice");
        assertThat(log.taken()).containsExactly("A");
        assertThat(log.refused())
                .containsExactly(
                        "B: EPERM (not permitted); advice", "B: EINVAL (invalid argument); advice");
    }

    @Test
    void handsOutCopies() {
        List<String> before = log.taken();
        log.note("A", Knob.Mode.AUTO, 0, "");
        assertThat(before).isEmpty();
        assertThatThrownBy(() -> log.taken().add("B"))
                .isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void knobsAreWantedUnlessOff() {
        assertThat(Knob.OFF.wanted()).isFalse();
        assertThat(Knob.auto(5)).isEqualTo(new Knob(Knob.Mode.AUTO, 5));
        assertThat(Knob.auto(5).wanted()).isTrue();
        assertThat(Knob.on(5)).isEqualTo(new Knob(Knob.Mode.ON, 5));
        assertThat(Knob.on(5).wanted()).isTrue();
    }
}
