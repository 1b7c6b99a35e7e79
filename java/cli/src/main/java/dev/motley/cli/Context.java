// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.ProgressListener;
import java.io.PrintWriter;
import java.util.function.Function;

/**
 * What every command is given: where to speak, and how to be stopped.
 *
 * @param console standard streams, or a test's
 * @param cancellation set by Ctrl-C
 */
record Context(Console console, Cancellation cancellation) {

  /** Where results go. */
  PrintWriter out() {
    return console.out();
  }

  /** Runs long work with a progress line that stops it when the user does. */
  <T> T work(Function<ProgressListener, T> work) {
    try (ProgressLine line = console.progress(cancellation)) {
      return work.apply(line);
    }
  }
}
