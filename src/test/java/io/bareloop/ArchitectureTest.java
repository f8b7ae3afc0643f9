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
import com.tngtech.archunit.core.importer.ClassFileImporter;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * The floors of the building: a package imports only what stands below it.
 *
 * <pre>
 *   app -> server -> loop -> net -> sys -> generated
 *    \       \-------\---> http
 *     \--> files -> http, sys
 * </pre>
 */
class ArchitectureTest {
    private static final Path CLASSES = Path.of("target", "classes");
    private static final String ROOT = "io.bareloop.";

    /** A floor, and which of ours it may import. */
    private static final Map<String, Set<String>> FLOORS =
            Map.of(
                    "generated", Set.of(),
                    "http", Set.of(),
                    "sys", Set.of("generated"),
                    "net", Set.of("sys"),
                    "files", Set.of("sys", "http"),
                    "loop", Set.of("net", "sys", "http"),
                    "server", Set.of("loop", "net", "sys", "http"),
                    "app", Set.of("server", "files", "loop", "net", "sys", "http"));

    // For @FieldSource, which takes no Set.
    private static final List<String> FLOOR_NAMES = FLOORS.keySet().stream().sorted().toList();

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

    /**
     * Bytes in, bytes out: the protocol needs no more of the JDK than every program has. One class
     * is loaded only where the module that it needs is there.
     */
    @Test
    void httpNeedsOnlyJavaBase() {
        Set<String> javaBase =
                ModuleLayer.boot().findModule("java.base").orElseThrow().getPackages();
        classes()
                .that(resideInAnyPackage(floor("http")))
                .should()
                .onlyDependOnClassesThat(
                        describe(
                                "are in java.base or http",
                                type ->
                                        isPrimitive(type)
                                                || javaBase.contains(packageOf(type))
                                                || packageOf(type).equals(ROOT + "http")))
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

    @Test
    void onlyTheApiIsExported() throws IOException {
        ModuleDescriptor module;
        try (InputStream in = Files.newInputStream(CLASSES.resolve("module-info.class"))) {
            module = ModuleDescriptor.read(in);
        }
        assertThat(module.exports())
                .extracting(ModuleDescriptor.Exports::source)
                .containsExactlyInAnyOrder(ROOT + "files", ROOT + "http", ROOT + "server");
        assertThat(module.exports()).noneMatch(ModuleDescriptor.Exports::isQualified);
        assertThat(module.opens()).isEmpty();
        assertThat(module.requires())
                .filteredOn(
                        it -> !it.modifiers().contains(ModuleDescriptor.Requires.Modifier.STATIC))
                .extracting(ModuleDescriptor.Requires::name)
                .containsExactly("java.base");
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
