package io.bareloop.sys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.generated.linux_h;
import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The one signature by which all functions are called, against what jextract made of each. */
class DowncallsTest {
    private static final int ARGUMENTS_MAX = 5;

    /** Classes of arguments and results that stand in one general-purpose register. */
    private static final Set<Class<?>> ONE_REGISTER =
            Set.of(int.class, long.class, MemorySegment.class);

    /** They have variable arguments: what they are called with is for their callers to know. */
    private static final Map<String, MemorySegment> VARIADIC =
            Map.of(
                    "ioctl", linux_h.ioctl.address(),
                    "openat", linux_h.openat.address(),
                    "syscall", linux_h.syscall.address());

    @Test
    void everyFunctionLinkedIsCalledAsItIsDeclared() throws Exception {
        Set<String> linked = linked();
        assertThat(linked)
                .hasSizeGreaterThan(20)
                .contains("recv", "epoll_wait", "ioctl", "sendfile", "writev");
        for (String name : linked) {
            if (VARIADIC.containsKey(name)) {
                assertThat(address(VARIADIC.get(name))).isEqualTo(found(name));
                continue;
            }
            MethodType declared = descriptor(name).toMethodType();
            assertThat(declared.parameterCount())
                    .as(name)
                    .isLessThanOrEqualTo(linkedHolding().contains(name) ? 4 : ARGUMENTS_MAX);
            assertThat(ONE_REGISTER).as(name).containsAll(declared.parameterList());
            assertThat(ONE_REGISTER).as(name).contains(declared.returnType());
            assertThat(address(generated(name, "$address", MemorySegment.class)))
                    .as(name)
                    .isEqualTo(found(name));
        }
    }

    /** A result that is an int is the lower half of a register, whatever the upper half holds. */
    @Test
    void resultsAreReadAsTheyAreDeclared() throws Exception {
        Matcher call =
                Pattern.compile(
                                "\\b(int|long) n =\\s+\\((int|long)\\)\\s+(\\(long\\)\\s+)?"
                                        + "(?:\\w+Downcalls\\.)?(\\w+)\\s*\\.invokeExact")
                        .matcher(source());
        int calls = 0;
        while (call.find()) {
            if (call.group(4).equals("handle")) {
                // The one in cold, for all that are given to it: see below.
                continue;
            }
            calls++;
            boolean halved = call.group(2).equals("int") && call.group(3) != null;
            assertThat(halved).as(call.group(4)).isEqualTo(hasIntResult(call.group(4)));
        }
        Matcher cold =
                Pattern.compile("\\bcold\\(\\s*\"(\\w+)\",\\s*(?:\\w+Downcalls\\.)?(\\w+),")
                        .matcher(source());
        while (cold.find()) {
            calls++;
            assertThat(hasIntResult(cold.group(2))).as(cold.group(2)).isTrue();
            assertThat(cold.group(1)).isEqualTo(cold.group(2).toLowerCase(Locale.ROOT));
        }
        assertThat(calls).isGreaterThan(30);
    }

    private static boolean hasIntResult(String handle) throws Exception {
        Class<?> result =
                descriptorOrVariadic(handle.toLowerCase(Locale.ROOT)).toMethodType().returnType();
        return result == int.class;
    }

    @Test
    void aFunctionThatIsNotThereIsNamed() {
        assertThatThrownBy(() -> Downcalls.link("no_such_function"))
                .isInstanceOf(UnsatisfiedLinkError.class)
                .hasMessage("no function no_such_function");
    }

    private static FunctionDescriptor descriptorOrVariadic(String name) throws Exception {
        if (!VARIADIC.containsKey(name)) {
            return descriptor(name);
        }
        return FunctionDescriptor.of(
                name.equals("syscall") ? ValueLayout.JAVA_LONG : ValueLayout.JAVA_INT);
    }

    private static FunctionDescriptor descriptor(String name) throws Exception {
        return generated(name, "$descriptor", FunctionDescriptor.class);
    }

    private static <T> T generated(String name, String suffix, Class<T> type) throws Exception {
        return type.cast(linux_h.class.getMethod(name + suffix).invoke(null));
    }

    private static long found(String name) {
        return address(Linker.nativeLinker().defaultLookup().find(name).orElseThrow());
    }

    private static long address(MemorySegment function) {
        return function.address();
    }

    /** The functions that are linked, by the source. */
    private static Set<String> linked() throws IOException {
        return linked("(?:Holding)?");
    }

    /** Those that take a segment behind their arguments, for the JDK to hold its arena open. */
    private static Set<String> linkedHolding() throws IOException {
        return linked("Holding");
    }

    private static Set<String> linked(String kind) throws IOException {
        Set<String> names = new TreeSet<>();
        Matcher link =
                Pattern.compile("Downcalls\\.link" + kind + "\\(\"(\\w+)\"\\)").matcher(source());
        while (link.find()) {
            names.add(link.group(1));
        }
        return names;
    }

    private static String source() throws IOException {
        Path sys = Path.of("src/main/java/io/bareloop/sys");
        return Files.readString(sys.resolve("Syscalls.java"))
                + Files.readString(sys.resolve("FileDowncalls.java"))
                + Files.readString(sys.resolve("LargeDowncalls.java"))
                + Files.readString(sys.resolve("RawDowncalls.java"));
    }
}
