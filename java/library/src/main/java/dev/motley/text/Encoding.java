// SPDX-License-Identifier: Apache-2.0
package dev.motley.text;

/**
 * A text as token ids.
 *
 * @param ids start, tokens, end, padding; as many as the tokenizer's length
 * @param tokens how many tokens the whole text has, start and end not counted
 * @param cut the end of the text that did not fit, as its tokens spell it; empty if all did
 */
public record Encoding(int[] ids, int tokens, String cut) {

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
}
