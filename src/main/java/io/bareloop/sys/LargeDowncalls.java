package io.bareloop.sys;

import java.lang.invoke.MethodHandle;

/**
 * The handle of the call that sends large bodies. Apart from those of {@link Syscalls}, because its
 * signature is another one: only a server that has such bodies pays for linking it.
 */
final class LargeDowncalls {
    /** Not final: see {@link Syscalls}. */
    static MethodHandle WRITEV = Downcalls.linkHolding("writev");

    private LargeDowncalls() {}
}
