// SPDX-License-Identifier: Apache-2.0
package dev.motley.text;

import dev.motley.InvalidInputException;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;

/**
 * Byte-pair encoding of single words: bytes become tokens, the last one marked as the word's end,
 * then the neighbouring pair of lowest rank is merged, leftmost first, until no pair has a rank.
 */
final class BytePairs {
  static final String END_OF_WORD = "</w>";

  private static final int GONE = -1;

  /** What a pair of ids becomes; lower ranks go first. */
  private record Merge(int rank, int merged) {}

  /** A merge to try: still valid if the two ids stand where they stood. */
  private record Candidate(Merge merge, int at, int left, int right) {}

  private static final Comparator<Candidate> FIRST_TO_MERGE =
      Comparator.comparingInt((Candidate c) -> c.merge().rank()).thenComparingInt(Candidate::at);

  private final int[] byteIds = new int[256];
  private final int[] lastByteIds = new int[256];
  private final Map<Long, Merge> merges;

  BytePairs(Vocabulary vocabulary) {
    for (int value = 0; value < 256; value++) {
      String letter = String.valueOf(ByteAlphabet.of(value));
      byteIds[value] = id(vocabulary, letter, "every byte has a token");
      lastByteIds[value] = id(vocabulary, letter + END_OF_WORD, "every byte has a token");
    }
    merges = new HashMap<>(vocabulary.merges().size() * 2);
    int rank = 0;
    for (Vocabulary.Merge pair : vocabulary.merges()) {
      String why = "merge " + (rank + 1) + " is \"" + pair.left() + " " + pair.right() + "\"";
      int left = id(vocabulary, pair.left(), why);
      int right = id(vocabulary, pair.right(), why);
      int merged = id(vocabulary, pair.left() + pair.right(), why);
      merges.putIfAbsent(key(left, right), new Merge(rank++, merged));
    }
  }

  /** Appends the ids of one word; linear in its length but for a logarithm. */
  void encode(String word, List<Integer> ids) {
    byte[] bytes = word.getBytes(StandardCharsets.UTF_8);
    int n = bytes.length;
    int[] symbols = new int[n];
    int[] next = new int[n];
    int[] previous = new int[n];
    for (int i = 0; i < n; i++) {
      symbols[i] = (i == n - 1 ? lastByteIds : byteIds)[bytes[i] & 0xff];
      next[i] = i + 1;
      previous[i] = i - 1;
    }
    var queue = new PriorityQueue<>(FIRST_TO_MERGE);
    for (int i = 0; i + 1 < n; i++) {
      offer(queue, i, symbols[i], symbols[i + 1]);
    }
    while (!queue.isEmpty()) {
      Candidate best = queue.poll();
      int at = best.at();
      int right = next[at];
      if (symbols[at] != best.left() || right >= n || symbols[right] != best.right()) {
        continue; // a neighbour has been merged since
      }
      symbols[at] = best.merge().merged();
      symbols[right] = GONE;
      next[at] = next[right];
      if (next[at] < n) {
        previous[next[at]] = at;
        offer(queue, at, symbols[at], symbols[next[at]]);
      }
      if (previous[at] >= 0) {
        offer(queue, previous[at], symbols[previous[at]], symbols[at]);
      }
    }
    for (int i = 0; i < n; i = next[i]) {
      ids.add(symbols[i]);
    }
  }

  private void offer(PriorityQueue<Candidate> queue, int at, int left, int right) {
    Merge merge = merges.get(key(left, right));
    if (merge != null) {
      queue.add(new Candidate(merge, at, left, right));
    }
  }

  private static long key(int left, int right) {
    return (long) left << 32 | right;
  }

  private static int id(Vocabulary vocabulary, String token, String why) {
    Integer id = vocabulary.ids().get(token);
    if (id == null) {
      throw new InvalidInputException(
          vocabulary.source() + ": no token \"" + token + "\", but " + why);
    }
    return id;
  }
}
