// SPDX-License-Identifier: Apache-2.0
package dev.motley.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.util.List;
import java.util.stream.Stream;

/** The floors of the library, and the one door to native code. */
@AnalyzeClasses(packages = "dev.motley", importOptions = ImportOption.DoNotIncludeTests.class)
class PackageRulesTest {

  /** From the ground up: each package uses only those before it, and the root package. */
  private static final List<String> FLOORS =
      List.of(
          "files",
          "config",
          "image",
          "ffi",
          "weights",
          "text",
          "diffusion",
          "tricks",
          "dataset",
          "train",
          "onnx",
          "evaluate",
          "results",
          "report",
          "run",
          "cli");

  @ArchTest
  static void everyPackageUsesOnlyThoseBelow(JavaClasses classes) {
    for (int i = 0; i < FLOORS.size() - 1; i++) {
      String[] above =
          FLOORS.subList(i + 1, FLOORS.size()).stream()
              .map(PackageRulesTest::tree)
              .toArray(String[]::new);
      noClasses()
          .that()
          .resideInAPackage(tree(FLOORS.get(i)))
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(above)
          .because("the floors are " + FLOORS)
          .allowEmptyShould(true)
          .check(classes);
    }
  }

  @ArchTest
  static final ArchRule theRootUsesNoFloor =
      noClasses()
          .that()
          .resideInAPackage("dev.motley")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(FLOORS.stream().map(PackageRulesTest::tree).toArray(String[]::new));

  @ArchTest
  static final ArchRule packagesAreFreeOfCycles =
      slices().matching("dev.motley.(*)..").should().beFreeOfCycles().allowEmptyShould(true);

  @ArchTest
  static final ArchRule everyPackageIsAFloor =
      noClasses()
          .should()
          .resideOutsideOfPackages(
              Stream.concat(Stream.of("dev.motley"), FLOORS.stream().map(PackageRulesTest::tree))
                  .toArray(String[]::new));

  @ArchTest
  static final ArchRule onlyFfiCallsNativeCode =
      noClasses()
          .that()
          .resideOutsideOfPackage(tree("ffi"))
          .should()
          .dependOnClassesThat()
          .belongToAnyOf(Linker.class, SymbolLookup.class, FunctionDescriptor.class)
          .orShould()
          .callMethod(System.class, "load", String.class)
          .orShould()
          .callMethod(System.class, "loadLibrary", String.class)
          .orShould()
          .callMethod(Runtime.class, "load", String.class)
          .orShould()
          .callMethod(Runtime.class, "loadLibrary", String.class);

  @ArchTest
  static final ArchRule onlyFfiKnowsJavaCpp =
      noClasses()
          .that()
          .resideOutsideOfPackage(tree("ffi"))
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.bytedeco..");

  @ArchTest
  static final ArchRule foreignMemoryStaysWithFfi =
      noClasses()
          .that()
          .resideOutsideOfPackage(tree("ffi"))
          .should()
          .dependOnClassesThat()
          .resideInAPackage("java.lang.foreign..");

  @ArchTest
  static final ArchRule publicMethodsShowPlainTypes =
      methods()
          .that()
          .arePublic()
          .and()
          .areDeclaredInClassesThat()
          .arePublic()
          .should(showOnlyPlainTypes());

  private static ArchCondition<JavaMethod> showOnlyPlainTypes() {
    return new ArchCondition<>("show no type of JavaCPP, FFM or Jackson") {
      @Override
      public void check(JavaMethod method, ConditionEvents events) {
        Stream.concat(Stream.of(method.getRawReturnType()), method.getRawParameterTypes().stream())
            .filter(PackageRulesTest::isHidden)
            .forEach(
                type ->
                    events.add(
                        SimpleConditionEvent.violated(
                            method, method.getFullName() + " shows " + type.getName())));
      }
    };
  }

  private static boolean isHidden(JavaClass type) {
    String name = type.getBaseComponentType().getName();
    return name.startsWith("java.lang.foreign.")
        || name.startsWith("java.lang.invoke.")
        || name.startsWith("org.bytedeco.")
        || name.startsWith("com.fasterxml.jackson.");
  }

  private static String tree(String floor) {
    return "dev.motley." + floor + "..";
  }
}
