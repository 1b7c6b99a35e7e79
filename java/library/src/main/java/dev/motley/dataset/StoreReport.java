// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What a look at every byte of a store found, or a repair did.
 *
 * @param folder the store's folder
 * @param planned images of the plan
 * @param stored images that count
 * @param dropped images that the safety checker had left out
 * @param bytes bytes of the shards, the growing one included
 * @param problems what is wrong, one line each; empty for a whole store, finished or not
 * @param repairs what a repair did, one line each
 * @param safety what the safety checker did to the images that count; empty for a store whose pictures are not checked
 */
public record StoreReport(
    String folder,
    int planned,
    int stored,
    int dropped,
    long bytes,
    List<String> problems,
    List<String> repairs,
    Optional<SafetySummary> safety) {

  /** Of a shard that was cut off, every image behind the cut is a problem of its own. */
  private static final int SHOWN = 20;

  /** Copies the lists. */
  public StoreReport {
    problems = List.copyOf(problems);
    repairs = List.copyOf(repairs);
  }

  /**
   * Says whether nothing is wrong.
   *
   * @return true for a whole store, finished or not
   */
  public boolean isSound() {
    return problems.isEmpty();
  }

  /**
   * Says whether every image of the plan is there or left out on purpose.
   *
   * @return true for a finished store
   */
  public boolean isComplete() {
    return stored + dropped == planned;
  }

  /**
   * The report as text of several lines.
   *
   * @return what {@code verify} prints
   */
  public String text() {
    var out = new StringBuilder();
    out.append(
        String.format(
            Locale.ROOT,
            "%s: %,d of %,d images%s, %,d bytes, %s%n",
            folder,
            stored,
            planned,
            dropped == 0 ? "" : String.format(Locale.ROOT, " and %,d left out", dropped),
            bytes,
            problems.isEmpty()
                ? (isComplete() ? "sound and complete" : "sound, not complete")
                : problems.size() + (problems.size() == 1 ? " problem" : " problems")));
    problems.stream()
        .limit(SHOWN)
        .forEach(p -> out.append("  ").append(p).append(System.lineSeparator()));
    if (problems.size() > SHOWN) {
      out.append(String.format(Locale.ROOT, "  and %,d more%n", problems.size() - SHOWN));
    }
    safety.ifPresent(
        summary -> {
          out.append("  ").append(summary.text()).append(System.lineSeparator());
          summary.classTexts().forEach(c -> out.append("    ").append(c).append(System.lineSeparator()));
        });
    repairs.forEach(r -> out.append("  repaired: ").append(r).append(System.lineSeparator()));
    return out.toString();
  }
}
