// SPDX-License-Identifier: Apache-2.0
package dev.motley.results;

import dev.motley.BatchNormMode;
import dev.motley.evaluate.Interval;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Tables as Markdown, for people, and as CSV, one line for each cell. */
public final class TableText {
  private static final String NOT_RUN = "not run";
  private static final String NOTHING = "–";
  private static final List<String> CSV_HEAD =
      List.of(
          "table", "row", "column", "statistics", "state", "images", "seeds", "mean", "sd", "low95", "high95", "calibration_error",
          "difference", "difference_low95", "difference_high95", "base", "paper");

  private TableText() {}

  /** How a table's mode is called. */
  public static String statistics(BatchNormMode mode) {
    return mode == BatchNormMode.RUNNING ? "running statistics" : "batch statistics";
  }

  /** One after the other, each with a heading and its notes. */
  public static String markdown(List<ResultTable> tables) {
    return tables.stream().map(TableText::markdown).collect(Collectors.joining("\n"));
  }

  private static String markdown(ResultTable table) {
    var out = new StringBuilder();
    out.append("## ").append(table.title()).append(" (").append(statistics(table.mode())).append(")\n\n");
    var head = new ArrayList<String>();
    head.add(table.corner());
    head.addAll(table.columns());
    line(out, head);
    line(out, head.stream().map(_ -> "---").toList());
    for (ResultTable.Row row : table.rows()) {
      var cells = new ArrayList<String>();
      cells.add(row.name());
      row.cells().forEach(cell -> cells.add(String.join("; ", words(cell))));
      line(out, cells);
    }
    out.append('\n');
    table.notes().forEach(note -> out.append("- ").append(note).append('\n'));
    return out.toString();
  }

  private static void line(StringBuilder out, List<String> cells) {
    out.append(cells.stream().map(cell -> cell.replace("|", "\\|")).collect(Collectors.joining(" | ", "| ", " |\n")));
  }

  /** What a cell says, part by part: the accuracy, the gain, the paper's number. */
  public static List<String> words(ResultTable.Cell cell) {
    var words = new ArrayList<String>();
    cell.measured()
        .ifPresentOrElse(
            measured -> {
              words.add(accuracy(measured.accuracy()));
              words.add(gain(measured.gain()));
            },
            () -> {
              if (cell.expected()) {
                words.add(NOT_RUN);
              }
            });
    cell.paper().ifPresent(percent -> words.add("paper " + number(percent)));
    return words.isEmpty() ? List.of(NOTHING) : words;
  }

  /** The spread of accuracies: {@code 60.50 ± 0.31, n 3 (59.73 to 61.27)}, in percent. */
  public static String accuracy(Spread spread) {
    if (spread.n() == 1) {
      return percent(spread.mean()) + ", n 1";
    }
    return "%s ± %s, n %d (%s)"
        .formatted(percent(spread.mean()), percent(spread.sd()), spread.n(), spread.interval().map(TableText::interval).orElse(""));
  }

  private static String gain(Gain gain) {
    return switch (gain) {
      case Gain.IsBase() -> "base";
      case Gain.Unknown(String missing) -> missing;
      case Gain.Known(_, double difference, Optional<Interval> interval) ->
          signed(difference) + interval.map(ends -> " (" + signed(ends.low()) + " to " + signed(ends.high()) + ")").orElse("");
    };
  }

  private static String interval(Interval ends) {
    return percent(ends.low()) + " to " + percent(ends.high());
  }

  private static String percent(double share) {
    return number(100 * share);
  }

  private static String signed(double difference) {
    return String.format(Locale.ROOT, "%+.2f", 100 * difference);
  }

  private static String number(double percent) {
    return String.format(Locale.ROOT, "%.2f", percent);
  }

  /** A head line, then a line for every cell; accuracies and differences in percent, empty where there is none. */
  public static String csv(List<ResultTable> tables) {
    var out = new StringBuilder(String.join(",", CSV_HEAD)).append('\n');
    for (ResultTable table : tables) {
      for (ResultTable.Row row : table.rows()) {
        IntStream.range(0, table.columns().size())
            .forEach(i -> out.append(csv(table, row.name(), table.columns().get(i), row.cells().get(i))).append('\n'));
      }
    }
    return out.toString();
  }

  private static String csv(ResultTable table, String row, String column, ResultTable.Cell cell) {
    var values = new ArrayList<>(List.of(table.id(), row, column, statistics(table.mode())));
    String unmeasured = cell.expected() ? NOT_RUN : cell.paper().isPresent() ? "cited" : "none";
    values.add(cell.measured().isPresent() ? "run" : unmeasured);
    cell.measured().ifPresentOrElse(measured -> add(values, measured), () -> values.addAll(Collections.nCopies(11, "")));
    values.add(text(cell.paper()));
    return values.stream().map(TableText::quoted).collect(Collectors.joining(","));
  }

  private static void add(List<String> values, ResultTable.Measured measured) {
    Spread spread = measured.accuracy();
    values.add(String.valueOf(measured.images()));
    values.add(String.valueOf(spread.n()));
    values.add(percent(spread.mean()));
    values.add(spread.n() == 1 ? "" : percent(spread.sd()));
    addEnds(values, spread.interval());
    values.add(percent(measured.calibrationError().mean()));
    switch (measured.gain()) {
      case Gain.Known(String over, double difference, Optional<Interval> interval) -> {
        values.add(percent(difference));
        addEnds(values, interval);
        values.add(over);
      }
      case Gain.IsBase() -> values.addAll(List.of("", "", "", "base"));
      case Gain.Unknown(String missing) -> values.addAll(List.of("", "", "", missing));
    }
  }

  private static void addEnds(List<String> values, Optional<Interval> interval) {
    values.add(interval.map(ends -> percent(ends.low())).orElse(""));
    values.add(interval.map(ends -> percent(ends.high())).orElse(""));
  }

  private static String text(OptionalDouble percent) {
    return percent.isPresent() ? number(percent.getAsDouble()) : "";
  }

  /** As RFC 4180 has it. */
  private static String quoted(String value) {
    return value.matches("[^\",\r\n]*") ? value : "\"" + value.replace("\"", "\"\"") + "\"";
  }
}
