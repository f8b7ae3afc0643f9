package io.bareloop;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import io.bareloop.testkit.ServerExtension;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.module.ModuleDescriptor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * The floors of the building: a package imports only what stands below it.
 *
 * <pre>
 *   app         testkit
 *   server      files
 *   http1
 *   exchange
 *   http
 *   loop
 *   net
 *   sys
 *   generated   wire
 * </pre>
 */
class ArchitectureTest {
    private static final Path CLASSES = Path.of("target", "classes");
    private static final String ROOT = "io.bareloop.";

    /** A floor, and which of ours it may import. */
    private static final Map<String, Set<String>> FLOORS =
            Map.ofEntries(
                    Map.entry("generated", Set.of()),
                    Map.entry("wire", Set.of()),
                    Map.entry("sys", Set.of("generated")),
                    Map.entry("net", Set.of("sys")),
                    Map.entry("loop", Set.of("net", "sys", "wire")),
                    Map.entry("http", Set.of("wire")),
                    Map.entry("exchange", Set.of("http", "wire")),
                    Map.entry("http1", Set.of("exchange", "http", "wire")),
                    Map.entry("files", Set.of("http", "sys", "wire")),
                    Map.entry(
                            "server",
                            Set.of("exchange", "http1", "http", "loop", "net", "sys", "wire")),
                    Map.entry("testkit", Set.of("server", "exchange", "http1", "http", "wire")),
                    Map.entry("app", Set.of("server", "files", "http")));

    // For @FieldSource, which takes no Set.
    private static final List<String> FLOOR_NAMES = FLOORS.keySet().stream().sorted().toList();

    private static final Set<String> EXPORTED =
            Set.of(ROOT + "files", ROOT + "http", ROOT + "server", ROOT + "testkit");

    private static final JavaClasses OURS = new ClassFileImporter().importPath(CLASSES);

    @ParameterizedTest
    @FieldSource("FLOOR_NAMES")
    void importsOnlyWhatStandsBelow(String floor) {
        String[] below =
                FLOORS.get(floor).stream().map(ArchitectureTest::floor).toArray(String[]::new);
        noClasses()
                .that(resideInAnyPackage(floor(floor)))
                .should()
                .dependOnClassesThat(
                        resideInAnyPackage("io.bareloop..")
                                .and(DescribedPredicate.not(resideInAnyPackage(floor(floor))))
                                .and(DescribedPredicate.not(resideInAnyPackage(below))))
                .because("below " + floor + " stand " + FLOORS.get(floor))
                .allowEmptyShould(true)
                .check(OURS);
    }

    @Test
    void everyClassStandsOnAFloor() {
        String[] floors = FLOOR_NAMES.stream().map(ArchitectureTest::floor).toArray(String[]::new);
        classes().should().resideInAnyPackage(floors).check(withoutModuleInfo());
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching("io.bareloop.(**)")
                .should()
                .beFreeOfCycles()
                .allowEmptyShould(true)
                .check(OURS);
    }

    /** Bytes in, bytes out: protocols need no more of the JDK than every program has. */
    @Test
    void protocolsNeedOnlyJavaBase() {
        Set<String> javaBase =
                ModuleLayer.boot().findModule("java.base").orElseThrow().getPackages();
        classes()
                .that(
                        resideInAnyPackage(
                                floor("wire"), floor("http"), floor("exchange"), floor("http1")))
                .should()
                .onlyDependOnClassesThat(
                        describe(
                                "are in java.base or ours",
                                type ->
                                        isPrimitive(type)
                                                || javaBase.contains(packageOf(type))
                                                || packageOf(type).startsWith(ROOT)))
                .allowEmptyShould(true)
                .check(OURS);
    }

    /** What travels up from sys is a MemorySegment and an int. */
    @Test
    void methodHandlesStopAtSys() {
        noClasses()
                .that(DescribedPredicate.not(resideInAnyPackage(floor("sys"), floor("generated"))))
                .should()
                .dependOnClassesThat(
                        belongToAnyOf(
                                Linker.class,
                                MethodHandle.class,
                                MethodHandles.class,
                                MethodType.class))
                .allowEmptyShould(true)
                .check(OURS);
    }

    /** An application that embeds the server has no command line. */
    @Test
    void picocliStaysInApp() {
        noClasses()
                .that(DescribedPredicate.not(resideInAnyPackage(floor("app"))))
                .should()
                .dependOnClassesThat(resideInAnyPackage("picocli.."))
                .allowEmptyShould(true)
                .check(OURS);
    }

    /** Handlers are driven without sockets in any test framework, and a server has none. */
    @Test
    void junitStaysInItsExtension() {
        noClasses()
                .that(DescribedPredicate.not(belongToAnyOf(ServerExtension.class)))
                .should()
                .dependOnClassesThat(resideInAnyPackage("org.junit.."))
                .allowEmptyShould(true)
                .check(OURS);
    }

    @Test
    void onlyTheApiIsExported() throws IOException {
        ModuleDescriptor module;
        try (InputStream in = Files.newInputStream(CLASSES.resolve("module-info.class"))) {
            module = ModuleDescriptor.read(in);
        }
        assertThat(module.exports())
                .extracting(ModuleDescriptor.Exports::source)
                .containsExactlyInAnyOrderElementsOf(EXPORTED);
        assertThat(module.exports()).noneMatch(ModuleDescriptor.Exports::isQualified);
        assertThat(module.opens()).isEmpty();
        assertThat(module.requires())
                .filteredOn(
                        it -> !it.modifiers().contains(ModuleDescriptor.Requires.Modifier.STATIC))
                .extracting(ModuleDescriptor.Requires::name)
                .containsExactly("java.base");
        assertThat(module.requires())
                .filteredOn(
                        it -> it.modifiers().contains(ModuleDescriptor.Requires.Modifier.STATIC))
                .allMatch(it -> it.modifiers().size() == 1)
                .extracting(ModuleDescriptor.Requires::name)
                .containsExactlyInAnyOrder("info.picocli", "org.junit.jupiter.api");
    }

    /**
     * What a user can call names only what a user can import. The exception are constructors by
     * which the machinery makes what a handler sees: their argument is a type of its own, so that
     * users cannot call them.
     */
    @Test
    void exportedSignaturesNameExportedTypesOnly() {
        Set<String> bridges = new TreeSet<>();
        for (JavaClass type : OURS) {
            if (!isExported(type) || !isVisible(type.getModifiers())) {
                continue;
            }
            for (JavaCodeUnit unit : type.getCodeUnits()) {
                if (!isVisible(unit.getModifiers())) {
                    continue;
                }
                Stream<JavaClass> named =
                        Stream.concat(
                                Stream.of(unit.getRawReturnType()),
                                unit.getRawParameterTypes().stream());
                if (named.map(JavaClass::getBaseComponentType).allMatch(this::isKnown)) {
                    continue;
                }
                bridges.add(type.getSimpleName() + (unit.isConstructor() ? "" : "." + unit));
            }
            for (JavaField field : type.getFields()) {
                assertThat(
                                !isVisible(field.getModifiers())
                                        || isKnown(field.getRawType().getBaseComponentType()))
                        .as(field.getFullName())
                        .isTrue();
            }
            type.getRawSuperclass().ifPresent(above -> assertThat(isKnown(above)).isTrue());
            type.getRawInterfaces().forEach(above -> assertThat(isKnown(above)).isTrue());
        }
        assertThat(bridges)
                .containsExactlyInAnyOrder("ByteView", "FileBody", "Request", "Response");
    }

    private static boolean isVisible(Set<JavaModifier> modifiers) {
        return modifiers.contains(JavaModifier.PUBLIC)
                || modifiers.contains(JavaModifier.PROTECTED);
    }

    private static boolean isExported(JavaClass type) {
        return EXPORTED.contains(packageOf(type));
    }

    private boolean isKnown(JavaClass type) {
        return !packageOf(type).startsWith(ROOT) || isExported(type);
    }

    private static String floor(String name) {
        return ROOT + name + "..";
    }

    private static JavaClasses withoutModuleInfo() {
        return OURS.that(
                describe(
                        "are no module-info", type -> !type.getSimpleName().equals("module-info")));
    }

    private static boolean isPrimitive(JavaClass type) {
        return type.getBaseComponentType().isPrimitive();
    }

    private static String packageOf(JavaClass type) {
        return type.getBaseComponentType().getPackageName();
    }
}
