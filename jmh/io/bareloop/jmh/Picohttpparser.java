package io.bareloop.jmh;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * {@code phr_parse_request} of picohttpparser, called as cheaply as a foreign function can be: with
 * raw addresses, and without leaving the state of Java code. What that costs by itself tells {@link
 * ForeignCallBenchmark}.
 *
 * <p>Debian builds it into its libh2o for any x86_64, without the SSE4.2 code. For that, build the
 * source with {@code gcc -O3 -march=native -shared -fPIC}, and name the result in the environment
 * variable PICOHTTPPARSER.
 */
final class Picohttpparser extends HeadParser {
    private static final List<String> DEBIAN =
            List.of("libh2o-evloop.so.0.13", "libh2o.so.0.13", "libh2o-evloop.so", "libh2o.so");
    private static final String VARIABLE = "PICOHTTPPARSER";
    private static final int FIELDS_MAX = 100;

    // struct phr_header: name, its length, value, its length.
    private static final int FIELD_BYTES = 32;

    // One piece of memory for all that the function writes.
    private static final int METHOD = 0;
    private static final int METHOD_LENGTH = 8;
    private static final int PATH = 16;
    private static final int PATH_LENGTH = 24;
    private static final int MINOR_VERSION = 32;
    private static final int FIELD_COUNT = 40;
    private static final int FIELDS = 64;

    private static final FunctionDescriptor PHR_PARSE_REQUEST =
            FunctionDescriptor.of(
                    JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
                    JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);

    // Static and final, as the JIT compiler needs it to be; each JVM measures one library.
    private static final MethodHandle FROM_DEBIAN = linkDebian();
    private static final MethodHandle FROM_ENVIRONMENT = linkEnvironment();

    private final boolean debian;
    private final MemorySegment found =
            Arena.ofAuto().allocate(FIELDS + FIELDS_MAX * FIELD_BYTES, Long.BYTES);
    private MemorySegment in;
    private int length;

    private Picohttpparser(boolean debian) {
        this.debian = debian;
    }

    /** Debian's build, or a message that names the package. */
    static Picohttpparser fromDebian() {
        if (FROM_DEBIAN == null) {
            throw new UnsupportedOperationException(
                    "SKIPPED: no library of "
                            + DEBIAN
                            + " with phr_parse_request: Debian package libh2o-evloop0.13");
        }
        return new Picohttpparser(true);
    }

    /** The build that PICOHTTPPARSER names, or a message that tells how to make it. */
    static Picohttpparser fromEnvironment() {
        if (FROM_ENVIRONMENT == null) {
            throw new UnsupportedOperationException(
                    "SKIPPED: PICOHTTPPARSER names no library with phr_parse_request; build"
                            + " picohttpparser.c (Debian: deps/picohttpparser of apt-get source"
                            + " h2o) with gcc -O3 -march=native -shared -fPIC");
        }
        return new Picohttpparser(false);
    }

    @SuppressWarnings("restricted")
    private static MethodHandle linkDebian() {
        for (String name : DEBIAN) {
            try {
                return link(SymbolLookup.libraryLookup(name, Arena.global()));
            } catch (IllegalArgumentException e) {
                // Not installed; perhaps under the next name.
            }
        }
        return null;
    }

    @SuppressWarnings("restricted")
    private static MethodHandle linkEnvironment() {
        String file = System.getenv(VARIABLE);
        try {
            return file == null || file.isEmpty()
                    ? null
                    : link(SymbolLookup.libraryLookup(Path.of(file), Arena.global()));
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    @SuppressWarnings("restricted")
    private static MethodHandle link(SymbolLookup library) {
        return library.find("phr_parse_request")
                .map(
                        function ->
                                Linker.nativeLinker()
                                        .downcallHandle(
                                                function,
                                                PHR_PARSE_REQUEST,
                                                Linker.Option.critical(false)))
                .orElse(null);
    }

    @Override
    void load(byte[][] heads) {
        in = nativeHeads(heads);
        length = heads[0].length;
    }

    @Override
    int parse(int index) {
        int end = debian ? call(FROM_DEBIAN, index, length) : call(FROM_ENVIRONMENT, index, length);
        if (end != length) {
            throw new IllegalStateException("parsed to " + end);
        }
        return (int) found.get(JAVA_LONG, FIELD_COUNT);
    }

    /** What the call costs without a byte to parse: it finds the head incomplete. */
    int parseNothing() {
        return debian ? call(FROM_DEBIAN, 0, 0) : call(FROM_ENVIRONMENT, 0, 0);
    }

    private int call(MethodHandle function, int index, int bytes) {
        long out = found.address();
        found.set(JAVA_LONG, FIELD_COUNT, FIELDS_MAX);
        try {
            return (int)
                    function.invokeExact(
                            in.address() + (long) index * length,
                            (long) bytes,
                            out + METHOD,
                            out + METHOD_LENGTH,
                            out + PATH,
                            out + PATH_LENGTH,
                            out + MINOR_VERSION,
                            out + FIELDS,
                            out + FIELD_COUNT,
                            0L);
        } catch (Throwable t) {
            throw new AssertionError("phr_parse_request: a linked call never throws", t);
        }
    }

    @Override
    String method() {
        return text(METHOD);
    }

    @Override
    String path() {
        String target = text(PATH);
        int query = target.indexOf('?');
        return query < 0 ? target : target.substring(0, query);
    }

    @Override
    String field(String name) {
        for (int i = 0; i < found.get(JAVA_LONG, FIELD_COUNT); i++) {
            int at = FIELDS + i * FIELD_BYTES;
            if (text(at).equals(name)) {
                return text(at + 2 * Long.BYTES);
            }
        }
        return null;
    }

    /** The text whose address and length stand at {@code at}. */
    private String text(int at) {
        long bytes = found.get(JAVA_LONG, at + Long.BYTES);
        MemorySegment text = in.asSlice(found.get(JAVA_LONG, at) - in.address(), bytes);
        return new String(text.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.ISO_8859_1);
    }
}
