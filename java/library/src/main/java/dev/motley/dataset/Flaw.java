// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.diffusion.Quality;
import dev.motley.diffusion.SafetyVerdict;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What is wrong with a drawn picture.
 *
 * @param id {@code not-finite}, {@code constant} or {@code flagged}
 * @param concepts of a flagged picture: the safety checker's concepts that fired, by number, each with its score above the threshold;
 *     otherwise empty
 */
public record Flaw(String id, SortedMap<Integer, Double> concepts) {
  private static final String FLAGGED = "flagged";

  /** Copies the map. */
  public Flaw {
    concepts = Collections.unmodifiableSortedMap(new TreeMap<>(concepts));
  }

  static Flaw of(Quality quality) {
    return new Flaw(quality.id(), Collections.emptySortedMap());
  }

  static Flaw flagged(Map<Integer, Double> concepts) {
    return new Flaw(FLAGGED, new TreeMap<>(concepts));
  }

  static Flaw of(SafetyVerdict verdict) {
    var concepts = new TreeMap<Integer, Double>();
    verdict.concepts().forEach(concept -> concepts.put(concept, verdict.conceptScores().get(concept)));
    return flagged(concepts);
  }

  /** Whether it was the safety checker that found it. */
  public boolean isFlagged() {
    return id.equals(FLAGGED);
  }
}
