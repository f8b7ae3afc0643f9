package io.bareloop.jmh;

import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Syscalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a system call costs from Java: calls that find nothing to do, so that little else counts.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class DowncallBenchmark {
    private Arena arena;
    private Syscalls sys;
    private MemorySegment buffer;
    private int epoll;
    private int socket;

    /** Opens what the calls are made on. */
    @Setup
    public void open() {
        arena = Arena.ofShared();
        sys = new Syscalls(arena);
        buffer = arena.allocate(4096, Long.BYTES);
        epoll = sys.epollCreate1(Linux.EPOLL_CLOEXEC);
        socket = sys.socket(Linux.AF_INET, Linux.SOCK_STREAM | Linux.SOCK_NONBLOCK, 0);
    }

    /** Closes it. */
    @TearDown
    public void close() {
        sys.close(epoll);
        sys.close(socket);
        arena.close();
    }

    /** A wait that returns at once with nothing. */
    @Benchmark
    public int epollWait() {
        return expect(0, sys.epollWait(epoll, buffer, 0));
    }

    /** A receive that fails, errno and all: the socket is not connected. */
    @Benchmark
    public int recvRefused() {
        return expect(-Errno.ENOTCONN, sys.recv(socket, buffer, 0, 4096));
    }

    /** A call that reads an option. */
    @Benchmark
    public int getsockopt() {
        return expect(0, sys.getsockopt(socket, Linux.SOL_SOCKET, Linux.SO_KEEPALIVE));
    }

    private static int expect(int expected, int result) {
        if (result != expected) {
            throw new IllegalStateException(result + " instead of " + expected);
        }
        return result;
    }
}
