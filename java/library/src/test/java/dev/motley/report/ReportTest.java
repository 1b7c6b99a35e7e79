// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.BatchNormMode;
import dev.motley.InvalidInputException;
import dev.motley.ResourceException;
import dev.motley.evaluate.Evaluation;
import dev.motley.results.Gain;
import dev.motley.results.ResultTable;
import dev.motley.results.Spread;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

class ReportTest {

  /** A report of ten classes, 60 samples and 24 mistakes must stay easy to send by mail. */
  private static final long MAX_BYTES = 400_000;

  @TempDir Path folder;

  @Test
  void writesTheExampleWhole() throws Exception {
    ReportData data = Example.report();
    Path kept = Files.createDirectories(Path.of("target/report-example")).resolve("report.html");
    Report.write(data, kept);
    assertThat(kept).hasContent(Report.html(Example.report()));
    assertThat(Files.size(kept)).isBetween(50_000L, MAX_BYTES);
    try (var files = Files.list(kept.getParent())) {
      assertThat(files).containsExactly(kept);
    }
  }

  @Test
  void isWellFormedAndRefersToNothingOutside() throws Exception {
    Document page = parse(Report.html(Example.report()));
    Set<String> ids = new HashSet<>();
    for (Element element : elements(page)) {
      assertThat(element.getTagName()).isNotIn("script", "iframe", "object", "embed", "form");
      for (int i = 0; i < element.getAttributes().getLength(); i++) {
        Node attribute = element.getAttributes().item(i);
        assertThat(attribute.getNodeName()).doesNotStartWith("on");
        if (Set.of("src", "href", "srcset", "action").contains(attribute.getNodeName())) {
          assertThat(attribute.getNodeValue()).matches("data:.*|#[a-z]+");
        }
      }
      if (element.hasAttribute("id")) {
        assertThat(ids.add(element.getAttribute("id"))).isTrue();
      }
    }
    for (Element element : elements(page)) {
      if (element.getAttribute("href").startsWith("#")) {
        assertThat(ids).contains(element.getAttribute("href").substring(1));
      }
    }
    String style = page.getElementsByTagName("style").item(0).getTextContent();
    assertThat(style).doesNotContain("url(", "@import", "http").contains("prefers-color-scheme");
  }

  @Test
  void everyPictureSaysWhatItShows() throws Exception {
    Document page = parse(Report.html(Example.report()));
    NodeList images = page.getElementsByTagName("img");
    assertThat(images.getLength()).isEqualTo(60 + 24);
    for (int i = 0; i < images.getLength(); i++) {
      assertThat(((Element) images.item(i)).getAttribute("alt")).isNotBlank();
    }
    NodeList drawings = page.getElementsByTagName("svg");
    for (int i = 0; i < drawings.getLength(); i++) {
      Element svg = (Element) drawings.item(i);
      assertThat(svg.hasAttribute("aria-label") || svg.hasAttribute("aria-hidden")).isTrue();
    }
  }

  @Test
  void headingsAndTablesAreInOrder() throws Exception {
    Document page = parse(Report.html(Example.report()));
    List<String> headings =
        elements(page).stream().map(Element::getTagName).filter(t -> t.matches("h[1-6]")).toList();
    assertThat(headings).startsWith("h1").containsOnlyOnce("h1");
    for (int i = 1; i < headings.size(); i++) {
      assertThat(headings.get(i).charAt(1) - headings.get(i - 1).charAt(1)).isLessThanOrEqualTo(1);
    }
    NodeList tables = page.getElementsByTagName("table");
    for (int i = 0; i < tables.getLength(); i++) {
      Element table = (Element) tables.item(i);
      assertThat(table.getElementsByTagName("caption").getLength()).isEqualTo(1);
      assertThat(((Element) table.getParentNode()).getAttribute("class")).isEqualTo("box");
    }
  }

  @Test
  void userTextIsEscapedEverywhere() throws Exception {
    String evil = "<b onmouseover=\"x\">&'\u0001\uD800]]>";
    String shown = "<b onmouseover=\"x\">&'\uFFFD\uFFFD]]>";
    List<String> classes = List.of(evil, "plain");
    float[] logits = {0, 1, 0, 1};
    Evaluation evaluation = Evaluation.of(classes, 2, logits, logits, new int[] {0, 1});
    Picture dot = Picture.rgb(1, 1, new byte[3]);
    var experiment =
        new Experiment(
            evil,
            evil,
            2,
            evaluation,
            List.of(new EpochPoint(1, 1, 0.5)),
            List.of(new MistakePicture(evaluation.running().worstMistakes().getFirst(), dot)));
    var data =
        new ReportData(
            evil,
            evil,
            evil,
            List.of(experiment),
            List.of(new TrainingRow(evil, evil, 1, experiment.evaluation())),
            List.of(table(evil)),
            List.of(new Sample(evil, evil, evil, 1, dot)),
            List.of(new SafetyRow(evil, evil, 1, 1, 1, 0, 0, 1)),
            List.of(new Stage(evil, 1, 1, evil)),
            evil,
            List.of(new Fact(evil, evil)));
    Document page = parse(Report.html(data));
    assertThat(page.getElementsByTagName("b").getLength()).isZero();
    assertThat(page.getElementsByTagName("h1").item(0).getTextContent()).isEqualTo(shown);
    assertThat(page.getElementsByTagName("code").item(0).getTextContent()).isEqualTo(shown);
    Element image = (Element) page.getElementsByTagName("img").item(0);
    assertThat(image.getAttribute("alt")).isEqualTo("Synthetic image: " + shown);
  }

  @Test
  void oneExperimentWithoutPicturesOrCurvesIsAReportToo() throws Exception {
    Document page = parse(Report.html(small(2, 1, 100)));
    assertThat(page.getElementsByTagName("img").getLength()).isZero();
    assertThat(page.getElementsByTagName("h1").item(0).getTextContent()).isEqualTo("Small");
    assertThat(page.getElementsByTagName("body").item(0).getTextContent()).doesNotContain("safety checker");
  }

  @Test
  void aHundredClassesAndSixExperimentsStillFit() throws Exception {
    String html = Report.html(small(100, 6, 10));
    parse(html);
    assertThat(html.length()).isLessThan(500_000);
    assertThat(html).doesNotContain("class=\"heat\"");
  }

  @Test
  void refusesWhatCannotStandSideBySide() {
    assertThatThrownBy(() -> small(2, 7, 1))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("a report of 7 experiments: expected 1 to 6");
    ReportData two = small(2, 1, 1);
    ReportData three = small(3, 1, 1);
    List<Experiment> twice = List.of(two.experiments().getFirst(), two.experiments().getFirst());
    assertThatThrownBy(() -> with(two, twice))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("two experiments are called Set 0");
    Experiment other = three.experiments().getFirst();
    Experiment renamed = new Experiment("Other", "", 1, other.evaluation(), List.of(), List.of());
    assertThatThrownBy(() -> with(two, List.of(two.experiments().getFirst(), renamed)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("Other has the classes [c0, c1, c2]");
  }

  @Test
  void sameInEveryLocale() throws Exception {
    Locale before = Locale.getDefault();
    String html = Report.html(Example.report());
    try {
      Locale.setDefault(Locale.forLanguageTag("ar-EG"));
      assertThat(Report.html(Example.report())).isEqualTo(html);
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void namesTheFileThatCannotBeWritten() throws IOException {
    Path file = Files.writeString(folder.resolve("a-file"), "").resolve("report.html");
    assertThatThrownBy(() -> Report.write(small(2, 1, 1), file))
        .isInstanceOf(ResourceException.class)
        .hasMessageContaining(file.toString());
  }

  @Test
  void textStandsOutInBothThemes() {
    String css = Report.html(small(2, 1, 1));
    Matcher themes = Pattern.compile(":root \\{([^}]*)}").matcher(css);
    for (int theme = 0; theme < 2; theme++) {
      assertThat(themes.find()).isTrue();
      String rules = themes.group(1);
      for (String ground : List.of("page", "surface")) {
        for (String text : List.of("ink", "muted")) {
          assertContrast(variable(rules, text), variable(rules, ground), 4.5);
        }
        for (int i = 0; i < 6; i++) { // lines, bars and markers: WCAG 1.4.11
          assertContrast(variable(rules, "s" + i), variable(rules, ground), 3);
        }
      }
    }
  }

  @Test
  void numbersStandOutOnEveryStepOfTheHeatScale() {
    Matcher rules =
        Pattern.compile("background: (#\\w{6}); color: (#\\w{6})").matcher(HeatScale.css());
    int seen = 0;
    while (rules.find()) {
      assertContrast(Colour.hex(rules.group(1)), Colour.hex(rules.group(2)), 4.5);
      seen++;
    }
    assertThat(seen).isEqualTo(2 * 2 * (HeatScale.STEPS + 1));
  }

  private static void assertContrast(Colour text, Colour ground, double least) {
    assertThat(text.contrast(ground))
        .as("%s on %s", text.hex(), ground.hex())
        .isGreaterThanOrEqualTo(least);
  }

  private static Colour variable(String rules, String name) {
    Matcher value = Pattern.compile("--" + name + ": (#\\w{6})").matcher(rules);
    assertThat(value.find()).as("--" + name).isTrue();
    return Colour.hex(value.group(1));
  }

  private static ReportData with(ReportData data, List<Experiment> experiments) {
    return new ReportData(
        data.title(),
        data.architecture(),
        data.testSet(),
        experiments,
        data.trainings(),
        data.tables(),
        data.samples(),
        data.safety(),
        data.stages(),
        data.configuration(),
        data.facts());
  }

  private static ReportData small(int classes, int experiments, int images) {
    List<String> names = IntStream.range(0, classes).mapToObj(i -> "c" + i).toList();
    int[] labels = IntStream.range(0, images).map(i -> i % classes).toArray();
    float[] logits = new float[images * classes];
    Evaluation evaluation = Evaluation.of(names, 1, logits, logits, labels);
    List<Experiment> all = new ArrayList<>();
    for (int i = 0; i < experiments; i++) {
      all.add(new Experiment("Set " + i, "", 1, evaluation, List.of(), List.of()));
    }
    return new ReportData("Small", "net", "test", all, List.of(), List.of(), List.of(), List.of(), List.of(), "", List.of());
  }

  private static ResultTable table(String text) {
    var cell =
        new ResultTable.Cell(
            Optional.of(
                new ResultTable.Measured(Spread.of(List.of(0.5, 0.6)), Spread.of(List.of(0.1, 0.1)), 10, new Gain.Unknown(text))),
            OptionalDouble.of(60.5),
            true);
    return new ResultTable(
        text, text, BatchNormMode.RUNNING, text, List.of(text), List.of(new ResultTable.Row(text, List.of(cell))), List.of(text));
  }

  private static Document parse(String html) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(html)));
  }

  private static List<Element> elements(Document page) {
    NodeList all = page.getElementsByTagName("*");
    return IntStream.range(0, all.getLength()).mapToObj(i -> (Element) all.item(i)).toList();
  }
}
