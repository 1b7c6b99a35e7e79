// SPDX-License-Identifier: Apache-2.0
package dev.motley.text;

import dev.motley.config.Names;

/**
 * A text as token ids.
 *
 * @param ids start, tokens, end, padding; as many as the tokenizer's length
 * @param tokens how many tokens the whole text has, start and end not counted
 * @param cut the end of the text that did not fit, as its tokens spell it; empty if all did
 */
public record Encoding(int[] ids, int tokens, String cut) {
  /** Characters of a text by which it is known again, and of what was cut. */
  private static final int SHOWN_TEXT = 40;

  private static final int SHOWN_CUT = 300;

  public Encoding {
    ids = ids.clone();
  }

  /** A copy of the ids. */
  @Override
  public int[] ids() {
    return ids.clone();
  }

  /** Whether a part of the text did not fit. */
  public boolean truncated() {
    return !cut.isEmpty();
  }

  /**
   * Says in one line what of the text does not fit.
   *
   * @param text that was encoded
   */
  public String tooLong(String text) {
    return "prompt \"%s\" has %d tokens, with start and end, the model takes %d; cut off: \"%s\""
        .formatted(shown(text, SHOWN_TEXT), tokens + 2, ids.length, shown(cut, SHOWN_CUT));
  }

  private static String shown(String text, int most) {
    return Names.printable(
        text.codePointCount(0, text.length()) <= most ? text : text.substring(0, text.offsetByCodePoints(0, most)) + " ...");
  }
}
