// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.CancelledException;
import dev.motley.InvalidInputException;
import dev.motley.MotleyException;
import dev.motley.ResourceException;
import java.nio.file.FileSystemException;

/** What the process's exit code says. The only place where codes are decided. */
enum Exit {
  /** All done. */
  OK(0),
  /** The work failed, or a check found something wrong. */
  FAILURE(1),
  /** An option, a configuration or a file that the caller can correct. */
  USAGE(2),
  /** The machine lacks something: disk, memory, a permission, a library. */
  ENVIRONMENT(3),
  /** Stopped by Ctrl-C or a signal; what was done is kept. 128 + SIGINT, as shells have it. */
  CANCELLED(130),
  /** The reader of the standard output left, as {@code head} does: not told, since nobody wanted the rest. 128 + SIGPIPE. */
  READER_LEFT(141);

  private final int code;

  Exit(int code) {
    this.code = code;
  }

  int code() {
    return code;
  }

  /** The meaning of a failure; what lies underneath counts where the failure itself says nothing. */
  static Exit of(Throwable failure) {
    for (Throwable at = failure; at != null; at = at.getCause()) {
      switch (at) {
        case CancelledException _ -> {
          return CANCELLED;
        }
        case InvalidInputException _ -> {
          return USAGE;
        }
        case ResourceException _, FileSystemException _, OutOfMemoryError _, LinkageError _ -> {
          return ENVIRONMENT;
        }
        default -> {}
      }
    }
    return FAILURE;
  }

  /** One line for the user. */
  static String message(Throwable failure) {
    String text = failure.getMessage();
    if (failure instanceof MotleyException && text != null) {
      return text;
    }
    String said = text == null ? "" : ": " + text.lines().findFirst().orElse("");
    if (failure instanceof OutOfMemoryError) { // of the heap, or of direct buffers, whose limit is the heap's
      return "out of Java's memory" + said + "; give it more by MOTLEY_JAVA_OPTIONS=-Xmx8g";
    }
    return "unexpected " + failure.getClass().getSimpleName() + said + " (--stacktrace shows where)";
  }
}
