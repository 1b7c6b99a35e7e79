// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import dev.motley.results.ResultTable;
import dev.motley.results.TableText;
import java.util.List;

/** The tables of accuracies over seeds, with differences and the paper's own numbers. */
final class TableSection {

  private TableSection() {}

  static void write(Html html, ReportData data) {
    data.tables().forEach(table -> table(html, table));
  }

  static void table(Html html, ResultTable table) {
    String caption = table.title() + ", " + TableText.statistics(table.mode());
    Page.openTable(html, caption, "results");
    html.open("thead").open("tr").element("th", table.corner(), "scope", "col");
    table.columns().forEach(name -> html.element("th", name, "scope", "col"));
    html.close("tr").close("thead").open("tbody");
    for (ResultTable.Row row : table.rows()) {
      html.open("tr").element("th", row.name(), "scope", "row");
      row.cells().forEach(cell -> cell(html, cell));
      html.close("tr");
    }
    html.close("tbody");
    Page.closeTable(html);
    table.notes().forEach(note -> html.element("p", note, "class", "note"));
  }

  private static void cell(Html html, ResultTable.Cell cell) {
    List<String> words = TableText.words(cell);
    html.open("td", "class", "num");
    if (cell.measured().isPresent()) {
      html.element("strong", words.getFirst());
    } else {
      html.text(words.getFirst());
    }
    words.stream().skip(1).forEach(word -> html.element("span", word, "class", "range"));
    html.close("td");
  }
}
