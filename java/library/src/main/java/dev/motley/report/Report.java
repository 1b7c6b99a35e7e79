// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import dev.motley.MotleyException;
import dev.motley.ResourceException;
import dev.motley.files.AtomicFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.stream.Stream;

/** Writes the report of a run as one HTML file that refers to nothing outside itself. */
public final class Report {

  /** Forbids the page to load anything: pictures are inside it, scripts there are none. */
  private static final String POLICY =
      "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

  private Report() {}

  private record Section(
      String id, String title, boolean shown, BiConsumer<Html, ReportData> body) {}

  /**
   * Writes the page to a file, which appears whole or not at all.
   *
   * @param data what to show
   * @param file replaced if it exists
   * @throws ResourceException if it cannot be written
   */
  public static void write(ReportData data, Path file) {
    AtomicFile.write(file, html(data));
  }

  /**
   * Returns the page.
   *
   * @param data what to show
   * @return HTML that is well-formed XML, too; the same for the same data
   */
  public static String html(ReportData data) {
    var html = new Html();
    html.open("html", "lang", "en");
    head(html, data.title());
    html.open("body");
    header(html, data);
    html.open("main");
    for (Section section : sections(data)) {
      html.open("section", "id", section.id()).element("h2", section.title());
      section.body().accept(html, data);
      html.close("section");
    }
    html.close("main");
    html.element("footer", "Made by Motley. This page loads nothing from anywhere.");
    html.close("body").close("html");
    return html.finish();
  }

  private static List<Section> sections(ReportData data) {
    boolean curves = data.experiments().stream().anyMatch(e -> !e.epochs().isEmpty());
    boolean mistakes = data.experiments().stream().anyMatch(e -> !e.mistakes().isEmpty());
    return Stream.of(
            new Section("results", "Results", true, ResultSection::table),
            new Section("tables", "Over seeds and architectures", !data.tables().isEmpty(), TableSection::write),
            new Section("trainings", "Every training", !data.trainings().isEmpty(), TrainingSection::write),
            new Section(
                "samples", "What it learned from", !data.samples().isEmpty(), SampleSection::write),
            new Section("safety", "What the safety checker did", !data.safety().isEmpty(), SafetySection::write),
            new Section("training", "How training went", curves, CurveSection::write),
            new Section("classes", "Class by class", true, ClassSection::write),
            new Section("confusions", "What was taken for what", true, ConfusionSection::write),
            new Section("mistakes", "Most confident mistakes", mistakes, MistakeSection::write),
            new Section(
                "time", "Where the time went", !data.stages().isEmpty(), RunSection::timing),
            new Section("run", "To run it again", true, RunSection::configuration))
        .filter(Section::shown)
        .toList();
  }

  static void head(Html html, String title) {
    html.open("head").empty("meta", "charset", "utf-8");
    html.empty("meta", "http-equiv", "Content-Security-Policy", "content", POLICY);
    html.empty("meta", "name", "viewport", "content", "width=device-width, initial-scale=1");
    html.empty("meta", "name", "color-scheme", "content", "light dark");
    html.empty("link", "rel", "icon", "href", "data:,"); // keeps browsers from asking for one
    html.element("title", title);
    html.open("style").raw(stylesheet()).raw(HeatScale.css()).close("style").close("head");
  }

  private static void header(Html html, ReportData data) {
    Finding finding = Finding.of(data);
    html.open("header");
    diamonds(html);
    html.element("p", "Motley report", "class", "brand").element("h1", data.title());
    html.element("p", finding.headline(), "class", "finding");
    ResultSection.cards(html, data);
    finding.explanation().forEach(sentence -> html.element("p", sentence));
    html.open("nav", "aria-label", "Contents").open("ul");
    for (Section section : sections(data)) {
      html.open("li").element("a", section.title(), "href", "#" + section.id()).close("li");
    }
    html.close("ul").close("nav");
    html.close("header");
  }

  /** The band of diamonds that a motley coat is made of. */
  static void diamonds(Html html) {
    html.open("svg", "class", "motley", "aria-hidden", "true").open("defs");
    html.open(
        "pattern",
        "id",
        "diamonds",
        "width",
        "64",
        "height",
        "16",
        "patternUnits",
        "userSpaceOnUse");
    html.empty("path", "class", "s1", "d", "M8,0l8,8l-8,8l-8,-8z");
    html.empty("path", "class", "s4", "d", "M24,0l8,8l-8,8l-8,-8z");
    html.empty("path", "class", "s2", "d", "M40,0l8,8l-8,8l-8,-8z");
    html.empty("path", "class", "s3", "d", "M56,0l8,8l-8,8l-8,-8z");
    html.close("pattern").close("defs");
    html.empty("rect", "width", "100%", "height", "16", "fill", "url(#diamonds)").close("svg");
  }

  private static String stylesheet() {
    try (InputStream in = Report.class.getResourceAsStream("report.css")) {
      if (in == null) {
        throw new MotleyException(
            "dev/motley/report/report.css is missing from the library: its build is incomplete");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new MotleyException("cannot read dev/motley/report/report.css: " + e.getMessage(), e);
    }
  }
}
