// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import dev.motley.InvalidInputException;

/**
 * What the paper trains without, and every preset too.
 *
 * @param warmupEpochs epochs in which the learning rate rises in a straight line, before the cosine over the rest; 0: none
 * @param labelSmoothing share of the target spread over all classes, as torch's; 0 is plain cross-entropy
 */
public record TrainingOptions(int warmupEpochs, double labelSmoothing) {

  /** None of them. */
  public static final TrainingOptions OFF = new TrainingOptions(0, 0);

  /** More would leave nothing of the label. */
  public static final double MAX_LABEL_SMOOTHING = 0.99;

  public TrainingOptions {
    if (warmupEpochs < 0) {
      throw new InvalidInputException("warm-up epochs must not be negative, got " + warmupEpochs);
    }
    if (!(labelSmoothing >= 0 && labelSmoothing <= MAX_LABEL_SMOOTHING)) {
      throw new InvalidInputException(
          "label smoothing must be in [0, %s], got %s".formatted(MAX_LABEL_SMOOTHING, labelSmoothing));
    }
  }
}
