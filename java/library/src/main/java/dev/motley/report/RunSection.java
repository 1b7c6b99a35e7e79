// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import java.util.List;

/** Where the time went, and everything needed to run it again. */
final class RunSection {

  private RunSection() {}

  static void timing(Html html, ReportData data) {
    double total = data.stages().stream().mapToDouble(Stage::seconds).sum();
    Page.openTable(html, "Wall-clock time by stage", "time");
    html.open("thead").open("tr");
    List.of("Stage", "Time", "Done").forEach(name -> html.element("th", name, "scope", "col"));
    html.close("tr").close("thead").open("tbody");
    data.stages().forEach(stage -> row(html, stage, total));
    html.open("tr", "class", "total").element("th", "Together", "scope", "row");
    html.element("td", Format.duration(total), "class", "num");
    html.element("td", "").close("tr");
    html.close("tbody");
    Page.closeTable(html);
  }

  private static void row(Html html, Stage stage, double total) {
    double share = total > 0 ? stage.seconds() / total : 0;
    String width = "width:" + Format.coordinate(100 * share) + "%";
    html.open("tr").open("th", "scope", "row").text(stage.name());
    html.open("span", "class", "rail", "aria-hidden", "true");
    html.element("span", "", "class", "bar plain", "style", width).close("span").close("th");
    cell(html, Format.duration(stage.seconds()), Format.percent(share));
    String rate =
        stage.seconds() > 0 ? Format.rate(stage.count() / stage.seconds()) + " per second" : "";
    cell(html, Format.count(stage.count()) + " " + stage.unit(), rate);
    html.close("tr");
  }

  private static void cell(Html html, String text, String detail) {
    html.open("td", "class", "num").text(text);
    html.element("span", detail, "class", "range").close("td");
  }

  static void configuration(Html html, ReportData data) {
    if (!data.facts().isEmpty()) {
      html.open("dl");
      for (Fact fact : data.facts()) {
        html.open("div").element("dt", fact.name()).element("dd", fact.value()).close("div");
      }
      html.close("dl");
    }
    html.element("h3", "Exact configuration");
    html.open("pre", "tabindex", "0").element("code", data.configuration()).close("pre");
  }
}
