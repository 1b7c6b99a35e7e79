// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import dev.motley.tricks.PlannedImage;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The JSON beside an image: what was planned, how often it had to be drawn again, and whether the safety checker flagged it. */
public final class StoreRecord {
  /** Present where a flagged picture was kept: the concepts that fired, by number, with their scores. */
  static final String FLAGGED = "flagged";

  private static final String REDONE = "redone";

  private StoreRecord() {}

  /**
   * Forms the JSON of one image: {@link PlannedImage#metadata}, whose {@code seed} is the one that
   * gave the stored pixels; where it was drawn more than once {@code redone}, one {@code {seed,
   * because}} for each picture that was thrown away, a flagged one's with {@code concepts}; and
   * where the stored picture itself is flagged {@code flagged}.
   *
   * @param image the image as it was drawn at last
   * @param redone the attempts before it
   * @param flagged what the safety checker found in the stored picture
   * @return one JSON object and a line feed, in UTF-8, keys sorted
   */
  public static byte[] json(PlannedImage image, List<Attempt> redone, Optional<Flaw> flagged) {
    Map<String, Object> tree = new LinkedHashMap<>(image.metadata());
    if (!redone.isEmpty()) {
      tree.put(REDONE, redone.stream().map(StoreRecord::tree).toList());
    }
    flagged.ifPresent(flaw -> tree.put(FLAGGED, flaw.concepts()));
    return StoreJson.line(tree);
  }

  private static Map<String, Object> tree(Attempt attempt) {
    Map<String, Object> tree = new TreeMap<>();
    tree.put("seed", attempt.seed());
    tree.put("because", attempt.flaw().id());
    if (attempt.flaw().isFlagged()) {
      tree.put("concepts", attempt.flaw().concepts());
    }
    return tree;
  }

  /** The attempts for an image that was left out, as one word of JSON: no prompt is in it, so no space either. */
  static String word(List<Attempt> attempts) {
    return StoreJson.text(Map.of(REDONE, attempts.stream().map(StoreRecord::tree).toList()));
  }

  /**
   * Reads the attempts back.
   *
   * @param record the parsed JSON of an image, or of {@link #word}
   * @throws InvalidInputException if they are not as {@link #json} writes them
   */
  static List<Attempt> attempts(Map<String, Object> record) {
    if (record.getOrDefault(REDONE, List.of()) instanceof List<?> list) {
      return list.stream().map(StoreRecord::attempt).toList();
    }
    throw malformed(record.get(REDONE));
  }

  private static Attempt attempt(Object tree) {
    if (tree instanceof Map<?, ?> map
        && map.get("seed") instanceof Number seed
        && map.get("because") instanceof String because) {
      boolean flagged = because.equals(FLAGGED);
      return new Attempt(
          seed.longValue(), flagged ? Flaw.flagged(concepts(map.get("concepts"))) : new Flaw(because, new TreeMap<>()));
    }
    throw malformed(tree);
  }

  private static Map<Integer, Double> concepts(@Nullable Object tree) {
    var concepts = new TreeMap<Integer, Double>();
    if (!(tree instanceof Map<?, ?> map)) {
      throw malformed(tree);
    }
    for (Map.Entry<?, ?> one : map.entrySet()) {
      if (!(one.getKey() instanceof String number && number.matches("\\d{1,9}") && one.getValue() instanceof Number score)) {
        throw malformed(tree);
      }
      concepts.put(Integer.valueOf(number), score.doubleValue());
    }
    return concepts;
  }

  private static InvalidInputException malformed(@Nullable Object found) {
    return new InvalidInputException(
        "'%s' must list a seed and a reason for each attempt, found %s".formatted(REDONE, StoreJson.text(found)));
  }
}
