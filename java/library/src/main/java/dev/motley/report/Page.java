// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import java.util.List;

/** The parts that sections share: tables, keys, legends and images. */
final class Page {

  private Page() {}

  /** A table in a box of its own that scrolls, also by keyboard, where the page is too narrow. */
  static void openTable(Html html, String caption, String... style) {
    html.open("div", "class", "box", "tabindex", "0", "role", "region", "aria-label", caption);
    html.open("table", "class", String.join(" ", style));
    html.element("caption", caption);
  }

  static void closeTable(Html html) {
    html.close("table").close("div");
  }

  /** The sign of an experiment, by colour and shape. */
  static void key(Html html, int index) {
    html.open("svg", "viewBox", "0 0 12 12", "class", "key", "aria-hidden", "true");
    LineChart.marker(html, index, 6, 6);
    html.close("svg");
  }

  /** Names beside the sign of their lines or bars. */
  static void legend(Html html, List<Experiment> experiments, boolean lines) {
    html.open("ul", "class", "legend");
    for (int i = 0; i < experiments.size(); i++) {
      html.open("li");
      if (lines) {
        html.open("svg", "viewBox", "0 0 34 12", "class", "sample", "aria-hidden", "true");
        html.empty("polyline", "class", "line s" + i, "points", "1,6 33,6");
        LineChart.marker(html, i, 17, 6);
        html.close("svg");
      } else {
        html.element("span", "", "class", "swatch bar s" + i, "aria-hidden", "true");
      }
      html.text(experiments.get(i).name()).close("li");
    }
    html.close("ul");
  }

  /** Shown {@code width} CSS pixels wide; small pictures keep their pixels sharp. */
  static void image(Html html, Picture picture, String description, int width) {
    int height = Math.max(1, Math.round((float) width * picture.height() / picture.width()));
    html.empty(
        "img",
        "src",
        picture.dataUri(),
        "alt",
        description,
        "width",
        "" + width,
        "height",
        "" + height);
  }
}
