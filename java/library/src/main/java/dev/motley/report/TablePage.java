// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import dev.motley.BatchNormMode;
import dev.motley.files.AtomicFile;
import dev.motley.results.ResultTable;
import dev.motley.results.Tables;
import dev.motley.results.Trained;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The tables of some trainings as a page of their own, in the form of the {@link Report}. */
public final class TablePage {
  private TablePage() {}

  /**
   * Writes the page, with running and with batch statistics; the file appears whole or not at all.
   *
   * @param title its heading
   * @param trainings what the tables are made of
   * @param file replaced if it exists
   */
  public static void write(String title, List<Trained> trainings, Path file) {
    AtomicFile.write(file, html(title, tables(trainings)));
  }

  /** The tables of some trainings in both ways of normalising. */
  public static List<ResultTable> tables(List<Trained> trainings) {
    return Stream.of(BatchNormMode.RUNNING, BatchNormMode.BATCH).flatMap(mode -> Tables.of(trainings, mode).stream()).toList();
  }

  static String html(String title, List<ResultTable> tables) {
    var html = new Html();
    html.open("html", "lang", "en");
    Report.head(html, title);
    html.open("body").open("header");
    Report.diamonds(html);
    html.element("p", "Motley tables", "class", "brand").element("h1", title).close("header");
    html.open("main");
    for (ResultTable table : tables) {
      html.open("section").element("h2", table.title());
      TableSection.table(html, table);
      html.close("section");
    }
    html.close("main");
    html.element("footer", "Made by Motley. This page loads nothing from anywhere.");
    html.close("body").close("html");
    return html.finish();
  }
}
