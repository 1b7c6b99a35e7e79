// SPDX-License-Identifier: Apache-2.0
package dev.motley.results;

import dev.motley.BatchNormMode;
import dev.motley.evaluate.Evaluation;
import dev.motley.evaluate.Scores;
import java.nio.file.Path;

/**
 * A training that is done and tested.
 *
 * @param folder where its files lie
 * @param record what it was
 * @param evaluation how it did on real images
 */
public record Trained(Path folder, TrainingRecord record, Evaluation evaluation) {

  /** The scores in one of the two modes. */
  public Scores scores(BatchNormMode mode) {
    return mode == BatchNormMode.RUNNING ? evaluation.running() : evaluation.batchStatistics();
  }

  /** The share of the real images called right, in [0, 1]. */
  public double accuracy(BatchNormMode mode) {
    return scores(mode).total().accuracy();
  }
}
