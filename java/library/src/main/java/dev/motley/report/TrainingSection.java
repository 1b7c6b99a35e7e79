// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import dev.motley.evaluate.Scores;
import java.util.List;

/** Every training of a run: both accuracies, and how far its confidence is to be trusted. */
final class TrainingSection {

  private TrainingSection() {}

  static void write(Html html, ReportData data) {
    Page.openTable(html, "Every training on the real test images, with 95\u202f% intervals over the images", "results");
    html.open("thead").open("tr");
    List.of("Set", "Architecture", "Seed", "Running statistics", "Calibration error", "Batch statistics", "Calibration error")
        .forEach(name -> html.element("th", name, "scope", "col"));
    html.close("tr").close("thead").open("tbody");
    for (TrainingRow row : data.trainings()) {
      html.open("tr").element("th", row.set(), "scope", "row").element("td", row.architecture());
      html.element("td", "" + row.seed(), "class", "num");
      scores(html, row.evaluation().running());
      scores(html, row.evaluation().batchStatistics());
      html.close("tr");
    }
    html.close("tbody");
    Page.closeTable(html);
    html.element("p", "The other sections show the first of these trainings of each set.", "class", "note");
  }

  private static void scores(Html html, Scores scores) {
    html.open("td", "class", "num").element("strong", Format.percent(scores.total().accuracy()));
    html.element("span", Format.percent(scores.total().interval()), "class", "range").close("td");
    html.element("td", Format.percent(scores.calibrationError()), "class", "num");
  }
}
