// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import dev.motley.InvalidInputException;
import dev.motley.weights.Checkpoint;

/**
 * Which pictures a model can draw at all.
 *
 * @param sizeMultiple widths and heights are multiples of it, in pixels
 * @param maxSteps the most DDIM steps
 */
record Limits(int sizeMultiple, int maxSteps) {

  static Limits of(Checkpoint checkpoint) {
    return new Limits(checkpoint.vaeConfig().downscale(), checkpoint.maxSteps());
  }

  /**
   * Checks a request.
   *
   * @throws InvalidInputException if the size or the number of steps does not suit the model
   */
  void check(SamplingOptions options) {
    for (int size : new int[] {options.width(), options.height()}) {
      if (size < sizeMultiple || size % sizeMultiple != 0) {
        throw new InvalidInputException(
            "width and height must be multiples of %d pixels for this model, got %dx%d"
                .formatted(sizeMultiple, options.width(), options.height()));
      }
    }
    if (options.steps() > maxSteps) {
      throw new InvalidInputException("steps must be from 1 to %d, got %d".formatted(maxSteps, options.steps()));
    }
  }
}
