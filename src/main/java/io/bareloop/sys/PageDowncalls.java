package io.bareloop.sys;

import java.lang.invoke.MethodHandle;

/** The handles of what {@link Pages} are made of, linked when the first are allocated. */
final class PageDowncalls {
    static final MethodHandle ALIGNED_ALLOC = Downcalls.link("aligned_alloc");
    static final MethodHandle FREE = Downcalls.link("free");
    static final MethodHandle MADVISE = Downcalls.link("madvise");

    private PageDowncalls() {}
}
