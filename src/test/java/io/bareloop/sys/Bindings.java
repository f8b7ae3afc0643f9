package io.bareloop.sys;

import io.bareloop.generated.linux_h;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.GroupLayout;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/** What jextract was asked for, and what it generated, by the names of C. */
final class Bindings {
    private static final Path LIST = Path.of("native-headers", "include.args");
    private static final Path GENERATED = Path.of("generated", "io", "bareloop", "generated");
    private static final String FUNCTION_SUFFIX = "$address";

    private Bindings() {}

    /** The names in the list of one kind: function, constant, struct, union or typedef. */
    static Set<String> listed(String kind) {
        String prefix = "--include-" + kind + " ";
        Set<String> names = new TreeSet<>();
        for (String line : lines(LIST)) {
            if (line.startsWith(prefix)) {
                names.add(line.substring(prefix.length()).strip());
            }
        }
        return names;
    }

    /** The names of types in the list. */
    static Set<String> listedStructs() {
        return new TreeSet<>(listedTypes().keySet());
    }

    /** How C writes each type in the list: {@code epoll_event} is {@code struct epoll_event}. */
    static Map<String, String> listedTypes() {
        Map<String, String> types = new TreeMap<>();
        listed("struct").forEach(name -> types.put(name, "struct " + name));
        listed("union").forEach(name -> types.put(name, "union " + name));
        listed("typedef").forEach(name -> types.put(name, name));
        return types;
    }

    /** The constants that were generated: a method each, without arguments, beside no function. */
    static Set<String> constants() {
        Set<String> functions = functions();
        Set<String> names = new TreeSet<>();
        for (Method method : linux_h.class.getDeclaredMethods()) {
            if (Modifier.isPublic(method.getModifiers())
                    && method.getParameterCount() == 0
                    && method.getReturnType().isPrimitive()
                    && !functions.contains(method.getName())) {
                names.add(method.getName());
            }
        }
        return names;
    }

    /** The functions that were generated; one with variable arguments is a public class. */
    static Set<String> functions() {
        Set<String> names = new TreeSet<>();
        for (Method method : linux_h.class.getDeclaredMethods()) {
            if (method.getName().endsWith(FUNCTION_SUFFIX)) {
                String name = method.getName();
                names.add(name.substring(0, name.length() - FUNCTION_SUFFIX.length()));
            }
        }
        for (Class<?> nested : linux_h.class.getDeclaredClasses()) {
            if (Modifier.isPublic(nested.getModifiers())) {
                names.add(nested.getSimpleName());
            }
        }
        return names;
    }

    /** The types that were generated: a file each, beside that of the header. */
    static Set<String> structs() {
        Set<String> names = new TreeSet<>();
        try (Stream<Path> files = Files.list(GENERATED)) {
            files.map(file -> file.getFileName().toString())
                    .filter(name -> !name.startsWith("linux_h"))
                    .forEach(name -> names.add(name.replaceFirst("\\.java$", "")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return names;
    }

    /** The value of a generated constant: an Integer or a Long. */
    static Number constant(String name) {
        return (Number) call(linux_h.class, name);
    }

    /** The layout of a generated type. */
    static GroupLayout layout(String name) {
        try {
            Class<?> type = Class.forName(linux_h.class.getPackageName() + "." + name);
            return (GroupLayout) call(type, "layout");
        } catch (ClassNotFoundException e) {
            throw new AssertionError(name + " is listed but was not generated", e);
        }
    }

    static Iterable<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Object call(Class<?> type, String method) {
        try {
            return type.getMethod(method).invoke(null);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(type + " has no " + method + "()", e);
        }
    }
}
