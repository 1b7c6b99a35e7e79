// SPDX-License-Identifier: Apache-2.0
package dev.motley.evaluate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * How often images of each class were called each class.
 *
 * @param rows (classes, classes): {@code rows.get(label).get(predicted)} images
 */
public record ConfusionMatrix(List<List<Integer>> rows) {

  /**
   * One way of being wrong.
   *
   * @param label the true class
   * @param predicted what it was called
   * @param images how many
   */
  public record Confusion(int label, int predicted, int images) {}

  /** Copies the rows and refuses what is not square or negative. */
  public ConfusionMatrix {
    rows = rows.stream().map(List::copyOf).toList();
    for (List<Integer> row : rows) {
      if (row.size() != rows.size() || row.stream().anyMatch(count -> count < 0)) {
        throw new IllegalArgumentException(
            "a confusion matrix of " + rows.size() + " classes has the row " + row);
      }
    }
  }

  /**
   * Returns the number of classes.
   *
   * @return rows, and columns
   */
  public int classes() {
    return rows.size();
  }

  /**
   * Returns one cell.
   *
   * @param label the true class
   * @param predicted what it was called
   * @return images
   */
  public int count(int label, int predicted) {
    return rows.get(label).get(predicted);
  }

  /**
   * Returns how one class fared.
   *
   * @param label the class
   * @return its images, and those of them called so
   */
  public Tally tally(int label) {
    int images = rows.get(label).stream().mapToInt(Integer::intValue).sum();
    return new Tally(count(label, label), images);
  }

  /**
   * Returns how all images fared.
   *
   * @return all images, and those called right
   */
  public Tally total() {
    int correct = 0;
    int images = 0;
    for (int label = 0; label < classes(); label++) {
      Tally tally = tally(label);
      correct += tally.correct();
      images += tally.images();
    }
    return new Tally(correct, images);
  }

  /**
   * Lists the most frequent confusions, most frequent first, then by class.
   *
   * @param limit at most so many
   * @return only those that happened
   */
  public List<Confusion> strongest(int limit) {
    List<Confusion> all = new ArrayList<>();
    for (int label = 0; label < classes(); label++) {
      for (int predicted = 0; predicted < classes(); predicted++) {
        if (label != predicted && count(label, predicted) > 0) {
          all.add(new Confusion(label, predicted, count(label, predicted)));
        }
      }
    }
    all.sort(Comparator.comparingInt(Confusion::images).reversed()); // stable: then by class
    return List.copyOf(all.subList(0, Math.min(limit, all.size())));
  }
}
