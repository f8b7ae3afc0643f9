package io.bareloop.sys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.rig.Loopback;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The packed struct: as we write and read it, and as the kernel does. */
class EpollEventsTest {
    /** Every byte differs, each half has its sign bit set in one of them, and all differ. */
    private static final long[] DATA = {
        0x0123_4567_89AB_CDEFL,
        -1L,
        Long.MIN_VALUE,
        Long.MAX_VALUE,
        0xFFFF_FFFFL,
        0xFFFF_FFFF_0000_0000L,
        -2L,
        0L
    };

    private final Arena arena = Arena.ofConfined();
    private final Syscalls sys = new Syscalls(arena);
    private final Loopback loopback = new Loopback(sys);

    @AfterEach
    void free() {
        loopback.close();
        arena.close();
    }

    @Test
    void readsWhatItWroteInEveryElement() {
        MemorySegment array = arena.allocate((long) DATA.length * EpollEvents.BYTES);
        for (int i = 0; i < DATA.length; i++) {
            EpollEvents.set(array, i, ~i, DATA[i]);
        }
        for (int i = 0; i < DATA.length; i++) {
            assertThat(EpollEvents.events(array, i)).isEqualTo(~i);
            assertThat(EpollEvents.data(array, i)).isEqualTo(DATA[i]);
        }
    }

    @Test
    void doesNotReachPastTheArray() {
        MemorySegment array = arena.allocate(2L * EpollEvents.BYTES);
        for (int index : new int[] {-1, 2, Integer.MAX_VALUE}) {
            assertThatThrownBy(() -> EpollEvents.events(array, index))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> EpollEvents.data(array, index))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> EpollEvents.set(array, index, 0, 0))
                    .isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    /** Through epoll_ctl into the kernel and back through epoll_wait. */
    @Test
    void theKernelReadsAndWritesItSo() {
        int epoll = loopback.keep(sys.epollCreate1(Linux.EPOLL_CLOEXEC));
        Map<Long, Integer> expected = new HashMap<>();
        for (int i = 0; i < DATA.length; i++) {
            // Every other one is writable only: at its greatest value it can be read alone.
            boolean readable = i % 2 == 1;
            int fd = loopback.keep(sys.eventfd(readable ? 1 : 0, Linux.EFD_NONBLOCK));
            int interest = Linux.EPOLLIN | (readable ? 0 : Linux.EPOLLOUT);
            assertThat(sys.epollCtl(epoll, Linux.EPOLL_CTL_ADD, fd, interest, DATA[i])).isZero();
            expected.put(DATA[i], readable ? Linux.EPOLLIN : Linux.EPOLLOUT);
        }
        MemorySegment array = arena.allocate((long) DATA.length * EpollEvents.BYTES);
        assertThat(sys.epollWait(epoll, array, Loopback.WAIT_MILLIS)).isEqualTo(DATA.length);

        Map<Long, Integer> seen = new HashMap<>();
        for (int i = 0; i < DATA.length; i++) {
            seen.put(EpollEvents.data(array, i), EpollEvents.events(array, i));
        }
        assertThat(seen).isEqualTo(expected);
    }

    @Test
    void theKernelWritesNoMoreThanTheArrayHolds() {
        int epoll = loopback.keep(sys.epollCreate1(Linux.EPOLL_CLOEXEC));
        for (int i = 0; i < 4; i++) {
            int fd = loopback.keep(sys.eventfd(1, Linux.EFD_NONBLOCK));
            assertThat(sys.epollCtl(epoll, Linux.EPOLL_CTL_ADD, fd, Linux.EPOLLIN, i)).isZero();
        }
        // Room for two and all but a byte of a third, then bytes that must stay as they are.
        long room = 3L * EpollEvents.BYTES - 1;
        MemorySegment memory = arena.allocate(8L * EpollEvents.BYTES).fill((byte) 0x5A);
        assertThat(sys.epollWait(epoll, memory.asSlice(0, room), 0)).isEqualTo(2);

        for (long at = 2L * EpollEvents.BYTES; at < memory.byteSize(); at++) {
            assertThat(memory.get(ValueLayout.JAVA_BYTE, at))
                    .as("byte " + at)
                    .isEqualTo((byte) 0x5A);
        }
    }
}
