package io.bareloop.load;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Sockaddr;
import io.bareloop.sys.Syscalls;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.net.InetAddress;

/** Opens connections: connect(2), which a server has no use for. */
@SuppressWarnings("restricted")
final class Connects {
    private static final StructLayout CALL_STATE = Linker.Option.captureStateLayout();
    private static final long ERRNO_OFFSET =
            CALL_STATE.byteOffset(MemoryLayout.PathElement.groupElement("errno"));
    private static final int EINPROGRESS = 115;

    private static final MethodHandle CONNECT =
            Linker.nativeLinker()
                    .downcallHandle(
                            Linker.nativeLinker().defaultLookup().find("connect").orElseThrow(),
                            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT),
                            Linker.Option.captureCallState("errno"));

    private final Syscalls sys;
    private final MemorySegment callState;
    private final MemorySegment address;
    private final int addressBytes;

    Connects(Syscalls sys, Arena arena, InetAddress host, int port) {
        this.sys = sys;
        callState = arena.allocate(CALL_STATE);
        address = arena.allocate(Sockaddr.BYTES_MAX, Long.BYTES);
        addressBytes = Sockaddr.write(address, host, port);
    }

    /** Begins a connection, without delays; returns its descriptor or -errno. */
    int open() {
        int type = Linux.SOCK_STREAM | Linux.SOCK_NONBLOCK | Linux.SOCK_CLOEXEC;
        int fd = sys.socket(Linux.AF_INET, type, 0);
        if (fd < 0) {
            return fd;
        }
        sys.setsockopt(fd, Linux.IPPROTO_TCP, Linux.TCP_NODELAY, 1);
        int result = connect(fd);
        if (result < 0 && result != -EINPROGRESS) {
            sys.close(fd);
            return result;
        }
        return fd;
    }

    private int connect(int fd) {
        try {
            int n = (int) CONNECT.invokeExact(callState, fd, address.address(), addressBytes);
            return n >= 0 ? n : -callState.get(JAVA_INT, ERRNO_OFFSET);
        } catch (Throwable t) {
            throw new AssertionError("connect: a linked call never throws", t);
        }
    }

    static String describe(int error) {
        return Errno.describe(error);
    }
}
