// SPDX-License-Identifier: Apache-2.0
package dev.motley;

/**
 * How pixels become network inputs: (pixel / 255 - mean) / std, per channel.
 *
 * @param meanRed mean of the first channel
 * @param meanGreen mean of the second channel
 * @param meanBlue mean of the third channel
 * @param stdRed standard deviation of the first channel, above 0
 * @param stdGreen standard deviation of the second channel, above 0
 * @param stdBlue standard deviation of the third channel, above 0
 */
public record Normalisation(
    float meanRed, float meanGreen, float meanBlue, float stdRed, float stdGreen, float stdBlue) {

  /** ImageNet's constants, with which the paper's published code normalises CIFAR. */
  public static final Normalisation IMAGENET =
      new Normalisation(0.485f, 0.456f, 0.406f, 0.229f, 0.224f, 0.225f);

  /** Pixels in [0, 1], as the paper's published code leaves EuroSAT. */
  public static final Normalisation UNIT = uniform(0, 1);

  /** Checks the deviations. */
  public Normalisation {
    for (float std : new float[] {stdRed, stdGreen, stdBlue}) {
      if (!(std > 0)) {
        throw new InvalidInputException("a standard deviation must be above 0, got " + std);
      }
    }
  }

  /**
   * Finds a normalisation.
   *
   * @param id {@code imagenet} or {@code unit}
   * @throws InvalidInputException if there is none of that name
   */
  public static Normalisation named(String id) {
    return switch (id) {
      case "imagenet" -> IMAGENET;
      case "unit" -> UNIT;
      default -> throw new InvalidInputException("unknown normalisation '" + id + "' (known: imagenet, unit)");
    };
  }

  /**
   * Makes a normalisation that treats the channels alike.
   *
   * @param mean of each channel
   * @param std of each channel, above 0
   * @return the normalisation
   */
  public static Normalisation uniform(float mean, float std) {
    return new Normalisation(mean, mean, mean, std, std, std);
  }
}
