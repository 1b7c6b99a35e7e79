// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import java.util.List;

/** What the safety checker did to the sets, so that no image is missing or replaced in silence. */
final class SafetySection {

  private SafetySection() {}

  static void write(Html html, ReportData data) {
    html.element(
        "p",
        "The diffusion model's safety checker looked at every picture. It is known for false alarms. Classes without a"
            + " flagged picture are not listed.");
    Page.openTable(html, "Pictures that the safety checker flagged, and what became of them", "results");
    html.open("thead").open("tr");
    List.of("Set", "Of", "Checked", "Flagged", "Kept", "Left out", "Drawn again", "Trained on")
        .forEach(name -> html.element("th", name, "scope", "col"));
    html.close("tr").close("thead").open("tbody");
    data.safety().forEach(row -> row(html, row));
    html.close("tbody");
    Page.closeTable(html);
  }

  private static void row(Html html, SafetyRow row) {
    html.open("tr").element("th", row.set(), "scope", "row").element("td", row.scope());
    List.of(row.checked(), row.flagged(), row.kept(), row.dropped(), row.redone(), row.trained())
        .forEach(count -> html.element("td", Format.count(count), "class", "num"));
    html.close("tr");
  }
}
