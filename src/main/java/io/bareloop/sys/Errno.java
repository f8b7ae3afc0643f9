package io.bareloop.sys;

import io.bareloop.generated.linux_h;
import java.util.HashMap;
import java.util.Map;

/** The errno values we can meet, and what to call them. See errno(3). */
public final class Errno {
    private static final Map<Integer, String> DESCRIPTIONS = new HashMap<>();

    public static final int EPERM = described(linux_h.EPERM(), "EPERM (not permitted)");
    public static final int ENOENT =
            described(linux_h.ENOENT(), "ENOENT (no such file or directory)");
    public static final int ESRCH = described(linux_h.ESRCH(), "ESRCH (no such process)");
    public static final int EINTR = described(linux_h.EINTR(), "EINTR (interrupted by a signal)");
    public static final int EIO = described(linux_h.EIO(), "EIO (input/output error)");
    public static final int ENXIO = described(linux_h.ENXIO(), "ENXIO (no such device or peer)");
    public static final int EBADF = described(linux_h.EBADF(), "EBADF (bad file descriptor)");
    public static final int EAGAIN = described(linux_h.EAGAIN(), "EAGAIN (not ready)");
    public static final int ENOMEM = described(linux_h.ENOMEM(), "ENOMEM (out of memory)");
    public static final int EACCES = described(linux_h.EACCES(), "EACCES (permission denied)");
    public static final int EFAULT = described(linux_h.EFAULT(), "EFAULT (bad address)");
    public static final int EBUSY = described(linux_h.EBUSY(), "EBUSY (busy)");
    public static final int EEXIST = described(linux_h.EEXIST(), "EEXIST (exists already)");
    public static final int EXDEV = described(linux_h.EXDEV(), "EXDEV (leads elsewhere)");
    public static final int ENODEV = described(linux_h.ENODEV(), "ENODEV (no such device)");
    public static final int ENOTDIR = described(linux_h.ENOTDIR(), "ENOTDIR (not a directory)");
    public static final int EINVAL = described(linux_h.EINVAL(), "EINVAL (invalid argument)");
    public static final int ENFILE =
            described(linux_h.ENFILE(), "ENFILE (too many open files in the system)");
    public static final int EMFILE =
            described(linux_h.EMFILE(), "EMFILE (too many open files in this process)");
    public static final int ENOTTY =
            described(linux_h.ENOTTY(), "ENOTTY (not supported by this descriptor)");
    public static final int ENOSPC = described(linux_h.ENOSPC(), "ENOSPC (no space left)");
    public static final int EPIPE = described(linux_h.EPIPE(), "EPIPE (the peer has closed)");
    public static final int ERANGE = described(linux_h.ERANGE(), "ERANGE (out of range)");
    public static final int ENAMETOOLONG =
            described(linux_h.ENAMETOOLONG(), "ENAMETOOLONG (file name too long)");
    public static final int ENOSYS = described(linux_h.ENOSYS(), "ENOSYS (not in this kernel)");
    public static final int ELOOP = described(linux_h.ELOOP(), "ELOOP (symbolic link refused)");
    public static final int EPROTO = described(linux_h.EPROTO(), "EPROTO (protocol error)");
    public static final int ENOTSOCK = described(linux_h.ENOTSOCK(), "ENOTSOCK (not a socket)");
    public static final int EDESTADDRREQ =
            described(linux_h.EDESTADDRREQ(), "EDESTADDRREQ (no destination address)");
    public static final int EMSGSIZE = described(linux_h.EMSGSIZE(), "EMSGSIZE (message too long)");
    public static final int ENOPROTOOPT =
            described(linux_h.ENOPROTOOPT(), "ENOPROTOOPT (no such option in this kernel)");
    public static final int EPROTONOSUPPORT =
            described(linux_h.EPROTONOSUPPORT(), "EPROTONOSUPPORT (protocol not supported)");
    public static final int EOPNOTSUPP =
            described(linux_h.EOPNOTSUPP(), "EOPNOTSUPP (not supported)");
    public static final int EAFNOSUPPORT =
            described(linux_h.EAFNOSUPPORT(), "EAFNOSUPPORT (address family not supported)");
    public static final int EADDRINUSE =
            described(linux_h.EADDRINUSE(), "EADDRINUSE (address already in use)");
    public static final int EADDRNOTAVAIL =
            described(linux_h.EADDRNOTAVAIL(), "EADDRNOTAVAIL (no such address on this machine)");
    public static final int ENETDOWN = described(linux_h.ENETDOWN(), "ENETDOWN (network down)");
    public static final int ENETUNREACH =
            described(linux_h.ENETUNREACH(), "ENETUNREACH (network unreachable)");
    public static final int ENETRESET =
            described(linux_h.ENETRESET(), "ENETRESET (connection dropped by the network)");
    public static final int ECONNABORTED =
            described(
                    linux_h.ECONNABORTED(),
                    "ECONNABORTED (connection aborted before it was accepted)");
    public static final int ECONNRESET =
            described(linux_h.ECONNRESET(), "ECONNRESET (connection reset by the peer)");
    public static final int ENOBUFS = described(linux_h.ENOBUFS(), "ENOBUFS (no buffer space)");
    public static final int ENOTCONN = described(linux_h.ENOTCONN(), "ENOTCONN (not connected)");
    public static final int ETIMEDOUT =
            described(linux_h.ETIMEDOUT(), "ETIMEDOUT (connection timed out)");
    public static final int ECONNREFUSED =
            described(linux_h.ECONNREFUSED(), "ECONNREFUSED (connection refused)");
    public static final int EHOSTDOWN = described(linux_h.EHOSTDOWN(), "EHOSTDOWN (host down)");
    public static final int EHOSTUNREACH =
            described(linux_h.EHOSTUNREACH(), "EHOSTUNREACH (host unreachable)");
    public static final int ENONET =
            described(linux_h.ENONET(), "ENONET (machine not on the network)");

    public static final int ESTALE = described(linux_h.ESTALE(), "ESTALE (stale file handle)");

    private Errno() {}

    /**
     * Returns {@code errno} as a person reads it, for example {@code "EADDRINUSE (address already
     * in use)"}.
     *
     * @param errno a positive errno value, or a negated one as {@link Syscalls} returns it
     */
    public static String describe(int errno) {
        int value = Math.abs(errno);
        String description = DESCRIPTIONS.get(value);
        return description != null ? description : "errno " + value;
    }

    private static int described(int errno, String description) {
        DESCRIPTIONS.put(errno, description);
        return errno;
    }
}
