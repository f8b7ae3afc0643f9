package io.bareloop.sys;

import io.bareloop.generated.linux_h;

/**
 * The constants of the kernel and libc headers that the floors above use, under their C names.
 *
 * <p>The values come from the generated bindings, once, at class initialisation. What is newer than
 * the headers that the bindings were made from stands in {@link RecentLinux}.
 */
public final class Linux {
    // sys/socket.h
    public static final int AF_INET = linux_h.AF_INET();
    public static final int AF_INET6 = linux_h.AF_INET6();
    public static final int SOCK_STREAM = linux_h.SOCK_STREAM();
    public static final int SOCK_NONBLOCK = linux_h.SOCK_NONBLOCK();
    public static final int SOCK_CLOEXEC = linux_h.SOCK_CLOEXEC();
    public static final int SOL_SOCKET = linux_h.SOL_SOCKET();
    public static final int SO_REUSEADDR = linux_h.SO_REUSEADDR();
    public static final int SO_REUSEPORT = linux_h.SO_REUSEPORT();
    public static final int SO_KEEPALIVE = linux_h.SO_KEEPALIVE();
    public static final int SO_INCOMING_CPU = linux_h.SO_INCOMING_CPU();
    public static final int SO_ATTACH_REUSEPORT_CBPF = linux_h.SO_ATTACH_REUSEPORT_CBPF();
    public static final int SO_BUSY_POLL = linux_h.SO_BUSY_POLL();
    public static final int SO_PREFER_BUSY_POLL = linux_h.SO_PREFER_BUSY_POLL();
    public static final int SO_BUSY_POLL_BUDGET = linux_h.SO_BUSY_POLL_BUDGET();
    public static final int MSG_DONTWAIT = linux_h.MSG_DONTWAIT();
    public static final int MSG_MORE = linux_h.MSG_MORE();
    public static final int MSG_NOSIGNAL = linux_h.MSG_NOSIGNAL();
    public static final int MSG_TRUNC = linux_h.MSG_TRUNC();
    public static final int SHUT_RD = linux_h.SHUT_RD();
    public static final int SHUT_WR = linux_h.SHUT_WR();

    // netinet/in.h, netinet/tcp.h
    public static final int IPPROTO_TCP = linux_h.IPPROTO_TCP();
    public static final int IPPROTO_IPV6 = linux_h.IPPROTO_IPV6();
    public static final int IPV6_V6ONLY = linux_h.IPV6_V6ONLY();
    public static final int TCP_NODELAY = linux_h.TCP_NODELAY();
    public static final int TCP_CONGESTION = linux_h.TCP_CONGESTION();

    // linux/sockios.h, sys/mman.h
    public static final int SIOCOUTQ = linux_h.SIOCOUTQ();
    public static final int MADV_DONTNEED = linux_h.MADV_DONTNEED();

    // sched.h
    public static final int CLONE_FILES = linux_h.CLONE_FILES();

    // sys/epoll.h
    public static final int EPOLL_CLOEXEC = linux_h.EPOLL_CLOEXEC();
    public static final int EPOLL_CTL_ADD = linux_h.EPOLL_CTL_ADD();
    public static final int EPOLL_CTL_MOD = linux_h.EPOLL_CTL_MOD();
    public static final int EPOLL_CTL_DEL = linux_h.EPOLL_CTL_DEL();
    public static final int EPOLLIN = linux_h.EPOLLIN();
    public static final int EPOLLOUT = linux_h.EPOLLOUT();
    public static final int EPOLLRDHUP = linux_h.EPOLLRDHUP();
    public static final int EPOLLERR = linux_h.EPOLLERR();
    public static final int EPOLLHUP = linux_h.EPOLLHUP();
    public static final int EPOLLET = linux_h.EPOLLET();

    // sys/eventfd.h
    public static final int EFD_NONBLOCK = linux_h.EFD_NONBLOCK();
    public static final int EFD_CLOEXEC = linux_h.EFD_CLOEXEC();

    // sys/timerfd.h, time.h
    public static final int TFD_NONBLOCK = linux_h.TFD_NONBLOCK();
    public static final int TFD_CLOEXEC = linux_h.TFD_CLOEXEC();
    public static final int CLOCK_MONOTONIC = linux_h.CLOCK_MONOTONIC();

    // linux/io_uring.h
    public static final int IORING_ENTER_REGISTERED_RING = linux_h.IORING_ENTER_REGISTERED_RING();
    public static final int IORING_OP_RECV = linux_h.IORING_OP_RECV();
    public static final int IORING_OP_SEND = linux_h.IORING_OP_SEND();
    public static final int IORING_SETUP_SUBMIT_ALL = linux_h.IORING_SETUP_SUBMIT_ALL();
    public static final int IORING_UNREGISTER_RING_FDS = linux_h.IORING_UNREGISTER_RING_FDS();

    // linux/filter.h
    public static final int BPF_LD = linux_h.BPF_LD();
    public static final int BPF_W = linux_h.BPF_W();
    public static final int BPF_ABS = linux_h.BPF_ABS();
    public static final int BPF_RET = linux_h.BPF_RET();
    public static final int BPF_A = linux_h.BPF_A();
    public static final int BPF_K = linux_h.BPF_K();
    public static final int BPF_JMP = linux_h.BPF_JMP();
    public static final int BPF_JEQ = linux_h.BPF_JEQ();
    public static final int BPF_ALU = linux_h.BPF_ALU();
    public static final int BPF_MOD = linux_h.BPF_MOD();
    public static final int BPF_MAXINSNS = linux_h.BPF_MAXINSNS();
    public static final int SKF_AD_OFF = linux_h.SKF_AD_OFF();
    public static final int SKF_AD_CPU = linux_h.SKF_AD_CPU();

    // sys/resource.h
    public static final int RLIMIT_NOFILE = linux_h.RLIMIT_NOFILE();

    // fcntl.h, linux/openat2.h
    public static final int O_RDONLY = linux_h.O_RDONLY();
    public static final int O_CLOEXEC = linux_h.O_CLOEXEC();
    public static final int O_DIRECTORY = linux_h.O_DIRECTORY();
    public static final int O_NOCTTY = linux_h.O_NOCTTY();
    public static final int O_NOFOLLOW = linux_h.O_NOFOLLOW();
    public static final int O_NONBLOCK = linux_h.O_NONBLOCK();
    public static final int O_PATH = linux_h.O_PATH();
    public static final int AT_FDCWD = linux_h.AT_FDCWD();
    public static final int AT_EMPTY_PATH = linux_h.AT_EMPTY_PATH();
    public static final int RESOLVE_BENEATH = linux_h.RESOLVE_BENEATH();
    public static final int RESOLVE_NO_MAGICLINKS = linux_h.RESOLVE_NO_MAGICLINKS();

    // sys/stat.h, sys/uio.h, sys/syscall.h, dirent.h
    public static final int S_IFMT = linux_h.S_IFMT();
    public static final int S_IFREG = linux_h.S_IFREG();
    public static final int S_IFDIR = linux_h.S_IFDIR();
    public static final int STATX_BASIC_STATS = linux_h.STATX_BASIC_STATS();
    public static final int RWF_NOWAIT = linux_h.RWF_NOWAIT();
    public static final int SYS_getdents64 = linux_h.SYS_getdents64();
    public static final int SYS_io_uring_enter = linux_h.SYS_io_uring_enter();
    public static final int SYS_io_uring_register = linux_h.SYS_io_uring_register();
    public static final int SYS_io_uring_setup = linux_h.SYS_io_uring_setup();
    public static final int SYS_openat2 = linux_h.SYS_openat2();
    public static final int DT_DIR = linux_h.DT_DIR();

    private Linux() {}
}
