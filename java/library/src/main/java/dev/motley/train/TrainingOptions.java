// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import dev.motley.InvalidInputException;

/**
 * What the paper trains without, and every preset too.
 *
 * @param warmupEpochs epochs in which the learning rate rises in a straight line, before the cosine over the rest; 0: none
 * @param labelSmoothing share of the target spread over all classes, as torch's; 0 is plain cross-entropy
 * @param mixup alpha: of every batch a share from Beta(alpha, alpha) is kept and the rest is the images before (Zhang et al. 2018, as
 *     torchvision's references do it); 0: images are not mixed
 * @param ema decay of a moving average of the weights, updated after every step as torch's AveragedModel, with the buffers as they
 *     are; the average is what is saved and tested. 0: none
 * @param clipNorm largest norm of all gradients together, as torch's clip_grad_norm_; 0: gradients are not clipped
 * @param randAugment operations of RandAugment that each image goes through after crop and flip (Cubuk et al. 2020, the 14 of
 *     torchvision on uint8 tensors); 0: none
 * @param randAugmentMagnitude of them, of 31 from 0 on
 */
public record TrainingOptions(
    int warmupEpochs,
    double labelSmoothing,
    double mixup,
    double ema,
    double clipNorm,
    int randAugment,
    int randAugmentMagnitude) {

  /** None of them. */
  public static final TrainingOptions OFF = new TrainingOptions(0, 0, 0, 0, 0, 0, 9);

  /** More would leave nothing of the label. */
  public static final double MAX_LABEL_SMOOTHING = 0.99;

  /** Every batch would be mixed by half. */
  public static final int MAX_MIXUP = 1000;

  /** More would keep the first step's weights for good. */
  public static final double MAX_EMA = 0.999999;

  /** Far above any use; a larger one is a slip. */
  public static final int MAX_CLIP_NORM = 1_000_000;

  /** Far above any use; more is a slip. */
  public static final int MAX_RAND_AUGMENT = 16;

  /** The largest of torchvision's 31. */
  public static final int MAX_MAGNITUDE = 30;

  public TrainingOptions {
    if (randAugment < 0 || randAugment > MAX_RAND_AUGMENT) {
      throw new InvalidInputException("randaugment must be in [0, %d] operations, got %d".formatted(MAX_RAND_AUGMENT, randAugment));
    }
    if (randAugmentMagnitude < 0 || randAugmentMagnitude > MAX_MAGNITUDE) {
      throw new InvalidInputException(
          "randaugment magnitude must be in [0, %d], got %d".formatted(MAX_MAGNITUDE, randAugmentMagnitude));
    }
    if (warmupEpochs < 0) {
      throw new InvalidInputException("warm-up epochs must not be negative, got " + warmupEpochs);
    }
    if (!(labelSmoothing >= 0 && labelSmoothing <= MAX_LABEL_SMOOTHING)) {
      throw new InvalidInputException(
          "label smoothing must be in [0, %s], got %s".formatted(MAX_LABEL_SMOOTHING, labelSmoothing));
    }
    if (!(mixup >= 0 && mixup <= MAX_MIXUP)) {
      throw new InvalidInputException("mixup must be in [0, %d], got %s".formatted(MAX_MIXUP, mixup));
    }
    if (!(ema >= 0 && ema <= MAX_EMA)) {
      throw new InvalidInputException("ema must be a decay in [0, %s], got %s".formatted(MAX_EMA, ema));
    }
    if (!(clipNorm >= 0 && clipNorm <= MAX_CLIP_NORM)) {
      throw new InvalidInputException("clip norm must be in [0, %d], got %s".formatted(MAX_CLIP_NORM, clipNorm));
    }
  }
}
