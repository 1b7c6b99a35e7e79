// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** Loss and accuracy of every epoch of training. */
final class CurveSection {

  private CurveSection() {}

  static void write(Html html, ReportData data) {
    List<Experiment> experiments = data.experiments();
    Page.legend(html, experiments, true);
    html.open("div", "class", "pair");
    chart(html, experiments, "Training loss", EpochPoint::loss, false);
    chart(html, experiments, "Training accuracy in %", EpochPoint::accuracy, true);
    html.close("div");
    html.element(
        "p",
        "Measured on the augmented synthetic images of each epoch. The real test set was used"
            + " once, after the last epoch: nothing was chosen by it.",
        "class",
        "note");
    numbers(html, experiments);
  }

  private static void chart(
      Html html,
      List<Experiment> experiments,
      String title,
      ToDoubleFunction<EpochPoint> value,
      boolean percent) {
    List<LineChart.Series> series =
        IntStream.range(0, experiments.size())
            .filter(i -> !experiments.get(i).epochs().isEmpty())
            .mapToObj(
                i ->
                    new LineChart.Series(
                        i,
                        experiments.get(i).epochs().stream().map(EpochPoint::epoch).toList(),
                        experiments.get(i).epochs().stream().map(value::applyAsDouble).toList()))
            .toList();
    html.open("figure", "class", "chart").element("h3", title);
    new LineChart(series, percent).draw(html, title + " over epochs; the numbers are below");
    html.close("figure");
  }

  private static void numbers(Html html, List<Experiment> experiments) {
    html.open("details").element("summary", "The numbers");
    Page.openTable(html, "Loss and accuracy by epoch");
    html.open("thead").open("tr").element("th", "Epoch", "scope", "col");
    for (Experiment experiment : experiments) {
      html.element("th", experiment.name() + ": loss", "scope", "col");
      html.element("th", "accuracy", "scope", "col");
    }
    html.close("tr").close("thead").open("tbody");
    experiments.stream()
        .flatMap(e -> e.epochs().stream().map(EpochPoint::epoch))
        .distinct()
        .sorted()
        .forEach(epoch -> row(html, experiments, epoch));
    html.close("tbody");
    Page.closeTable(html);
    html.close("details");
  }

  private static void row(Html html, List<Experiment> experiments, int epoch) {
    html.open("tr").element("th", "" + epoch, "scope", "row");
    for (Experiment experiment : experiments) {
      Optional<EpochPoint> point =
          experiment.epochs().stream().filter(p -> p.epoch() == epoch).findFirst();
      String loss = point.map(p -> Format.number(p.loss(), 4)).orElse("");
      String accuracy = point.map(p -> Format.percent(p.accuracy())).orElse("");
      html.element("td", loss, "class", "num").element("td", accuracy, "class", "num");
    }
    html.close("tr");
  }
}
