// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import dev.motley.InvalidInputException;

/**
 * What a training image goes through: torchvision's RandomResizedCrop, then RandomHorizontalFlip.
 *
 * @param scaleMin smallest share of the image's area that a crop covers, in (0, 1]
 * @param scaleMax largest share; 1 and 1 leave the image whole
 * @param ratioMin smallest width to height ratio of a crop
 * @param ratioMax largest ratio; drawn log-uniformly between the two
 * @param flip probability of a horizontal flip, in [0, 1]
 */
public record Augmentation(
    double scaleMin, double scaleMax, double ratioMin, double ratioMax, double flip) {

  /** torchvision's defaults, which the paper's code uses: crops of 8 to 100 % of the area, flips of every other image. */
  public static final Augmentation TORCHVISION = new Augmentation(0.08, 1, 3.0 / 4, 4.0 / 3, 0.5);

  /** Images as they are. */
  public static final Augmentation NONE = new Augmentation(1, 1, 1, 1, 0);

  public Augmentation {
    if (!(scaleMin > 0 && scaleMin <= scaleMax && scaleMax <= 1)) {
      throw new InvalidInputException(
          "crop scale must satisfy 0 < min <= max <= 1, got " + scaleMin + " to " + scaleMax);
    }
    if (!(ratioMin > 0 && ratioMin <= ratioMax && ratioMax <= 100)) {
      throw new InvalidInputException(
          "crop ratio must satisfy 0 < min <= max <= 100, got " + ratioMin + " to " + ratioMax);
    }
    if (!(flip >= 0 && flip <= 1)) {
      throw new InvalidInputException("flip must be a probability in [0, 1], got " + flip);
    }
  }

  /** The same with crops from {@code min} of the area on. */
  public Augmentation withScaleMin(double min) {
    return new Augmentation(min, scaleMax, ratioMin, ratioMax, flip);
  }
}
