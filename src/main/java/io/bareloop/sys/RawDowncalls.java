package io.bareloop.sys;

import java.lang.invoke.MethodHandle;

/**
 * The handle of syscall(2), for what libc has no function for, or only a recent one. Takes the
 * number of the call and four arguments; linked when the first of these calls is made.
 */
final class RawDowncalls {
    /** Not final: see {@link Syscalls}. */
    static MethodHandle SYSCALL = Downcalls.link("syscall");

    private RawDowncalls() {}
}
