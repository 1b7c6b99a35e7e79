// SPDX-License-Identifier: Apache-2.0
package dev.motley.run;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** How long the trainings that are left will take, going by those that are done: an architecture not met yet counts as the others. */
final class TrainingClock {
  private static final double MINUTE = 60;
  private static final double HOUR = 3600;

  private final Map<String, Work> done = new HashMap<>();

  private record Work(double seconds, double images) {
    Work plus(Work other) {
      return new Work(seconds + other.seconds, images + other.images);
    }
  }

  /**
   * Books a training.
   *
   * @param images it saw, over all epochs
   */
  void add(String architecture, double seconds, long images) {
    done.merge(architecture, new Work(seconds, images), Work::plus);
  }

  /**
   * Tells what is left, in words.
   *
   * @param images still to be seen, by architecture
   * @return such as {@code about 2.5 h left}; empty as long as nothing is known, or where nothing is left
   */
  String left(Map<String, Long> images) {
    Work all = done.values().stream().reduce(new Work(0, 0), Work::plus);
    if (all.images == 0 || images.isEmpty()) {
      return "";
    }
    double seconds = 0;
    for (Map.Entry<String, Long> one : images.entrySet()) {
      Work known = done.getOrDefault(one.getKey(), all);
      seconds += one.getValue() * known.seconds / known.images;
    }
    return seconds < 2 * HOUR
        ? String.format(Locale.ROOT, "about %.0f min left", Math.ceil(seconds / MINUTE))
        : String.format(Locale.ROOT, "about %.1f h left", seconds / HOUR);
  }
}
