package io.bareloop.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.rig.Loopback;
import io.bareloop.rig.OpenFiles;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Syscalls;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Ending a wait in time, and setting the kernel's timer as seldom as that allows. */
@Timeout(60)
class TimerTest {
    private static final long MILLI = 1_000_000;
    private static final long HOUR = 3_600_000 * MILLI;
    private static final int EDGES = Linux.EPOLLIN | Linux.EPOLLET;

    private final Arena arena = Arena.ofConfined();
    private final List<Long> settings = new ArrayList<>();
    private final Syscalls sys =
            new Syscalls(arena) {
                @Override
                public int timerfdSettime(int fd, long nanos) {
                    settings.add(nanos);
                    return super.timerfdSettime(fd, nanos);
                }
            };

    @AfterEach
    void free() {
        arena.close();
    }

    /** Times that need seconds, nanoseconds and both; each is an edge with nothing read between. */
    @Test
    void endsEachWaitNotBeforeItsTime() {
        try (Timer timer = new Timer(sys);
                Epoll epoll = new Epoll(sys, arena, 4)) {
            assertThat(epoll.add(timer.fd(), EDGES, -3)).isZero();
            for (long nanos : new long[] {1, 30 * MILLI, 1000 * MILLI, 1000 * MILLI + 1, MILLI}) {
                long start = System.nanoTime();
                timer.comeWithin(start, nanos);
                assertThat(epoll.await(Loopback.WAIT_MILLIS)).isEqualTo(1);
                assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(nanos);
                assertThat(epoll.token(0)).isEqualTo(-3);
                assertThat(epoll.await(0)).as("once only").isZero();
                timer.hasCome();
            }
        }
    }

    @Test
    void isSetAgainOnlyForWhatComesSooner() {
        try (Timer timer = new Timer(sys);
                Epoll epoll = new Epoll(sys, arena, 4)) {
            epoll.add(timer.fd(), EDGES, 1);
            long now = System.nanoTime();
            timer.comeWithin(now, 2 * HOUR);
            timer.comeWithin(now, 2 * HOUR);
            timer.comeWithin(now, 3 * HOUR);
            timer.comeWithin(now + HOUR, HOUR);
            timer.comeWithin(now + HOUR, HOUR + 1);
            assertThat(settings).containsExactly(2 * HOUR);
            timer.comeWithin(now + HOUR, HOUR - 1);
            timer.comeWithin(now, 20 * MILLI);
            assertThat(settings).containsExactly(2 * HOUR, HOUR - 1, 20 * MILLI);
            assertThat(epoll.await(Loopback.WAIT_MILLIS)).as("the soonest").isEqualTo(1);
            timer.hasCome();
            timer.comeWithin(now, 3 * HOUR);
            assertThat(settings).hasSize(4);
            assertThat(epoll.await(0)).isZero();
        }
    }

    /** What System.nanoTime gives may be anything, and wraps around. */
    @Test
    void comparesTimesThatWrapAround() {
        try (Timer timer = new Timer(sys)) {
            long now = Long.MAX_VALUE - HOUR;
            timer.comeWithin(now, 2 * HOUR);
            timer.comeWithin(now, 3 * HOUR);
            assertThat(settings).containsExactly(2 * HOUR);
            timer.comeWithin(now, HOUR / 2);
            assertThat(settings).containsExactly(2 * HOUR, HOUR / 2);
        }
    }

    @Test
    void itsDescriptorIsLikeTheOthers() {
        try (Timer timer = new Timer(sys)) {
            assertThat(OpenFiles.isNonBlocking(timer.fd())).isTrue();
            assertThat(OpenFiles.isCloseOnExec(timer.fd())).isTrue();
        }
    }

    @Test
    void closingFreesTheDescriptor() {
        Timer timer = new Timer(sys);
        timer.close();
        assertThat(sys.timerfdSettime(timer.fd(), 1)).isNegative();
    }

    @Test
    void aRefusedDescriptorNamesItsReason() {
        Syscalls refusing =
                new Syscalls(arena) {
                    @Override
                    public int timerfdCreate(int clock, int flags) {
                        return -Errno.EMFILE;
                    }
                };
        assertThatThrownBy(() -> new Timer(refusing))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("timerfd_create: " + Errno.describe(Errno.EMFILE));
    }
}
