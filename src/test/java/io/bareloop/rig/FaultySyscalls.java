package io.bareloop.rig;

import io.bareloop.sys.Linux;
import io.bareloop.sys.Syscalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntUnaryOperator;

/**
 * The system calls of a loop under test: counted, written down, and failing where a test says so.
 *
 * <p>Where a send takes less than it was given, or nothing, because of a fault, an edge follows as
 * the kernel's would: it is asked to report the descriptor again before the next wait. Without it
 * the loop would wait for room in a buffer that was never full.
 */
public final class FaultySyscalls extends Syscalls {
    /** What a {@link Script} returns for a call that is to be made as it is. */
    public static final int PASS = Integer.MIN_VALUE;

    /** The calls that can fail here. */
    public enum Call {
        ACCEPT4,
        CLOSE,
        EPOLL_CTL,
        EPOLL_WAIT,
        EVENTFD,
        RECV,
        RING,
        SEND,
        SENDFILE,
        SHUTDOWN,
        TIMERFD_CREATE,
        TIMERFD_SETTIME
    }

    /** Decides on one call. */
    public interface Script {
        /**
         * Returns {@link #PASS}, or a negated errno instead of the call; for recv and send also the
         * number of bytes that the call may take at the most.
         *
         * <p>As for send for sendfile, where 0 is the end of the file.
         *
         * <p>For the ring, the number of calls that it may take at the most.
         *
         * @param detail the length of recv and send, the operation of epoll_ctl, the calls that the
         *     ring is to take, else 0
         */
        int next(int fd, int detail);
    }

    private final Map<Call, AtomicLong> counts = new EnumMap<>(Call.class);
    private final Map<Call, Script> scripts = new EnumMap<>(Call.class);
    private final Map<Call, Queue<Integer>> results = new EnumMap<>(Call.class);
    private final List<String> trace = new ArrayList<>();
    private final Set<Integer> open = new HashSet<>();
    private final Set<Integer> edgesOwed = new HashSet<>();

    /** What each descriptor was last added or modified with. */
    private final Map<Integer, Watch> watches = new HashMap<>();

    private final List<Integer> acceptedFds = new ArrayList<>();
    private final Set<Integer> timeouts = ConcurrentHashMap.newKeySet();
    private int strayCloses;
    private int ringRefusal;
    private String congestion;
    private volatile IntUnaryOperator unacknowledged;

    private record Watch(int epollFd, int interest, long data) {}

    public FaultySyscalls(Arena arena) {
        super(arena);
        for (Call call : Call.values()) {
            results.put(call, new ArrayDeque<>());
            counts.put(call, new AtomicLong());
        }
    }

    // ---- what a test says and asks

    /** The next calls of this kind return {@code results}, one each, before any script is asked. */
    public synchronized void next(Call call, int... callResults) {
        for (int result : callResults) {
            results.get(call).add(result);
        }
    }

    /** All calls of this kind are decided by {@code script}, or none again where it is null. */
    public synchronized void script(Call call, Script script) {
        scripts.put(call, script);
    }

    /** From now on the kernel has no ring for us: {@code result} is a negated errno. */
    public void refuseRing(int result) {
        ringRefusal = result;
    }

    /** From now on a socket's congestion control is this, as far as is told. */
    public void congestion(String name) {
        congestion = name;
    }

    /** What a peer has not acknowledged is {@code bytes} from now on, by descriptor. */
    public void unacknowledged(IntUnaryOperator bytes) {
        unacknowledged = bytes;
    }

    /** Whether all that {@link #next} was told has been returned. */
    public synchronized boolean allReturned() {
        return results.values().stream().allMatch(Queue::isEmpty);
    }

    /** Calls of this kind so far, failed ones included. */
    public long count(Call call) {
        return counts.get(call).get();
    }

    /** The time-outs that epoll_wait has been given so far, each once. */
    public Set<Integer> timeouts() {
        return timeouts;
    }

    /** All calls so far but epoll_wait. */
    public long countOfWork() {
        long sum = 0;
        for (Call call : Call.values()) {
            sum += call == Call.EPOLL_WAIT ? 0 : count(call);
        }
        return sum;
    }

    /** The calls since the last time this was asked: "RECV 17". */
    public synchronized List<String> takeTrace() {
        List<String> taken = List.copyOf(trace);
        trace.clear();
        return taken;
    }

    /** Descriptors that were opened through this and not closed. */
    public synchronized int openDescriptors() {
        return open.size();
    }

    /** What accept4 has returned, in order. */
    public synchronized List<Integer> acceptedFds() {
        return List.copyOf(acceptedFds);
    }

    /** Closes of descriptors that were not open: by then they may be someone else's. */
    public synchronized int strayCloses() {
        return strayCloses;
    }

    private synchronized int decide(Call call, int fd, int detail) {
        counts.get(call).incrementAndGet();
        if (call != Call.EPOLL_WAIT && trace.size() < 10_000) {
            trace.add(call + " " + fd);
        }
        Integer result = results.get(call).poll();
        if (result != null) {
            return result;
        }
        Script script = scripts.get(call);
        return script == null ? PASS : script.next(fd, detail);
    }

    // ---- the calls

    @Override
    public int recv(int fd, MemorySegment buffer, int offset, int length) {
        int result = decide(Call.RECV, fd, length);
        if (result < 0 && result != PASS) {
            return result;
        }
        return super.recv(fd, buffer, offset, result == PASS ? length : Math.min(result, length));
    }

    @Override
    public int send(int fd, MemorySegment buffer, int offset, int length, int flags) {
        int result = decide(Call.SEND, fd, length);
        if (result == PASS || result >= length) {
            return super.send(fd, buffer, offset, length, flags);
        }
        oweEdge(fd);
        return result < 0 ? result : super.send(fd, buffer, offset, result, flags);
    }

    /** A SEND too, of both lengths together. */
    @Override
    public int writev(
            int fd,
            MemorySegment head,
            int headOffset,
            int headLength,
            MemorySegment body,
            long offset,
            int length) {
        int result = decide(Call.SEND, fd, headLength + length);
        if (result == PASS || result >= headLength + length) {
            return super.writev(fd, head, headOffset, headLength, body, offset, length);
        }
        oweEdge(fd);
        int of = Math.min(result, headLength);
        return result < 0
                ? result
                : super.writev(fd, head, headOffset, of, body, offset, result - of);
    }

    @Override
    public long sendfile(int socketFd, int fileFd, long position, long count) {
        int result = decide(Call.SENDFILE, socketFd, (int) count);
        if (result == PASS || result >= count) {
            return super.sendfile(socketFd, fileFd, position, count);
        }
        oweEdge(socketFd);
        return result <= 0 ? result : super.sendfile(socketFd, fileFd, position, result);
    }

    @Override
    public String getsockoptText(int fd, int level, int option) {
        return congestion != null && option == Linux.TCP_CONGESTION
                ? congestion
                : super.getsockoptText(fd, level, option);
    }

    @Override
    public int ioUringSetup(int entries, MemorySegment params) {
        return ringRefusal < 0 ? ringRefusal : super.ioUringSetup(entries, params);
    }

    @Override
    public int ioUringEnter(int ring, int calls) {
        int result = decide(Call.RING, ring, calls);
        if (result < 0 && result != PASS) {
            return result;
        }
        return super.ioUringEnter(ring, result == PASS ? calls : Math.min(result, calls));
    }

    @Override
    public int discard(int fd, int length) {
        int result = decide(Call.RECV, fd, length);
        if (result < 0 && result != PASS) {
            return result;
        }
        return super.discard(fd, result == PASS ? length : Math.min(result, length));
    }

    @Override
    public int unacknowledged(int fd) {
        IntUnaryOperator told = unacknowledged;
        return told == null ? super.unacknowledged(fd) : told.applyAsInt(fd);
    }

    private synchronized void oweEdge(int fd) {
        edgesOwed.add(fd);
    }

    @Override
    public int epollWait(int epollFd, MemorySegment events, int timeoutMillis) {
        payEdges();
        timeouts.add(timeoutMillis);
        int result = decide(Call.EPOLL_WAIT, epollFd, 0);
        return result == PASS ? super.epollWait(epollFd, events, timeoutMillis) : result;
    }

    private synchronized void payEdges() {
        for (int fd : edgesOwed) {
            Watch watch = watches.get(fd);
            if (watch != null && (watch.interest & Linux.EPOLLOUT) != 0) {
                super.epollCtl(watch.epollFd, Linux.EPOLL_CTL_MOD, fd, watch.interest, watch.data);
            }
        }
        edgesOwed.clear();
    }

    @Override
    public int epollCtl(int epollFd, int op, int fd, int events, long data) {
        int result = decide(Call.EPOLL_CTL, fd, op);
        if (result != PASS) {
            return result;
        }
        result = super.epollCtl(epollFd, op, fd, events, data);
        if (result >= 0) {
            synchronized (this) {
                watches.put(fd, new Watch(epollFd, events, data));
            }
        }
        return result;
    }

    @Override
    public int accept4(int listenerFd, int flags) {
        int result = decide(Call.ACCEPT4, listenerFd, 0);
        if (result != PASS) {
            return result;
        }
        int fd = opened(super.accept4(listenerFd, flags));
        if (fd >= 0) {
            synchronized (this) {
                acceptedFds.add(fd);
            }
        }
        return fd;
    }

    @Override
    public int close(int fd) {
        int result = decide(Call.CLOSE, fd, 0);
        synchronized (this) {
            if (!open.remove(fd)) {
                strayCloses++;
            }
            watches.remove(fd);
            edgesOwed.remove(fd);
        }
        // Linux frees the descriptor whatever it returns.
        int closed = super.close(fd);
        return result == PASS ? closed : result;
    }

    @Override
    public int shutdown(int fd, int how) {
        int result = decide(Call.SHUTDOWN, fd, 0);
        return result == PASS ? super.shutdown(fd, how) : result;
    }

    @Override
    public int epollCreate1(int flags) {
        return opened(super.epollCreate1(flags));
    }

    @Override
    public int eventfd(int initial, int flags) {
        int result = decide(Call.EVENTFD, initial, 0);
        return result == PASS ? opened(super.eventfd(initial, flags)) : result;
    }

    @Override
    public int timerfdCreate(int clock, int flags) {
        int result = decide(Call.TIMERFD_CREATE, clock, 0);
        return result == PASS ? opened(super.timerfdCreate(clock, flags)) : result;
    }

    @Override
    public int timerfdSettime(int fd, long nanos) {
        int result = decide(Call.TIMERFD_SETTIME, fd, 0);
        return result == PASS ? super.timerfdSettime(fd, nanos) : result;
    }

    @Override
    public int socket(int family, int type, int protocol) {
        return opened(super.socket(family, type, protocol));
    }

    private synchronized int opened(int fd) {
        if (fd >= 0) {
            open.add(fd);
        }
        return fd;
    }
}
