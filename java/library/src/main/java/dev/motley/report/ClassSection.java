// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import dev.motley.evaluate.Evaluation;
import dev.motley.evaluate.Scores;
import dev.motley.evaluate.Tally;
import java.util.function.Function;

/** Accuracy of every class, a bar for each experiment. */
final class ClassSection {

  private ClassSection() {}

  static void write(Html html, ReportData data) {
    Page.legend(html, data.experiments(), false);
    bars(html, data, "running statistics", Evaluation::running);
    html.open("details").element("summary", "The same with batch statistics");
    bars(html, data, "batch statistics", Evaluation::batchStatistics);
    html.close("details");
  }

  private static void bars(
      Html html, ReportData data, String mode, Function<Evaluation, Scores> scores) {
    Page.openTable(
        html, "Of the real images of each class, how many were right (" + mode + ")", "bars");
    html.open("thead", "class", "vh").open("tr");
    html.element("th", "Class", "scope", "col").element("th", "Accuracy", "scope", "col");
    html.close("tr").close("thead").open("tbody");
    for (int label = 0; label < data.classes().size(); label++) {
      html.open("tr").element("th", data.classes().get(label), "scope", "row").open("td");
      for (int i = 0; i < data.experiments().size(); i++) {
        Experiment experiment = data.experiments().get(i);
        bar(
            html,
            i,
            experiment.name(),
            scores.apply(experiment.evaluation()).perClass().get(label));
      }
      html.close("td").close("tr");
    }
    html.close("tbody");
    Page.closeTable(html);
  }

  private static void bar(Html html, int index, String name, Tally tally) {
    String text = tally.images() == 0 ? "none tested" : Format.percent(tally.accuracy());
    html.open("div", "class", "barline").element("span", name + ": ", "class", "vh");
    html.open("span", "class", "rail", "aria-hidden", "true");
    String width = "width:" + Format.coordinate(100 * tally.accuracy()) + "%";
    html.element("span", "", "class", "bar s" + index, "style", width);
    html.close("span").element("span", text, "class", "num").close("div");
  }
}
