// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.config.Names;

/** Names from untrusted files, made fit for one line of an error message. */
final class Quote {
  private static final int LONGEST = 200;

  private Quote() {}

  /** The text in double quotes, otherwise as {@link #line}. */
  static String of(String text) {
    return '"' + line(text) + '"';
  }

  /** The text on one line: cut if very long, otherwise as {@link Names#printable}. */
  static String line(String text) {
    return text.length() > LONGEST ? Names.printable(text.substring(0, LONGEST)) + "..." : Names.printable(text);
  }
}
