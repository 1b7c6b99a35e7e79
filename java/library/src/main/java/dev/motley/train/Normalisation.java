// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import dev.motley.InvalidInputException;
import java.util.List;

/**
 * Network input = (pixel / 255 - mean) / std, per channel.
 *
 * @param mean three means, of red, green, blue
 * @param std three standard deviations, positive
 */
public record Normalisation(List<Float> mean, List<Float> std) {

  /** ImageNet's constants, which the paper's code uses for CIFAR. */
  public static final Normalisation IMAGENET =
      new Normalisation(List.of(0.485f, 0.456f, 0.406f), List.of(0.229f, 0.224f, 0.225f));

  /** Pixels in [0, 1], as the paper's code leaves EuroSAT. */
  public static final Normalisation UNIT =
      new Normalisation(List.of(0f, 0f, 0f), List.of(1f, 1f, 1f));

  public Normalisation {
    mean = List.copyOf(mean);
    std = List.copyOf(std);
    if (mean.size() != 3 || std.size() != 3) {
      throw new InvalidInputException(
          "normalisation needs 3 means and 3 deviations, got " + mean.size() + " and " + std.size());
    }
    for (float value : std) {
      if (!(value > 0)) {
        throw new InvalidInputException("a standard deviation must be positive, got " + value);
      }
    }
  }
}
