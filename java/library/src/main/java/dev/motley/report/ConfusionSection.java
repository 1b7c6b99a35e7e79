// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import dev.motley.evaluate.ConfusionMatrix;
import dev.motley.evaluate.Evaluation;
import dev.motley.evaluate.Scores;
import java.util.List;
import java.util.function.Function;

/** What was taken for what: heat maps with numbers, and the most frequent confusions in words. */
final class ConfusionSection {

  /** Beyond so many classes a matrix is not readable; the list alone is shown. */
  private static final int MATRIX_CLASSES = 25;

  private static final int CONFUSIONS = 8;

  private ConfusionSection() {}

  static void write(Html html, ReportData data) {
    html.element(
        "p",
        "A row is a real class, a column what the classifier said; the numbers are percent of the"
            + " row. The framed diagonal is right.");
    matrices(html, data, Evaluation::running);
    html.open("details").element("summary", "The same with batch statistics");
    matrices(html, data, Evaluation::batchStatistics);
    html.close("details");
  }

  private static void matrices(Html html, ReportData data, Function<Evaluation, Scores> scores) {
    html.open("div", "class", "pair");
    for (int i = 0; i < data.experiments().size(); i++) {
      Experiment experiment = data.experiments().get(i);
      ConfusionMatrix matrix = scores.apply(experiment.evaluation()).confusion();
      html.open("div", "class", "matrix").open("h3");
      Page.key(html, i);
      html.text(experiment.name()).close("h3");
      if (matrix.classes() <= MATRIX_CLASSES) {
        heatMap(html, data.classes(), matrix, experiment.name());
      }
      confusions(html, data.classes(), matrix);
      html.close("div");
    }
    html.close("div");
  }

  private static void heatMap(
      Html html, List<String> classes, ConfusionMatrix matrix, String name) {
    Page.openTable(html, "Confusion matrix: " + name, "heat");
    html.open("thead").open("tr");
    html.element("td", "");
    classes.forEach(
        predicted -> html.open("th", "scope", "col").element("span", predicted).close("th"));
    html.close("tr").close("thead").open("tbody");
    for (int label = 0; label < classes.size(); label++) {
      html.open("tr").element("th", classes.get(label), "scope", "row");
      for (int predicted = 0; predicted < classes.size(); predicted++) {
        cell(html, classes, matrix, label, predicted);
      }
      html.close("tr");
    }
    html.close("tbody");
    Page.closeTable(html);
  }

  private static void cell(
      Html html, List<String> classes, ConfusionMatrix matrix, int label, int predicted) {
    int count = matrix.count(label, predicted);
    int images = matrix.tally(label).images();
    double fraction = images == 0 ? 0 : (double) count / images;
    boolean right = label == predicted;
    String detail =
        "%s called %s: %s of %s"
            .formatted(
                classes.get(label),
                classes.get(predicted),
                Format.count(count),
                Format.count(images));
    String text = count == 0 ? "" : fraction < 0.005 ? "<1" : Format.number(100 * fraction, 0);
    String style = HeatScale.cell(right, fraction) + (right ? " right" : "");
    html.element("td", text, "class", style, "title", detail);
  }

  private static void confusions(Html html, List<String> classes, ConfusionMatrix matrix) {
    List<ConfusionMatrix.Confusion> strongest = matrix.strongest(CONFUSIONS);
    if (strongest.isEmpty()) {
      html.element("p", "No mistakes.");
      return;
    }
    html.element("p", "Most frequent:", "class", "lead").open("ul", "class", "confusions");
    for (ConfusionMatrix.Confusion confusion : strongest) {
      html.open("li").element("strong", classes.get(confusion.label())).text(" taken for ");
      html.element("strong", classes.get(confusion.predicted()));
      html.text(
          ": %s of %s"
              .formatted(
                  Format.count(confusion.images()),
                  Format.count(matrix.tally(confusion.label()).images())));
      html.close("li");
    }
    html.close("ul");
  }
}
