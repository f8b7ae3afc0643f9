package io.bareloop.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The handles of the calls on files. Apart from those of {@link Syscalls}, because linking takes
 * part of a millisecond each: a server without files never pays for them. Not final are the two
 * that a loop calls to send: see {@link Syscalls}.
 */
final class FileDowncalls {
    static final MethodHandle DUP3 = Downcalls.link("dup3");
    static final MethodHandle OPENAT = Downcalls.link("openat");
    static final MethodHandle PREAD = Downcalls.link("pread");
    static MethodHandle PREADV2 = Downcalls.link("preadv2");
    static MethodHandle SENDFILE = Downcalls.link("sendfile");
    static final MethodHandle STATX = Downcalls.link("statx");

    /** The path of a descriptor itself. */
    static final MemorySegment EMPTY = Arena.global().allocate(1);

    private FileDowncalls() {}
}
