package io.bareloop.net;

import io.bareloop.sys.Linux;
import io.bareloop.sys.Syscalls;

/** The table of descriptors that a thread has: unshare(2) with CLONE_FILES. */
public final class DescriptorTable {
    private DescriptorTable() {}

    /**
     * Gives the calling thread a copy of the table that it has shared with the process, and closes
     * {@code left} in the copy. A table with one user lets the kernel use a descriptor without
     * counting a reference to it, twice per request. What the thread opens from now on exists for
     * it alone; the table goes with the thread.
     *
     * @return 0 or -errno (-ENOMEM; -EPERM where a seccomp filter refuses the call)
     */
    public static int unshare(Syscalls sys, int[] left) {
        int result = sys.unshare(Linux.CLONE_FILES);
        if (result == 0) {
            for (int fd : left) {
                sys.close(fd);
            }
        }
        return result;
    }
}
