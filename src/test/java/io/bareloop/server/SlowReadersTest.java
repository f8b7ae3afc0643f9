package io.bareloop.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.Blocking;
import io.bareloop.http.Limits;
import io.bareloop.http.Timeouts;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Syscalls;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Thousands of clients that do not read what a stream of a blocking handler writes for them. */
@Timeout(120)
class SlowReadersTest {
    private static final int READERS = 2000;

    /** What the heap holds for one: the buffer, the thread, and what knows them. */
    private static final long HEAP_BYTES_MAX = 44 << 10;

    /** What the slab counts in. */
    private static final int UNIT_BYTES = 64 << 10;

    /** SO_SNDBUF of asm-generic/socket.h. */
    private static final int SO_SNDBUF = 7;

    private final AtomicLong written = new AtomicLong();
    private final List<SocketChannel> readers = new ArrayList<>();

    /** The kernel is to be full soon. */
    private static final class SmallBuffers extends Syscalls {
        SmallBuffers(Arena arena) {
            super(arena);
        }

        @Override
        public int accept4(int listenerFd, int flags) {
            int fd = super.accept4(listenerFd, flags);
            if (fd >= 0) {
                assertThat(setsockopt(fd, Linux.SOL_SOCKET, SO_SNDBUF, 4096)).isZero();
            }
            return fd;
        }
    }

    @Test
    void eachHoldsNoMoreThanItsBound() throws Exception {
        Blocking endless =
                Blocking.streaming(
                        READERS,
                        (request, exchange) -> {
                            OutputStream out = exchange.stream();
                            byte[] some = new byte[1000];
                            while (true) {
                                out.write(some);
                                written.addAndGet(some.length);
                            }
                        });
        Timeouts patient = Timeouts.builder().send(Duration.ofMinutes(2)).build();
        try (HttpRig rig =
                HttpRig.start(
                        Limits.defaults(), patient, endless, SmallBuffers::new, 1 << 28, null)) {
            long before = heap();
            for (int i = 0; i < READERS; i++) {
                readers.add(reader(rig.port()));
            }
            assertThat(HttpRig.await(READERS, endless::underWay)).isEqualTo(READERS);
            untilAllWait();

            // For each the copy of its request, and a slice of what the client has not taken.
            assertThat(rig.slicesInUse()).isBetween(READERS, 2 * READERS);
            assertThat(rig.slabBytes())
                    .isLessThanOrEqualTo(READERS * ((32L << 10) + 512) + UNIT_BYTES);
            assertThat(heap() - before).isLessThan(READERS * HEAP_BYTES_MAX);
            System.out.printf(
                    "per reader: heap %d bytes, slab %d bytes, written %d bytes%n",
                    (heap() - before) / READERS,
                    rig.slabBytes() / READERS,
                    written.get() / READERS);

            // The server is there for others, and those that read go on.
            long sofar = written.get();
            drain(readers.getFirst());
            assertThat(HttpRig.await(true, () -> written.get() > sofar)).isTrue();
            try (Client busy = Client.connect(rig.port())) {
                assertThat(busy.get("/").status()).isEqualTo(503);
            }

            for (SocketChannel reader : readers) {
                reader.setOption(StandardSocketOptions.SO_LINGER, 0);
                reader.close();
            }
            assertThat(HttpRig.await(0, endless::underWay)).isZero();
            assertThat(HttpRig.await(0, rig::slicesInUse)).isZero();
            assertThat(rig.failures()).isEmpty();
        } finally {
            for (SocketChannel reader : readers) {
                reader.close();
            }
        }
    }

    private static SocketChannel reader(int port) throws Exception {
        SocketChannel reader = SocketChannel.open();
        reader.setOption(StandardSocketOptions.SO_RCVBUF, 4096);
        reader.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        reader.write(ByteBuffer.wrap(Bytes.of(Client.request("GET", "/"))));
        return reader;
    }

    private static void drain(SocketChannel reader) throws Exception {
        ByteBuffer some = ByteBuffer.allocate(10_000);
        for (int i = 0; i < 30; i++) {
            some.clear();
            reader.read(some);
        }
    }

    private void untilAllWait() throws InterruptedException {
        long last = -1;
        while (written.get() != last) {
            last = written.get();
            Thread.sleep(300);
        }
    }

    private static long heap() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
