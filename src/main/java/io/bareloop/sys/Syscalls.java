package io.bareloop.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.bareloop.generated.io_uring_rsrc_update;
import io.bareloop.generated.iovec;
import io.bareloop.generated.open_how;
import io.bareloop.generated.rlimit;
import io.bareloop.generated.sock_filter;
import io.bareloop.generated.sock_fprog;
import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.util.BitSet;
import java.util.Objects;

/**
 * The Linux system calls this server makes: one method each, named as in section 2 of the manual.
 *
 * <p>A method returns what the kernel returns: a result of zero or more, or the negated errno.
 * Operating errors are values here; the floor above decides what they mean. An instance belongs to
 * one thread at a time, for it owns the segment in which that thread's errno is captured and a
 * little scratch memory. Not final: tests subclass it to inject faults, and an unloaded subclass
 * costs nothing.
 *
 * <p>Buffers are native segments. A call checks its offset and length against the segment, then
 * passes a raw address, so that a wrong bound is an exception here and never a stray write there.
 */
public class Syscalls {
    private static final StructLayout CALL_STATE = Linker.Option.captureStateLayout();
    private static final long ERRNO_OFFSET =
            CALL_STATE.byteOffset(MemoryLayout.PathElement.groupElement("errno"));
    private static final int SCRATCH_BYTES = 256;

    /** What one instance takes of its arena. */
    public static final long NATIVE_BYTES = CALL_STATE.byteSize() + SCRATCH_BYTES;

    /** {@code sizeof(cpu_set_t)}; to ask the generated class would take 20 ms at start. */
    static final int CPU_SET_BYTES = 128;

    /** The offset of {@code it_value}, behind as many longs, in {@code struct itimerspec}. */
    static final int ITIMERSPEC_VALUE = 16;

    private static final long NANOS_PER_SECOND = 1_000_000_000L;

    // Those that a loop calls all the time are not final, on purpose. What the JIT cannot see
    // through it calls, and compiles apart. A constant it inlines into whoever calls; where its
    // limits end amid the call, the segment of errno that the JDK cuts anew for each call is an
    // object of 40 bytes.
    private static MethodHandle ACCEPT4 = Downcalls.link("accept4");
    private static final MethodHandle BIND = Downcalls.link("bind");
    private static MethodHandle CLOSE = Downcalls.link("close");
    private static final MethodHandle EPOLL_CREATE1 = Downcalls.link("epoll_create1");
    private static MethodHandle EPOLL_CTL = Downcalls.link("epoll_ctl");
    private static MethodHandle EPOLL_WAIT = Downcalls.link("epoll_wait");
    private static final MethodHandle EVENTFD = Downcalls.link("eventfd");
    private static MethodHandle GETPEERNAME = Downcalls.link("getpeername");
    private static final MethodHandle GETRLIMIT = Downcalls.link("getrlimit");
    private static final MethodHandle GETSOCKNAME = Downcalls.link("getsockname");
    private static MethodHandle GETSOCKOPT = Downcalls.link("getsockopt");
    private static final MethodHandle LISTEN = Downcalls.link("listen");
    private static MethodHandle READ = Downcalls.link("read");
    private static MethodHandle RECV = Downcalls.link("recv");
    private static final MethodHandle SCHED_GETAFFINITY = Downcalls.link("sched_getaffinity");
    private static final MethodHandle SCHED_SETAFFINITY = Downcalls.link("sched_setaffinity");
    private static MethodHandle SEND = Downcalls.link("send");
    private static final MethodHandle SETRLIMIT = Downcalls.link("setrlimit");
    private static final MethodHandle SETSOCKOPT = Downcalls.link("setsockopt");
    private static MethodHandle SHUTDOWN = Downcalls.link("shutdown");
    private static final MethodHandle SOCKET = Downcalls.link("socket");
    private static final MethodHandle TIMERFD_CREATE = Downcalls.link("timerfd_create");
    private static MethodHandle TIMERFD_SETTIME = Downcalls.link("timerfd_settime");
    private static final MethodHandle UNSHARE = Downcalls.link("unshare");
    private static MethodHandle WRITE = Downcalls.link("write");
    private static final MethodHandle IOCTL = Downcalls.link("ioctl");

    private final MemorySegment callState;
    private final MemorySegment scratch;

    /** Creates the calls of one thread; {@code arena} holds its errno and its scratch memory. */
    public Syscalls(Arena arena) {
        callState = arena.allocate(CALL_STATE);
        scratch = arena.allocate(SCRATCH_BYTES, Long.BYTES);
    }

    /**
     * Receives up to {@code length} bytes into {@code buffer} at {@code offset}.
     *
     * @return the number of bytes; 0 once the peer has closed; or -errno (-EAGAIN: drained for now)
     */
    public int recv(int fd, MemorySegment buffer, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, buffer.byteSize());
        try {
            long n =
                    (long)
                            RECV.invokeExact(
                                    callState,
                                    (long) fd,
                                    buffer.address() + offset,
                                    (long) length,
                                    0L,
                                    0L);
            return n >= 0 ? (int) n : -errno();
        } catch (Throwable t) {
            throw linkedCallThrew("recv", t);
        }
    }

    /**
     * Sends up to {@code length} bytes of {@code buffer} from {@code offset}, with MSG_NOSIGNAL.
     *
     * @param flags further flags of send(2), or 0
     * @return the number of bytes the kernel took, or -errno (-EAGAIN: it takes none for now)
     */
    public int send(int fd, MemorySegment buffer, int offset, int length, int flags) {
        Objects.checkFromIndexSize(offset, length, buffer.byteSize());
        try {
            long n =
                    (long)
                            SEND.invokeExact(
                                    callState,
                                    (long) fd,
                                    buffer.address() + offset,
                                    (long) length,
                                    (long) (flags | Linux.MSG_NOSIGNAL),
                                    0L);
            return n >= 0 ? (int) n : -errno();
        } catch (Throwable t) {
            throw linkedCallThrew("send", t);
        }
    }

    /**
     * Sends {@code headLength} bytes of {@code head} from {@code headOffset} and, behind them, up
     * to {@code length} bytes of {@code body} from {@code offset}, by one call. Unlike send(2) it
     * has no MSG_NOSIGNAL: a JVM ignores SIGPIPE, and the result is -EPIPE all the same.
     *
     * @param headLength 0 or more
     * @param body native memory, whose arena cannot be closed meanwhile
     * @return the number of bytes the socket took, of both together; or -errno (-EAGAIN: it takes
     *     none for now; -EFAULT: the body is a mapped file that has been cut short)
     * @throws IllegalStateException where the body's arena is closed
     * @throws WrongThreadException where the body is another thread's alone
     */
    public int writev(
            int fd,
            MemorySegment head,
            int headOffset,
            int headLength,
            MemorySegment body,
            long offset,
            int length) {
        Objects.checkFromIndexSize(headOffset, headLength, head.byteSize());
        Objects.checkFromIndexSize(offset, length, body.byteSize());
        scratch.set(JAVA_LONG, iovec.iov_base$offset(), head.address() + headOffset);
        scratch.set(JAVA_LONG, iovec.iov_len$offset(), headLength);
        long second = iovec.sizeof();
        scratch.set(JAVA_LONG, second + iovec.iov_base$offset(), body.address() + offset);
        scratch.set(JAVA_LONG, second + iovec.iov_len$offset(), length);
        try {
            long n =
                    (long)
                            LargeDowncalls.WRITEV.invokeExact(
                                    callState,
                                    (long) fd,
                                    scratch.address() + (headLength > 0 ? 0 : second),
                                    headLength > 0 ? 2L : 1L,
                                    0L,
                                    body);
            return n >= 0 ? (int) n : -errno();
        } catch (RuntimeException refused) {
            throw refused;
        } catch (Throwable t) {
            throw linkedCallThrew("writev", t);
        }
    }

    /**
     * Waits for events, at most as many as {@code events} has room for.
     *
     * @param events an array as {@link EpollEvents} reads it
     * @param timeoutMillis -1 waits for ever. 0 returns at once, and never busy-polls the network
     *     device (Linux 5.11 and later)
     * @return the number of events, or -errno
     */
    public int epollWait(int epollFd, MemorySegment events, int timeoutMillis) {
        int room = (int) (events.byteSize() / EpollEvents.BYTES);
        try {
            int n =
                    (int)
                            (long)
                                    EPOLL_WAIT.invokeExact(
                                            callState,
                                            (long) epollFd,
                                            events.address(),
                                            (long) room,
                                            (long) timeoutMillis,
                                            0L);
            return n >= 0 ? n : -errno();
        } catch (Throwable t) {
            throw linkedCallThrew("epollWait", t);
        }
    }

    /**
     * Adds, changes or removes {@code fd}; {@code op} is EPOLL_CTL_ADD, _MOD or _DEL.
     *
     * @return 0 or -errno
     */
    public int epollCtl(int epollFd, int op, int fd, int events, long data) {
        EpollEvents.set(scratch, 0, events, data);
        try {
            int n =
                    (int)
                            (long)
                                    EPOLL_CTL.invokeExact(
                                            callState,
                                            (long) epollFd,
                                            (long) op,
                                            (long) fd,
                                            scratch.address(),
                                            0L);
            return n >= 0 ? n : -errno();
        } catch (Throwable t) {
            throw linkedCallThrew("epollCtl", t);
        }
    }

    /**
     * Creates an epoll descriptor.
     *
     * @return the descriptor, or -errno
     */
    public int epollCreate1(int flags) {
        return cold("epoll_create1", EPOLL_CREATE1, flags, 0, 0, 0, 0);
    }

    /**
     * Takes a completed connection from the listener, without asking for the peer's address.
     *
     * @param flags SOCK_NONBLOCK and SOCK_CLOEXEC
     * @return the new descriptor, or -errno (-EAGAIN: none is waiting)
     */
    public int accept4(int listenerFd, int flags) {
        try {
            int n =
                    (int)
                            (long)
                                    ACCEPT4.invokeExact(
                                            callState, (long) listenerFd, 0L, 0L, (long) flags, 0L);
            return n >= 0 ? n : -errno();
        } catch (Throwable t) {
            throw linkedCallThrew("accept4", t);
        }
    }

    /**
     * Closes {@code fd}. Linux frees the descriptor even where this returns -EINTR or -EIO.
     *
     * @return 0 or -errno
     */
    public int close(int fd) {
        try {
            int n = (int) (long) CLOSE.invokeExact(callState, (long) fd, 0L, 0L, 0L, 0L);
            return n >= 0 ? n : -errno();
        } catch (Throwable t) {
            throw linkedCallThrew("close", t);
        }
    }

    /**
     * Shuts down one direction; {@code how} is SHUT_WR or another of shutdown(2).
     *
     * @return 0 or -errno
     */
    public int shutdown(int fd, int how) {
        try {
            int n = (int) (long) SHUTDOWN.invokeExact(callState, (long) fd, (long) how, 0L, 0L, 0L);
            return n >= 0 ? n : -errno();
        } catch (Throwable t) {
            throw linkedCallThrew("shutdown", t);
        }
    }

    /**
     * Creates a socket.
     *
     * @return the descriptor, or -errno
     */
    public int socket(int family, int type, int protocol) {
        return cold("socket", SOCKET, family, type, protocol, 0, 0);
    }

    /**
     * Binds {@code fd} to an address that {@link Sockaddr#write} wrote.
     *
     * @return 0 or -errno
     */
    public int bind(int fd, MemorySegment address, int length) {
        Objects.checkFromIndexSize(0, length, address.byteSize());
        return cold("bind", BIND, fd, address.address(), length, 0, 0);
    }

    /**
     * Makes {@code fd} a listener; the kernel lowers {@code backlog} to net.core.somaxconn.
     *
     * @return 0 or -errno
     */
    public int listen(int fd, int backlog) {
        return cold("listen", LISTEN, fd, backlog, 0, 0, 0);
    }

    /**
     * Reads the address that {@code fd} is bound to into {@code address}.
     *
     * @return 0 or -errno
     */
    public int getsockname(int fd, MemorySegment address) {
        scratch.set(JAVA_INT, 0, (int) address.byteSize());
        return cold("getsockname", GETSOCKNAME, fd, address.address(), scratch.address(), 0, 0);
    }

    /**
     * Reads the address of the other end of {@code fd} into {@code address}.
     *
     * @return 0 or -errno (-ENOTCONN: the connection is gone, and with it the address)
     */
    public int getpeername(int fd, MemorySegment address) {
        scratch.set(JAVA_INT, 0, (int) address.byteSize());
        return cold("getpeername", GETPEERNAME, fd, address.address(), scratch.address(), 0, 0);
    }

    /**
     * Sets an option whose value is an int.
     *
     * @return 0 or -errno
     */
    public int setsockopt(int fd, int level, int option, int value) {
        scratch.set(JAVA_INT, 0, value);
        return cold("setsockopt", SETSOCKOPT, fd, level, option, scratch.address(), Integer.BYTES);
    }

    /**
     * Sets an option whose value is the first {@code length} bytes of {@code value}.
     *
     * @return 0 or -errno
     */
    public int setsockopt(int fd, int level, int option, MemorySegment value, int length) {
        Objects.checkFromIndexSize(0, length, value.byteSize());
        return cold("setsockopt", SETSOCKOPT, fd, level, option, value.address(), length);
    }

    /**
     * Reads an option whose value is an int of zero or more.
     *
     * @return the value, or -errno
     */
    public int getsockopt(int fd, int level, int option) {
        scratch.set(JAVA_INT, 0, 0);
        scratch.set(JAVA_INT, Integer.BYTES, Integer.BYTES);
        try {
            int n =
                    (int)
                            (long)
                                    GETSOCKOPT.invokeExact(
                                            callState,
                                            (long) fd,
                                            (long) level,
                                            (long) option,
                                            scratch.address(),
                                            scratch.address() + Integer.BYTES);
            return n >= 0 ? scratch.get(JAVA_INT, 0) : -errno();
        } catch (Throwable t) {
            throw linkedCallThrew("getsockopt", t);
        }
    }

    /**
     * Reads an option of at most 64 bytes whose value is text, such as TCP_CONGESTION.
     *
     * @return the text, or null where the kernel refuses
     */
    public String getsockoptText(int fd, int level, int option) {
        int room = 64;
        scratch.fill((byte) 0);
        scratch.set(JAVA_INT, 0, room);
        int n =
                cold(
                        "getsockopt",
                        GETSOCKOPT,
                        fd,
                        level,
                        option,
                        scratch.address() + Long.BYTES,
                        scratch.address());
        return n >= 0 ? scratch.getString(Long.BYTES) : null;
    }

    /**
     * Attaches a classic BPF program to the SO_REUSEPORT group of {@code fd}.
     *
     * @param program instructions as {@code struct sock_filter} packs them: code in bits 0 to 15,
     *     jt in 16 to 23, jf in 24 to 31, k in the upper 32 bits
     * @return 0 or -errno
     */
    public int attachReuseportFilter(int fd, long[] program) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment instructions = arena.allocate(sock_filter.layout(), program.length);
            for (int i = 0; i < program.length; i++) {
                MemorySegment instruction = sock_filter.asSlice(instructions, i);
                sock_filter.code(instruction, (short) program[i]);
                sock_filter.jt(instruction, (byte) (program[i] >>> 16));
                sock_filter.jf(instruction, (byte) (program[i] >>> 24));
                sock_filter.k(instruction, (int) (program[i] >>> 32));
            }
            MemorySegment header = sock_fprog.allocate(arena);
            sock_fprog.len(header, (short) program.length);
            // As a long: the handle for pointers would be made for this one use.
            header.set(JAVA_LONG, sock_fprog.filter$offset(), instructions.address());
            return setsockopt(
                    fd,
                    Linux.SOL_SOCKET,
                    Linux.SO_ATTACH_REUSEPORT_CBPF,
                    header,
                    (int) sock_fprog.sizeof());
        }
    }

    /**
     * Creates an event counter.
     *
     * @param flags EFD_NONBLOCK and EFD_CLOEXEC
     * @return the descriptor, or -errno
     */
    public int eventfd(int initial, int flags) {
        return cold("eventfd", EVENTFD, initial, flags, 0, 0, 0);
    }

    /**
     * Adds {@code value} to the counter of an eventfd(2).
     *
     * @return 8 or -errno (-EAGAIN: the counter is full, so the owner has not yet woken up)
     */
    public int eventfdWrite(int fd, long value) {
        scratch.set(JAVA_LONG, 0, value);
        try {
            long n =
                    (long)
                            WRITE.invokeExact(
                                    callState,
                                    (long) fd,
                                    scratch.address(),
                                    (long) Long.BYTES,
                                    0L,
                                    0L);
            return n >= 0 ? (int) n : -errno();
        } catch (Throwable t) {
            throw linkedCallThrew("write", t);
        }
    }

    /**
     * Reads and resets the counter of an eventfd(2).
     *
     * @return 8 or -errno (-EAGAIN: the counter is 0)
     */
    public int eventfdRead(int fd) {
        try {
            long n =
                    (long)
                            READ.invokeExact(
                                    callState,
                                    (long) fd,
                                    scratch.address(),
                                    (long) Long.BYTES,
                                    0L,
                                    0L);
            return n >= 0 ? (int) n : -errno();
        } catch (Throwable t) {
            throw linkedCallThrew("eventfdRead", t);
        }
    }

    /**
     * Creates a timer that is a descriptor.
     *
     * @param clock CLOCK_MONOTONIC
     * @param flags TFD_NONBLOCK and TFD_CLOEXEC
     * @return the descriptor, or -errno
     */
    public int timerfdCreate(int clock, int flags) {
        return cold("timerfd_create", TIMERFD_CREATE, clock, flags, 0, 0, 0);
    }

    /**
     * Has a timerfd_create(2) descriptor become readable {@code nanos} from now, once, and not when
     * it was set to before. What it has told of so far is taken back.
     *
     * @param nanos 1 or more
     * @return 0 or -errno
     */
    public int timerfdSettime(int fd, long nanos) {
        // No interval: once only.
        scratch.set(JAVA_LONG, 0, 0);
        scratch.set(JAVA_LONG, Long.BYTES, 0);
        scratch.set(JAVA_LONG, ITIMERSPEC_VALUE, nanos / NANOS_PER_SECOND);
        scratch.set(JAVA_LONG, ITIMERSPEC_VALUE + Long.BYTES, nanos % NANOS_PER_SECOND);
        try {
            int n =
                    (int)
                            (long)
                                    TIMERFD_SETTIME.invokeExact(
                                            callState, (long) fd, 0L, scratch.address(), 0L, 0L);
            return n >= 0 ? n : -errno();
        } catch (Throwable t) {
            throw linkedCallThrew("timerfd_settime", t);
        }
    }

    /**
     * Takes what {@code flags} name out of what the calling thread shares with the process.
     *
     * @return 0 or -errno (-EPERM: a capability is missing, or a seccomp filter refuses the call)
     */
    public int unshare(int flags) {
        return cold("unshare", UNSHARE, flags, 0, 0, 0, 0);
    }

    /**
     * Sets the CPUs that a thread may run on.
     *
     * @param thread its number, as in /proc/self/task; 0 for the calling thread
     * @return 0 or -errno (-EINVAL: none of them is online and allowed; -ESRCH: no such thread)
     */
    public int schedSetaffinity(int thread, BitSet cpus) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment set = arena.allocate(CPU_SET_BYTES, Long.BYTES);
            long[] words = cpus.toLongArray();
            if (words.length * (long) Long.BYTES > set.byteSize()) {
                return -Errno.EINVAL;
            }
            for (int i = 0; i < words.length; i++) {
                set.setAtIndex(JAVA_LONG, i, words[i]);
            }
            return cold(
                    "sched_setaffinity",
                    SCHED_SETAFFINITY,
                    thread,
                    set.byteSize(),
                    set.address(),
                    0,
                    0);
        }
    }

    /**
     * Reads the CPUs that the calling thread may run on into {@code cpus}.
     *
     * @return 0 or -errno (-EINVAL: the kernel knows more CPUs than cpu_set_t has bits)
     */
    public int schedGetaffinity(BitSet cpus) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment set = arena.allocate(CPU_SET_BYTES, Long.BYTES);
            int n =
                    cold(
                            "sched_getaffinity",
                            SCHED_GETAFFINITY,
                            0,
                            set.byteSize(),
                            set.address(),
                            0,
                            0);
            if (n < 0) {
                return n;
            }
            cpus.clear();
            cpus.or(BitSet.valueOf(set.toArray(JAVA_LONG)));
            return 0;
        }
    }

    /**
     * Raises the soft limit of open descriptors to the hard limit.
     *
     * @return the limit now in force, or -errno
     */
    public long raiseDescriptorLimit() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment limit = rlimit.allocate(arena);
            int n = cold("getrlimit", GETRLIMIT, Linux.RLIMIT_NOFILE, limit.address(), 0, 0, 0);
            if (n < 0) {
                return n;
            }
            rlimit.rlim_cur(limit, rlimit.rlim_max(limit));
            n = cold("setrlimit", SETRLIMIT, Linux.RLIMIT_NOFILE, limit.address(), 0, 0, 0);
            return n < 0 ? n : rlimit.rlim_cur(limit);
        }
    }

    /**
     * Calls ioctl(2) with a pointer to {@code argument}.
     *
     * @return 0 or more, or -errno (-ENOTTY: this kernel does not know the request)
     */
    public int ioctl(int fd, long request, MemorySegment argument) {
        try {
            int n =
                    (int)
                            (long)
                                    IOCTL.invokeExact(
                                            callState,
                                            (long) fd,
                                            request,
                                            argument.address(),
                                            0L,
                                            0L);
            return n >= 0 ? n : -errno();
        } catch (Throwable t) {
            throw linkedCallThrew("ioctl", t);
        }
    }

    /**
     * How many bytes the send queue of a TCP socket holds: not sent yet, or not acknowledged.
     *
     * @return the number, or -errno
     */
    public int unacknowledged(int fd) {
        int result = ioctl(fd, Linux.SIOCOUTQ, scratch);
        return result < 0 ? result : scratch.get(JAVA_INT, 0);
    }

    /**
     * Takes up to {@code length} bytes off a TCP socket and forgets them, uncopied: recv(2) with
     * MSG_TRUNC, as tcp(7) has it.
     *
     * @return as {@link #recv}
     */
    public int discard(int fd, int length) {
        try {
            long n =
                    (long)
                            RECV.invokeExact(
                                    callState,
                                    (long) fd,
                                    0L,
                                    (long) length,
                                    (long) Linux.MSG_TRUNC,
                                    0L);
            return n >= 0 ? (int) n : -errno();
        } catch (Throwable t) {
            throw linkedCallThrew("recv", t);
        }
    }

    /**
     * Tells the kernel how pages of {@code memory} are used; with MADV_DONTNEED that what they hold
     * is not needed.
     *
     * @param offset of whole pages, {@code length} too
     * @return 0 or -errno
     */
    public int madvise(MemorySegment memory, long offset, long length, int advice) {
        Objects.checkFromIndexSize(offset, length, memory.byteSize());
        try {
            int n =
                    (int)
                            (long)
                                    PageDowncalls.MADVISE.invokeExact(
                                            callState,
                                            memory.address() + offset,
                                            length,
                                            (long) advice,
                                            0L,
                                            0L);
            return n >= 0 ? n : -errno();
        } catch (Throwable t) {
            throw linkedCallThrew("madvise", t);
        }
    }

    // ---- io_uring

    /**
     * Makes an io_uring of {@code entries} for the calling thread.
     *
     * @param params as {@link RingMemory#params} writes them; the kernel fills in the rest
     * @return the index of the ring, with IORING_SETUP_REGISTERED_FD_ONLY; or -errno (-ENOSYS,
     *     -EPERM: the kernel has none, a setting or a seccomp filter forbids it; -EINVAL: the
     *     kernel is older than a flag; -ENOMEM: RLIMIT_MEMLOCK is less than what the rings of this
     *     user take; -EBUSY: the thread has 16 rings)
     */
    public int ioUringSetup(int entries, MemorySegment params) {
        Objects.checkFromIndexSize(0, RingMemory.PARAMS_BYTES, params.byteSize());
        return syscall(Linux.SYS_io_uring_setup, entries, params.address(), 0, 0);
    }

    /**
     * Submits {@code entries} that stand in the ring; waits for none of them.
     *
     * @param ring an index of the calling thread's
     * @return how many the kernel has taken, or -errno
     */
    public int ioUringEnter(int ring, int entries) {
        return syscall(
                Linux.SYS_io_uring_enter, ring, entries, 0, Linux.IORING_ENTER_REGISTERED_RING);
    }

    /**
     * Takes back {@code ring}, an index of the calling thread's.
     *
     * @return 1, or -errno
     */
    public int ioUringUnregister(int ring) {
        io_uring_rsrc_update.offset(scratch, ring);
        io_uring_rsrc_update.resv(scratch, 0);
        io_uring_rsrc_update.data(scratch, 0);
        return syscall(
                Linux.SYS_io_uring_register,
                ring,
                Linux.IORING_UNREGISTER_RING_FDS | RecentLinux.IORING_REGISTER_USE_REGISTERED_RING,
                scratch.address(),
                1);
    }

    private int syscall(int number, long first, long second, long third, long fourth) {
        try {
            long n =
                    (long)
                            RawDowncalls.SYSCALL.invokeExact(
                                    callState, (long) number, first, second, third, fourth);
            return n >= 0 ? (int) n : -errno();
        } catch (Throwable t) {
            throw linkedCallThrew("syscall " + number, t);
        }
    }

    // ---- files

    /**
     * Opens {@code path}, a string that ends with a zero byte, as seen from directory {@code
     * dirFd}. Never creates anything.
     *
     * @param flags O_RDONLY or O_PATH, and others of open(2)
     * @return the descriptor, or -errno
     */
    public int openat(int dirFd, MemorySegment path, int flags) {
        try {
            int n =
                    (int)
                            (long)
                                    FileDowncalls.OPENAT.invokeExact(
                                            callState,
                                            (long) dirFd,
                                            path.address(),
                                            (long) flags,
                                            0L,
                                            0L);
            return n >= 0 ? n : -errno();
        } catch (Throwable t) {
            throw linkedCallThrew("openat", t);
        }
    }

    /**
     * As {@link #openat}, and tells the kernel how the way to the file may lead. Linux 5.6.
     *
     * @param resolve RESOLVE_BENEATH and others of openat2(2)
     * @return the descriptor, or -errno (-EXDEV: the way leads out; -ENOSYS: an older kernel)
     */
    public int openat2(int dirFd, MemorySegment path, int flags, int resolve) {
        open_how.flags(scratch, flags);
        open_how.mode(scratch, 0);
        open_how.resolve(scratch, resolve);
        return syscall(
                Linux.SYS_openat2, dirFd, path.address(), scratch.address(), open_how.sizeof());
    }

    /**
     * Reads the status of {@code fd} itself, which may be an O_PATH descriptor.
     *
     * @param status memory as {@link FileStatus} reads it
     * @return 0 or -errno
     */
    public int statx(int fd, MemorySegment status) {
        Objects.checkFromIndexSize(0, FileStatus.BYTES, status.byteSize());
        try {
            int n =
                    (int)
                            (long)
                                    FileDowncalls.STATX.invokeExact(
                                            callState,
                                            (long) fd,
                                            FileDowncalls.EMPTY.address(),
                                            (long) Linux.AT_EMPTY_PATH,
                                            (long) Linux.STATX_BASIC_STATS,
                                            status.address());
            return n >= 0 ? n : -errno();
        } catch (Throwable t) {
            throw linkedCallThrew("statx", t);
        }
    }

    /**
     * Reads up to {@code length} bytes of file {@code fd} at {@code position}. Waits for the disk.
     *
     * @return the number of bytes; 0 at the end of the file; or -errno
     */
    public int pread(int fd, MemorySegment buffer, int offset, int length, long position) {
        Objects.checkFromIndexSize(offset, length, buffer.byteSize());
        try {
            long n =
                    (long)
                            FileDowncalls.PREAD.invokeExact(
                                    callState,
                                    (long) fd,
                                    buffer.address() + offset,
                                    (long) length,
                                    position,
                                    0L);
            return n >= 0 ? (int) n : -errno();
        } catch (Throwable t) {
            throw linkedCallThrew("pread", t);
        }
    }

    /**
     * Reads one byte of file {@code fd} at {@code position} and forgets it, without waiting for the
     * disk: preadv2(2) with RWF_NOWAIT.
     *
     * @return 1 where the page cache has it; 0 behind the end of the file; or -errno (-EAGAIN: it
     *     has to come from the disk; -EOPNOTSUPP: this file system cannot tell)
     */
    public int preadv2Nowait(int fd, long position) {
        scratch.set(JAVA_LONG, iovec.iov_base$offset(), scratch.address() + iovec.sizeof());
        scratch.set(JAVA_LONG, iovec.iov_len$offset(), 1);
        try {
            long n =
                    (long)
                            FileDowncalls.PREADV2.invokeExact(
                                    callState,
                                    (long) fd,
                                    scratch.address(),
                                    1L,
                                    position,
                                    (long) Linux.RWF_NOWAIT);
            return n >= 0 ? (int) n : -errno();
        } catch (Throwable t) {
            throw linkedCallThrew("preadv2", t);
        }
    }

    /**
     * Sends up to {@code count} bytes of file {@code fileFd} from {@code position} through a
     * socket. The file's own position stays. Unlike send(2) it has no MSG_NOSIGNAL: a JVM ignores
     * SIGPIPE, and the result is -EPIPE all the same.
     *
     * @return the number of bytes the socket took; 0 where the file ends before {@code position};
     *     or -errno (-EAGAIN: the socket takes none for now; -EIO: the disk failed)
     */
    public long sendfile(int socketFd, int fileFd, long position, long count) {
        scratch.set(JAVA_LONG, 0, position);
        try {
            long n =
                    (long)
                            FileDowncalls.SENDFILE.invokeExact(
                                    callState,
                                    (long) socketFd,
                                    (long) fileFd,
                                    scratch.address(),
                                    count,
                                    0L);
            return n >= 0 ? n : -errno();
        } catch (Throwable t) {
            throw linkedCallThrew("sendfile", t);
        }
    }

    /**
     * Reads entries of directory {@code fd} as {@link DirectoryEntries} reads them.
     *
     * @return the number of bytes; 0 at the end of the directory; or -errno
     */
    public int getdents64(int fd, MemorySegment entries) {
        return syscall(Linux.SYS_getdents64, fd, entries.address(), entries.byteSize(), 0);
    }

    /**
     * Makes {@code as} another number for the file behind {@code fd}, in place of what it was.
     *
     * @param flags O_CLOEXEC or 0
     * @return {@code as} or -errno
     */
    public int dup3(int fd, int as, int flags) {
        return cold("dup3", FileDowncalls.DUP3, fd, as, flags, 0, 0);
    }

    /**
     * A call whose result is an int and that is made at the start, not for a connection or a turn:
     * one try and catch for all of these. A call that is made often spells out its own, with a
     * handle that is not final.
     *
     * @return 0 or more, or -errno
     */
    private int cold(
            String call,
            MethodHandle handle,
            long first,
            long second,
            long third,
            long fourth,
            long fifth) {
        try {
            int n = (int) (long) handle.invokeExact(callState, first, second, third, fourth, fifth);
            return n >= 0 ? n : -errno();
        } catch (Throwable t) {
            throw linkedCallThrew(call, t);
        }
    }

    /** Captured errno is junk after a call that succeeded: read it only after a negative result. */
    private int errno() {
        return callState.get(JAVA_INT, ERRNO_OFFSET);
    }

    /**
     * A linked downcall throws nothing of its own. But the stack may end in it, and the JVM lets a
     * fault in mapped memory show wherever the thread is next: those are told as they are.
     */
    private static Error linkedCallThrew(String call, Throwable t) {
        return t instanceof Error error
                ? error
                : new AssertionError(call + ": a linked downcall never throws", t);
    }
}
