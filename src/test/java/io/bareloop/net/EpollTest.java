package io.bareloop.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bareloop.rig.Loopback;
import io.bareloop.rig.OpenFiles;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.sys.RecentLinux;
import io.bareloop.sys.Syscalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Readiness, over the real kernel, and results of a wait that it gives on no order. */
@Timeout(60)
class EpollTest {
    /** Gives a wait the result it is told, and keeps what passes through. */
    private static final class Waits extends Syscalls {
        int result;
        int epollFd = -1;
        int closed;

        Waits(Arena arena) {
            super(arena);
        }

        @Override
        public int epollCreate1(int flags) {
            epollFd = super.epollCreate1(flags);
            return epollFd;
        }

        @Override
        public int epollWait(int fd, MemorySegment events, int timeoutMillis) {
            return result < 0 ? result : super.epollWait(fd, events, timeoutMillis);
        }

        @Override
        public int close(int fd) {
            closed = fd;
            return super.close(fd);
        }
    }

    private final Arena arena = Arena.ofConfined();
    private final Waits sys = new Waits(arena);
    private final Loopback loopback = new Loopback(sys);

    private Epoll epoll;

    @BeforeEach
    void create() {
        epoll = new Epoll(sys, arena, 4);
    }

    @AfterEach
    void free() {
        epoll.close();
        loopback.close();
        arena.close();
    }

    @Test
    void tellsTokenAndReadiness() {
        long token = 0xFEDC_BA98_7654_3210L;
        assertThat(epoll.add(eventfd(1), Linux.EPOLLIN | Linux.EPOLLOUT, token)).isZero();
        assertThat(epoll.await(0)).isEqualTo(1);
        assertThat(epoll.token(0)).isEqualTo(token);
        assertThat(epoll.events(0)).isEqualTo(Linux.EPOLLIN | Linux.EPOLLOUT);
    }

    @Test
    void oneWaitReturnsNoMoreThanItsMost() {
        for (int i = 0; i < 6; i++) {
            assertThat(epoll.add(eventfd(1), Linux.EPOLLIN | Linux.EPOLLET, 10 + i)).isZero();
        }
        assertThat(epoll.await(0)).isEqualTo(4);
        for (int i = 0; i < 4; i++) {
            assertThat(epoll.token(i)).isEqualTo(10 + i);
        }
        assertThat(epoll.await(0)).isEqualTo(2);
        assertThat(epoll.token(0)).isEqualTo(14);
        assertThat(epoll.token(1)).isEqualTo(15);
        assertThat(epoll.await(0)).isZero();
    }

    @Test
    void modifyReportsAPresentEdgeAgain() {
        int fd = eventfd(1);
        epoll.add(fd, Linux.EPOLLIN | Linux.EPOLLET, 1);
        assertThat(epoll.await(0)).isEqualTo(1);
        assertThat(epoll.await(0)).isZero();
        assertThat(epoll.modify(fd, Linux.EPOLLIN | Linux.EPOLLET, 2)).isZero();
        assertThat(epoll.await(0)).isEqualTo(1);
        assertThat(epoll.token(0)).isEqualTo(2);
    }

    @Test
    void removeEndsIt() {
        int fd = eventfd(1);
        epoll.add(fd, Linux.EPOLLIN, 1);
        assertThat(epoll.remove(fd)).isZero();
        assertThat(epoll.await(0)).isZero();
        assertThat(epoll.remove(fd)).isEqualTo(-Errno.ENOENT);
        assertThat(epoll.modify(fd, Linux.EPOLLIN, 1)).isEqualTo(-Errno.ENOENT);
        assertThat(epoll.add(-1, Linux.EPOLLIN, 1)).isEqualTo(-Errno.EBADF);
    }

    @Test
    void aSignalEndsAWaitWithNothing() {
        epoll.add(eventfd(1), Linux.EPOLLIN, 1);
        sys.result = -Errno.EINTR;
        assertThat(epoll.await(-1)).isZero();
        sys.result = 0;
        assertThat(epoll.await(-1)).isEqualTo(1);
    }

    /** Our own mistakes do not pass for a quiet network. */
    @ParameterizedTest
    @ValueSource(strings = {"EBADF", "EFAULT", "EINVAL"})
    void impossibleErrorsAreNoResults(String name) throws ReflectiveOperationException {
        sys.result = -Errno.class.getField(name).getInt(null);
        assertThatThrownBy(() -> epoll.await(0))
                .isInstanceOf(AssertionError.class)
                .hasMessageStartingWith("epoll_wait: " + name + " (");
    }

    @Test
    void aRefusedDescriptorNamesItsReason() {
        Syscalls refusing =
                new Syscalls(arena) {
                    @Override
                    public int epollCreate1(int flags) {
                        return -Errno.EMFILE;
                    }
                };
        assertThatThrownBy(() -> new Epoll(refusing, arena, 4))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("epoll_create1: " + Errno.describe(Errno.EMFILE));
    }

    @Test
    void closesItsDescriptor() {
        int fd = sys.epollFd;
        assertThat(OpenFiles.isCloseOnExec(fd)).isTrue();
        Epoll second = new Epoll(sys, arena, 1);
        assertThat(second.await(0)).isZero();
        int secondFd = sys.epollFd;
        second.close();
        assertThat(sys.closed).isEqualTo(secondFd).isNotEqualTo(fd);
        assertThatThrownBy(() -> second.await(0)).hasMessageContaining("EBADF");
    }

    /** What the kernel then says it has; where it is older than 6.9, it says so. */
    @Test
    void busyPollReachesTheKernel() {
        int result = epoll.busyPoll(70_001, 33, true);
        assertThat(result).isIn(0, -Errno.ENOTTY);
        assumeTrue(result == 0, "EPIOCSPARAMS is new in Linux 6.9");
        // u32 micros 70001 = 0x11171, u16 budget, u8 prefer, u8 nothing.
        assertThat(params()).isEqualTo("71110100" + "2100" + "01" + "00");
        assertThat(epoll.busyPoll(0, 0, false)).isZero();
        assertThat(params()).isEqualTo("0000000000000000");
    }

    @Test
    void busyPollTellsOfAnOldKernel() {
        Syscalls old =
                new Syscalls(arena) {
                    @Override
                    public int ioctl(int fd, long request, MemorySegment argument) {
                        assertThat(request).isEqualTo(RecentLinux.EPIOCSPARAMS);
                        return -Errno.ENOTTY;
                    }
                };
        try (Epoll onOld = new Epoll(old, arena, 1)) {
            assertThat(onOld.busyPoll(50, 64, true)).isEqualTo(-Errno.ENOTTY);
        }
    }

    private String params() {
        MemorySegment params = arena.allocate(RecentLinux.EPOLL_PARAMS_BYTES);
        assertThat(sys.ioctl(sys.epollFd, RecentLinux.EPIOCGPARAMS, params)).isZero();
        return HexFormat.of().formatHex(params.toArray(ValueLayout.JAVA_BYTE));
    }

    private int eventfd(int initial) {
        return loopback.keep(sys.eventfd(initial, Linux.EFD_NONBLOCK | Linux.EFD_CLOEXEC));
    }
}
