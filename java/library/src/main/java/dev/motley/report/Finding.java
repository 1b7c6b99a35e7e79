// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import dev.motley.evaluate.Interval;
import dev.motley.evaluate.Tally;
import java.util.ArrayList;
import java.util.List;

/**
 * What came out, in plain words. It never claims more than the intervals allow.
 *
 * @param headline one sentence
 * @param explanation a few more
 */
public record Finding(String headline, List<String> explanation) {

  /** Copies the list. */
  public Finding {
    explanation = List.copyOf(explanation);
  }

  /**
   * Puts the result into words, by the accuracy with running statistics.
   *
   * @param data the report's data
   * @return the finding
   */
  public static Finding of(ReportData data) {
    List<String> explanation = new ArrayList<>();
    explanation.add(setting(data));
    Experiment first = data.experiments().getFirst();
    String headline =
        switch (data.experiments().size()) {
          case 1 ->
              "%s right on real images, learned from synthetic ones alone."
                  .formatted(Format.percent(running(first).accuracy()));
          case 2 -> compare(first, data.experiments().getLast());
          default -> range(data.experiments());
        };
    data.experiments().stream()
        .skip(1)
        .map(other -> difference(first, other))
        .forEach(explanation::add);
    return new Finding(headline, explanation);
  }

  private static Tally running(Experiment experiment) {
    return experiment.evaluation().running().total();
  }

  private static String compare(Experiment base, Experiment other) {
    Tally to = running(other);
    Tally from = running(base);
    double difference = shown(to) - shown(from); // what a reader finds who subtracts
    String points = Format.number(Math.abs(100 * difference), 1);
    String verdict =
        to.difference(from).contains(0)
            ? "makes no clear difference to"
            : "%s %s by %s points on"
                .formatted(difference > 0 ? "beats" : "falls behind", base.name(), points);
    return "%s %s real images: %s right against %s."
        .formatted(
            other.name(), verdict, Format.percent(to.accuracy()), Format.percent(from.accuracy()));
  }

  /** An accuracy as {@link Format#percent} shows it. */
  private static double shown(Tally tally) {
    return Math.round(1000 * tally.accuracy()) / 1000.0;
  }

  private static String range(List<Experiment> experiments) {
    double low = experiments.stream().mapToDouble(e -> running(e).accuracy()).min().orElseThrow();
    double high = experiments.stream().mapToDouble(e -> running(e).accuracy()).max().orElseThrow();
    return "%s synthetic sets, %s to %s of the real images right."
        .formatted(Format.count(experiments.size()), Format.percent(low), Format.percent(high));
  }

  private static String setting(ReportData data) {
    Experiment first = data.experiments().getFirst();
    boolean one = data.experiments().size() == 1;
    boolean sameSize =
        data.experiments().stream().mapToInt(Experiment::images).distinct().count() == 1;
    String size = sameSize ? Format.count(first.images()) + " synthetic" : "synthetic";
    return "%s %s learned from %s images%s and saw not one real image in training."
            .formatted(
                one ? "One" : "Each", data.architecture(), size, one ? "" : " of its own set")
        + " The test: %s real images (%s), %s classes."
            .formatted(
                Format.count(first.evaluation().images()),
                data.testSet(),
                Format.count(data.classes().size()));
  }

  private static String difference(Experiment base, Experiment other) {
    Tally to = running(other);
    Tally from = running(base);
    double difference = shown(to) - shown(from);
    Interval interval = to.difference(from);
    String bounds =
        "95\u202f%% interval %s to %s"
            .formatted(Format.signedPoints(interval.low()), Format.signedPoints(interval.high()));
    if (interval.contains(0)) {
      return "%s against %s: a difference of %s points, within what chance explains (%s)."
          .formatted(other.name(), base.name(), Format.signedPoints(difference), bounds);
    }
    return "%s against %s: %s points %s (%s)."
        .formatted(
            other.name(),
            base.name(),
            Format.number(Math.abs(100 * difference), 1),
            difference > 0 ? "more" : "fewer",
            bounds);
  }
}
