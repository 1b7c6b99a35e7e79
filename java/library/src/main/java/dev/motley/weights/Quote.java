// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

/** Names from untrusted files, made fit for one line of an error message. */
final class Quote {
  private static final int LONGEST = 200;

  private Quote() {}

  /** The text in double quotes, otherwise as {@link #line}. */
  static String of(String text) {
    return '"' + line(text) + '"';
  }

  /** The text on one line: cut if very long, control characters as {@code \\u} and four digits. */
  static String line(String text) {
    StringBuilder out = new StringBuilder();
    int end = Math.min(text.length(), LONGEST);
    for (int i = 0; i < end; i++) {
      char c = text.charAt(i);
      if (Character.isISOControl(c)
          || Character.getType(c) == Character.FORMAT
          || c == '\u2028'
          || c == '\u2029') {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    return out.append(end < text.length() ? "..." : "").toString();
  }
}
