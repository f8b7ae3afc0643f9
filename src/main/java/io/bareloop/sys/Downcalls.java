package io.bareloop.sys;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Links a generated function with what jextract cannot express: the capture of errno.
 *
 * <p>Never with {@link Linker.Option#critical}: a call that blocks would hold up every safepoint,
 * and on a system call of 200 to 5000 ns it gains nothing that can be measured.
 */
@SuppressWarnings("restricted") // what this class is for; the module is granted native access
final class Downcalls {
    private static final Linker LINKER = Linker.nativeLinker();

    private Downcalls() {}

    /** Links {@code function}; the handle takes the errno segment first, and pointers as longs. */
    static MethodHandle link(MemorySegment function, FunctionDescriptor generated) {
        return LINKER.downcallHandle(
                function, withRawPointers(generated), Linker.Option.captureCallState("errno"));
    }

    /** Links a function with variable arguments for one way of calling it. */
    static MethodHandle linkVariadic(
            MemorySegment function, FunctionDescriptor call, int fixedArguments) {
        return LINKER.downcallHandle(
                function,
                call,
                Linker.Option.firstVariadicArg(fixedArguments),
                Linker.Option.captureCallState("errno"));
    }

    /** Pointers become longs: a call passes base + offset, with no slice for the JIT to remove. */
    private static FunctionDescriptor withRawPointers(FunctionDescriptor generated) {
        MemoryLayout[] arguments =
                generated.argumentLayouts().stream()
                        .map(layout -> layout instanceof AddressLayout ? JAVA_LONG : layout)
                        .toArray(MemoryLayout[]::new);
        return FunctionDescriptor.of(generated.returnLayout().orElseThrow(), arguments);
    }
}
