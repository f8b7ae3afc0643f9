package io.bareloop.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.rig.Loopback;
import io.bareloop.rig.OpenFiles;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Syscalls;
import java.lang.foreign.Arena;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Waking a loop, and above all not waking what came after it. */
@Timeout(60)
class WakeupTest {
    private static final int RACE_MILLIS = 300;

    private final Arena arena = Arena.ofConfined();
    private final Syscalls sys = new Syscalls(arena);

    @AfterEach
    void free() {
        arena.close();
    }

    @Test
    void wakingFromAnotherThreadEndsAWait() throws Exception {
        CountDownLatch aboutToWait = new CountDownLatch(1);
        try (Wakeup wakeup = new Wakeup(sys, new Syscalls(Arena.ofAuto()));
                Epoll epoll = new Epoll(sys, arena, 4)) {
            assertThat(epoll.add(wakeup.fd(), Linux.EPOLLIN, -2)).isZero();
            FutureTask<Void> waker =
                    new FutureTask<>(
                            () -> {
                                aboutToWait.await();
                                wakeup.wake();
                                return null;
                            });
            start(waker);
            aboutToWait.countDown();
            assertThat(epoll.await(Loopback.WAIT_MILLIS)).isEqualTo(1);
            assertThat(epoll.token(0)).isEqualTo(-2);
            waker.get(Loopback.WAIT_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    @Test
    void drainTakesBackAllWakeUpsSoFar() {
        try (Wakeup wakeup = new Wakeup(sys, new Syscalls(Arena.ofAuto()));
                Epoll epoll = new Epoll(sys, arena, 4)) {
            epoll.add(wakeup.fd(), Linux.EPOLLIN, 1);
            assertThat(epoll.await(0)).as("before any").isZero();
            wakeup.wake();
            wakeup.wake();
            wakeup.wake();
            assertThat(epoll.await(0)).isEqualTo(1);
            wakeup.drain();
            assertThat(epoll.await(0)).isZero();
            wakeup.drain(); // does not block where there is nothing
            wakeup.wake();
            assertThat(epoll.await(0)).as("after a drain").isEqualTo(1);
        }
    }

    @Test
    void neverBlocksAWaker() {
        try (Wakeup wakeup = new Wakeup(sys, new Syscalls(Arena.ofAuto()))) {
            assertThat(OpenFiles.isNonBlocking(wakeup.fd())).isTrue();
            assertThat(OpenFiles.isCloseOnExec(wakeup.fd())).isTrue();
            sys.eventfdWrite(wakeup.fd(), -2L);
            wakeup.wake();
            assertThat(OpenFiles.eventfdCount(wakeup.fd())).as("full, thus awake").isEqualTo(-2L);
        }
    }

    @Test
    void closedItLeavesAReusedDescriptorAlone() {
        Wakeup wakeup = new Wakeup(sys, new Syscalls(Arena.ofAuto()));
        wakeup.close();
        int other = reused(wakeup.fd());
        wakeup.wake();
        assertThat(OpenFiles.eventfdCount(other)).isZero();
        wakeup.close();
        assertThat(sys.eventfdRead(other)).as("open still").isEqualTo(-Errno.EAGAIN);
        assertThat(sys.close(other)).isZero();
    }

    /** A waker that is between its look and its write when the loop closes. */
    @Test
    void closingWhileOthersWakeLeavesAReusedDescriptorAlone() throws Exception {
        AtomicReference<Wakeup> current = new AtomicReference<>();
        AtomicBoolean stop = new AtomicBoolean();
        FutureTask<Void> waker =
                new FutureTask<>(
                        () -> {
                            while (!stop.get()) {
                                Wakeup wakeup = current.get();
                                if (wakeup != null) {
                                    wakeup.wake();
                                }
                            }
                            return null;
                        });
        start(waker);
        int reusedCount = 0;
        try {
            long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(RACE_MILLIS);
            for (int round = 0; System.nanoTime() < end || round < 10; round++) {
                Wakeup wakeup = new Wakeup(sys, new Syscalls(Arena.ofAuto()));
                current.set(wakeup);
                awaitAWake(wakeup);
                wakeup.close();
                int other = sys.eventfd(0, Linux.EFD_NONBLOCK | Linux.EFD_CLOEXEC);
                boolean reused = other == wakeup.fd();
                reusedCount += reused ? 1 : 0;
                for (int i = 0; i < 20; i++) {
                    Thread.onSpinWait();
                    int read = sys.eventfdRead(other);
                    assertThat(read).as("round " + round).isEqualTo(-Errno.EAGAIN);
                }
                assertThat(sys.close(other)).isZero();
            }
        } finally {
            stop.set(true);
            waker.get(Loopback.WAIT_MILLIS, TimeUnit.MILLISECONDS);
        }
        assertThat(reusedCount).as("rounds in which the number came back").isPositive();
    }

    @Test
    void aRefusedDescriptorNamesItsReason() {
        Syscalls refusing =
                new Syscalls(arena) {
                    @Override
                    public int eventfd(int initial, int flags) {
                        return -Errno.ENFILE;
                    }
                };
        assertThatThrownBy(() -> new Wakeup(refusing, refusing))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("eventfd: " + Errno.describe(Errno.ENFILE));
    }

    private void awaitAWake(Wakeup wakeup) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Loopback.WAIT_MILLIS);
        while (sys.eventfdRead(wakeup.fd()) < 0) {
            assertThat(System.nanoTime()).as("when the waker wakes").isLessThan(deadline);
            Thread.onSpinWait();
        }
    }

    /**
     * An eventfd of the number {@code fd}: the lowest free one, unless another thread is faster.
     */
    private int reused(int fd) {
        int got = sys.eventfd(0, Linux.EFD_NONBLOCK | Linux.EFD_CLOEXEC);
        for (int tries = 0; got != fd && tries < 100; tries++) {
            int next = sys.eventfd(0, Linux.EFD_NONBLOCK | Linux.EFD_CLOEXEC);
            sys.close(got);
            got = next;
        }
        assertThat(got).as("the number came back").isEqualTo(fd);
        return got;
    }

    private static void start(FutureTask<Void> task) {
        Thread thread = new Thread(task, "wakeup-test");
        thread.setDaemon(true);
        thread.start();
    }
}
