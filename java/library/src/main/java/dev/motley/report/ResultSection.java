// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import dev.motley.evaluate.Evaluation;
import dev.motley.evaluate.Interval;
import dev.motley.evaluate.Scores;
import dev.motley.evaluate.Tally;
import java.util.List;

/** The accuracies: a card for each experiment, and a table of both ways of normalising. */
final class ResultSection {

  private ResultSection() {}

  static void cards(Html html, ReportData data) {
    html.open("div", "class", "cards");
    for (int i = 0; i < data.experiments().size(); i++) {
      card(html, i, data.experiments().get(i));
    }
    html.close("div");
    html.element(
        "p",
        ("Real test images called right, with running statistics; below it the 95\u202f%% interval."
                + " The mark on the bar is guessing (%s).")
            .formatted(Format.percent(1.0 / data.classes().size())),
        "class",
        "note");
  }

  private static void card(Html html, int index, Experiment experiment) {
    Evaluation evaluation = experiment.evaluation();
    Tally running = evaluation.running().total();
    html.open("div", "class", "card s" + index);
    html.open("p", "class", "name");
    Page.key(html, index);
    html.text(experiment.name()).close("p");
    html.element("p", Format.percent(running.accuracy()), "class", "big");
    html.element("p", Format.percent(running.interval()), "class", "quiet");
    strip(html, index, running, 1.0 / evaluation.classes().size());
    html.element("p", experiment.description(), "class", "quiet");
    html.close("div");
  }

  /** A bar from 0 to 100 % with the interval on it; the text above says the same. */
  private static void strip(Html html, int index, Tally tally, double chance) {
    Interval interval = tally.interval();
    html.open("div", "class", "strip", "aria-hidden", "true");
    part(html, "bar s" + index, 0, tally.accuracy());
    part(html, "chance", chance, 0);
    part(html, "bracket", interval.low(), interval.high() - interval.low());
    html.close("div");
  }

  private static void part(Html html, String style, double from, double width) {
    String place =
        "left:%s%%;width:%s%%"
            .formatted(Format.coordinate(100 * from), Format.coordinate(100 * width));
    html.element("div", "", "class", style, "style", place);
  }

  static void table(Html html, ReportData data) {
    Page.openTable(html, "Accuracy on the real test images, with 95\u202f% intervals", "results");
    html.open("thead").open("tr");
    List.of("Synthetic set", "Running statistics", "Batch statistics")
        .forEach(name -> html.element("th", name, "scope", "col"));
    html.close("tr").close("thead").open("tbody");
    for (int i = 0; i < data.experiments().size(); i++) {
      row(html, i, data.experiments().get(i));
    }
    if (data.experiments().size() == 2) {
      differences(html, data.experiments().getFirst(), data.experiments().getLast());
    }
    html.close("tbody");
    Page.closeTable(html);
    int batch = data.experiments().getFirst().evaluation().batch();
    html.element(
        "p",
        "Running statistics: the network as it left training. Batch statistics: its normalisation"
            + " is taken from each batch of %s test images, without their labels, which adapts it"
                .formatted(Format.count(batch))
            + " to real pictures. The interval is what other test images would change; another"
            + " training seed moves the result too.",
        "class",
        "note");
    quality(html, data);
  }

  private static void row(Html html, int index, Experiment experiment) {
    html.open("tr").open("th", "scope", "row");
    Page.key(html, index);
    html.text(experiment.name());
    String images = Format.count(experiment.images()) + " images";
    html.element("span", images, "class", "range").close("th");
    cell(html, experiment.evaluation().running().total());
    cell(html, experiment.evaluation().batchStatistics().total());
    html.close("tr");
  }

  private static void cell(Html html, Tally tally) {
    html.open("td", "class", "num").element("strong", Format.percent(tally.accuracy()));
    html.element("span", Format.percent(tally.interval()), "class", "range").close("td");
  }

  private static void differences(Html html, Experiment base, Experiment other) {
    html.open("tr", "class", "total").element("th", "Difference in points", "scope", "row");
    difference(html, base.evaluation().running(), other.evaluation().running());
    difference(html, base.evaluation().batchStatistics(), other.evaluation().batchStatistics());
    html.close("tr");
  }

  private static void difference(Html html, Scores base, Scores other) {
    Tally from = base.total();
    Tally to = other.total();
    Interval interval = to.difference(from);
    html.open("td", "class", "num")
        .element("strong", Format.signedPoints(to.accuracy() - from.accuracy()))
        .element(
            "span",
            Format.signedPoints(interval.low()) + " to " + Format.signedPoints(interval.high()),
            "class",
            "range")
        .close("td");
  }

  private static void quality(Html html, ReportData data) {
    int k = data.experiments().getFirst().evaluation().running().topK();
    html.open("details").element("summary", "Top-" + k + " and calibration");
    Page.openTable(html, "With running statistics, and with those of each batch");
    html.open("thead").open("tr");
    List.of(
            "Synthetic set",
            "Right class among the first " + k,
            "The same, batch statistics",
            "Calibration error",
            "The same, batch statistics")
        .forEach(name -> html.element("th", name, "scope", "col"));
    html.close("tr").close("thead").open("tbody");
    for (Experiment experiment : data.experiments()) {
      List<Scores> both = List.of(experiment.evaluation().running(), experiment.evaluation().batchStatistics());
      html.open("tr").element("th", experiment.name(), "scope", "row");
      both.forEach(scores -> html.element("td", Format.percent(scores.topKTally().accuracy()), "class", "num"));
      both.forEach(scores -> html.element("td", Format.percent(scores.calibrationError()), "class", "num"));
      html.close("tr");
    }
    html.close("tbody");
    Page.closeTable(html);
    html.element(
        "p",
        "Calibration error: how far, on average, the stated confidence is from the fraction that"
            + " is right.",
        "class",
        "note");
    html.close("details");
  }
}
