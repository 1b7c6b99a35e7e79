// SPDX-License-Identifier: Apache-2.0
package dev.motley.results;

import dev.motley.BatchNormMode;
import dev.motley.train.Recipe;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The paper's Tables 2 (tricks by datasets, ResNet50) and 3 (architectures by datasets, base class and best tricks), and tables of
 * their form for other datasets, filled from trainings.
 */
public final class Tables {
  private static final String MAIN_ARCHITECTURE = "resnet50";

  private final PaperNumbers paper = PaperNumbers.read();
  private final BatchNormMode mode;

  /** By dataset. */
  private final Map<String, Cells> cells = new LinkedHashMap<>();

  private Tables(List<Trained> trainings, BatchNormMode mode) {
    this.mode = mode;
    List<Group> groups = Group.of(trainings);
    var datasets = new LinkedHashSet<>(paper.datasets());
    datasets.addAll(new TreeSet<>(groups.stream().map(group -> group.data().dataset()).toList()));
    for (String dataset : datasets) {
      cells.put(dataset, new Cells(dataset, groups.stream().filter(g -> g.data().dataset().equals(dataset)).toList(), mode));
    }
  }

  /**
   * Puts trainings into tables.
   *
   * @param trainings of any datasets, architectures and seeds; those that differ in their seed only make one cell
   * @param mode whose statistics BatchNorm normalises with
   * @return the paper's two if there is a training on one of its datasets, then those of other datasets
   * @throws dev.motley.InvalidInputException if two trainings belong into one cell but are not alike
   */
  public static List<ResultTable> of(List<Trained> trainings, BatchNormMode mode) {
    var tables = new Tables(trainings, mode);
    var all = new ArrayList<ResultTable>();
    List<String> ofPaper = tables.paper.datasets();
    if (ofPaper.stream().anyMatch(dataset -> !tables.cells.get(dataset).isEmpty())) {
      all.add(tables.table2("table-2", "Table 2: the paper's tricks, ResNet50", ofPaper, MAIN_ARCHITECTURE));
      all.add(tables.table3("table-3", "Table 3: architectures, from the base class to the best tricks", ofPaper));
    }
    tables.cells.keySet().stream()
        .filter(dataset -> !ofPaper.contains(dataset))
        .forEach(dataset -> all.addAll(tables.own(dataset)));
    return all;
  }

  private List<ResultTable> own(String dataset) {
    List<String> architectures = cells.get(dataset).architectures();
    String first = architectures.contains(MAIN_ARCHITECTURE) ? MAIN_ARCHITECTURE : architectures.getFirst();
    return List.of(
        table2("table-2-" + dataset, "Tricks on %s, %s".formatted(dataset, first), List.of(dataset), first),
        table3("table-3-" + dataset, "Architectures on %s, from the base class to all combined".formatted(dataset), List.of(dataset)));
  }

  private ResultTable table2(String id, String title, List<String> datasets, String architecture) {
    var kinds = new LinkedHashSet<String>();
    for (String kind : SetKinds.known()) {
      if (datasets.stream().anyMatch(d -> paper.table2(kind, d).isPresent() || cells.get(d).has(architecture, kind))) {
        kinds.add(kind);
      }
    }
    datasets.forEach(dataset -> kinds.addAll(cells.get(dataset).kinds(architecture)));
    var rows = new ArrayList<ResultTable.Row>();
    for (String kind : kinds) {
      var row = new ArrayList<ResultTable.Cell>();
      for (String dataset : datasets) {
        OptionalDouble printed = paper.table2(kind, dataset);
        boolean cited = kind.equals("he-et-al") || kind.equals("clip-zero-shot");
        row.add(cell(dataset, architecture, kind, printed, printed.isPresent() && !cited));
      }
      rows.add(new ResultTable.Row(SetKinds.title(kind), row));
    }
    return table(id, title, "Set", datasets.stream().map(paper::title).toList(), rows, datasets);
  }

  private ResultTable table3(String id, String title, List<String> datasets) {
    Set<String> architectures = new LinkedHashSet<>();
    if (datasets.stream().anyMatch(paper.datasets()::contains)) {
      architectures.addAll(paper.architectures());
    }
    datasets.forEach(dataset -> architectures.addAll(cells.get(dataset).architectures()));
    var columns = new ArrayList<String>();
    for (String dataset : datasets) {
      columns.add(paper.title(dataset) + ", base class");
      columns.add(paper.title(dataset) + ", best tricks");
    }
    var rows = new ArrayList<ResultTable.Row>();
    for (String architecture : architectures) {
      var row = new ArrayList<ResultTable.Cell>();
      for (String dataset : datasets) {
        row.add(cell(dataset, architecture, SetKinds.BASE, paper.table3(architecture, dataset, false), true));
        row.add(cell(dataset, architecture, cells.get(dataset).best(), paper.table3(architecture, dataset, true), true));
      }
      rows.add(new ResultTable.Row(architecture, row));
    }
    return table(id, title, "Architecture", columns, rows, datasets);
  }

  private ResultTable.Cell cell(
      String dataset, String architecture, String kind, OptionalDouble printed, boolean expected) {
    Optional<ResultTable.Measured> measured = cells.get(dataset).measured(architecture, kind);
    return new ResultTable.Cell(measured, printed, expected);
  }

  private ResultTable table(
      String id, String title, String corner, List<String> columns, List<ResultTable.Row> rows, List<String> datasets) {
    boolean printed = rows.stream().flatMap(row -> row.cells().stream()).anyMatch(cell -> cell.paper().isPresent());
    List<String> notes =
        Stream.of(
                Stream.of(MEANING, GAINS),
                printed ? Stream.of("'paper': " + paper.source() + ".") : Stream.<String>empty(),
                datasets.stream().flatMap(dataset -> cells.get(dataset).tests(paper.title(dataset)).stream()))
            .flatMap(notes1 -> notes1)
            .toList();
    return new ResultTable(id, title, mode, corner, columns, rows, notes);
  }

  private static final String MEANING =
      "Accuracy in percent on real test images: mean and sample standard deviation over n seeds, in parentheses the 95 % confidence"
          + " interval of the mean (Student's t), which one seed does not give.";

  private static final String GAINS =
      "With a sign: the difference to a base class of the same resize and as many images, with its 95 % interval (Welch's t). 'no"
          + " base': none such was trained; a larger set against a smaller base, or one rescale against the other, would not tell"
          + " what the tricks do.";

  /** Names of recipes' architectures in the library's order, others behind. */
  static List<String> ordered(Set<String> architectures) {
    return Stream.concat(
            Recipe.ARCHITECTURES.stream().filter(architectures::contains),
            architectures.stream().filter(name -> !Recipe.ARCHITECTURES.contains(name)).sorted())
        .toList();
  }
}
