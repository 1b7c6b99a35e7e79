// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What the safety checker did to a store, from its beginning on, whoever drew or copied the images.
 *
 * @param policy what became of flagged pictures
 * @param classes counts by class label, in the plan's order
 */
public record SafetySummary(SafetyPolicy policy, Map<String, SafetyCounts> classes) {

  /** Copies the map, keeps its order. */
  public SafetySummary {
    classes = Collections.unmodifiableMap(new LinkedHashMap<>(classes));
  }

  /** All classes together. */
  public SafetyCounts total() {
    return classes.values().stream().reduce(SafetyCounts.NONE, SafetyCounts::plus);
  }

  /** The total in words, such as {@code safety checker (drop): 60 pictures checked, 2 flagged: 0 kept, 2 dropped, 0 drawn again}. */
  public String text() {
    return "safety checker (%s): %s".formatted(policy.id(), text(total()));
  }

  /** The same for each class with a flagged picture. */
  public List<String> classTexts() {
    return classes.entrySet().stream()
        .filter(one -> one.getValue().flagged() > 0)
        .map(one -> one.getKey() + ": " + text(one.getValue()))
        .toList();
  }

  private static String text(SafetyCounts counts) {
    return String.format(
        Locale.ROOT,
        "%,d pictures checked, %,d flagged: %,d kept, %,d dropped, %,d drawn again",
        counts.checked(),
        counts.flagged(),
        counts.kept(),
        counts.dropped(),
        counts.redone());
  }

  /** Adds up what the records of a store's images tell. */
  static final class Tally {
    private final StoreHeader header;
    private final Map<String, SafetyCounts> classes = new LinkedHashMap<>();

    Tally(StoreHeader header) {
      this.header = header;
      header.plan().spec().classes().labels().forEach(label -> classes.put(label, SafetyCounts.NONE));
    }

    /**
     * Counts an image.
     *
     * @param record its parsed JSON
     */
    void add(StoreEntry entry, Map<String, Object> record) {
      int redone = flagged(StoreRecord.attempts(record));
      int kept = record.containsKey(StoreRecord.FLAGGED) ? 1 : 0;
      add(entry, new SafetyCounts(1 + redone, kept + redone, 0, redone));
    }

    /** Counts an image that was left out. */
    void add(StoreDrop drop) {
      int flagged = flagged(drop.attempts());
      add(drop, new SafetyCounts(flagged, flagged, 1, flagged - 1));
    }

    private void add(StoreSlot slot, SafetyCounts counts) {
      int index = header.plan().image(slot.position()).classIndex();
      classes.merge(header.plan().spec().classes().labels().get(index), counts, SafetyCounts::plus);
    }

    private static int flagged(List<Attempt> attempts) {
      return (int) attempts.stream().filter(attempt -> attempt.flaw().isFlagged()).count();
    }

    /** The sum, for a store whose pictures are checked. */
    Optional<SafetySummary> summary() {
      SafetyPolicy policy = header.safety();
      return policy == SafetyPolicy.OFF ? Optional.empty() : Optional.of(new SafetySummary(policy, classes));
    }
  }
}
