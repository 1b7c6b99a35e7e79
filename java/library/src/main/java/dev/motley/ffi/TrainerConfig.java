// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import dev.motley.Normalisation;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * How a classifier is trained: AdamW on augmented batches.
 *
 * @param batch images of each step
 * @param dropLast whether an epoch's last, smaller batch is left out
 * @param headOnly whether only the layer that makes the logits is trained, and the rest computes as in evaluation
 * @param beta1 AdamW's decay of the first moment
 * @param beta2 AdamW's decay of the second moment
 * @param epsilon AdamW's epsilon
 * @param weightDecay decoupled decay, by learning rate * weightDecay, of all parameters
 * @param labelSmoothing 0 for plain cross-entropy
 * @param cropScaleMin smallest area of a random crop, as a fraction
 * @param cropScaleMax largest area of a random crop; 1 and 1 for no crop
 * @param cropRatioMin smallest aspect ratio of a crop
 * @param cropRatioMax largest aspect ratio of a crop
 * @param flip probability of a horizontal flip
 * @param rotation largest angle of a random rotation before the flip, in degrees
 * @param resize shorter side before a random crop of the classifier's size; 0 for none
 * @param heldOut images drawn by the seed that are never trained on
 * @param mixup alpha of the Beta distribution of a batch's share; 0 for none
 * @param emaDecay of the moving average of the weights; 0 for none
 * @param clipNorm largest norm of all gradients together; 0 for any
 * @param randAugmentOps operations of RandAugment on each image; 0 for none
 * @param randAugmentMagnitude of them, 0 to 30
 * @param normalisation from pixels to inputs
 * @param seed of order and augmentation
 */
public record TrainerConfig(
    int batch,
    boolean dropLast,
    boolean headOnly,
    double beta1,
    double beta2,
    double epsilon,
    double weightDecay,
    double labelSmoothing,
    double cropScaleMin,
    double cropScaleMax,
    double cropRatioMin,
    double cropRatioMax,
    double flip,
    double rotation,
    int resize,
    int heldOut,
    double mixup,
    double emaDecay,
    double clipNorm,
    int randAugmentOps,
    int randAugmentMagnitude,
    Normalisation normalisation,
    long seed) {

  /**
   * Counts the optimizer steps of an epoch.
   *
   * @param images in the training set, with those held out
   * @return the number of batches
   */
  public int stepsPerEpoch(int images) {
    int taken = images - heldOut;
    return dropLast ? taken / batch : Math.ceilDiv(taken, batch);
  }

  MemorySegment toC(Arena arena) {
    return Struct.allocate(arena, Header.TRAINER_CONFIG)
        .put("batch", batch)
        .put("drop_last", dropLast)
        .put("head_only", headOnly)
        .put("beta1", beta1)
        .put("beta2", beta2)
        .put("epsilon", epsilon)
        .put("weight_decay", weightDecay)
        .put("label_smoothing", labelSmoothing)
        .put("crop_scale_min", cropScaleMin)
        .put("crop_scale_max", cropScaleMax)
        .put("crop_ratio_min", cropRatioMin)
        .put("crop_ratio_max", cropRatioMax)
        .put("flip", flip)
        .put("rotation", rotation)
        .put("resize", (long) resize)
        .put("held_out", (long) heldOut)
        .put("mixup", mixup)
        .put("ema_decay", emaDecay)
        .put("clip_norm", clipNorm)
        .put("randaugment_ops", randAugmentOps)
        .put("randaugment_magnitude", randAugmentMagnitude)
        .put("normalisation", Struct.of(arena, normalisation))
        .put("seed", seed)
        .segment();
  }
}
