// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * Where a command speaks.
 *
 * @param out results
 * @param err progress, warnings and errors
 * @param terminal whether {@code err} is a terminal
 * @param columns the terminal's width
 */
record Console(PrintWriter out, PrintWriter err, boolean terminal, int columns) {

  private static final int DEFAULT_COLUMNS = 80;

  /** The standard streams, in UTF-8. */
  static Console standard() {
    return new Console(
        new PrintWriter(System.out, true, StandardCharsets.UTF_8),
        new PrintWriter(System.err, true, StandardCharsets.UTF_8),
        isTerminal(System.getenv()),
        columns(System.getenv()));
  }

  /** A progress line on the error stream. */
  ProgressLine progress(Cancellation cancellation) {
    return new ProgressLine(err, terminal, columns, System::nanoTime, cancellation);
  }

  /** Java knows only of both standard streams together; Linux of each. */
  private static boolean isTerminal(Map<String, String> environment) {
    if ("dumb".equals(environment.get("TERM"))) {
      return false;
    }
    try {
      String target = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
      return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
    } catch (IOException | UnsupportedOperationException e) {
      java.io.Console console = System.console();
      return console != null && console.isTerminal();
    }
  }

  private static int columns(Map<String, String> environment) {
    String set = environment.getOrDefault("COLUMNS", "");
    return set.matches("[1-9]\\d{1,3}") ? Integer.parseInt(set) : DEFAULT_COLUMNS;
  }
}
