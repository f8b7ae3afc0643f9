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

    private RecentLinux() {}
}
