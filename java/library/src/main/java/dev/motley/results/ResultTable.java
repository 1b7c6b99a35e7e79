// SPDX-License-Identifier: Apache-2.0
package dev.motley.results;

import dev.motley.BatchNormMode;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * A table of accuracies on real images.
 *
 * @param id {@code table-2} (sets) or {@code table-3} (architectures), with the dataset where it is none of the paper's
 * @param title for people
 * @param mode whose statistics BatchNorm normalised with
 * @param corner what the rows are
 * @param columns their headings, without that of the rows
 * @param rows each with a cell for every column
 * @param notes sentences below it
 */
public record ResultTable(
    String id,
    String title,
    BatchNormMode mode,
    String corner,
    List<String> columns,
    List<Row> rows,
    List<String> notes) {
  /** Copies the lists and refuses rows of another width. */
  public ResultTable {
    columns = List.copyOf(columns);
    rows = List.copyOf(rows);
    notes = List.copyOf(notes);
    for (Row row : rows) {
      if (row.cells().size() != columns.size()) {
        throw new IllegalArgumentException("row " + row.name() + " has " + row.cells().size() + " cells: " + columns);
      }
    }
  }

  /** One set, or one architecture. */
  public record Row(String name, List<Cell> cells) {
    /** Copies the list. */
    public Row {
      cells = List.copyOf(cells);
    }
  }

  /**
   * One place of a table.
   *
   * @param measured what was found here
   * @param paper what the paper printed, in percent
   * @param expected whether a training belongs here: with nothing measured it is still to be run
   */
  public record Cell(Optional<Measured> measured, OptionalDouble paper, boolean expected) {}

  /**
   * The trainings of one cell.
   *
   * @param accuracy over the seeds, in [0, 1]
   * @param calibrationError over the seeds, in [0, 1]
   * @param images each learned from
   * @param gain over the base class
   */
  public record Measured(Spread accuracy, Spread calibrationError, int images, Gain gain) {}
}
