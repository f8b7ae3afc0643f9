package io.bareloop.rig;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.bareloop.sys.Sockaddr;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;

/** Asks getpeername(2), which the server has no need of, whose connection a descriptor is. */
public final class PeerAddress {
    @SuppressWarnings("restricted")
    private static final MethodHandle GETPEERNAME =
            Linker.nativeLinker()
                    .downcallHandle(
                            Linker.nativeLinker().defaultLookup().find("getpeername").orElseThrow(),
                            FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));

    private PeerAddress() {}

    /** The IPv4 address of the peer as a number, or -1 where there is none any more. */
    public static int ofIpv4(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(Sockaddr.BYTES_MAX, Long.BYTES);
            MemorySegment length = arena.allocate(JAVA_INT);
            length.set(JAVA_INT, 0, Sockaddr.BYTES_MAX);
            int result;
            try {
                result = (int) GETPEERNAME.invokeExact(fd, address, length);
            } catch (Throwable t) {
                throw new AssertionError("getpeername: a linked downcall never throws", t);
            }
            if (result < 0) {
                return -1;
            }
            return ByteBuffer.wrap(Sockaddr.address(address).getAddress()).getInt();
        }
    }
}
