package io.bareloop.hostile;

import io.bareloop.rig.PeerAddress;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Syscalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * The system calls of a loop whose kernel is short of everything, at random from a seed.
 *
 * <p>What a kernel would repair by itself is repaired here: where a call was given less than there
 * was, the descriptor is modified to what it is watched for before the next wait, so that its edge
 * comes again. Faults that end a connection are told, each with the peer's address, so that its
 * client knows why; every other fault has to go unnoticed.
 *
 * <p>Of the loop's thread, but for {@link #calm} and {@link #counts}.
 */
final class ChaosSyscalls extends Syscalls {
    /** The calls that fail here. */
    enum Fault {
        ACCEPT4,
        CLOSE,
        EPOLL_ADD,
        EPOLL_MOD,
        EPOLL_WAIT,
        PREADV2,
        RECV,
        RECV_BROKEN,
        RING,
        SEND,
        SEND_BROKEN,
        SENDFILE,
        SENDFILE_BROKEN,
        SHUTDOWN
    }

    private static final int[] OF_ACCEPT4 = {
        -Errno.EMFILE,
        -Errno.ENFILE,
        -Errno.ENOBUFS,
        -Errno.ENOMEM,
        -Errno.EPERM,
        -Errno.EINTR,
        -Errno.EAGAIN,
        -Errno.ECONNABORTED,
        -Errno.EPROTO,
        -Errno.ENETDOWN,
        -Errno.EHOSTUNREACH
    };

    private static final int[] OF_RECV = {-Errno.EINTR, -Errno.EAGAIN};
    private static final int[] OF_RECV_BROKEN = {-Errno.ECONNRESET, -Errno.ETIMEDOUT};
    private static final int[] OF_SEND = {
        -Errno.EINTR, -Errno.EAGAIN, -Errno.ENOBUFS, -Errno.ENOMEM
    };
    private static final int[] OF_SEND_BROKEN = {-Errno.EPIPE, -Errno.ECONNRESET};
    private static final int[] OF_SENDFILE_BROKEN = {-Errno.EIO, -Errno.ECONNRESET};
    private static final int[] OF_EPOLL = {-Errno.ENOMEM, -Errno.ENOSPC};
    private static final int[] OF_RING = {-Errno.EAGAIN, -Errno.EBUSY, -Errno.ENOMEM, 0};
    private static final int[] OF_CLOSE = {-Errno.EINTR, -Errno.EIO};

    /** One call in so many fails; another of these every so many waits. */
    private static final int[] RARITIES = {6, 40, 300};

    private static final int WAITS_PER_WEATHER = 400;

    /** A fault that ends a connection is rarer than one that does not. */
    private static final int BROKEN_RARITY = 20;

    private static final boolean TRACE = Boolean.getBoolean("bareloop.hostile.trace");

    private static final int TRACE_FRAMES_MAX = 8;

    private final SplittableRandom random;
    private final Set<Fault> without;
    private final Consumer<String> told;
    private final Map<Fault, AtomicLong> counts = new EnumMap<>(Fault.class);

    /** What each connection was last added or modified with; null before. By descriptor. */
    private final Map<Integer, Watch> connections = new HashMap<>();

    private final Set<Integer> edgesOwed = new LinkedHashSet<>();
    private int rarity = RARITIES[1];
    private int waits;
    private volatile boolean calm;

    private record Watch(int epollFd, int interest, long data) {}

    private static final Watch UNWATCHED = new Watch(-1, 0, 0);

    /**
     * Creates the calls of one loop.
     *
     * @param without faults that are left out
     * @param told is given {@code "killed ADDRESS CALL errno"} for each connection that a fault
     *     ends, with the address as a number
     */
    ChaosSyscalls(Arena arena, long seed, Set<Fault> without, Consumer<String> told) {
        super(arena);
        this.random = new SplittableRandom(seed);
        this.without = without;
        this.told = told;
        for (Fault fault : Fault.values()) {
            counts.put(fault, new AtomicLong());
        }
    }

    /** From now on there are no faults. */
    void calm() {
        calm = true;
    }

    /** Faults so far. */
    Map<Fault, AtomicLong> counts() {
        return counts;
    }

    private boolean strikes(Fault fault, int times) {
        if (calm || random.nextInt(rarity * times) > 0 || without.contains(fault)) {
            return false;
        }
        counts.get(fault).incrementAndGet();
        return true;
    }

    private int one(int[] of) {
        return of[random.nextInt(of.length)];
    }

    /** The connection is about to be lost by {@code result}. */
    private int kill(Fault fault, int fd, int result) {
        int address = PeerAddress.ofIpv4(fd);
        if (address != -1) {
            told.accept(
                    "killed "
                            + Integer.toUnsignedString(address)
                            + " "
                            + fault
                            + " "
                            + Errno.describe(result));
        }
        return result;
    }

    // ---- the calls

    @Override
    public int recv(int fd, MemorySegment buffer, int offset, int length) {
        if (strikes(Fault.RECV_BROKEN, BROKEN_RARITY)) {
            return kill(Fault.RECV_BROKEN, fd, one(OF_RECV_BROKEN));
        }
        if (!strikes(Fault.RECV, 1)) {
            return super.recv(fd, buffer, offset, length);
        }
        edgesOwed.add(fd);
        return random.nextBoolean()
                ? one(OF_RECV)
                : super.recv(fd, buffer, offset, 1 + random.nextInt(Math.min(length, 2000)));
    }

    @Override
    public int send(int fd, MemorySegment buffer, int offset, int length, int flags) {
        if (strikes(Fault.SEND_BROKEN, BROKEN_RARITY)) {
            return kill(Fault.SEND_BROKEN, fd, one(OF_SEND_BROKEN));
        }
        if (!strikes(Fault.SEND, 1)) {
            return super.send(fd, buffer, offset, length, flags);
        }
        edgesOwed.add(fd);
        return random.nextBoolean()
                ? one(OF_SEND)
                : super.send(fd, buffer, offset, 1 + random.nextInt(length), flags);
    }

    @Override
    public int writev(
            int fd,
            MemorySegment head,
            int headOffset,
            int headLength,
            MemorySegment body,
            long offset,
            int length) {
        if (strikes(Fault.SEND_BROKEN, BROKEN_RARITY)) {
            return kill(Fault.SEND_BROKEN, fd, one(OF_SEND_BROKEN));
        }
        if (!strikes(Fault.SEND, 1)) {
            return super.writev(fd, head, headOffset, headLength, body, offset, length);
        }
        edgesOwed.add(fd);
        if (random.nextBoolean()) {
            return one(OF_SEND);
        }
        int taken = 1 + random.nextInt(headLength + length);
        int ofHead = Math.min(taken, headLength);
        return super.writev(fd, head, headOffset, ofHead, body, offset, taken - ofHead);
    }

    @Override
    public long sendfile(int socketFd, int fileFd, long position, long count) {
        if (strikes(Fault.SENDFILE_BROKEN, BROKEN_RARITY)) {
            return kill(Fault.SENDFILE_BROKEN, socketFd, one(OF_SENDFILE_BROKEN));
        }
        if (!strikes(Fault.SENDFILE, 1)) {
            return super.sendfile(socketFd, fileFd, position, count);
        }
        edgesOwed.add(socketFd);
        return random.nextBoolean()
                ? one(OF_SEND)
                : super.sendfile(socketFd, fileFd, position, 1 + random.nextLong(count));
    }

    @Override
    public int preadv2Nowait(int fd, long position) {
        return strikes(Fault.PREADV2, 1) ? -Errno.EAGAIN : super.preadv2Nowait(fd, position);
    }

    @Override
    public int ioUringEnter(int ring, int calls) {
        if (!strikes(Fault.RING, 1)) {
            return super.ioUringEnter(ring, calls);
        }
        int taken = random.nextInt(calls);
        return taken == 0 ? one(OF_RING) : super.ioUringEnter(ring, taken);
    }

    @Override
    public int epollWait(int epollFd, MemorySegment events, int timeoutMillis) {
        waits++;
        if (waits % WAITS_PER_WEATHER == 0) {
            rarity = one(RARITIES);
        }
        payEdges();
        return strikes(Fault.EPOLL_WAIT, 1)
                ? -Errno.EINTR
                : super.epollWait(epollFd, events, timeoutMillis);
    }

    private void payEdges() {
        for (int fd : edgesOwed) {
            Watch watch = connections.get(fd);
            if (watch != null && watch.epollFd >= 0) {
                super.epollCtl(watch.epollFd, Linux.EPOLL_CTL_MOD, fd, watch.interest, watch.data);
            }
        }
        edgesOwed.clear();
    }

    @Override
    public int epollCtl(int epollFd, int op, int fd, int events, long data) {
        Watch watch = connections.get(fd);
        if (watch != null && op != Linux.EPOLL_CTL_DEL) {
            Fault fault = op == Linux.EPOLL_CTL_ADD ? Fault.EPOLL_ADD : Fault.EPOLL_MOD;
            if (strikes(fault, BROKEN_RARITY)) {
                return kill(fault, fd, one(OF_EPOLL));
            }
            connections.put(fd, new Watch(epollFd, events, data));
        }
        return super.epollCtl(epollFd, op, fd, events, data);
    }

    @Override
    public int accept4(int listenerFd, int flags) {
        if (strikes(Fault.ACCEPT4, 8)) {
            return one(OF_ACCEPT4);
        }
        int fd = super.accept4(listenerFd, flags);
        if (fd >= 0) {
            connections.put(fd, UNWATCHED);
        }
        return fd;
    }

    /** Linux frees the descriptor whatever it returns. */
    @Override
    public int close(int fd) {
        boolean ours = connections.remove(fd) != null;
        if (TRACE && ours) {
            trace(fd);
        }
        edgesOwed.remove(fd);
        int result = super.close(fd);
        return ours && strikes(Fault.CLOSE, 1) ? one(OF_CLOSE) : result;
    }

    /** Says from where the loop closes a connection, while it still has a peer. */
    private void trace(int fd) {
        String path =
                StackWalker.getInstance()
                        .walk(
                                frames ->
                                        frames.skip(2)
                                                .limit(TRACE_FRAMES_MAX)
                                                .map(
                                                        frame ->
                                                                frame.getMethodName()
                                                                        + ":"
                                                                        + frame.getLineNumber())
                                                .collect(Collectors.joining(" < ")));
        told.accept("closed " + Integer.toUnsignedString(PeerAddress.ofIpv4(fd)) + " " + path);
    }

    @Override
    public int shutdown(int fd, int how) {
        int result = super.shutdown(fd, how);
        return strikes(Fault.SHUTDOWN, 1) ? -Errno.ENOTCONN : result;
    }
}
