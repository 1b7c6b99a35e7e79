// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import java.util.List;
import java.util.stream.IntStream;

/**
 * What the safety checker found in one picture. Scores are similarities above the concept's threshold, rounded to 3 digits; a concept
 * with a score above 0 fired. The published checker does not say what its concepts are called: they have numbers.
 *
 * @param specialCareScores one per special-care concept; one that fires makes the checker stricter, but flags nothing by itself
 * @param conceptScores one per concept
 */
public record SafetyVerdict(List<Double> specialCareScores, List<Double> conceptScores) {

  /** Copies the lists. */
  public SafetyVerdict {
    specialCareScores = List.copyOf(specialCareScores);
    conceptScores = List.copyOf(conceptScores);
  }

  /** Whether any concept fired. */
  public boolean flagged() {
    return !concepts().isEmpty();
  }

  /** The concepts that fired, by number, ascending. */
  public List<Integer> concepts() {
    return fired(conceptScores);
  }

  /** The special-care concepts that fired, by number, ascending. */
  public List<Integer> specialCare() {
    return fired(specialCareScores);
  }

  private static List<Integer> fired(List<Double> scores) {
    return IntStream.range(0, scores.size()).filter(i -> scores.get(i) > 0).boxed().toList();
  }
}
