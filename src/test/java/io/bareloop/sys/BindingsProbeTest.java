package io.bareloop.sys;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bareloop.rig.Ran;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.PaddingLayout;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every constant, size and offset of ours against those of this machine's headers, asked of gcc by
 * a small program. It catches an edit by hand, headers that changed, and the wrong architecture.
 */
class BindingsProbeTest {
    /** A number, as C computes it and as Java has it. */
    private record Fact(String name, String expression, long java) {}

    /** A probe includes the headers themselves, without what linux.h does to them for jextract. */
    private static final Path UMBRELLA = Path.of("native-headers", "linux.h");

    /** How C writes what stands by hand in RecentLinux. */
    private static final Map<String, String> RECENT =
            Map.ofEntries(
                    entry("EPIOCSPARAMS", "EPIOCSPARAMS"),
                    entry("EPIOCGPARAMS", "EPIOCGPARAMS"),
                    entry("EPOLL_PARAMS_BYTES", "sizeof(struct epoll_params)"),
                    entry(
                            "EPOLL_PARAMS_USECS_OFFSET",
                            "offsetof(struct epoll_params, busy_poll_usecs)"),
                    entry(
                            "EPOLL_PARAMS_BUDGET_OFFSET",
                            "offsetof(struct epoll_params, busy_poll_budget)"),
                    entry(
                            "EPOLL_PARAMS_PREFER_OFFSET",
                            "offsetof(struct epoll_params, prefer_busy_poll)"),
                    entry("IORING_SETUP_NO_MMAP", "IORING_SETUP_NO_MMAP"),
                    entry("IORING_SETUP_REGISTERED_FD_ONLY", "IORING_SETUP_REGISTERED_FD_ONLY"),
                    entry("IORING_SETUP_NO_SQARRAY", "IORING_SETUP_NO_SQARRAY"),
                    entry(
                            "IORING_REGISTER_USE_REGISTERED_RING",
                            "(int) IORING_REGISTER_USE_REGISTERED_RING"),
                    entry(
                            "IO_RING_OFFSETS_USER_ADDR",
                            "offsetof(struct io_cqring_offsets, USER_ADDR)"));

    @TempDir Path scratch;

    @Test
    void constantsOfSys() throws IOException, InterruptedException {
        List<Fact> facts = new ArrayList<>();
        for (Class<?> holder : new Class<?>[] {Linux.class, Errno.class}) {
            for (Field field : holder.getFields()) {
                addConstant(facts, field.getName(), number(field));
            }
        }
        assertThat(facts).hasSizeGreaterThan(80);
        compare(umbrellaIncludes(), facts);
    }

    @Test
    void constantsGenerated() throws IOException, InterruptedException {
        List<Fact> facts = new ArrayList<>();
        for (String name : Bindings.constants()) {
            addConstant(facts, name, Bindings.constant(name));
        }
        assertThat(facts).hasSizeGreaterThan(80);
        compare(umbrellaIncludes(), facts);
    }

    @Test
    void structsGenerated() throws IOException, InterruptedException {
        List<Fact> facts = new ArrayList<>();
        Bindings.listedTypes().forEach((name, c) -> addStruct(facts, c, Bindings.layout(name)));
        assertThat(facts)
                .extracting(Fact::expression)
                .contains(
                        "sizeof(struct epoll_event)",
                        "offsetof(struct epoll_event, data.u64)",
                        "offsetof(struct sockaddr_in, sin_port)",
                        "offsetof(struct sockaddr_in6, sin6_scope_id)",
                        "sizeof(struct in6_addr)",
                        "offsetof(struct sock_filter, k)",
                        "offsetof(struct sock_fprog, filter)",
                        "offsetof(struct rlimit, rlim_max)",
                        "sizeof(cpu_set_t)");
        compare(umbrellaIncludes(), facts);
    }

    /** What sys made of the generated layouts. */
    @Test
    void layoutsOfSys() throws IOException, InterruptedException {
        String event = "struct epoll_event";
        String inet = "sizeof(struct sockaddr_in)";
        String inet6 = "sizeof(struct sockaddr_in6)";
        List<Fact> facts = new ArrayList<>();
        facts.add(new Fact("EpollEvents.BYTES", "sizeof(" + event + ")", EpollEvents.BYTES));
        facts.add(
                new Fact(
                        "EpollEvents.EVENTS_OFFSET",
                        "offsetof(" + event + ", events)",
                        offsetInSecond(-1, 0)));
        facts.add(
                new Fact(
                        "EpollEvents.DATA_OFFSET",
                        "offsetof(" + event + ", data)",
                        offsetInSecond(0, -1)));
        facts.add(
                new Fact(
                        "Sockaddr.BYTES_MAX",
                        inet + " > " + inet6 + " ? " + inet + " : " + inet6,
                        Sockaddr.BYTES_MAX));
        facts.add(new Fact("Sockaddr.INET_BYTES", inet, Sockaddr.INET_BYTES));
        facts.add(new Fact("Sockaddr.INET6_BYTES", inet6, Sockaddr.INET6_BYTES));
        addOffset(facts, "sockaddr_in, sin_family", Sockaddr.FAMILY_OFFSET);
        addOffset(facts, "sockaddr_in6, sin6_family", Sockaddr.FAMILY_OFFSET);
        addOffset(facts, "sockaddr_in, sin_port", Sockaddr.PORT_OFFSET);
        addOffset(facts, "sockaddr_in6, sin6_port", Sockaddr.PORT_OFFSET);
        addOffset(facts, "sockaddr_in, sin_addr", Sockaddr.INET_ADDRESS_OFFSET);
        addOffset(facts, "sockaddr_in6, sin6_addr", Sockaddr.INET6_ADDRESS_OFFSET);
        addOffset(facts, "sockaddr_in6, sin6_scope_id", Sockaddr.INET6_SCOPE_OFFSET);
        String params = "struct io_uring_params";
        facts.add(new Fact("PARAMS_BYTES", "sizeof(" + params + ")", RingMemory.PARAMS_BYTES));
        facts.add(new Fact("SQE_BYTES", "sizeof(struct io_uring_sqe)", RingMemory.SQE_BYTES));
        facts.add(new Fact("CQE_BYTES", "sizeof(struct io_uring_cqe)", RingMemory.CQE_BYTES));
        addOffset(facts, "io_uring_params, flags", RingMemory.PARAMS_FLAGS);
        addOffset(facts, "io_uring_params, sq_off", RingMemory.PARAMS_SQ_OFF);
        addOffset(facts, "io_uring_params, cq_off", RingMemory.PARAMS_CQ_OFF);
        addOffset(facts, "io_cqring_offsets, head", 0);
        addOffset(facts, "io_sqring_offsets, tail", RingMemory.OFF_TAIL);
        addOffset(facts, "io_cqring_offsets, tail", RingMemory.OFF_TAIL);
        addOffset(facts, "io_cqring_offsets, cqes", RingMemory.CQ_OFF_CQES);
        addOffset(facts, "io_uring_sqe, opcode", RingMemory.SQE_OPCODE);
        addOffset(facts, "io_uring_sqe, fd", RingMemory.SQE_FD);
        addOffset(facts, "io_uring_sqe, addr", RingMemory.SQE_ADDR);
        addOffset(facts, "io_uring_sqe, len", RingMemory.SQE_LEN);
        addOffset(facts, "io_uring_sqe, msg_flags", RingMemory.SQE_MSG_FLAGS);
        addOffset(facts, "io_uring_sqe, user_data", RingMemory.SQE_USER_DATA);
        addOffset(facts, "io_uring_cqe, user_data", RingMemory.CQE_USER_DATA);
        addOffset(facts, "io_uring_cqe, res", RingMemory.CQE_RES);
        addOffset(facts, "itimerspec, it_interval.tv_sec", 0);
        addOffset(facts, "itimerspec, it_interval.tv_nsec", Long.BYTES);
        addOffset(facts, "itimerspec, it_value.tv_sec", Syscalls.ITIMERSPEC_VALUE);
        addOffset(facts, "itimerspec, it_value.tv_nsec", Syscalls.ITIMERSPEC_VALUE + Long.BYTES);
        facts.add(new Fact("CPU_SET_BYTES", "sizeof(cpu_set_t)", Syscalls.CPU_SET_BYTES));
        compare(umbrellaIncludes(), facts);
    }

    private static void addOffset(List<Fact> facts, String field, int offset) {
        facts.add(new Fact("offset of " + field, "offsetof(struct " + field + ")", offset));
    }

    /** Against the kernel's own header where it is as new; else against its macros and a copy. */
    @Test
    void recentConstants(TestReporter reporter) throws IOException, InterruptedException {
        List<Fact> facts = new ArrayList<>();
        for (Field field : RecentLinux.class.getFields()) {
            assertThat(RECENT).containsKey(field.getName());
            facts.add(
                    new Fact(
                            "RecentLinux." + field.getName(),
                            RECENT.get(field.getName()),
                            number(field).longValue()));
        }
        assertThat(facts).hasSameSizeAs(RECENT.keySet());
        // Not beside sys/epoll.h: both define struct epoll_event.
        String includes =
                """
                #include <stdint.h>
                #include <linux/eventpoll.h>
                #include <sys/ioctl.h>
                #ifdef EPIOCSPARAMS
                #define IN_HEADERS 1
                #else
                #define IN_HEADERS 0
                struct epoll_params {
                    uint32_t busy_poll_usecs;
                    uint16_t busy_poll_budget;
                    uint8_t prefer_busy_poll;
                    uint8_t __pad;
                };
                #define EPIOCSPARAMS _IOW(0x8A, 0x01, struct epoll_params)
                #define EPIOCGPARAMS _IOR(0x8A, 0x02, struct epoll_params)
                #endif
                #include <linux/io_uring.h>
                #ifdef IORING_SETUP_NO_SQARRAY
                #define USER_ADDR user_addr
                #else
                #define USER_ADDR resv2
                #define IORING_SETUP_NO_MMAP (1U << 14)
                #define IORING_SETUP_REGISTERED_FD_ONLY (1U << 15)
                #define IORING_SETUP_NO_SQARRAY (1U << 16)
                #define IORING_REGISTER_USE_REGISTERED_RING (1U << 31)
                #endif
                """;
        Map<String, Long> answers = compare(includes, facts, "IN_HEADERS");
        reporter.publishEntry(
                "struct epoll_params",
                answers.get("IN_HEADERS") == 1 ? "in this machine's headers" : "newer than they");
    }

    /** The probe can tell: a wrong number does not pass. */
    @Test
    void aWrongNumberIsFound() throws IOException, InterruptedException {
        List<Fact> facts = List.of(new Fact("three", "sizeof(char)", 3));
        assertThat(differences(facts, ask("", List.of("sizeof(char)"))))
                .containsExactly("three: C says 1, Java 3");
    }

    private static void addConstant(List<Fact> facts, String name, Number value) {
        if (value instanceof Integer) {
            // EPOLLET is 1u << 31 in C: as an int it is the same 32 bits.
            facts.add(new Fact(name, "(int) (" + name + ")", value.intValue()));
            String fits =
                    "(int) (" + name + ") == (" + name + ") || (unsigned) (" + name + ") == (";
            facts.add(new Fact(name + " has 32 bits", fits + name + ")", 1));
        } else {
            facts.add(new Fact(name, name, value.longValue()));
        }
    }

    private static void addStruct(List<Fact> facts, String type, GroupLayout layout) {
        String size = "sizeof(" + type + ")";
        facts.add(new Fact(size, size, layout.byteSize()));
        addMembers(facts, type, "", 0, layout);
    }

    private static void addMembers(
            List<Fact> facts, String type, String path, long base, GroupLayout layout) {
        for (MemoryLayout member : layout.memberLayouts()) {
            if (member instanceof PaddingLayout) {
                continue;
            }
            String name = member.name().orElseThrow();
            long offset = base + layout.byteOffset(PathElement.groupElement(name));
            String at = "offsetof(" + type + ", " + path + name + ")";
            String size = "sizeof(((" + type + " *) 0)->" + path + name + ")";
            facts.add(new Fact(at, at, offset));
            facts.add(new Fact(size, size, member.byteSize()));
            if (member instanceof GroupLayout group) {
                addMembers(facts, type, path + name + ".", offset, group);
            }
        }
    }

    /** Where in an element the bytes go that are not zero; in the second, so that size counts. */
    private static long offsetInSecond(int events, long data) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment array = arena.allocate(64);
            EpollEvents.set(array, 1, events, data);
            long at = 0;
            while (array.get(ValueLayout.JAVA_BYTE, at) == 0) {
                at++;
            }
            return at - EpollEvents.BYTES;
        }
    }

    private static String umbrellaIncludes() {
        StringBuilder includes = new StringBuilder("#define _GNU_SOURCE\n");
        for (String line : Bindings.lines(UMBRELLA)) {
            if (line.startsWith("#include <")) {
                includes.append(line).append('\n');
            }
        }
        return includes.toString();
    }

    private Map<String, Long> compare(String includes, List<Fact> facts, String... questions)
            throws IOException, InterruptedException {
        List<String> expressions = new ArrayList<>(List.of(questions));
        facts.forEach(fact -> expressions.add(fact.expression()));
        Map<String, Long> answers = ask(includes, expressions);
        assertThat(differences(facts, answers)).isEmpty();
        return answers;
    }

    private static List<String> differences(List<Fact> facts, Map<String, Long> answers) {
        List<String> differences = new ArrayList<>();
        for (Fact fact : facts) {
            Long c = answers.get(fact.expression());
            if (c == null || c != fact.java()) {
                differences.add(fact.name() + ": C says " + c + ", Java " + fact.java());
            }
        }
        return differences;
    }

    /** Compiles and runs a program that prints {@code name=value} for each expression. */
    private Map<String, Long> ask(String includes, List<String> expressions)
            throws IOException, InterruptedException {
        StringBuilder source = new StringBuilder(includes);
        source.append("#include <stddef.h>\n#include <stdio.h>\n");
        source.append("int main(void) {\n");
        for (String expression : expressions) {
            source.append("printf(\"%s=%lld\\n\", \"")
                    .append(expression)
                    .append("\", (long long) (")
                    .append(expression)
                    .append("));\n");
        }
        source.append("return 0;\n}\n");
        Path program = scratch.resolve("probe");
        Path file = Files.writeString(scratch.resolve("probe.c"), source);
        Ran compiled = gcc("-o", program.toString(), file.toString());
        assertThat(compiled.status()).as(compiled.output()).isZero();

        Ran ran = Ran.of(new ProcessBuilder(program.toString()), scratch.resolve("answers"));
        assertThat(ran.status()).as(ran.output()).isZero();
        Map<String, Long> answers = new TreeMap<>();
        for (String line : ran.output().lines().toList()) {
            int equals = line.lastIndexOf('=');
            answers.put(line.substring(0, equals), Long.parseLong(line.substring(equals + 1)));
        }
        return answers;
    }

    private Ran gcc(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("gcc"));
        command.addAll(List.of(arguments));
        try {
            return Ran.of(new ProcessBuilder(command), scratch.resolve("gcc"));
        } catch (IOException e) {
            boolean missing = e.getMessage().startsWith("Cannot run program");
            assumeTrue(
                    !missing, "no gcc: the bindings are not compared with this machine's headers");
            throw e;
        }
    }

    private static Number number(Field field) {
        try {
            return (Number) field.get(null);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }
}
