// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import java.util.List;

/** Synthetic images as a grid: a row for each class, a column for each trick. */
final class SampleSection {

  /** Further classes are folded away. */
  private static final int OPEN_ROWS = 20;

  private SampleSection() {}

  static void write(Html html, ReportData data) {
    html.element(
        "p",
        "Synthetic images of the most diverse set, with the prompt each was drawn from; g is the guidance scale: the"
            + " higher, the more the image keeps to its prompt and the less it varies.");
    List<String> tricks = data.samples().stream().map(Sample::trick).distinct().toList();
    List<String> shown =
        data.classes().stream()
            .filter(name -> data.samples().stream().anyMatch(s -> s.className().equals(name)))
            .toList();
    int split = Math.min(OPEN_ROWS, shown.size());
    grid(html, data.samples(), tricks, shown.subList(0, split));
    if (split < shown.size()) {
      html.open("details").element("summary", (shown.size() - split) + " more classes");
      grid(html, data.samples(), tricks, shown.subList(split, shown.size()));
      html.close("details");
    }
  }

  private static void grid(
      Html html, List<Sample> samples, List<String> tricks, List<String> classes) {
    Page.openTable(html, "Synthetic images by class and trick", "samples");
    html.open("thead").open("tr").element("th", "Class", "scope", "col");
    tricks.forEach(trick -> html.element("th", trick, "scope", "col"));
    html.close("tr").close("thead").open("tbody");
    for (String name : classes) {
      html.open("tr").element("th", name, "scope", "row");
      for (String trick : tricks) {
        html.open("td").open("div", "class", "cell");
        samples.stream()
            .filter(s -> s.className().equals(name) && s.trick().equals(trick))
            .forEach(s -> figure(html, s));
        html.close("div").close("td");
      }
      html.close("tr");
    }
    html.close("tbody");
    Page.closeTable(html);
  }

  private static void figure(Html html, Sample sample) {
    html.open("figure");
    Page.image(html, sample.picture(), "Synthetic image: " + sample.prompt(), 96);
    html.open("figcaption")
        .element("span", "g " + Format.guidance(sample.guidance()), "class", "g");
    html.text(" " + sample.prompt()).close("figcaption").close("figure");
  }
}
