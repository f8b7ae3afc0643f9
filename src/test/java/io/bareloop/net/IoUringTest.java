package io.bareloop.net;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bareloop.rig.Loopback;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Syscalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.Socket;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Several calls by one, over the real kernel: the results are those of recv(2) and send(2). */
@Timeout(60)
class IoUringTest {
    private static final int BYTES = 1 << 16;

    /** Takes as much of a submission as it is told, and counts the calls. */
    private static final class Rationed extends Syscalls {
        int takes = Integer.MAX_VALUE;
        int enters;
        int others;

        Rationed(Arena arena) {
            super(arena);
        }

        @Override
        public int ioUringEnter(int ring, int entries) {
            enters++;
            return takes < 0 ? takes : super.ioUringEnter(ring, Math.min(takes, entries));
        }

        @Override
        public int recv(int fd, MemorySegment buffer, int offset, int length) {
            others++;
            return super.recv(fd, buffer, offset, length);
        }

        @Override
        public int send(int fd, MemorySegment buffer, int offset, int length, int flags) {
            others++;
            return super.send(fd, buffer, offset, length, flags);
        }
    }

    private final Arena arena = Arena.ofConfined();
    private final Rationed sys = new Rationed(arena);
    private final Loopback loopback = new Loopback(sys);
    private final MemorySegment in = arena.allocate(BYTES);
    private final MemorySegment out = arena.allocate(BYTES);
    private final IoUring ring = new IoUring(sys, in, out);
    private final int[] results = new int[IoUring.CALLS_MAX];

    @BeforeEach
    void open() {
        int opened = ring.open();
        assertThat(opened).isNotEqualTo(-Errno.EBUSY);
        assumeTrue(opened == 0, () -> "this kernel gives no ring: " + Errno.describe(opened));
    }

    @AfterEach
    void free() {
        ring.close();
        loopback.close();
        arena.close();
    }

    /** So often that every index of both rings has wrapped many times, in every number of calls. */
    @Test
    void resultsAreInTheOrderOfTheCalls() throws IOException {
        Pair[] pairs = pairs(IoUring.CALLS_MAX);
        for (int round = 0; round < 300; round++) {
            int calls = 1 + round % pairs.length;
            for (int i = 0; i < calls; i++) {
                // Each has a text and a length of its own.
                byte[] text = "%d of %d".formatted(round, i).repeat(1 + i % 5).getBytes(US_ASCII);
                MemorySegment.copy(text, 0, out, ValueLayout.JAVA_BYTE, i * 100L, text.length);
                ring.send(pairs[i].fd, i * 100, text.length);
            }
            assertThat(ring.count()).isEqualTo(calls);
            ring.run(results);
            assertThat(ring.count()).isZero();
            for (int i = 0; i < calls; i++) {
                String text = "%d of %d".formatted(round, i).repeat(1 + i % 5);
                assertThat(results[i]).isEqualTo(text.length());
                byte[] received = pairs[i].client.getInputStream().readNBytes(text.length());
                assertThat(new String(received, US_ASCII)).isEqualTo(text);
                pairs[i].client.getOutputStream().write(received);
            }
            for (int i = 0; i < calls; i++) {
                loopback.await(pairs[i].fd, Linux.EPOLLIN);
                ring.receive(pairs[i].fd, i * 1000, 1000);
            }
            ring.run(results);
            for (int i = 0; i < calls; i++) {
                String text = "%d of %d".formatted(round, i).repeat(1 + i % 5);
                assertThat(results[i]).isEqualTo(text.length());
                byte[] received =
                        in.asSlice(i * 1000L, text.length()).toArray(ValueLayout.JAVA_BYTE);
                assertThat(new String(received, US_ASCII)).isEqualTo(text);
            }
        }
        // One call alone goes without the ring: 5 rounds of 300 are of one.
        assertThat(sys.enters).isEqualTo(2 * 295);
        assertThat(sys.others).isEqualTo(2 * 5);
    }

    /** Nothing to read, the end, no descriptor, a peer that is gone, a full socket: all at once. */
    @Test
    void errorsAreThoseOfTheCalls() throws IOException {
        Pair[] pairs = pairs(4);
        pairs[1].client.shutdownOutput();
        loopback.await(pairs[1].fd, Linux.EPOLLIN);
        pairs[2].client.setSoLinger(true, 0);
        pairs[2].client.close();
        loopback.await(pairs[2].fd, Linux.EPOLLIN);
        ring.receive(pairs[0].fd, 0, 10);
        ring.receive(pairs[1].fd, 0, 10);
        ring.receive(pairs[2].fd, 0, 10);
        ring.receive(1_000_000, 0, 10);
        ring.run(results);
        assertThat(results).startsWith(-Errno.EAGAIN, 0, -Errno.ECONNRESET, -Errno.EBADF);

        ring.send(pairs[2].fd, 0, 10);
        ring.send(1_000_000, 0, 10);
        ring.send(pairs[0].fd, 0, 10);
        ring.run(results);
        assertThat(results).startsWith(-Errno.EPIPE, -Errno.EBADF, 10);

        int sent = 1;
        while (sent > 0) {
            ring.send(pairs[3].fd, 0, BYTES);
            ring.send(pairs[0].fd, 0, 1);
            ring.run(results);
            assertThat(results[1]).isEqualTo(1);
            sent = results[0];
        }
        assertThat(sent).isEqualTo(-Errno.EAGAIN);
        assertThat(sys.others).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 4})
    void whatItDoesNotTakeIsDoneWithout(int takes) throws IOException {
        Pair[] pairs = pairs(5);
        sys.takes = takes;
        out.copyFrom(MemorySegment.ofArray("0123456789".getBytes(US_ASCII)));
        for (int round = 0; round < 100; round++) {
            for (int i = 0; i < pairs.length; i++) {
                ring.send(pairs[i].fd, i, 5);
            }
            ring.run(results);
            for (int i = 0; i < pairs.length; i++) {
                assertThat(results[i]).isEqualTo(5);
                byte[] received = pairs[i].client.getInputStream().readNBytes(5);
                assertThat(new String(received, US_ASCII))
                        .isEqualTo("0123456789".substring(i, i + 5));
            }
        }
        assertThat(sys.others).isEqualTo(100 * (pairs.length - takes));
    }

    @Test
    void whereItIsRefusedAllIsDoneWithout() throws IOException {
        Pair[] pairs = pairs(3);
        sys.takes = -Errno.EPERM;
        for (Pair pair : pairs) {
            ring.send(pair.fd, 0, 5);
        }
        ring.run(results);
        assertThat(results).startsWith(5, 5, 5);
        assertThat(sys.others).isEqualTo(3);
    }

    @Test
    void reachesNoFurtherThanItsMemory() {
        assertThatThrownBy(() -> ring.receive(0, BYTES - 9, 10))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> ring.send(0, -1, 10))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThat(ring.count()).isZero();
    }

    /** A thread has 16 places for rings; and a ring is no descriptor. */
    @Test
    void leavesNothingBehind() {
        for (int i = 0; i < 50; i++) {
            int spare = RingPages.spare();
            try (IoUring another = new IoUring(sys, in, out)) {
                assertThat(another.open()).isZero();
            }
            assertThat(RingPages.spare()).isBetween(spare, spare + 1);
        }
    }

    /** Not where the thread of a ring lives on: its pages are still the kernel's. */
    @Test
    void ofAnotherThreadItCannotBeGivenBack() throws Exception {
        IoUring[] theirs = new IoUring[1];
        CountDownLatch opened = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        Thread thread =
                new Thread(
                        () -> {
                            try (Arena own = Arena.ofConfined()) {
                                theirs[0] = new IoUring(new Syscalls(own), in, out);
                                theirs[0].open();
                                opened.countDown();
                                end.await();
                            } catch (InterruptedException e) {
                                throw new AssertionError(e);
                            }
                        });
        thread.start();
        opened.await();
        int spare = RingPages.spare();
        theirs[0].close();
        assertThat(RingPages.spare()).isEqualTo(spare);
        end.countDown();
        thread.join();
    }

    /** Without {@link IoUring#open}, and after the end: both calls do it. */
    @Test
    void closedItDoesWithout() throws IOException {
        Pair[] pairs = pairs(2);
        ring.close();
        ring.send(pairs[0].fd, 0, 5);
        ring.send(pairs[1].fd, 0, 5);
        ring.run(results);
        assertThat(results).startsWith(5, 5);
        assertThat(sys.enters).isZero();
    }

    private record Pair(int fd, Socket client) {}

    private Pair[] pairs(int count) throws IOException {
        int listener = loopback.listener();
        Pair[] pairs = new Pair[count];
        for (int i = 0; i < count; i++) {
            Socket client = loopback.connect(loopback.port(listener));
            client.setTcpNoDelay(true);
            pairs[i] = new Pair(loopback.accept(listener), client);
        }
        return pairs;
    }
}
