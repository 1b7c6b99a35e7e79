// SPDX-License-Identifier: Apache-2.0
package dev.motley.text;

import java.util.List;
import java.util.Map;

/**
 * What the files of a tokenizer folder say.
 *
 * @param source the file that named the tokens, for messages
 * @param ids id of every token, special ones included
 * @param merges pairs of tokens in the order in which they are merged
 * @param start token in front of every text
 * @param end token behind every text
 * @param pad token that fills up to {@code maxLength}
 * @param maxLength ids per text, special tokens included
 * @param lengthSource file and key that say so, for messages
 */
record Vocabulary(
    String source,
    Map<String, Integer> ids,
    List<Merge> merges,
    String start,
    String end,
    String pad,
    int maxLength,
    String lengthSource) {

  /** Two neighbouring tokens that become one. */
  record Merge(String left, String right) {}

  /** The same with another length. */
  Vocabulary withMaxLength(int length) {
    return new Vocabulary(source, ids, merges, start, end, pad, length, lengthSource);
  }
}
