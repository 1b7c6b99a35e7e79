// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.motley.testing.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compiles and runs the very lines of Java that the README shows. */
class ReadmeTest {
  /** The imports, and what goes into a class. */
  private static final Pattern JAVA = Pattern.compile("```java\\n((?:import [^\\n]*\\n)+)\\n(.*?)```", Pattern.DOTALL);

  private static final Pattern DEPENDENCY = Pattern.compile("```xml\\n(<dependency>.*?</dependency>)\\n```", Pattern.DOTALL);

  private static final String PROGRAM =
      """
      %s
      class Road {
      %s
        public static void main(String[] args) {
          Evaluation evaluation = road(4, 1, ProgressListener.NONE);
          System.out.println("tested on " + evaluation.images());
        }
      }
      """;

  @TempDir private Path folder;

  @Test
  void theDependencyIsTheLibrary() throws IOException {
    Path root = Shared.repository();
    Matcher dependency = DEPENDENCY.matcher(Files.readString(root.resolve("README.md")));
    assertThat(dependency.find()).isTrue();
    String pom = Files.readString(root.resolve("java/library/pom.xml"));
    for (String name : List.of("groupId", "artifactId", "version")) {
      Pattern element = Pattern.compile("<%1$s>[^<]*</%1$s>".formatted(name));
      Matcher shown = element.matcher(dependency.group(1));
      assertThat(shown.find()).isTrue();
      // The group and the version are the parent's; the parent's own artifactId stands before the library's.
      String own = name.equals("artifactId") ? pom.substring(pom.indexOf("</parent>")) : pom;
      Matcher actual = element.matcher(own);
      assertThat(actual.find()).isTrue();
      assertThat(shown.group()).isEqualTo(actual.group());
    }
  }

  @Test
  void theLibraryExampleRuns() throws IOException, InterruptedException {
    Path root = Shared.repository();
    Matcher code = JAVA.matcher(Files.readString(root.resolve("README.md")));
    assertThat(code.find()).isTrue();
    Files.writeString(folder.resolve("Road.java"), PROGRAM.formatted(code.group(1), code.group(2)));
    Files.createSymbolicLink(folder.resolve("models"), root.resolve("models"));
    Path log = folder.resolve("log.txt");
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--enable-native-access=ALL-UNNAMED",
                    "--class-path",
                    System.getProperty("java.class.path"),
                    "Road.java"))
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    assertThat(process.waitFor(10, TimeUnit.MINUTES)).isTrue();
    assertThat(Files.readString(log)).contains("tested on 10000");
    assertThat(process.exitValue()).isZero();
    assertThat(folder.resolve("runs/resnet50/model.safetensors")).exists();
  }
}
