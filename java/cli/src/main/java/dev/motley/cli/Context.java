// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.ProgressListener;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;

/**
 * What every command is given: where to speak, and how to be stopped.
 *
 * @param out results
 * @param err progress, warnings and errors
 * @param cancellation set by Ctrl-C
 */
record Context(PrintWriter out, PrintWriter err, Cancellation cancellation) {

  /** The standard streams, in UTF-8. */
  static Context standard(StandardOutput out) {
    return new Context(
        new PrintWriter(out, true, StandardCharsets.UTF_8),
        new PrintWriter(System.err, true, StandardCharsets.UTF_8),
        new Cancellation());
  }

  /** Runs long work with a progress line; stops it at its next step when the user asks for that. */
  <T> T work(Function<ProgressListener, T> work) {
    cancellation.working(true);
    try (ProgressLine line = ProgressLine.onStderr(err)) {
      return work.apply(progress -> line.onProgress(progress) && !cancellation.getAsBoolean());
    } finally {
      cancellation.working(false);
    }
  }
}
