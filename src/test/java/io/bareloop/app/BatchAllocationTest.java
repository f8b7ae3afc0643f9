package io.bareloop.app;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bareloop.files.StaticFiles;
import io.bareloop.http.Handler;
import io.bareloop.rig.HttpRig;
import io.bareloop.sys.Syscalls;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests of several connections that are served together allocate nothing on the loop. */
@Timeout(120)
class BatchAllocationTest {
    private static final int CONNECTIONS = 16;
    private static final int WINDOW = 2_000;

    /** C2 may have to wait for a CPU of its own; windows are measured until it has come. */
    private static final long COMPILED_NANOS_MAX = 30_000_000_000L;

    private static final com.sun.management.ThreadMXBean THREADS =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static final class Counted extends Syscalls {
        final AtomicInteger refused;
        final AtomicInteger enters;

        Counted(Arena arena, AtomicInteger refused, AtomicInteger enters) {
            super(arena);
            this.refused = refused;
            this.enters = enters;
        }

        @Override
        public int ioUringSetup(int entries, MemorySegment params) {
            int result = super.ioUringSetup(entries, params);
            refused.set(Math.min(result, 0));
            return result;
        }

        @Override
        public int ioUringEnter(int ring, int entries) {
            enters.incrementAndGet();
            return super.ioUringEnter(ring, entries);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET /json HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
                "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
                "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                        + "5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n",
            })
    void theDemoAllocatesNothing(String request) throws Exception {
        servedTogetherTheyAllocateNothing(Demo.newApplication(), request);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Range: bytes=1-1000\r\n", "If-None-Match: *\r\n"})
    void aFileAllocatesNothing(String field, @TempDir Path root) throws Exception {
        Files.write(root.resolve("small.css"), new byte[6 << 10]);
        try (StaticFiles files = StaticFiles.builder(root).build()) {
            servedTogetherTheyAllocateNothing(
                    files, "GET /small.css HTTP/1.1\r\nHost: a\r\n" + field + "\r\n");
        }
    }

    private static void servedTogetherTheyAllocateNothing(Handler handler, String text)
            throws Exception {
        byte[] request = text.getBytes(US_ASCII);
        AtomicInteger refused = new AtomicInteger();
        AtomicInteger enters = new AtomicInteger();
        List<Socket> clients = new ArrayList<>();
        try (HttpRig rig = HttpRig.start(handler, arena -> new Counted(arena, refused, enters))) {
            long loop = rig.ask(() -> Thread.currentThread().threadId());
            assumeTrue(refused.get() == 0, "this kernel gives no ring");
            for (int i = 0; i < CONNECTIONS; i++) {
                Socket client = new Socket(InetAddress.getLoopbackAddress(), rig.port());
                client.setTcpNoDelay(true);
                clients.add(client);
            }
            byte[] buffer = new byte[16 << 10];
            int length = lengthOfAnswer(clients.get(0), request, buffer);
            long least = Long.MAX_VALUE;
            long deadline = System.nanoTime() + COMPILED_NANOS_MAX;
            while (least > 0 && System.nanoTime() - deadline < 0) {
                enters.set(0);
                long before = THREADS.getThreadAllocatedBytes(loop);
                for (int j = 0; j < WINDOW; j++) {
                    exchange(clients, request, buffer, length);
                }
                long allocated = THREADS.getThreadAllocatedBytes(loop) - before;
                // What the window is worth: most of its requests were not alone in their turn.
                if (enters.get() > WINDOW) {
                    least = Math.min(least, allocated);
                }
            }
            assertThat(least).isZero();
        } finally {
            for (Socket client : clients) {
                client.close();
            }
        }
    }

    /** All answers to a request are as long, and this one has ended when no more comes. */
    private static int lengthOfAnswer(Socket client, byte[] request, byte[] buffer)
            throws IOException {
        int length = 0;
        for (int i = 0; i < 2; i++) {
            // The first time a file is asked for it is not in memory yet.
            client.getOutputStream().write(request);
            client.setSoTimeout(500);
            length = 0;
            try {
                while (true) {
                    int count =
                            client.getInputStream().read(buffer, length, buffer.length - length);
                    assertThat(count).isPositive();
                    length += count;
                }
            } catch (SocketTimeoutException ended) {
                assertThat(length).isPositive();
            }
        }
        client.setSoTimeout(10_000);
        return length;
    }

    private static void exchange(List<Socket> clients, byte[] request, byte[] buffer, int length)
            throws IOException {
        for (Socket client : clients) {
            client.getOutputStream().write(request);
        }
        for (Socket client : clients) {
            InputStream in = client.getInputStream();
            for (int left = length; left > 0; ) {
                int count = in.read(buffer, 0, left);
                assertThat(count).isPositive();
                left -= count;
            }
        }
    }
}
