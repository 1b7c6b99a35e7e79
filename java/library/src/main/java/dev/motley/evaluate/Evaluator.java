// SPDX-License-Identifier: Apache-2.0
package dev.motley.evaluate;

import dev.motley.BatchNormMode;
import dev.motley.ProgressListener;
import dev.motley.dataset.ImageSet;
import dev.motley.train.Classifier;

/** Tests a classifier on real images. */
public final class Evaluator {

  /** The batch of the paper's published code; with batch statistics it is part of the result. */
  public static final int DEFAULT_BATCH = 128;

  private Evaluator() {}

  /**
   * Tests with running and with batch statistics, side by side; the latter in training mode, dropout and stochastic depth included, where
   * the classifier's recipe says so.
   *
   * @param classifier whose classes must be the set's, in any order
   * @param images real ones, of the classifier's size
   * @param batch images per forward pass
   * @param listener hears how many images are done, now and then; may stop
   * @return both results
   * @throws dev.motley.InvalidInputException if the classes differ, listing both
   * @throws dev.motley.CancelledException if the listener stopped it
   */
  public static Evaluation evaluate(
      Classifier classifier, ImageSet images, int batch, ProgressListener listener) {
    ImageSet real = ClassNames.inOrderOf(classifier.spec().classNames(), images, images.name());
    float[] running = classifier.logits(real, batch, BatchNormMode.RUNNING, listener);
    BatchNormMode second = classifier.spec().testInTraining() ? BatchNormMode.TRAIN : BatchNormMode.BATCH;
    float[] batchStatistics = classifier.logits(real, batch, second, listener);
    return Evaluation.of(real.classNames(), batch, running, batchStatistics, real.labels());
  }
}
