// SPDX-License-Identifier: Apache-2.0
package dev.motley.evaluate;

import dev.motley.InvalidInputException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * A classifier measured on a test set in both ways of normalising, side by side. Networks without
 * batch normalisation give the same scores twice.
 *
 * @param classes names in label order
 * @param batch images a batch; batch statistics depend on it
 * @param running with the running statistics gathered in training ({@code model.eval()})
 * @param batchStatistics with the statistics of each test batch, which adapts to the real images
 *     without their labels
 */
public record Evaluation(List<String> classes, int batch, Scores running, Scores batchStatistics) {

  /** Copies the names and refuses scores of another number of classes or images. */
  public Evaluation {
    classes = List.copyOf(classes);
    for (Scores scores : List.of(running, batchStatistics)) {
      if (scores.confusion().classes() != classes.size()) {
        throw new InvalidInputException(
            "scores of %d classes for the %d classes %s"
                .formatted(scores.confusion().classes(), classes.size(), classes));
      }
    }
    if (running.total().images() != batchStatistics.total().images()) {
      throw new InvalidInputException(
          "%d images scored with running statistics, %d with batch statistics"
              .formatted(running.total().images(), batchStatistics.total().images()));
    }
  }

  /**
   * Measures both sets of logits.
   *
   * @param classes names in label order
   * @param batch images a batch
   * @param running (images, classes) logits with running statistics
   * @param batchStatistics (images, classes) logits with batch statistics
   * @param labels (images)
   * @return the evaluation
   * @throws InvalidInputException as {@link Scores#of}
   */
  public static Evaluation of(
      List<String> classes, int batch, float[] running, float[] batchStatistics, int[] labels) {
    return new Evaluation(
        classes,
        batch,
        Scores.of(classes.size(), running, labels),
        Scores.of(classes.size(), batchStatistics, labels));
  }

  /**
   * Returns the number of test images.
   *
   * @return images
   */
  public int images() {
    return running.total().images();
  }

  /** A line for people: images and both accuracies. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%,d images: %.1f %% right with running statistics, %.1f %% with batch statistics",
        images(),
        100 * running.total().accuracy(),
        100 * batchStatistics.total().accuracy());
  }

  /**
   * Returns it as JSON, with accuracies and intervals spelled out for readers. The same evaluation
   * gives the same text.
   *
   * @return UTF-8 text ending in a newline
   */
  public String toJson() {
    return EvaluationJson.write(this);
  }

  /**
   * Reads what {@link #toJson} gave.
   *
   * @param json the text
   * @return an equal evaluation
   * @throws InvalidInputException if the text is not such JSON; the message names the key
   */
  public static Evaluation fromJson(String json) {
    return EvaluationJson.read(json, "evaluation");
  }

  /**
   * Writes it to a file, which appears whole or not at all.
   *
   * @param file replaced if it exists
   * @throws dev.motley.ResourceException if it cannot be written
   */
  public void write(Path file) {
    EvaluationJson.write(this, file);
  }

  /**
   * Reads what {@link #write} wrote.
   *
   * @param file the file
   * @return an equal evaluation
   * @throws InvalidInputException if there is no such file or it is not an evaluation; the message
   *     names the file and the key
   */
  public static Evaluation read(Path file) {
    return EvaluationJson.read(file);
  }
}
