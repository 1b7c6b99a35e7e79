// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.motley.testing.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the very file of Java that the README shows, by the very command. */
class ReadmeTest {
  private static final Pattern JAVA = Pattern.compile("```java\\n(.*?)```", Pattern.DOTALL);

  private static final Pattern COMMAND = Pattern.compile("\\n    (\\$\\(\\./motley jdk\\)/bin/java .* Road\\.java)\\n");

  /** Images per class, and epochs. */
  private static final String MINUTES = "road(25, 20, ";

  private static final String SECONDS = "road(4, 1, ";

  private static final Pattern DEPENDENCY = Pattern.compile("```xml\\n(<dependency>.*?</dependency>)\\n```", Pattern.DOTALL);

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
    String readme = Files.readString(root.resolve("README.md"));
    Matcher code = JAVA.matcher(readme);
    assertThat(code.find()).isTrue();
    assertThat(code.group(1)).contains(MINUTES);
    Files.writeString(folder.resolve("Road.java"), code.group(1).replace(MINUTES, SECONDS));
    Files.createSymbolicLink(folder.resolve("models"), root.resolve("models"));
    Path log = folder.resolve("log.txt");
    Process process =
        new ProcessBuilder(command(readme))
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    assertThat(process.waitFor(10, TimeUnit.MINUTES)).isTrue();
    assertThat(Files.readString(log)).containsPattern("(?m)^0\\.\\d+ of 10000 real images told right$");
    assertThat(process.exitValue()).isZero();
    assertThat(folder.resolve("runs/resnet50/model.safetensors")).exists();
  }

  /** The README's command, with the class path of this test for the jar, which is packed after the tests. */
  private static List<String> command(String readme) {
    Matcher shown = COMMAND.matcher(readme);
    assertThat(shown.find()).isTrue();
    Matcher version = Pattern.compile("<version>(.*?)</version>").matcher(readme);
    assertThat(version.find()).isTrue();
    String jar = "java/cli/target/motley-cli-" + version.group(1) + ".jar";
    var words = new ArrayList<>(List.of(shown.group(1).replace("$(./motley jdk)", System.getProperty("java.home")).split(" ")));
    assertThat(words).contains(jar);
    words.replaceAll(word -> word.equals(jar) ? System.getProperty("java.class.path") : word);
    return words;
  }
}
