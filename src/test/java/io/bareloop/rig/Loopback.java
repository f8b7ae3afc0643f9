package io.bareloop.rig;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.sys.EpollEvents;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Sockaddr;
import io.bareloop.sys.Syscalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Connections over the loopback device for one test: our end a descriptor, the other a Java socket.
 * Every wait is bounded, and closing it closes all that it opened or was given to keep.
 */
public final class Loopback implements AutoCloseable {
    public static final int WAIT_MILLIS = 10_000;

    private final Syscalls sys;
    private final Set<Integer> fds = new LinkedHashSet<>();
    private final List<Socket> sockets = new ArrayList<>();

    public Loopback(Syscalls sys) {
        this.sys = sys;
    }

    /** Takes over {@code fd}, which must be one. */
    public int keep(int fd) {
        assertThat(fd).as("a descriptor").isNotNegative();
        fds.add(fd);
        return fd;
    }

    /** Closes a descriptor that is kept here. */
    public void close(int fd) {
        fds.remove(fd);
        assertThat(sys.close(fd)).isZero();
    }

    /** A TCP socket that is neither bound nor connected. */
    public int socket() {
        return keep(
                sys.socket(
                        Linux.AF_INET,
                        Linux.SOCK_STREAM | Linux.SOCK_NONBLOCK | Linux.SOCK_CLOEXEC,
                        0));
    }

    /** A listener on 127.0.0.1, at a port of the kernel's choice. */
    public int listener() {
        int fd = socket();
        assertThat(bind(fd, 0)).isZero();
        assertThat(sys.listen(fd, 128)).isZero();
        return fd;
    }

    /** Binds to 127.0.0.1. */
    public int bind(int fd, int port) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(Sockaddr.BYTES_MAX, Long.BYTES);
            int length = Sockaddr.write(address, ipv4Loopback(), port);
            return sys.bind(fd, address, length);
        }
    }

    /** The port that {@code fd} is bound to. */
    public int port(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(Sockaddr.BYTES_MAX, Long.BYTES);
            assertThat(sys.getsockname(fd, address)).isZero();
            return Sockaddr.port(address);
        }
    }

    /** Connects from Java to 127.0.0.1. */
    public Socket connect(int port) throws IOException {
        return connect(new InetSocketAddress(ipv4Loopback(), port));
    }

    /** Connects from Java. */
    public Socket connect(InetSocketAddress to) throws IOException {
        Socket socket = new Socket();
        sockets.add(socket);
        socket.connect(to, WAIT_MILLIS);
        socket.setSoTimeout(WAIT_MILLIS);
        return socket;
    }

    /** Accepts a connection, which may be on its way still; it does not block. */
    public int accept(int listener) {
        assertThat(await(listener, Linux.EPOLLIN)).as("a connection to accept").isNotZero();
        return keep(sys.accept4(listener, Linux.SOCK_NONBLOCK | Linux.SOCK_CLOEXEC));
    }

    /** Waits until {@code fd} is ready; returns what for, or 0 where the wait came to its end. */
    public int await(int fd, int interest) {
        int epoll = sys.epollCreate1(Linux.EPOLL_CLOEXEC);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment events = arena.allocate(EpollEvents.BYTES, Long.BYTES);
            assertThat(sys.epollCtl(epoll, Linux.EPOLL_CTL_ADD, fd, interest, 0)).isZero();
            int ready = sys.epollWait(epoll, events, WAIT_MILLIS);
            return ready > 0 ? EpollEvents.events(events, 0) : 0;
        } finally {
            sys.close(epoll);
        }
    }

    @Override
    public void close() {
        for (Socket socket : sockets) {
            try {
                socket.close();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
        for (int fd : fds) {
            sys.close(fd);
        }
    }

    /** 127.0.0.1, whatever the machine prefers. */
    public static InetAddress ipv4Loopback() {
        return address(127, 0, 0, 1);
    }

    /** The address of four or sixteen bytes. */
    public static InetAddress address(int... bytes) {
        byte[] raw = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            raw[i] = (byte) bytes[i];
        }
        try {
            return InetAddress.getByAddress(raw);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
