package io.bareloop.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;

/**
 * Links functions of the C library, with what jextract cannot express: the capture of errno.
 *
 * <p>The JDK writes classes for each signature that it links, at about 5 ms apiece, and a generated
 * {@code f$address()} links a handle without capture on the way, which nobody calls. Linked as they
 * are declared, our functions took two thirds of the time to the first response. So there is one
 * signature for all of them: five longs. A long is what a register is; the callee looks at the half
 * that its type has, and not at registers beyond its arguments (System V ABI for x86_64, 3.2.3). Of
 * a result that is an int the lower half counts, and only that.
 *
 * <p>What jextract made of the headers stays the authority: DowncallsTest compares every function
 * linked here with its generated descriptor.
 *
 * <p>Never with {@link Linker.Option#critical}: a call that blocks would hold up every safepoint,
 * and on a system call of 200 to 5000 ns it gains nothing that can be measured.
 */
@SuppressWarnings("restricted") // what this class is for; the module is granted native access
final class Downcalls {
    private static final Linker LINKER = Linker.nativeLinker();

    private static final FunctionDescriptor FIVE_WORDS =
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);

    /** The same registers, the last of which says whose memory the call reads. */
    private static final FunctionDescriptor FOUR_WORDS_AND_A_SEGMENT =
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS);

    private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");

    private Downcalls() {}

    /** Links a function of at most five arguments; the handle takes the errno segment and five. */
    static MethodHandle link(String function) {
        return link(function, FIVE_WORDS);
    }

    /**
     * Links a function of at most four arguments that reads memory of a user's arena. The handle
     * takes a segment of that arena behind the four: the JDK keeps the arena from being closed
     * while the call runs, and the callee does not look at that register.
     */
    static MethodHandle linkHolding(String function) {
        return link(function, FOUR_WORDS_AND_A_SEGMENT);
    }

    private static MethodHandle link(String function, FunctionDescriptor signature) {
        return LINKER.downcallHandle(
                LINKER.defaultLookup()
                        .find(function)
                        .orElseThrow(() -> new UnsatisfiedLinkError("no function " + function)),
                signature,
                ERRNO);
    }
}
