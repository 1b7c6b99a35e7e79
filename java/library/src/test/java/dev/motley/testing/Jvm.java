// SPDX-License-Identifier: Apache-2.0
package dev.motley.testing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A second JVM with the test's class path, for what a process can do only once. */
public final class Jvm {

  private Jvm() {}

  /**
   * What a JVM printed.
   *
   * @param exitCode its exit code
   * @param output standard output and error together
   */
  public record Result(int exitCode, String output) {}

  /**
   * Runs a main class to its end.
   *
   * @param main the class
   * @param options of the JVM, such as system properties
   * @return what it printed
   */
  public static Result run(Class<?> main, String... options)
      throws IOException, InterruptedException {
    return run(main, Map.of(), options);
  }

  /** The same, with more variables in the environment. */
  public static Result run(Class<?> main, Map<String, String> environment, String... options)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-XX:TieredStopAtLevel=1");
    command.add("-Xshare:auto");
    command.addAll(List.of(options));
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(main.getName());
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Result(process.waitFor(), output);
  }
}
