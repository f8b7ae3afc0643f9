package io.bareloop.sys;

/**
 * Constants that are newer than the kernel headers of {@code native-headers/PROVENANCE}, written by
 * hand from the kernel's uapi headers, each with the release that brought it.
 *
 * <p>The probe test compares one with the machine's headers wherever those have it.
 */
public final class RecentLinux {
    /**
     * {@code ioctl(2)} on an epoll descriptor: sets its busy-poll parameters from a {@code struct
     * epoll_params}. Linux 6.9; {@code _IOW(0x8A, 0x01, struct epoll_params)}.
     */
    public static final long EPIOCSPARAMS = 0x4008_8A01L;

    /** As {@link #EPIOCSPARAMS}, but reads them. Linux 6.9; {@code _IOR(0x8A, 0x02, ...)}. */
    public static final long EPIOCGPARAMS = 0x8008_8A02L;

    /** {@code sizeof(struct epoll_params)}: u32 usecs, u16 budget, u8 prefer, u8 pad. Linux 6.9. */
    public static final int EPOLL_PARAMS_BYTES = 8;

    public static final int EPOLL_PARAMS_USECS_OFFSET = 0;
    public static final int EPOLL_PARAMS_BUDGET_OFFSET = 4;
    public static final int EPOLL_PARAMS_PREFER_OFFSET = 6;

    /**
     * {@code io_uring_setup(2)}: the program brings the memory of the rings, in {@code user_addr}
     * of their offsets. Linux 6.5.
     */
    public static final int IORING_SETUP_NO_MMAP = 1 << 14;

    /** As {@link #IORING_SETUP_NO_MMAP}: an index of the thread's, and no descriptor. Linux 6.5. */
    public static final int IORING_SETUP_REGISTERED_FD_ONLY = 1 << 15;

    /** As {@link #IORING_SETUP_NO_MMAP}: entries are submitted in their order. Linux 6.6. */
    public static final int IORING_SETUP_NO_SQARRAY = 1 << 16;

    /** Flag of {@code io_uring_register(2)}'s operation: it is told an index. Linux 6.3. */
    public static final int IORING_REGISTER_USE_REGISTERED_RING = 1 << 31;

    /** {@code user_addr} of struct io_sqring_offsets and io_cqring_offsets. Linux 6.5. */
    public static final int IO_RING_OFFSETS_USER_ADDR = 32;

    private RecentLinux() {}
}
