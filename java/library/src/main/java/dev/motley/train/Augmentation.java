// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import dev.motley.InvalidInputException;

/**
 * What a training image goes through. Either torchvision's RandomResizedCrop, then RandomHorizontalFlip; or, with {@code resize} and
 * {@code crop}, its RandomRotation, RandomHorizontalFlip, Resize and RandomCrop, and in tests Resize and CenterCrop.
 *
 * @param scaleMin smallest share of the image's area that a crop covers, in (0, 1]
 * @param scaleMax largest share; 1 and 1 leave the image whole
 * @param ratioMin smallest width to height ratio of a crop
 * @param ratioMax largest ratio; drawn log-uniformly between the two
 * @param flip probability of a horizontal flip, in [0, 1]
 * @param rotation largest angle in degrees to either side, in [0, 180]; by the nearest pixel, black from outside
 * @param resize length of the shorter side before {@code crop}, bilinear without anti-aliasing; 0: no such step
 * @param crop height and width that the network sees of the resized image; 0 where {@code resize} is 0
 */
public record Augmentation(
    double scaleMin,
    double scaleMax,
    double ratioMin,
    double ratioMax,
    double flip,
    double rotation,
    int resize,
    int crop) {

  /** torchvision's defaults, which the paper's code uses: crops of 8 to 100 % of the area, flips of every other image. */
  public static final Augmentation TORCHVISION = new Augmentation(0.08, 1, 3.0 / 4, 4.0 / 3, 0.5, 0, 0, 0);

  /** What the paper's published code does to EuroSAT: turned by up to 90 degrees, flipped, 256 pixels, of which 224 are seen. */
  public static final Augmentation SATELLITE = new Augmentation(1, 1, 3.0 / 4, 4.0 / 3, 0.5, 90, 256, 224);

  /** Images as they are. */
  public static final Augmentation NONE = new Augmentation(1, 1, 1, 1, 0, 0, 0, 0);

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
    if (!(rotation >= 0 && rotation <= 180)) {
      throw new InvalidInputException("rotation must be in [0, 180] degrees, got " + rotation);
    }
    if (crop < 0 || resize < crop || crop == 0 && resize != 0) {
      throw new InvalidInputException(
          "resize and crop must be 0, or crop 1 or more and resize not below it, got resize %d and crop %d".formatted(resize, crop));
    }
    if (crop > 0 && scaleMin != 1) {
      throw new InvalidInputException(
          "a crop after resizing and a crop scale below 1 exclude each other: set crop-scale-min to 1, or resize and crop to 0");
    }
  }

  /** The same with crops from {@code min} of the area on. */
  public Augmentation withScaleMin(double min) {
    return new Augmentation(min, scaleMax, ratioMin, ratioMax, flip, rotation, resize, crop);
  }
}
