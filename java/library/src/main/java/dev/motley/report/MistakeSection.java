// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import dev.motley.evaluate.Mistake;
import java.util.List;

/** The mistakes of highest confidence, as pictures. */
final class MistakeSection {

  private MistakeSection() {}

  static void write(Html html, ReportData data) {
    html.element(
        "p",
        "Real test images that were called wrong with the highest confidence (running"
            + " statistics). Some are hard for people, too.");
    for (int i = 0; i < data.experiments().size(); i++) {
      Experiment experiment = data.experiments().get(i);
      if (!experiment.mistakes().isEmpty()) {
        html.open("h3");
        Page.key(html, i);
        html.text(experiment.name()).close("h3").open("ul", "class", "mistakes");
        experiment.mistakes().forEach(m -> mistake(html, data.classes(), m));
        html.close("ul");
      }
    }
  }

  private static void mistake(Html html, List<String> classes, MistakePicture shown) {
    Mistake mistake = shown.mistake();
    String label = classes.get(mistake.label());
    String predicted = classes.get(mistake.predicted());
    html.open("li");
    Page.image(
        html,
        shown.picture(),
        "Real image %s: a %s".formatted(Format.count(mistake.image()), label),
        96);
    html.open("p").element("span", "said ", "class", "quiet").element("strong", predicted);
    html.text(" " + Format.percent(mistake.confidence())).close("p");
    html.open("p").element("span", "is ", "class", "quiet").element("strong", label).close("p");
    html.close("li");
  }
}
